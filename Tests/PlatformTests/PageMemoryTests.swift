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
  // 64 TiB in all: more than there are addresses for, were it kept.
  for _ in 0..<65_536 { _ = try PageMemory(byteCount: 1 << 30) }
}

@Test func moreThanThereIsIsAnError() {
  let error = #expect(throws: SystemError.self) { _ = try PageMemory(byteCount: 1 << 60) }
  #expect(error?.name == "ENOMEM")
}
