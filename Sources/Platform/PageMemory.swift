// Memory straight from the kernel, on huge pages where it is large enough, for arenas of columns.

import CSys
import Glibc

/// Anonymous zeroed memory with one owner; dropping it gives it back to the kernel.
///
/// 2 MiB and more begin at a multiple of 2 MiB and ask for huge pages (10 to 15 % on random updates). First
/// touches are slow (a page fault each), so prefault what is about to be used and recycle it.
@safe
package struct PageMemory: ~Copyable, @unchecked Sendable {
  // @unchecked: an address; who may touch the bytes behind it is the owner's business.

  /// The size of a huge page.
  package static let hugePageByteCount = 2 << 20
  /// The size of a page.
  package static let pageByteCount = 4096

  /// The first byte. Valid while this value lives.
  package let base: UnsafeMutableRawPointer
  /// At least what was asked for: a multiple of the page size, of the huge page size from 2 MiB on.
  package let byteCount: Int
  /// The kernel took the advice to use huge pages.
  package let asksForHugePages: Bool

  /// Maps at least `byteCount` bytes (at least 1).
  ///
  /// - Parameter prefault: have the kernel provide all pages now (0.04 ms a MiB) rather than one by one.
  /// - Throws: ENOMEM when the address space or memory limit is reached.
  package init(byteCount: Int, prefault: Bool = false) throws(SystemError) {
    precondition(byteCount > 0, "memory has at least one byte")
    let unit = byteCount >= Self.hugePageByteCount ? Self.hugePageByteCount : Self.pageByteCount
    let (padded, overflow) = byteCount.addingReportingOverflow(unit - 1)
    precondition(!overflow, "memory for \(byteCount) bytes cannot be addressed")
    let rounded = padded & ~(unit - 1)
    var code: CInt = 0
    guard let base = unsafe csys_map_pages(rounded, unit, &code) else {
      throw SystemError(code: -code, call: "mmap", doing: "get \(rounded) bytes of memory")
    }
    let isLarge = unit == Self.hugePageByteCount
    let isHuge = unsafe isLarge && csys_advise_huge(base, rounded) == 0
    let result = prefault ? Syscalls.retrying { unsafe csys_populate(base, rounded) } : 0
    if result < 0 {
      unsafe csys_unmap_pages(base, rounded)
      throw SystemError(code: -result, call: "madvise", doing: "get \(rounded) bytes of memory")
    }
    unsafe self.base = unsafe base
    self.byteCount = rounded
    asksForHugePages = isHuge
  }

  /// All of it.
  package var bytes: UnsafeMutableRawBufferPointer {
    unsafe UnsafeMutableRawBufferPointer(start: base, count: byteCount)
  }

  deinit { unsafe csys_unmap_pages(base, byteCount) }
}
