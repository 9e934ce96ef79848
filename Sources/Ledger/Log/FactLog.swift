// Facts on their way from the books to the journal: a queue of encoded records without locks.

import Platform
import Synchronization

/// What `FactLog.drain` has copied: whole records, oldest first.
package struct DrainedFacts: Sendable, Equatable {
  package var byteCount = 0
  package var recordCount = 0
  /// Ends of units among the records.
  package var unitCount = 0
  /// Position of the last record, 0 if there is none.
  package var lastPosition: UInt64 = 0
  /// Position of the last record that ends a unit, 0 if none does.
  package var lastUnitEnd: UInt64 = 0
}

/// A queue of records (see `RecordHead`) with one producer, the holder of the books' creation lock, and one
/// consumer, the journal's thread. The facts of one command become visible to the consumer together, when the
/// command is done. The log has no bound of its own: who lets commands in bounds it.
///
/// Memory: chunks that are used again. Neither side waits for the other.
@safe package final class FactLog: Sendable {
  /// Drained chunks that are kept for the producer.
  private static let freeChunkLimit = 16

  /// What both sides see. The padding keeps the words that each side writes off the other's cache line.
  struct Shared: ~Copyable {
    /// Written by the producer: bytes and units handed in since the log was made, position of the last unit.
    let publishedByteCount = Atomic<Int>(0)
    let publishedUnitCount = Atomic<Int>(0)
    let publishedPosition = Atomic<UInt64>(0)
    let firstPadding = InlineArray<13, UInt64>(repeating: 0)
    /// Written by the consumer.
    let drainedByteCount = Atomic<Int>(0)
    let drainedUnitCount = Atomic<Int>(0)
    /// Written by the consumer, and by the producer that wakes it.
    let isSleeping = Atomic<Bool>(false)
    /// Somebody asked the consumer to look up.
    let isCalled = Atomic<Bool>(false)
    /// Chunks to be used again, linked: any consumer pushes, only the producer pops, so that a chunk cannot
    /// come back while it is being popped.
    let freeChunk = Atomic<UInt>(0)
    let freeChunkCount = Atomic<Int>(0)
    /// Where the consumer sleeps.
    let bed = Gate<Void>(())
    let secondPadding = InlineArray<11, UInt64>(repeating: 0)

    init() {}
  }

  /// What only the producer touches.
  @safe struct Producer {
    var chunk: FactChunk
    /// Bytes of records in the chunk.
    var offset = 0
    /// Place of the last record of the unit at hand, nil between units.
    var lastRecord: UnsafeMutableRawPointer?
    /// Bytes and units handed in, and what the unit at hand has added.
    var byteCount = 0
    var unitCount = 0
    var position: UInt64 = 0
  }

  /// What only the consumer touches.
  private struct Consumer {
    var chunk: FactChunk
    var offset = 0
    var byteCount = 0
    var unitCount = 0
  }

  let chunkByteCount: Int
  nonisolated(unsafe) let shared: UnsafeMutablePointer<Shared>
  nonisolated(unsafe) let producer: UnsafeMutablePointer<Producer>
  private nonisolated(unsafe) let consumer: UnsafeMutablePointer<Consumer>

  /// - Parameter chunkByteCount: bytes of a chunk; a record that is larger gets a chunk of its own.
  package init(chunkByteCount: Int = 1 << 20) {
    precondition(chunkByteCount >= RecordHead.byteCount, "a chunk holds a record")
    self.chunkByteCount = chunkByteCount
    let chunk = FactChunk.allocate(capacity: chunkByteCount)
    unsafe shared = .allocate(capacity: 1)
    unsafe shared.initialize(to: Shared())
    unsafe producer = .allocate(capacity: 1)
    unsafe producer.initialize(to: Producer(chunk: chunk))
    unsafe consumer = .allocate(capacity: 1)
    unsafe consumer.initialize(to: Consumer(chunk: chunk))
  }

  deinit {
    for first in unsafe [consumer.pointee.chunk.address, shared.pointee.freeChunk.load(ordering: .acquiring)]
    {
      var address = first
      while let chunk = FactChunk(address: address) {
        address = chunk.next?.address ?? 0
        chunk.deallocate()
      }
    }
    unsafe shared.deinitialize(count: 1)
    unsafe shared.deallocate()
    unsafe producer.deallocate()
    unsafe consumer.deallocate()
  }

  // MARK: Any thread

  /// Position of the last fact of the last whole unit that was handed in.
  package var publishedPosition: UInt64 {
    unsafe shared.pointee.publishedPosition.load(ordering: .acquiring)
  }

  /// Bytes of records handed in since the log was made. Only grows.
  package var publishedByteCount: Int {
    unsafe shared.pointee.publishedByteCount.load(ordering: .acquiring)
  }

  /// Bytes of records handed in and not drained.
  package var pendingByteCount: Int {
    let drained = unsafe shared.pointee.drainedByteCount.load(ordering: .acquiring)
    return unsafe shared.pointee.publishedByteCount.load(ordering: .acquiring) - drained
  }

  /// Units handed in and not drained to their end.
  package var pendingUnitCount: Int {
    let drained = unsafe shared.pointee.drainedUnitCount.load(ordering: .acquiring)
    return unsafe shared.pointee.publishedUnitCount.load(ordering: .acquiring) - drained
  }

  /// Makes the consumer's `wait` return, the one at hand or the next.
  package func wake() {
    unsafe shared.pointee.isCalled.store(true, ordering: .sequentiallyConsistent)
    appender.wakeSleeper()
  }

  // MARK: Consumer

  /// Copies whole records of finished units, oldest first, as many as fit. Consumer only. O(bytes).
  package func drain(into target: UnsafeMutableRawBufferPointer) -> DrainedFacts {
    var drained = DrainedFacts()
    let published = unsafe shared.pointee.publishedByteCount.load(ordering: .acquiring)
    while drained.byteCount < target.count {
      let pending = unsafe published - consumer.pointee.byteCount
      if pending == 0 { break }
      moveToNextChunkAtEnd()
      let room = min(pending, target.count - drained.byteCount)
      let run = measureRun(atMost: room, &drained)
      if run == 0 { break }
      let source = unsafe consumer.pointee.chunk.bytes + consumer.pointee.offset
      unsafe (target.baseAddress.unsafelyUnwrapped + drained.byteCount).copyMemory(
        from: source, byteCount: run)
      drained.byteCount += run
      unsafe consumer.pointee.offset += run
      unsafe consumer.pointee.byteCount += run
    }
    unsafe consumer.pointee.unitCount += drained.unitCount
    unsafe shared.pointee.drainedUnitCount.store(consumer.pointee.unitCount, ordering: .releasing)
    unsafe shared.pointee.drainedByteCount.store(consumer.pointee.byteCount, ordering: .releasing)
    return drained
  }

  /// Bytes of the next record to be drained, nil if there is none. Consumer only.
  package var nextRecordByteCount: Int? {
    let published = unsafe shared.pointee.publishedByteCount.load(ordering: .acquiring)
    if unsafe published == consumer.pointee.byteCount { return nil }
    moveToNextChunkAtEnd()
    return unsafe recordByteCount(at: consumer.pointee.chunk.bytes + consumer.pointee.offset)
  }

  /// Waits until something can be drained. Consumer only.
  /// - Parameters:
  ///   - spinning: how long to look again and again before going to sleep.
  ///   - limit: how long to sleep at most, nil for ever.
  /// - Returns: whether something can be drained; false after the time or `wake`.
  package func wait(spinning: Duration, atMost limit: Duration?) -> Bool {
    if let result = look() { return result }
    if spinning > .zero, let result = spin(for: spinning) { return result }
    defer { unsafe shared.pointee.isSleeping.store(false, ordering: .relaxed) }
    guard let limit else { return unsafe shared.pointee.bed.wait { _ in lieDown() } }
    return unsafe shared.pointee.bed.wait(atMost: limit) { _ in lieDown() } ?? false
  }

  private func spin(for time: Duration) -> Bool? {
    let clock = SystemClock()
    let end = clock.monotonicTime() + time
    var turn = 0
    while clock.monotonicTime() < end {
      if let result = look() { return result }
      turn += 1
      // Another thread may need this processor to bring what is waited for.
      if turn & 31 == 0 { Thread.yield() }
    }
    return nil
  }

  /// True when there is something, false when the consumer was called, nil for neither.
  private func look() -> Bool? {
    if unsafe shared.pointee.publishedByteCount.load(ordering: .sequentiallyConsistent)
      != consumer.pointee.byteCount
    {
      return true
    }
    if unsafe shared.pointee.isCalled.load(ordering: .sequentiallyConsistent) {
      unsafe shared.pointee.isCalled.store(false, ordering: .relaxed)
      return false
    }
    return nil
  }

  /// Says that the consumer sleeps, then looks once more: a producer publishes first and looks for a sleeper
  /// then, so that one of the two sees the other.
  private func lieDown() -> Bool? {
    unsafe shared.pointee.isSleeping.store(true, ordering: .sequentiallyConsistent)
    return look()
  }

  /// Bytes of the whole records from the consumer's place on that fit `room` and lie in its chunk.
  private func measureRun(atMost room: Int, _ drained: inout DrainedFacts) -> Int {
    let first = unsafe consumer.pointee.chunk.bytes + consumer.pointee.offset
    let end = unsafe min(room, consumer.pointee.chunk.end - consumer.pointee.offset)
    var run = 0
    while run < end {
      let record = unsafe first + run
      let byteCount = unsafe recordByteCount(at: record)
      if byteCount > end - run { break }
      run += byteCount
      drained.recordCount += 1
      drained.lastPosition = unsafe UInt64(
        littleEndian: record.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      let flags = unsafe record.load(fromByteOffset: RecordHead.flagsOffset, as: UInt8.self)
      if flags & RecordHead.endsUnitFlag != 0 {
        drained.unitCount += 1
        drained.lastUnitEnd = drained.lastPosition
      }
    }
    return run
  }

  private func recordByteCount(at record: UnsafeMutableRawPointer) -> Int {
    unsafe Int(UInt32(littleEndian: record.loadUnaligned(as: UInt32.self)))
  }

  /// Something is published beyond the consumer's place: goes to the chunk where it lies.
  private func moveToNextChunkAtEnd() {
    let chunk = unsafe consumer.pointee.chunk
    guard unsafe consumer.pointee.offset == chunk.end, let next = chunk.next else { return }
    unsafe consumer.pointee.chunk = next
    unsafe consumer.pointee.offset = 0
    giveBack(chunk)
  }

  private func giveBack(_ chunk: FactChunk) {
    let freeCount = unsafe shared.pointee.freeChunkCount.load(ordering: .relaxed)
    if chunk.capacity != chunkByteCount || freeCount >= Self.freeChunkLimit {
      chunk.deallocate()
      return
    }
    chunk.reopen()
    unsafe shared.pointee.freeChunkCount.add(1, ordering: .relaxed)
    var first = unsafe shared.pointee.freeChunk.load(ordering: .relaxed)
    while true {
      chunk.link(first)
      let (done, found) = unsafe shared.pointee.freeChunk.weakCompareExchange(
        expected: first, desired: chunk.address, successOrdering: .acquiringAndReleasing,
        failureOrdering: .relaxed)
      if done { return }
      first = found
    }
  }
}
