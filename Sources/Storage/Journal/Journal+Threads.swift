// What the two threads of the journal do: one commits, one makes segments.

import Ledger
import Platform
import Synchronization

/// Carries a writer to its thread.
final class WriterSlot: Sendable {
  private let slot: Guarded<JournalWriter?>

  init(_ writer: consuming sending JournalWriter) { slot = Guarded(consume writer) }

  func take() -> JournalWriter {
    guard let writer = slot.withLock({ $0.take() }) else { preconditionFailure("a writer is taken once") }
    return writer
  }
}

/// Carries a preparer to its thread.
final class PreparerSlot: Sendable {
  private let slot: Guarded<SegmentPreparer?>

  init(_ preparer: consuming sending SegmentPreparer) { slot = Guarded(consume preparer) }

  func take() -> SegmentPreparer {
    guard let preparer = slot.withLock({ $0.take() }) else { preconditionFailure("a preparer is taken once") }
    return preparer
  }
}

/// When the journal's thread looks up again: how long it spins, when a seal or a sync is due.
private struct Pace {
  /// Commands that come within this time of the last commit are worth waiting for awake.
  private static let shortGap = Duration.microseconds(200)
  private static let missLimit = 4

  private let clock = SystemClock()
  private let options: JournalOptions
  private var lastCommit: MonotonicTime
  private var firstUnsynced: MonotonicTime?
  private var missCount = missLimit

  init(_ options: JournalOptions) {
    self.options = options
    lastCommit = clock.monotonicTime()
  }

  /// Notes that facts have come after a wait.
  mutating func noteArrival() {
    missCount = clock.monotonicTime() - lastCommit < Self.shortGap ? 0 : min(missCount + 1, Self.missLimit)
  }

  mutating func noteCommit(at time: MonotonicTime, isSynced: Bool) {
    lastCommit = time
    if isSynced { firstUnsynced = nil } else if firstUnsynced == nil { firstUnsynced = time }
  }

  mutating func noteSync() { firstUnsynced = nil }

  var spinning: Duration { missCount < Self.missLimit ? options.spinningTime : .zero }

  /// Whether the interval of unsynced facts is over.
  var isSyncDue: Bool {
    guard case .interval(let time) = options.durability, let firstUnsynced else { return false }
    return clock.monotonicTime() - firstUnsynced >= time
  }

  var isSealDue: Bool { clock.monotonicTime() - lastCommit >= options.idleTime }

  /// How long the thread may sleep; nil for as long as nothing comes.
  func limit(needsSeal: Bool) -> Duration? {
    let now = clock.monotonicTime()
    var limit: Duration?
    if needsSeal { limit = options.idleTime - (now - lastCommit) }
    if case .interval(let time) = options.durability, let firstUnsynced {
      let left = time - (now - firstUnsynced)
      limit = min(limit ?? left, left)
    }
    return limit.map { max($0, .zero) }
  }
}

extension Journal {
  // MARK: The thread "journal"

  func work(_ writer: consuming JournalWriter) {
    var writer = writer
    do throws(StorageError) {
      try commitUntilStopped(&writer)
    } catch {
      room.fail(error)
      publish(writer.positions)
      tell(failure: error)
    }
    note(writer)
    halt(true)
  }

  /// Notes whether the durable position stands still, and tells those who wait for it.
  private func halt(_ isHalted: Bool) {
    self.isHalted.store(isHalted, ordering: .sequentiallyConsistent)
    wakeWaiters()
  }

  private func commitUntilStopped(_ writer: inout JournalWriter) throws(StorageError) {
    var pace = Pace(options)
    while true {
      let isStopping = isStopping.load(ordering: .sequentiallyConsistent)
      if try commitAll(&writer, &pace) == .waitsForSegment {
        // A stop waits for the segment that is being made; on a full disk there is nothing to wait for, and
        // what is left (the first fact of new books, which nobody admits) is not to be had.
        if let error = room.full {
          if isStopping { throw .failed(error) }
          halt(true)
        }
        room.waitForSegment(atMost: options.retryTime)
        if let failure = room.failure { throw failure }
        continue
      }
      if isHalted.load(ordering: .relaxed) { halt(false) }
      try syncIfAsked(&writer, &pace)
      if isStopping { break }
      let limit = pace.limit(needsSeal: writer.needsSeal)
      if log.wait(spinning: pace.spinning, atMost: limit) {
        pace.noteArrival()
      } else if writer.needsSeal && pace.isSealDue {
        try seal(&writer, &pace)
      }
    }
    try writer.seal(isCleanStop: true)
    publish(writer.positions)
  }

  private func commitAll(_ writer: inout JournalWriter, _ pace: inout Pace) throws(StorageError) -> WriterStep
  {
    let clock = SystemClock()
    var start = clock.monotonicTime()
    while true {
      let step = try writer.commitPending()
      guard step == .wrote else { return step }
      let end = clock.monotonicTime()
      pace.noteCommit(at: end, isSynced: !writer.needsSync)
      // First, so that who sees a position finds its segment.
      note(writer, time: end - start)
      publish(writer.positions)
      wakeWaiters()
      tell()
      // Without a pause, too: who asks must not wait until nothing more comes.
      try syncIfAsked(&writer, &pace)
      start = end
    }
  }

  private func syncIfAsked(_ writer: inout JournalWriter, _ pace: inout Pace) throws(StorageError) {
    let isAsked = wantedDurable.load(ordering: .sequentiallyConsistent) > writer.positions.durable
    if writer.needsSync && (isAsked || pace.isSyncDue) { try syncNow(&writer, &pace) }
  }

  private func syncNow(_ writer: inout JournalWriter, _ pace: inout Pace) throws(StorageError) {
    try writer.sync()
    pace.noteSync()
    publish(writer.positions)
    wakeWaiters()
    note(writer)
  }

  private func seal(_ writer: inout JournalWriter, _ pace: inout Pace) throws(StorageError) {
    // The next try waits as long again, when there is no room for a seal.
    pace.noteCommit(at: SystemClock().monotonicTime(), isSynced: true)
    try writer.seal()
    publish(writer.positions)
    wakeWaiters()
    note(writer)
  }

  // MARK: The thread "segments"

  func prepareSegments(_ preparer: consuming SegmentPreparer) {
    var preparer = preparer
    do throws(StorageError) {
      while room.waitForShortage(ahead: 1) {
        switch try preparer.prepareIfShort(room) {
        case .notNeeded, .prepared(hadWaiters: false): break
        case .prepared(hadWaiters: true): tell(roomChanged: true)
        case .stopped: return
        case .full(_, let hadWaiters):
          if hadWaiters { tell(roomChanged: true) }
          room.waitForStop(atMost: options.retryTime)
        }
      }
    } catch {
      wakeWaiters()
      log.wake()
      tell(failure: error)
    }
  }
}
