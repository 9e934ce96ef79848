// What all threads of one server share.

import Ledger
import Platform
import Query
import Storage
import Synchronization

/// The books and everything around them that has no thread of its own.
final class Shared: Sendable {
  let configuration: Configuration
  let books: Books
  let journal: Journal
  private let answersWait: Bool
  /// How the data directory was opened.
  let report: RecoveryReport
  let clock: any TimeSource
  let log: ServerLog
  let startedAt: Microseconds
  let queries = QueryEngine()
  let statistics: Statistics
  let running = RunningRequests()
  let queryCounts = QueryCounts()
  /// Descriptors that clients have passed, of all connections.
  let descriptors: DescriptorCount
  let commitWatches = CommitWatches()
  /// Connections that are open.
  let connectionCount = Atomic<Int>(0)
  /// Bytes of unfinished lines beyond the small ones, over all connections.
  let unfinishedLineByteCount = Atomic<Int>(0)
  /// The number that the next connection gets.
  let nextConnection = Atomic<UInt64>(1)
  /// Requests refused as BUSY, connections included.
  let busyCount = Atomic<UInt64>(0)
  private let journalFailed = Atomic<Bool>(false)

  /// Position up to which answers may leave.
  var committedPosition: UInt64 { answersWait ? journal.durablePosition : journal.committedPosition }
  /// Nothing more will be committed.
  var hasJournalFailed: Bool { journalFailed.load(ordering: .acquiring) }

  init(
    configuration: Configuration, books: Books, journal: Journal, report: RecoveryReport,
    clock: any TimeSource, log: ServerLog
  ) {
    self.configuration = configuration
    descriptors = DescriptorCount(limit: configuration.bounds.passedDescriptors)
    self.books = books
    self.journal = journal
    answersWait = journal.answersWait
    self.report = report
    self.clock = clock
    self.log = log
    statistics = Statistics(clock: clock)
    startedAt = clock.wallTime()
  }
  /// Notes that the journal has failed.
  /// - Returns: whether that is news.
  func noteJournalFailure() -> Bool { !journalFailed.exchange(true, ordering: .acquiringAndReleasing) }
}
