// Memory for the codes of a stripe, widened when a code needs it.

import Columns

/// Codes of 8, 16 or 32 bits in row order. Its owner frees it.
@safe struct CodeLanesBuffer: @unchecked Sendable {
  // @unchecked: one owner at a time, which is the lock or the thread that it lies with.
  private var memory: UnsafeMutableRawPointer?
  private(set) var rowCount = 0
  /// Bytes of a code: 1, 2 or 4.
  private(set) var width = 1

  var byteCount: Int { unsafe memory == nil ? 0 : rowCount * width }

  mutating func free() {
    unsafe memory?.deallocate()
    unsafe memory = nil
    rowCount = 0
  }

  /// Makes all codes 0.
  mutating func makeZero(rowCount: Int, width: Int) {
    allocate(rowCount: rowCount, width: width)
    unsafe memory?.initializeMemory(as: UInt8.self, repeating: 0, count: rowCount * width)
  }

  private mutating func allocate(rowCount: Int, width: Int) {
    if unsafe memory != nil, rowCount * width == self.rowCount * self.width {
      (self.rowCount, self.width) = (rowCount, width)
      return
    }
    unsafe memory?.deallocate()
    unsafe memory = .allocate(byteCount: max(rowCount * width, 64), alignment: 64)
    (self.rowCount, self.width) = (rowCount, width)
  }

  /// Takes over the codes of another.
  mutating func copy(_ other: CodeLanesBuffer) {
    allocate(rowCount: other.rowCount, width: other.width)
    guard let memory = unsafe memory, let source = unsafe other.memory else { return }
    unsafe memory.copyMemory(from: source, byteCount: other.byteCount)
  }

  /// Stores the codes of a chunk, 512 by slot, of which `largest` is the largest.
  mutating func store(_ codes: UnsafePointer<UInt32>, shard: Int, largest: UInt32) {
    let needed = largest <= 0xFF ? 1 : largest <= 0xFFFF ? 2 : 4
    if needed > width { widen(to: needed) }
    guard let memory = unsafe memory else { return }
    for group in 0..<Layout.chunkRows / Layout.groupRows {
      let row = (group << 6 | shard) << 3
      for place in 0..<Layout.groupRows {
        let code = unsafe codes[group << 3 | place]
        switch width {
        case 1:
          unsafe memory.storeBytes(
            of: UInt8(truncatingIfNeeded: code), toByteOffset: row + place, as: UInt8.self)
        case 2:
          unsafe memory.storeBytes(
            of: UInt16(truncatingIfNeeded: code), toByteOffset: (row + place) * 2, as: UInt16.self)
        default: unsafe memory.storeBytes(of: code, toByteOffset: (row + place) * 4, as: UInt32.self)
        }
      }
    }
  }

  private mutating func widen(to width: Int) {
    var wide = CodeLanesBuffer()
    wide.allocate(rowCount: rowCount, width: width)
    guard let target = unsafe wide.memory else { return }
    for row in 0..<rowCount {
      if width == 2 {
        unsafe target.storeBytes(of: UInt16(self[row]), toByteOffset: row * 2, as: UInt16.self)
      } else {
        unsafe target.storeBytes(of: self[row], toByteOffset: row * 4, as: UInt32.self)
      }
    }
    free()
    self = wide
  }

  /// The codes where they lie, until they are changed; nil when there are none.
  var lanes: CodeLanes? {
    guard let memory = unsafe memory else { return nil }
    switch width {
    case 1: return unsafe .bytes(memory.assumingMemoryBound(to: UInt8.self))
    case 2: return unsafe .shorts(memory.assumingMemoryBound(to: UInt16.self))
    default: return unsafe .words(memory.assumingMemoryBound(to: UInt32.self))
    }
  }

  subscript(row: Int) -> UInt32 {
    @inline(__always) get {
      let memory = unsafe memory.unsafelyUnwrapped
      switch width {
      case 1: return unsafe UInt32(memory.load(fromByteOffset: row, as: UInt8.self))
      case 2: return unsafe UInt32(memory.load(fromByteOffset: row * 2, as: UInt16.self))
      default: return unsafe memory.load(fromByteOffset: row * 4, as: UInt32.self)
      }
    }
  }

  /// Makes a bit of each row: whether its code is a member. Bits past the last row of the last byte are 0.
  func select(_ members: CodeMembers, rowCount: Int, into bits: UnsafeMutablePointer<UInt64>) {
    guard let memory = unsafe memory else { return }
    let target = unsafe BitTarget(bits, .put)
    switch width {
    case 1:
      let lanes = unsafe memory.assumingMemoryBound(to: UInt8.self)
      unsafe Kernels.select(lanes, rowCount: rowCount, among: members, into: target)
    case 2:
      let lanes = unsafe memory.assumingMemoryBound(to: UInt16.self)
      unsafe Kernels.select(lanes, rowCount: rowCount, among: members, into: target)
    default:
      let lanes = unsafe memory.assumingMemoryBound(to: UInt32.self)
      unsafe Kernels.select(lanes, rowCount: rowCount, among: members, into: target)
    }
  }
}
