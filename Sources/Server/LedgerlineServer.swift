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
      opened = try Recovery.open(configuration.dataDirectory, clock: clock)
    } catch {
      throw .storage(error)
    }
    let isDamaged = opened.report.fellBack || !opened.report.faults.isEmpty
    for line in opened.report.lines { log.log(isDamaged ? .warning : .info, line) }
    let listening: ListeningSocket
    do throws(SocketError) {
      // Who may come in is decided by the kernel's word about the peer; other users must be able to knock.
      let isShared = !configuration.allowedUsers.isEmpty || !configuration.readOnlyUsers.isEmpty
      listening = try ListeningSocket.listen(
        on: configuration.effectiveSocketPath, permissions: isShared ? 0o666 : 0o600, holdsLock: true)
    } catch {
      throw .socket(error)
    }
    let shared = Shared(
      configuration: configuration, books: opened.books, report: opened.report, clock: clock, log: log)
    do throws(SystemError) {
      return try LedgerlineServer(
        shared, store: opened.store, directoryLock: opened.takeLock(), listening: listening,
        handlesSignals: handlesSignals)
    } catch {
      throw .system(error)
    }
  }

  private init(
    _ shared: Shared, store: SnapshotStore, directoryLock: consuming DirectoryLock,
    listening: consuming ListeningSocket, handlesSignals: Bool
  ) throws(SystemError) {
    SignalDescriptor.ignoreBrokenPipes()
    self.shared = shared
    // Signals are blocked before any thread starts, so that every thread inherits the mask.
    let signals = handlesSignals ? try SignalDescriptor([.terminate, .interrupt]) : nil
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
    shared.log.log(.info, "listening", [("socket", shared.configuration.effectiveSocketPath)])
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
  /// finished, a last snapshot is taken.
  /// - Returns: whether all is on disk.
  package func run() -> Bool {
    acceptor.run()
    shared.log.log(.info, "stopping")
    for loop in loops { loop.post(.drain) }
    for thread in loopThreads.withLock({ threads in
      let taken = threads
      threads = []
      return taken
    }) { thread.join() }
    services.queries.stop()
    let isSaved = services.snapshots.stop()
    acceptor.close()
    shared.log.log(isSaved ? .info : .error, isSaved ? "stopped" : "stopped without its last snapshot")
    return isSaved
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
