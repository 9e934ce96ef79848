// Growing memory for one block: values appended by a writer, or read with every access checked.

import Amounts
import Platform

/// Bytes of one block, used again from block to block. One owner.
@safe struct BlockBytes: ~Copyable, @unchecked Sendable {
  // @unchecked: the memory has one owner, and every use of it is exclusive.
  private var base: UnsafeMutableRawPointer
  private var capacity: Int
  private(set) var count = 0

  init(capacity: Int = 1 << 16) {
    unsafe base = .allocate(byteCount: capacity, alignment: 64)
    self.capacity = capacity
  }

  deinit { unsafe base.deallocate() }

  /// The bytes; valid until the next change.
  var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: base, count: count) }

  mutating func removeAll() { count = 0 }

  /// Sets the size; bytes that are added are not initialised.
  mutating func resize(to byteCount: Int) {
    reserve(byteCount)
    count = byteCount
  }

  private mutating func reserve(_ byteCount: Int) {
    if byteCount <= capacity { return }
    var grown = capacity
    while grown < byteCount { grown *= 2 }
    let larger = UnsafeMutableRawPointer.allocate(byteCount: grown, alignment: 64)
    unsafe larger.copyMemory(from: base, byteCount: count)
    unsafe base.deallocate()
    unsafe base = larger
    capacity = grown
  }

  // MARK: Appending

  @inline(__always)
  mutating func append<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
    if count + MemoryLayout<Value>.size > capacity { reserve(count + MemoryLayout<Value>.size) }
    unsafe base.storeBytes(of: value.littleEndian, toByteOffset: count, as: Value.self)
    count += MemoryLayout<Value>.size
  }

  mutating func append(_ added: UnsafeRawBufferPointer) {
    guard let source = added.baseAddress else { return }
    reserve(count + added.count)
    unsafe (base + count).copyMemory(from: source, byteCount: added.count)
    count += added.count
  }

  mutating func append(_ added: [UInt8]) { unsafe added.withUnsafeBytes { unsafe append($0) } }

  /// Appends a column as it lies in memory (this runs on little-endian machines only).
  mutating func append<Value: FixedWidthInteger & BitwiseCopyable>(values: UnsafeBufferPointer<Value>) {
    unsafe append(UnsafeRawBufferPointer(values))
  }

  /// Appends the first value, then the difference of each to the one before, wrapping.
  mutating func append<Value: FixedWidthInteger & BitwiseCopyable>(
    differences values: UnsafeBufferPointer<Value>
  ) {
    let size = MemoryLayout<Value>.size
    reserve(count + values.count * size)
    var before: Value = 0
    for index in values.indices {
      let value = unsafe values[index]
      unsafe base.storeBytes(
        of: (value &- before).littleEndian, toByteOffset: count + index * size, as: Value.self)
      before = value
    }
    count += values.count * size
  }

  /// Appends another block's bytes.
  mutating func append(_ other: borrowing BlockBytes) { unsafe append(other.bytes) }

  // MARK: Reading

  /// The value at a byte offset. The caller has checked the size of the block.
  @inline(__always)
  func value<Value: FixedWidthInteger & BitwiseCopyable>(at place: Int) -> Value {
    precondition(place >= 0 && place <= count - MemoryLayout<Value>.size, "a place in the block")
    return unsafe Value(littleEndian: base.loadUnaligned(fromByteOffset: place, as: Value.self))
  }

  /// Values as they lie in the block (this runs on little-endian machines only); valid until the next change.
  func values<Value: FixedWidthInteger & BitwiseCopyable>(
    at place: Int, count valueCount: Int
  ) -> UnsafeBufferPointer<Value> {
    let size = MemoryLayout<Value>.size
    precondition(place >= 0 && place % size == 0 && valueCount >= 0, "values that are aligned")
    precondition(place <= count && valueCount <= (count - place) / size, "values in the block")
    return unsafe UnsafeBufferPointer(
      start: (base + place).bindMemory(to: Value.self, capacity: valueCount), count: valueCount)
  }

  /// A copy of some bytes.
  func bytes(at place: Int, count byteCount: Int) -> [UInt8] {
    unsafe [UInt8](slice(at: place, count: byteCount))
  }

  /// Some bytes; valid until the next change.
  func slice(at place: Int, count byteCount: Int) -> UnsafeRawBufferPointer {
    precondition(place >= 0 && byteCount >= 0 && place <= count - byteCount, "a place in the block")
    return unsafe UnsafeRawBufferPointer(start: base + place, count: byteCount)
  }

  /// The amount whose bytes start at `place`, which moves behind them.
  func amount(at place: inout Int) throws(AmountError) -> Amount {
    try Amount(bytes: unsafe Span<UInt8>(_unsafeBytes: bytes), at: &place)
  }

  /// Turns differences back into values, in place, for the first `valueCount` values.
  mutating func addUpDifferences(valueCount: Int) {
    precondition(valueCount >= 0 && valueCount <= count / 8, "values in the block")
    var value: UInt64 = 0
    for index in 0..<valueCount {
      value &+= unsafe UInt64(littleEndian: base.load(fromByteOffset: index * 8, as: UInt64.self))
      unsafe base.storeBytes(of: value.littleEndian, toByteOffset: index * 8, as: UInt64.self)
    }
  }

  // MARK: Compression, checksum and files

  func checksum(seed: UInt64) -> UInt64 { unsafe Checksum.xxh3(bytes, seed: seed) }

  /// Becomes the zstd form of `source`; false (and unspecified bytes) when that is not shorter.
  mutating func compress(_ source: borrowing BlockBytes, with compressor: inout Compressor) -> Bool {
    resize(to: Compression.bound(for: source.count))
    let room = unsafe UnsafeMutableRawBufferPointer(start: base, count: count)
    guard let used = unsafe try? compressor.compress(source.bytes, into: room) else {
      preconditionFailure("the destination has the size of the bound")
    }
    count = used
    return used < source.count
  }

  /// Becomes what the zstd form `source` holds, which must be `byteCount` bytes.
  mutating func decompress(
    _ source: borrowing BlockBytes, byteCount: Int, with decompressor: inout Decompressor
  ) throws(CompressionError) {
    resize(to: byteCount)
    let room = unsafe UnsafeMutableRawBufferPointer(start: base, count: byteCount)
    unsafe try decompressor.decompress(source.bytes, into: room, expectedByteCount: byteCount)
  }

  /// Fills itself with `byteCount` bytes of the file from `offset` on; shorter when the file ends before.
  mutating func read(_ file: borrowing OpenFile, at offset: Int, byteCount: Int) throws(SystemError) {
    resize(to: byteCount)
    let room = unsafe UnsafeMutableRawBufferPointer(start: base, count: byteCount)
    count = unsafe try file.read(at: offset, into: room)
  }
}
