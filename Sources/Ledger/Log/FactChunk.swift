// A piece of the fact log's memory: a head, then records without gaps.

import Synchronization

/// Memory for records. The producer fills a chunk, closes it when the next record does not fit and links the
/// next one; the consumer follows. What is written of a chunk is seen through the log's count of bytes.
@safe struct FactChunk: Equatable {
  /// What stands at the chunk's start.
  private struct Head: ~Copyable {
    /// Bytes of records once the chunk is closed, before that more than any chunk holds.
    let end = Atomic<Int>(.max)
    /// Address of the next chunk in the log, or in the list of free ones; 0 for none.
    let next = Atomic<UInt>(0)
    let capacity: Int

    init(capacity: Int) { self.capacity = capacity }
  }

  private static let headByteCount = 64

  private let base: UnsafeMutableRawPointer

  private init(base: UnsafeMutableRawPointer) { unsafe self.base = unsafe base }

  /// A chunk for `capacity` bytes of records.
  static func allocate(capacity: Int) -> FactChunk {
    let base = UnsafeMutableRawPointer.allocate(byteCount: headByteCount + capacity, alignment: 64)
    unsafe base.initializeMemory(as: Head.self, to: Head(capacity: capacity))
    return unsafe FactChunk(base: base)
  }

  init?(address: UInt) {
    guard let base = unsafe UnsafeMutableRawPointer(bitPattern: address) else { return nil }
    unsafe self.base = unsafe base
  }

  func deallocate() { unsafe base.deallocate() }

  /// Makes a drained chunk ready to be filled again.
  func reopen() {
    unsafe head.pointee.end.store(.max, ordering: .relaxed)
    unsafe head.pointee.next.store(0, ordering: .relaxed)
  }

  /// Links the chunk that follows, then says where the records of this one end.
  func close(at end: Int, next: FactChunk) {
    unsafe head.pointee.next.store(next.address, ordering: .relaxed)
    unsafe head.pointee.end.store(end, ordering: .releasing)
  }

  var address: UInt { unsafe UInt(bitPattern: base) }
  var capacity: Int { unsafe head.pointee.capacity }
  var end: Int { unsafe head.pointee.end.load(ordering: .acquiring) }
  var next: FactChunk? { unsafe FactChunk(address: head.pointee.next.load(ordering: .relaxed)) }
  func link(_ address: UInt) { unsafe head.pointee.next.store(address, ordering: .relaxed) }

  /// The first byte of the records.
  var bytes: UnsafeMutableRawPointer { unsafe base + Self.headByteCount }

  private var head: UnsafeMutablePointer<Head> { unsafe base.assumingMemoryBound(to: Head.self) }

  static func == (left: FactChunk, right: FactChunk) -> Bool { left.address == right.address }
}
