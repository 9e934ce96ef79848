// Bytes that never change: texts and small records, appended once, read without locks.

import Synchronization

/// Where a record lies in a `TextHeap`; `none` means no record.
@usableFromInline package struct HeapOffset: Hashable, Sendable, BitwiseCopyable {
  @usableFromInline package let rawValue: UInt64
  @inlinable package init(_ rawValue: UInt64) { self.rawValue = rawValue }
  @inlinable package static var none: HeapOffset { HeapOffset(0) }
  @inlinable package var isNone: Bool { rawValue == 0 }
}

/// An append-only heap of byte records of at most `recordByteLimit` bytes, in segments that never move.
///
/// ```
/// record    length UInt32 little-endian | bytes
/// offset    segment number · 2^22 + place in the segment + 1
/// ```
/// One writer appends; readers read any record whose offset they learned through a lock or a cut.
@safe @usableFromInline package final class TextHeap: Sendable {
  @inlinable static var segmentShift: Int { 22 }
  @inlinable static var segmentByteCount: Int { 1 << segmentShift }
  /// A record never spans segments.
  package static var recordByteLimit: Int { segmentByteCount - 4 }

  @usableFromInline let segments = SegmentedColumn<UInt>()
  /// Bytes used; the writer's, but for those who ask how many there are.
  private let end = Atomic<Int>(0)

  package init() {}

  deinit {
    for index in 0..<(byteCount + Self.segmentByteCount - 1) >> Self.segmentShift {
      unsafe UnsafeMutableRawPointer(bitPattern: segments[RowIndex(index)])?.deallocate()
    }
  }

  /// Bytes used, lengths and padding included. Any thread.
  package var byteCount: Int { end.load(ordering: .relaxed) }

  /// Appends a record of `byteCount` bytes, which `fill` writes. O(bytes).
  @inline(__always)
  package func append(byteCount: Int, _ fill: (UnsafeMutableRawPointer) -> Void) -> HeapOffset {
    let place = reserve(byteCount)
    let target = unsafe address(place)
    unsafe target.storeBytes(of: UInt32(byteCount), as: UInt32.self)
    unsafe fill(target + 4)
    return HeapOffset(UInt64(place) + 1)
  }

  /// Makes room for a record and returns its place.
  private func reserve(_ byteCount: Int) -> Int {
    precondition(byteCount <= Self.recordByteLimit, "a record fits a segment")
    let needed = (byteCount + 4 + 3) & ~3
    var place = end.load(ordering: .relaxed)
    if place & (Self.segmentByteCount - 1) + needed > Self.segmentByteCount || place == 0 {
      place = (place + Self.segmentByteCount - 1) & ~(Self.segmentByteCount - 1)
    }
    if place & (Self.segmentByteCount - 1) == 0 { addSegment(place >> Self.segmentShift) }
    end.store(place + needed, ordering: .relaxed)
    return place
  }

  /// Appends a record. O(bytes).
  package func append(_ bytes: UnsafeRawBufferPointer) -> HeapOffset {
    unsafe append(byteCount: bytes.count) { target in
      if let source = bytes.baseAddress {
        unsafe target.copyMemory(from: source, byteCount: bytes.count)
      }
    }
  }

  /// Appends a record.
  package func append(_ bytes: [UInt8]) -> HeapOffset {
    unsafe bytes.withUnsafeBytes { unsafe append($0) }
  }

  /// The bytes of a record, valid while the heap lives. O(1).
  @inlinable package func bytes(_ offset: HeapOffset) -> UnsafeRawBufferPointer {
    precondition(!offset.isNone, "a record")
    let record = unsafe address(Int(offset.rawValue - 1))
    let count = unsafe Int(record.load(as: UInt32.self))
    return unsafe UnsafeRawBufferPointer(start: record + 4, count: count)
  }

  private func addSegment(_ number: Int) {
    let segment = UnsafeMutableRawPointer.allocate(byteCount: Self.segmentByteCount, alignment: 64)
    segments.append(UInt(bitPattern: segment), at: RowIndex(number))
  }

  @inlinable func address(_ place: Int) -> UnsafeMutableRawPointer {
    let segment = unsafe UnsafeMutableRawPointer(bitPattern: segments[RowIndex(place >> Self.segmentShift)])
    return unsafe segment.unsafelyUnwrapped + (place & (Self.segmentByteCount - 1))
  }
}
