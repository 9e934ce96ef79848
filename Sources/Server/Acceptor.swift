// Accepting clients: who may come in, which loop gets them, and when to stop.

import Platform
import Synchronization
import Wire

/// Owns the listening socket. `run` blocks its thread; connections are dealt to the loops in turn.
final class Acceptor: Sendable {
  private static let listeningToken: UInt64 = 1
  private static let signalToken: UInt64 = 2
  /// How long to leave the queue alone when there are no descriptors left.
  private static let pause = Duration.milliseconds(100)
  /// Clients taken in before anything else is looked at.
  private static let clientsPerTurn = 256

  private let state: Guarded<State>
  private let wakeUp: WakeUp
  private let shouldStop = Atomic<Bool>(false)
  private let shared: Shared
  private let loops: [LoopInbox]

  private struct State: ~Copyable {
    var events: EventLoop
    var listening: ListeningSocket?
    var signals: SignalDescriptor?
    /// Held so that nobody else opens the data directory; given up last.
    var directoryLock: DirectoryLock?
    /// For clients that come when there are no descriptors left.
    var spare: SpareDescriptor
    var nextLoop = 0
    var isWatching = true
    var isWarned = false
  }

  init(
    listening: consuming ListeningSocket, directoryLock: consuming DirectoryLock,
    signals: consuming SignalDescriptor?, shared: Shared, loops: [LoopInbox]
  ) throws(SystemError) {
    self.shared = shared
    self.loops = loops
    let events = try EventLoop(capacity: 8)
    wakeUp = events.wakeUp
    try events.add(listening.descriptor, token: Self.listeningToken, interest: .read)
    if let descriptor = signals?.descriptor {
      try events.add(descriptor, token: Self.signalToken, interest: .read)
    }
    state = Guarded(
      try State(
        events: events, listening: listening, signals: signals, directoryLock: directoryLock,
        spare: SpareDescriptor()))
  }

  func stop() {
    shouldStop.store(true, ordering: .releasing)
    wakeUp.wake()
  }

  /// Gives the directory up.
  func close() {
    state.withLock { $0.directoryLock = nil }
  }

  /// Accepts until `stop` or a signal, then closes the socket and removes its file.
  func run() {
    state.withLock { state in
      while !shouldStop.load(ordering: .acquiring) {
        let timeout: Duration? = state.isWatching ? nil : Self.pause
        guard let wakefulness = try? state.events.wait(timeout: timeout) else { continue }
        if !state.isWatching { watch(&state, true) }
        for index in 0..<wakefulness.eventCount {
          switch state.events.event(at: index).token {
          case Self.signalToken: takeSignal(&state)
          default: acceptAll(&state)
          }
        }
      }
      // From here on a client is told by the kernel that nobody listens.
      state.listening = nil
    }
  }

  private func takeSignal(_ state: inout State) {
    guard let signal = (try? state.signals?.next()) ?? nil else { return }
    shared.log.log(.info, "signal received", [("signal", signal.name)])
    shouldStop.store(true, ordering: .releasing)
  }

  private func acceptAll(_ state: inout State) {
    for _ in 0..<Self.clientsPerTurn {
      guard let accepted = try? state.listening?.accept() else { return watch(&state, false) }
      switch consume accepted {
      case .connection(let socket): admit(socket, &state)
      case .wouldBlock: return
      case .abandoned: continue
      case .outOfDescriptors(let error):
        if !state.isWarned { shared.log.log(.warning, "no client accepted", [("reason", "\(error)")]) }
        state.isWarned = true
        if turnAwayOne(&state) { continue }
        // The waiting clients stay in the kernel's queue, so look away for a moment instead of spinning.
        watch(&state, false)
        return
      }
    }
  }

  /// Gives the spare descriptor up for a moment, to tell one client by a hang-up instead of letting it wait.
  private func turnAwayOne(_ state: inout State) -> Bool {
    guard let listening = state.listening.take() else { return false }
    let isTurnedAway = state.spare.turnAway(from: listening)
    state.listening = consume listening
    return isTurnedAway
  }

  private func watch(_ state: inout State, _ isWatching: Bool) {
    state.isWatching = isWatching
    guard let descriptor = state.listening?.descriptor else { return }
    try? state.events.modify(descriptor, token: Self.listeningToken, interest: isWatching ? .read : [])
  }

  private func admit(_ socket: consuming UnixSocket, _ state: inout State) {
    guard let credentials = try? socket.peerCredentials() else { return }
    let configuration = shared.configuration
    guard let mayWrite = Self.mayWrite(credentials.userID, configuration) else {
      shared.log.log(.warning, "client refused", [("uid", "\(credentials.userID)")])
      Self.turnAway(socket, .forbidden("user id \(credentials.userID) may not connect"))
      return
    }
    let count = shared.connectionCount.add(1, ordering: .relaxed).newValue
    if count > configuration.bounds.connections {
      shared.connectionCount.subtract(1, ordering: .relaxed)
      shared.busyCount.wrappingAdd(1, ordering: .relaxed)
      Self.turnAway(socket, .busy("too many connections", retryAfter: .seconds(1)))
      return
    }
    state.isWarned = false
    let loop = loops[state.nextLoop % loops.count]
    state.nextLoop += 1
    loop.post(
      .adopt(descriptor: socket.relinquish(), peer: Peer(credentials: credentials, mayWrite: mayWrite)))
  }

  /// Whether a user may write; nil if he may not even connect.
  static func mayWrite(_ user: UInt32, _ configuration: Configuration) -> Bool? {
    if configuration.readOnlyUsers.contains(user) { return false }
    if user == CurrentProcess.effectiveUserID || user == 0 { return true }
    return configuration.allowedUsers.contains(user) ? true : nil
  }

  /// One error line, as far as the socket takes it, then the end.
  private static func turnAway(_ socket: consuming UnixSocket, _ error: WireError) {
    var output = JSONWriter(capacity: 256)
    AnswerWriter.error(error, .null, into: &output)
    _ = unsafe try? socket.write(output.unsafeBytes)
  }
}
