// Records of a command whose end has not been read yet, kept together until it is.

/// Bytes that grow at the end, in memory that is used again.
@safe struct UnitCarry: ~Copyable {
  private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 0, alignment: 16)
  private(set) var byteCount = 0
  private(set) var recordCount = 0

  init() {}

  deinit { unsafe memory.deallocate() }

  var isEmpty: Bool { recordCount == 0 }

  var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(rebasing: memory[..<byteCount]) }

  mutating func append(_ records: UnsafeRawBufferPointer, recordCount: Int) {
    if unsafe byteCount + records.count > memory.count {
      let larger = unsafe UnsafeMutableRawBufferPointer.allocate(
        byteCount: max(byteCount + records.count, 2 * memory.count), alignment: 16)
      unsafe larger.copyMemory(from: bytes)
      unsafe memory.deallocate()
      unsafe memory = larger
    }
    unsafe UnsafeMutableRawBufferPointer(rebasing: memory[byteCount...]).copyMemory(from: records)
    byteCount += records.count
    self.recordCount += recordCount
  }

  mutating func removeAll() {
    byteCount = 0
    recordCount = 0
  }
}
