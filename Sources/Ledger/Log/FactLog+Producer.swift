// The producer's side of the fact log: records are written where the journal will read them.

import Platform
import Synchronization

/// The producer's hold on a log: a few addresses, so that passing it on counts no references. Valid while the
/// log lives.
@safe struct FactAppender: @unchecked Sendable {
  // @unchecked: who may use it is said at each function.
  private let producer: UnsafeMutablePointer<FactLog.Producer>
  private let shared: UnsafeMutablePointer<FactLog.Shared>
  private let chunkByteCount: Int

  fileprivate init(
    _ producer: UnsafeMutablePointer<FactLog.Producer>, _ shared: UnsafeMutablePointer<FactLog.Shared>,
    chunkByteCount: Int
  ) {
    unsafe self.producer = unsafe producer
    unsafe self.shared = unsafe shared
    self.chunkByteCount = chunkByteCount
  }

  /// What the log's books were when it began to follow them. Producer only, before the first record.
  func begin(at position: UInt64) {
    unsafe producer.pointee.position = position
    unsafe shared.pointee.publishedPosition.store(position, ordering: .releasing)
  }

  /// Writes the next record of the unit at hand. Producer only. O(bytes).
  /// - Parameters:
  ///   - payloadBound: bytes that `fill` writes at most.
  ///   - fill: writes the payload.
  @inline(__always)
  func append(
    _ type: FactType, position: UInt64, payloadBound: Int, _ fill: (inout FactWriter) -> Void
  ) {
    let bound = RecordHead.byteCount + payloadBound + FactWriter.slack
    if unsafe producer.pointee.chunk.capacity - producer.pointee.offset < bound { openChunk(bound) }
    let record = unsafe producer.pointee.chunk.bytes + producer.pointee.offset
    var writer = unsafe FactWriter(record + RecordHead.byteCount, byteLimit: payloadBound)
    fill(&writer)
    let byteCount = unsafe writer.place - record
    precondition(byteCount <= Int(UInt32.max), "a record's length has 32 bits")
    unsafe record.storeBytes(
      of: UInt64(byteCount) | UInt64(type.rawValue) << 32 | UInt64(FactType.version) << 40, as: UInt64.self)
    unsafe record.storeBytes(of: position.littleEndian, toByteOffset: 8, as: UInt64.self)
    unsafe record.storeBytes(of: 0, toByteOffset: RecordHead.checksumOffset, as: UInt64.self)
    unsafe producer.pointee.offset += byteCount
    unsafe producer.pointee.byteCount += byteCount
    unsafe producer.pointee.lastRecord = unsafe record
    unsafe producer.pointee.position = position
  }

  /// Ends the unit at hand, if it has records, and hands it to the consumer, who is not woken. Producer only.
  @inline(__always)
  func endUnit() {
    guard let record = unsafe producer.pointee.lastRecord else { return }
    unsafe record.storeBytes(
      of: RecordHead.endsUnitFlag, toByteOffset: RecordHead.flagsOffset, as: UInt8.self)
    unsafe producer.pointee.lastRecord = nil
    unsafe producer.pointee.unitCount += 1
    unsafe shared.pointee.publishedPosition.store(producer.pointee.position, ordering: .releasing)
    unsafe shared.pointee.publishedUnitCount.store(producer.pointee.unitCount, ordering: .relaxed)
    // Before the producer looks for a sleeper, in the one order of all such operations: see `lieDown`.
    unsafe shared.pointee.publishedByteCount.store(
      producer.pointee.byteCount, ordering: .sequentiallyConsistent)
  }

  /// Wakes the consumer if it sleeps. Any thread, without the creation lock.
  @inline(__always)
  func wakeSleeper() {
    if unsafe shared.pointee.isSleeping.load(ordering: .sequentiallyConsistent) { rouse() }
  }

  @inline(never)
  private func rouse() {
    if unsafe shared.pointee.isSleeping.exchange(false, ordering: .acquiringAndReleasing) {
      unsafe shared.pointee.bed.updateAndWakeOne { _ in }
    }
  }

  /// Closes the chunk and opens one with room for `bound` bytes.
  @inline(never)
  private func openChunk(_ bound: Int) {
    let next = bound > chunkByteCount ? FactChunk.allocate(capacity: bound) : takeChunk()
    unsafe producer.pointee.chunk.close(at: producer.pointee.offset, next: next)
    unsafe producer.pointee.chunk = next
    unsafe producer.pointee.offset = 0
  }

  private func takeChunk() -> FactChunk {
    var address = unsafe shared.pointee.freeChunk.load(ordering: .acquiring)
    while let chunk = FactChunk(address: address) {
      let (done, found) = unsafe shared.pointee.freeChunk.weakCompareExchange(
        expected: address, desired: chunk.next?.address ?? 0, successOrdering: .acquiringAndReleasing,
        failureOrdering: .acquiring)
      if done {
        unsafe shared.pointee.freeChunkCount.subtract(1, ordering: .relaxed)
        chunk.reopen()
        return chunk
      }
      address = found
    }
    return FactChunk.allocate(capacity: chunkByteCount)
  }
}

extension FactLog {
  /// For the books that write into the log.
  var appender: FactAppender { unsafe FactAppender(producer, shared, chunkByteCount: chunkByteCount) }
}
