// Memory from the kernel: zeroed, aligned, as large as asked for.

import Platform
import Testing

@Test(arguments: [1, 4_095, 4_096, 4_097, (2 << 20) - 1, 2 << 20, (2 << 20) + 1, 9 << 20])
func memoryIsZeroedAlignedAndLargeEnough(byteCount: Int) throws {
  for prefault in [false, true] {
    let memory = try PageMemory(byteCount: byteCount, prefault: prefault)
    let unit = byteCount >= 2 << 20 ? PageMemory.hugePageByteCount : PageMemory.pageByteCount
    #expect(memory.byteCount >= byteCount)
    #expect(memory.byteCount - byteCount < unit)
    #expect(memory.byteCount % unit == 0)
    #expect(unsafe UInt(bitPattern: memory.base) % UInt(unit) == 0)
    #expect(unsafe memory.bytes.allSatisfy { $0 == 0 })
    unsafe memory.bytes.storeBytes(of: 7, toByteOffset: memory.byteCount - 8, as: Int.self)
    #expect(unsafe memory.bytes.load(fromByteOffset: memory.byteCount - 8, as: Int.self) == 7)
  }
}

@Test func memoryThatIsDroppedGoesBack() throws {
  // 256 GiB in all; what other tests map meanwhile is far less than the half of it.
  let before = try mappedByteCount()
  for _ in 0..<256 { _ = try PageMemory(byteCount: 1 << 30) }
  #expect(try mappedByteCount() - before < 128 << 30)
}

/// The size of this process's address space.
private func mappedByteCount() throws -> Int {
  var piece = [UInt8](repeating: 0, count: 256)
  var span = piece.mutableSpan
  let count = try OpenFile("/proc/self/statm", .read).read(into: &span)
  let pages = String(decoding: piece[..<count].prefix { $0 != 0x20 }, as: UTF8.self)
  return try #require(Int(pages)) * PageMemory.pageByteCount
}

@Test func moreThanThereIsIsAnError() {
  let error = #expect(throws: SystemError.self) { _ = try PageMemory(byteCount: 1 << 60) }
  #expect(error?.name == "ENOMEM")
}
