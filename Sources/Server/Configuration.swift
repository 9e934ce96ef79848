// Everything about a server that can be set, with its bounds.

import Platform
import Storage
import Wire

/// The settings of one server. Each has a default that suits a service on the same machine.
package struct Configuration: Sendable {
  /// Data directory; nil keeps nothing on disk (tests).
  package var dataDirectory: String
  /// What the directory lies on; nil for the kernel's file systems.
  package var disk: (any VirtualDisk)?
  /// Socket path; nil means `ledgerline.sock` in the data directory.
  package var socketPath: String?
  /// Bytes of a request line, at most.
  package var longestLine = LineDecoder.defaultLongestLine
  /// Event loops, each a thread. A second one pays only when clients run on other cores.
  package var loopCount = 1
  /// Threads for queries that are too long for a loop.
  package var queryThreadCount = max(2, CurrentProcess.processorCount)
  package var bounds = Bounds()
  /// User ids that may connect beside the server's own and root.
  package var allowedUsers: Set<UInt32> = []
  /// User ids that may connect and only read.
  package var readOnlyUsers: Set<UInt32> = []
  /// How the journal is kept: when a write counts as done, how large its files are, how much of the disk is
  /// left free.
  package var journal = JournalOptions()
  /// Leave out what the journal holds after this position.
  package var recoverTo: UInt64?
  /// Told how far the start has come, on any thread, one call at a time.
  package var onRecovery: @Sendable (RecoveryProgress) -> Void = { _ in }
  /// When snapshots are taken without being asked for.
  package var snapshotInterval = SnapshotInterval.off
  package var logFormat = LogFormat.text

  package init(dataDirectory: String) { self.dataDirectory = dataDirectory }

  package var effectiveSocketPath: String { socketPath ?? PathName.join(dataDirectory, "ledgerline.sock") }

  /// What limits memory and patience. Every one is enforced per connection or per server, so that no client
  /// can make the others wait or the process grow.
  package struct Bounds: Sendable {
    /// Connections; one more is told BUSY and closed.
    package var connections = 10_000
    /// Bytes of answers made in one go before they are written out.
    package var answerBatchByteCount = 256 << 10
    /// Bytes of finished answers that wait behind an unfinished one before the connection is no longer read.
    package var waitingAnswerByteCount = 1 << 20
    /// Unfinished requests of one connection before it is no longer read.
    package var unfinishedRequests = 1024
    /// Long queries and streams of one connection at a time before it is no longer read: each may hold a page
    /// of rows, or, if they are sorted, the row numbers of a whole table.
    package var unfinishedQueries = 16
    /// Bytes of the answers of one batch before the reads that are left in it are told BUSY.
    package var batchAnswerByteCount = 64 << 20
    /// Bytes held for input by all connections together, beyond `smallLineByteCount` each.
    package var unfinishedLineByteCount = 256 << 20
    package var smallLineByteCount = 64 << 10
    /// Descriptors that came with lines of one connection and wait for them; more are closed.
    package var waitingDescriptors = 16
    /// Descriptors of clients that are open, of all connections; more are closed.
    package var passedDescriptors = 256
    /// Queries waiting for a thread, and reads waiting for a position; one more is told BUSY.
    package var queuedQueries = 1024
    /// From the first byte of a line to its end.
    package var lineTime = Duration.seconds(60)
    /// A client that has answers waiting and reads none of them is closed after this; rows for
    /// a descriptor that nobody reads end with an error.
    package var unreadTime = Duration.seconds(60)
    /// How long the cut of a query or of a streamed answer may be held.
    package var cutAge = Duration.seconds(300)
    /// Bytes of replaced blocks kept for cuts; past it the queries on the oldest cut end.
    package var retainedByteCount = 2 << 30
    /// How long a stop waits for queries and unread answers; after a failure of the journal, and for
    /// cancelled ones.
    package var stopTime = Duration.seconds(10)
    package var failedStopTime = Duration.milliseconds(200)

    package init() {}
  }

  package enum LogFormat: String, Sendable, CaseIterable { case text, json }
}
