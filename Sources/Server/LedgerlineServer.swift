// A whole server: opens the data directory, listens, runs its threads, stops cleanly.

import Ledger
import Platform
import Storage
import Synchronization
import Wire

/// Why a server could not start.
package enum StartError: Error, CustomStringConvertible {
  case storage(StorageError)
  case socket(SocketError)
  case system(SystemError)

  package var description: String {
    switch self {
    case .storage(let error): error.description
    case .socket(let error): error.description
    case .system(let error): error.description
    }
  }
}

/// How a server has ended.
package enum ServerEnding: Sendable, Equatable {
  /// Everything is on disk, in a last snapshot.
  case saved
  /// Everything is on disk, in the journal; the last snapshot failed.
  case withoutSnapshot
  /// The journal has failed. What was acknowledged is on disk; what the rest has come to, the next start
  /// says.
  case journalFailed
}

/// One server. `start` returns when clients can connect; `run` accepts them until `stop` is called or a
/// signal comes.
package final class LedgerlineServer: Sendable {
  let shared: Shared
  let services: Services
  private let loops: [LoopInbox]
  private let loopThreads: Gate<[Thread]>
  private let isStopping = Atomic<Bool>(false)
  private let acceptor: Acceptor

  /// The books, for tests and benchmarks in the same process.
  package var books: Books { shared.books }
  package var socketPath: String { shared.configuration.effectiveSocketPath }

  /// Opens the data directory, loads it, listens.
  /// - Parameter handlesSignals: SIGTERM and SIGINT stop the server; no other thread may run yet that does
  ///   not block them.
  package static func start(
    _ configuration: Configuration, clock: any TimeSource = SystemClock(), handlesSignals: Bool = false,
    log: ServerLog? = nil
  ) throws(StartError) -> LedgerlineServer {
    let log = log ?? ServerLog(format: configuration.logFormat, clock: clock)
    var opened: OpenedDirectory
    do throws(StorageError) {
      opened = try Recovery.open(
        configuration.dataDirectory, on: configuration.disk, clock: clock,
        options: RecoveryOptions(
          target: configuration.recoverTo, direct: configuration.journal.direct,
          observer: configuration.onRecovery))
    } catch {
      throw .storage(error)
    }
    let isDamaged = opened.report.fellBack || !opened.report.faults.isEmpty
    for line in opened.report.lines { log.log(isDamaged ? .warning : .info, line) }
    let listening = try listen(configuration)
    // Signals are blocked before any thread starts that stays, so that every one inherits the mask.
    let signals = try blockSignals(if: handlesSignals)
    let journal: Journal
    do throws(StorageError) {
      journal = try opened.startJournal(configuration.journal)
    } catch {
      throw .storage(error)
    }
    let shared = Shared(
      configuration: configuration, books: opened.books, journal: journal, report: opened.report,
      clock: clock, log: log)
    do throws(SystemError) {
      return try LedgerlineServer(
        shared, store: opened.store, directoryLock: opened.takeLock(), listening: listening,
        signals: signals)
    } catch {
      try? journal.stop()
      throw .system(error)
    }
  }

  private static func blockSignals(if handlesSignals: Bool) throws(StartError) -> SignalDescriptor? {
    if !handlesSignals { return nil }
    do throws(SystemError) {
      return try SignalDescriptor([.terminate, .interrupt])
    } catch {
      throw .system(error)
    }
  }

  private static func listen(_ configuration: Configuration) throws(StartError) -> ListeningSocket {
    // Who may come in is decided by the kernel's word about the peer; other users must be able to knock.
    let isShared = !configuration.allowedUsers.isEmpty || !configuration.readOnlyUsers.isEmpty
    do throws(SocketError) {
      return try ListeningSocket.listen(
        on: configuration.effectiveSocketPath, permissions: isShared ? 0o666 : 0o600, holdsLock: true)
    } catch {
      throw .socket(error)
    }
  }

  private init(
    _ shared: Shared, store: SnapshotStore, directoryLock: consuming DirectoryLock,
    listening: consuming ListeningSocket, signals: consuming SignalDescriptor?
  ) throws(SystemError) {
    SignalDescriptor.ignoreBrokenPipes()
    self.shared = shared
    let services = try Services(shared: shared, store: store)
    self.services = services
    var loops: [LoopInbox] = []
    var threads: [Thread] = []
    for number in 0..<max(1, shared.configuration.loopCount) {
      let (inbox, thread) = try Self.startLoop(number, shared, services)
      loops.append(inbox)
      threads.append(thread)
    }
    self.loops = loops
    loopThreads = Gate(threads)
    acceptor = try Acceptor(
      listening: listening, directoryLock: directoryLock, signals: signals, shared: shared, loops: loops)
    followJournal()
    shared.log.log(.info, "listening", [("socket", shared.configuration.effectiveSocketPath)])
  }

  /// Loops go on when the journal does; when it fails, the server ends.
  private func followJournal() {
    shared.journal.onProgress { [weak self, loops] progress in
      for loop in loops { loop.journalHasGoneOn(progress) }
      if let failure = progress.failure { self?.journalHasFailed(failure) }
    }
    // What has happened before there was anybody to tell.
    if case .failed(let failure) = shared.journal.report.state { journalHasFailed(failure) }
  }

  private func journalHasFailed(_ failure: StorageError) {
    guard shared.noteJournalFailure() else { return }
    shared.log.log(
      .error,
      "the journal has failed, the server ends: what was acknowledged is safe, the next start says what"
        + " became of the rest", [("reason", "\(failure)")])
    for loop in loops { loop.wake() }
    stop()
  }

  private static func startLoop(
    _ number: Int, _ shared: Shared, _ services: Services
  ) throws(SystemError) -> (LoopInbox, Thread) {
    let events = LoopEvents(try EventLoop())
    let inbox = LoopInbox(wakeUp: events.wakeUp)
    let thread = try Thread(name: "loop-\(number)") {
      var loop = ConnectionLoop(shared: shared, services: services, events: events.take(), inbox: inbox)
      loop.run()
    }
    return (inbox, thread)
  }

  /// Accepts clients until the server is to stop, then stops it: nothing new is taken, what was read is
  /// finished and answered, the journal is closed, a last snapshot is taken. After a failure of the journal
  /// it ends within a second, and without a snapshot.
  package func run() -> ServerEnding {
    acceptor.run()
    shared.log.log(.info, "stopping")
    for loop in loops { loop.post(.drain) }
    for thread in loopThreads.withLock({ threads in
      let taken = threads
      threads = []
      return taken
    }) { thread.join() }
    services.queries.stop()
    let ending = close()
    acceptor.close()
    return ending
  }

  /// Brings everything to disk; who writes has ended.
  private func close() -> ServerEnding {
    do throws(StorageError) {
      try shared.journal.stop()
    } catch {
      journalHasFailed(error)
    }
    let isSaved = services.snapshots.stop(takesLast: !shared.hasJournalFailed)
    if shared.hasJournalFailed {
      shared.log.log(.error, "stopped by a failure of the journal")
      return .journalFailed
    }
    shared.log.log(isSaved ? .info : .error, isSaved ? "stopped" : "stopped without its last snapshot")
    return isSaved ? .saved : .withoutSnapshot
  }

  /// Makes `run` return. Any thread, any number of times.
  package func stop() { acceptor.stop() }
}

/// Carries an event loop to the thread that is to own it.
private final class LoopEvents: Sendable {
  private let slot: Guarded<EventLoopSlot>
  let wakeUp: WakeUp

  init(_ events: consuming EventLoop) {
    wakeUp = events.wakeUp
    slot = Guarded(EventLoopSlot(events: events))
  }

  func take() -> EventLoop {
    slot.withLock { $0.take() }
  }
}

private struct EventLoopSlot: ~Copyable, Sendable {
  var events: EventLoop?

  mutating func take() -> sending EventLoop {
    guard let events = events.take() else { preconditionFailure("a loop is handed over once") }
    return events
  }
}
