// The thread that takes snapshots: when asked, and when the schedule says so.

import Ledger
import Platform
import Query
import Storage
import Wire

/// Takes one snapshot at a time, in the background. Any thread asks.
final class SnapshotKeeper: Sendable {
  /// Who is told how a snapshot went.
  struct Waiter: Sendable {
    let connection: UInt64
    let place: AnswerPlace
    let id: RequestID?
    let inbox: LoopInbox
    let wantsMeta: Bool
    let receivedAt: MonotonicTime
  }

  private struct State {
    var schedule: SnapshotSchedule
    /// A client has asked for one that has not begun.
    var isAsked = false
    var waiters: [Waiter] = []
    var isStopping = false
  }

  let store: SnapshotStore
  private let shared: Shared
  private let state: Gate<State>
  private let thread: Gate<Thread?>
  /// How often the schedule is looked at when nothing else wakes the thread.
  private static let pace = Duration.milliseconds(200)

  init(store: SnapshotStore, shared: Shared) throws(SystemError) {
    self.store = store
    self.shared = shared
    let position = store.newestPosition ?? 0
    let schedule = SnapshotSchedule(
      shared.configuration.snapshotInterval, position: position, now: shared.clock.monotonicTime())
    state = Gate(State(schedule: schedule))
    thread = Gate(nil)
    let started = try Thread(name: "snapshot") { [self] in work() }
    thread.withLock { $0 = started }
  }

  /// Asks for a snapshot of what is visible now or later; `waiter` is told when it counts.
  func request(_ waiter: Waiter?) {
    state.updateAndWakeAll { state in
      state.isAsked = true
      if let waiter { state.waiters.append(waiter) }
    }
  }

  /// Ends the thread, a running snapshot first; then takes a last one of what has changed since.
  /// - Parameter takesLast: false after a failure of the journal: what it has not written must not come to
  ///   count by another way.
  /// - Returns: whether a snapshot holds everything.
  func stop(takesLast: Bool) -> Bool {
    state.updateAndWakeAll { $0.isStopping = true }
    thread.withLock { thread in
      let taken = thread
      thread = nil
      return taken
    }?.join()
    if !takesLast { return false }
    let cut = shared.books.cut()
    if store.newestPosition == cut.position { return true }
    return take(cut) != nil
  }

  private func work() {
    while true {
      let now = shared.clock.monotonicTime()
      let position = shared.books.position
      let isDue = state.wait(atMost: Self.pace) { state -> Bool? in
        if state.isStopping { return false }
        return state.isAsked || state.schedule.isDue(position: position, now: now) ? true : nil
      }
      guard let isDue else { continue }
      if !isDue { return tellStopped() }
      run()
    }
  }

  private func run() {
    let waiters = state.withLock { state in
      state.schedule.begin()
      state.isAsked = false
      let waiters = state.waiters
      state.waiters = []
      return waiters
    }
    let taken = take(shared.books.cut())
    let now = shared.clock.monotonicTime()
    state.withLock { state in
      if let taken {
        state.schedule.succeed(position: taken.position, now: now)
      } else {
        state.schedule.fail(now: now)
      }
    }
    for waiter in waiters { tell(waiter, taken) }
  }

  private func take(_ cut: Cut) -> SnapshotDescription? {
    defer { cut.doneReading() }
    let start = shared.clock.monotonicTime()
    do {
      let description = try store.create(cut) { [shared] _ in !shared.hasJournalFailed }
      let time = shared.clock.monotonicTime() - start
      shared.log.log(
        .info, "snapshot taken",
        [("name", description.name), ("bytes", "\(description.byteCount)"), ("time", "\(time)")])
      return description
    } catch {
      shared.log.log(.error, "snapshot failed", [("reason", "\(error)")])
      return nil
    }
  }

  private func tell(_ waiter: Waiter, _ taken: SnapshotDescription?) {
    shared.statistics.count(.snapshotsCreate, since: waiter.receivedAt, isError: taken == nil)
    guard let id = waiter.id else { return }
    var output = JSONWriter()
    if let taken {
      AnswerWriter.beginResult(id, into: &output)
      ServerReport.snapshot(taken, into: &output)
      AnswerWriter.endResult(position: waiter.wantsMeta ? taken.position : nil, into: &output)
    } else {
      let error = WireError.storageFailed("the snapshot failed; the log says why", isOutcomeKnown: true)
      AnswerWriter.error(error, id, into: &output)
    }
    waiter.inbox.post(
      .finished(connection: waiter.connection, waiter.place, line: output.copied(), position: 0))
  }

  /// The last snapshot is taken after the connections have closed; who waits for one is told that it is not
  /// his.
  private func tellStopped() {
    let waiters = state.withLock { state in
      let waiters = state.waiters
      state.waiters = []
      return waiters
    }
    for waiter in waiters { tell(waiter, nil) }
  }
}
