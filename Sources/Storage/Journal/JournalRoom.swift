// Room in the journal: what is prepared, what is promised, and whether a command may be let in.

import Ledger
import Platform

/// Whether a command may be carried out.
package enum Admission: Sendable, Equatable {
  /// There is room for all its facts; `settle` must follow.
  case admitted
  /// Room is being prepared: ask again when the journal reports progress.
  case later
  /// Too much waits to be written.
  case busy
  /// The disk is full; why.
  case full(SystemError)
  /// The journal has failed for good.
  case failed(StorageError)
}

/// A segment of zeros, open for writing.
final class SegmentFile: Sendable {
  let number: UInt64
  let byteCount: Int
  let file: OpenFile

  init(number: UInt64, byteCount: Int, file: consuming OpenFile) {
    self.number = number
    self.byteCount = byteCount
    self.file = file
  }
}

/// Counts room, so that what is admitted always fits. Any thread.
///
/// Facts are written in groups, each padded to whole blocks, and a record that does not fit what is left of a
/// segment goes into the next. So what waits and what is promised is counted with the worst padding, and each
/// segment but the last without what the largest record might leave unused at its end.
package final class JournalRoom: Sendable {
  /// A promise at most doubles in a class of sizes: how many of each are open, and up to which position facts
  /// of the class may wait in the log.
  struct SizeClass {
    var openCount = 0
    var settledPosition: UInt64 = 0
  }

  struct State {
    /// Bytes of the current segment that are not used; nil before the first.
    var rest: Int?
    var prepared: [SegmentFile] = []
    /// Bytes promised to commands that are being carried out, padding included.
    var reserved = 0
    var openCount = 0
    /// Bytes of records that have got their room.
    var placed = 0
    var placedPosition: UInt64 = 0
    /// A group is being built: what comes meanwhile goes into another one.
    var isBuilding = false
    var classes = InlineArray<64, SizeClass>(repeating: SizeClass())
    var usedClasses: UInt64 = 0
    /// The next segment must have room for this many bytes; 0 when nobody waits.
    var wanted = 0
    /// Commands were told to wait, and have not been called since.
    var hasWaiters = false
    var full: SystemError?
    var failure: StorageError?
    var isStopping = false
  }

  private static let block = SegmentFormat.blockByteCount
  /// Bytes that a group adds to its records at most.
  private static let groupOverhead = GroupHead.byteCount + block - 1

  let state: Gate<State>
  private let log: FactLog
  private let groupByteCount: Int
  private let hardPendingByteCount: Int

  init(log: FactLog, options: JournalOptions) {
    self.log = log
    groupByteCount = options.groupByteCount
    hardPendingByteCount = options.hardPendingByteCount
    state = Gate(State())
  }

  /// Asks to let a command in whose facts take `byteBound` bytes at most. Never waits.
  package func admit(byteBound: Int) -> Admission {
    precondition(byteBound >= 0, "a bound is a number of bytes")
    let cost = worstByteCount(byteBound)
    let (admission, mustPrepare) = state.withLock { state -> (Admission, Bool) in
      if let failure = state.failure { return (.failed(failure), false) }
      if log.pendingByteCount > hardPendingByteCount { return (.busy, false) }
      let sizeClass = Self.sizeClass(byteBound)
      let needed = cost + committed(&state)
      if needed <= usable(&state, beside: sizeClass) {
        state.reserved += cost
        state.openCount += 1
        state.classes[sizeClass].openCount += 1
        state.usedClasses |= 1 << UInt64(sizeClass)
        return (.admitted, false)
      }
      if let full = state.full { return (.full(full), false) }
      state.hasWaiters = true
      let kept = usable(&state, beside: sizeClass, beforeOthers: true)
      state.wanted = max(state.wanted, needed - kept)
      return (.later, true)
    }
    if mustPrepare { state.updateAndWakeAll { _ in } }
    return admission
  }

  /// Gives back what `admit` has promised for the same bound. The facts, if any, stand in the log by now.
  package func settle(byteBound: Int) {
    let cost = worstByteCount(byteBound)
    state.withLock { state in
      let sizeClass = Self.sizeClass(byteBound)
      precondition(
        state.reserved >= cost && state.classes[sizeClass].openCount > 0, "what is settled was admitted")
      state.reserved -= cost
      state.openCount -= 1
      state.classes[sizeClass].openCount -= 1
      state.classes[sizeClass].settledPosition = log.publishedPosition
    }
  }

  // MARK: Counting

  /// Bytes of the disk that `byteCount` bytes of records take at most, within one segment.
  private func worstByteCount(_ byteCount: Int) -> Int {
    // Two groups that follow each other without a pause hold more than one may, together.
    let groupCount = byteCount <= groupByteCount ? 1 : 2 * (byteCount / groupByteCount) + 3
    return byteCount + groupCount * Self.groupOverhead
  }

  private static func sizeClass(_ byteCount: Int) -> Int {
    byteCount <= 1 ? 0 : Int.bitWidth - (byteCount - 1).leadingZeroBitCount
  }

  /// Bytes that are promised or wait to be written.
  private func committed(_ state: inout State) -> Int {
    let waiting = log.publishedByteCount - state.placed
    return state.reserved + (waiting > 0 ? worstByteCount(waiting) : 0)
      + (state.isBuilding ? Self.groupOverhead : 0)
  }

  /// Bytes that can be promised in all, when a record may be as large as the greatest of its class.
  /// - Parameter beforeOthers: another segment will follow, so that the last one may be left early, too.
  private func usable(_ state: inout State, beside sizeClass: Int, beforeOthers: Bool = false) -> Int {
    guard state.rest != nil || !state.prepared.isEmpty else { return 0 }
    let largest = 1 << max(sizeClass, largestClass(&state))
    let waste = largest + 2 * Self.groupOverhead
    var sum = 0
    var last = state.rest.map { $0 - Self.block } ?? 0
    // The last block of each segment is kept for a seal, the first is its head.
    for segment in state.prepared {
      sum += max(0, last - waste)
      last = segment.byteCount - 2 * Self.block
    }
    return sum + max(0, beforeOthers ? last - waste : last)
  }

  /// The class of the largest record that may still come from what was admitted so far.
  private func largestClass(_ state: inout State) -> Int {
    while state.usedClasses != 0 {
      let sizeClass = 63 - state.usedClasses.leadingZeroBitCount
      let entry = state.classes[sizeClass]
      if entry.openCount > 0 || entry.settledPosition > state.placedPosition { return sizeClass }
      state.usedClasses &= ~(1 << UInt64(sizeClass))
    }
    return 0
  }

  // MARK: For the writer

  /// Makes the next prepared segment the current one; nil when none is ready.
  func takeSegment() -> SegmentFile? {
    state.updateAndWakeAll { state in
      guard !state.prepared.isEmpty else { return nil }
      let segment = state.prepared.removeFirst()
      state.rest = segment.byteCount - Self.block
      return segment
    }
  }

  /// Notes that a group is about to be built of what stands in the log; `place` follows.
  func beginGroup() { state.withLock { $0.isBuilding = true } }

  /// Notes that a group takes `paddedByteCount` bytes of the current segment.
  func place(paddedByteCount: Int, recordByteCount: Int, lastPosition: UInt64) {
    state.withLock { state in
      guard let rest = state.rest, rest >= paddedByteCount else {
        preconditionFailure("a group fits its segment")
      }
      state.rest = rest - paddedByteCount
      state.isBuilding = false
      state.placed += recordByteCount
      if recordByteCount > 0 { state.placedPosition = lastPosition }
    }
  }

  /// Takes a block for a seal, if that leaves what is promised in its place.
  func takeSealBlock() -> Bool {
    state.withLock { state in
      guard let rest = state.rest, rest >= Self.block else { return false }
      // The block that is kept at the end serves when nothing is promised and nothing waits.
      let isQuiet = state.openCount == 0 && log.publishedByteCount == state.placed
      if !isQuiet && committed(&state) + Self.block > usable(&state, beside: 0) { return false }
      state.rest = rest - Self.block
      return true
    }
  }

  func fail(_ failure: StorageError) {
    state.updateAndWakeAll { state in
      if state.failure == nil { state.failure = failure }
    }
  }

  // MARK: For the preparer

  /// Whether another segment should be made, and how many bytes of groups it must have room for.
  func shortage(ahead: Int) -> Int? {
    state.withLock { Self.shortage(&$0, ahead: ahead) }
  }

  static func shortage(_ state: inout State, ahead: Int) -> Int? {
    if state.failure != nil || state.isStopping { return nil }
    return state.wanted > 0 || state.prepared.count < ahead ? state.wanted : nil
  }

  /// Adds a segment. What waits may ask again.
  /// - Returns: whether commands wait that should be called.
  @discardableResult
  func add(_ segment: SegmentFile) -> Bool {
    state.updateAndWakeAll { state in
      state.prepared.append(segment)
      state.wanted = 0
      let wasWaiting = state.hasWaiters || state.full != nil
      state.full = nil
      state.hasWaiters = false
      return wasWaiting
    }
  }

  /// Notes that no segment can be made.
  /// - Returns: whether commands wait that should be told.
  func noteFull(_ error: SystemError) -> Bool {
    state.withLock { state in
      state.full = error
      let wasWaiting = state.hasWaiters
      state.hasWaiters = false
      return wasWaiting
    }
  }

  /// Waits until another segment should be made; false when the journal ends.
  func waitForShortage(ahead: Int) -> Bool {
    state.wait { state -> Bool? in
      if state.failure != nil || state.isStopping { return false }
      return Self.shortage(&state, ahead: ahead) != nil ? true : nil
    }
  }

  /// Waits until a segment is there, the journal ends, or the time is over.
  func waitForSegment(atMost limit: Duration) {
    state.wait(atMost: limit) { state -> Void? in
      state.failure != nil || state.isStopping || !state.prepared.isEmpty ? () : nil
    }
  }

  /// Waits until the journal ends, or the time is over.
  func waitForStop(atMost limit: Duration) {
    state.wait(atMost: limit) { state -> Void? in state.failure != nil || state.isStopping ? () : nil }
  }

  func stop() { state.updateAndWakeAll { $0.isStopping = true } }

  var isStopping: Bool { state.withLock { $0.isStopping || $0.failure != nil } }
  var failure: StorageError? { state.withLock { $0.failure } }
  var full: SystemError? { state.withLock { $0.full } }

  /// What reports say of the room: the last two count what can be written without making a segment.
  var summary: (failure: StorageError?, full: SystemError?, preparedCount: Int, freeByteCount: Int) {
    state.withLock { state in
      let free = (state.rest ?? 0) + state.prepared.reduce(0) { $0 + $1.byteCount - Self.block }
      return (state.failure, state.full, state.prepared.count, free)
    }
  }
}
