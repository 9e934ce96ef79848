// jemalloc, the allocator of the whole process: its compiled-in settings and what it says about memory.

import CAllocator
import CJemalloc

/// What jemalloc counts, in bytes; all zero when another allocator is in use (sanitizers).
package struct AllocatorStatistics: Equatable, Sendable {
  /// Handed out to the program.
  package var allocated = 0
  /// Whole pages that hold what is handed out.
  package var active = 0
  /// In physical memory, an upper estimate.
  package var resident = 0
  /// Mapped by the allocator.
  package var mapped = 0

  package init() {}
}

/// The allocator behind every Swift object of this process.
package enum Allocator {
  /// Makes the linker keep the settings of `CAllocator`; the program calls it once at start.
  package static func anchor() { callocator_anchor() }

  /// The counters as of now. Takes some microseconds: refreshing them merges those of all arenas.
  package static func statistics() -> AllocatorStatistics {
    var epoch: UInt64 = 1
    guard unsafe mallctl("epoch", nil, nil, &epoch, MemoryLayout<UInt64>.size) == 0 else {
      return AllocatorStatistics()
    }
    var statistics = AllocatorStatistics()
    statistics.allocated = number("stats.allocated")
    statistics.active = number("stats.active")
    statistics.resident = number("stats.resident")
    statistics.mapped = number("stats.mapped")
    return statistics
  }

  /// Bytes that the calling thread has been handed so far, ever growing: for counting what a piece of code
  /// allocates. 0 when another allocator is in use.
  package static func threadAllocatedBytes() -> Int { number("thread.allocated") }

  /// jemalloc's version, such as `5.3.0-0-g54eaed1d8b56b1aa528be3bdd1877e59c56fa90c`.
  package static var version: String {
    var text: UnsafePointer<CChar>?
    var size = unsafe MemoryLayout<UnsafePointer<CChar>?>.size
    guard unsafe mallctl("version", &text, &size, nil, 0) == 0, let text = unsafe text else { return "" }
    return unsafe String(cString: text)
  }

  /// Whether jemalloc's own thread gives freed memory back to the kernel.
  package static var hasBackgroundThread: Bool {
    var isOn = false
    var size = MemoryLayout<Bool>.size
    return unsafe mallctl("background_thread", &isOn, &size, nil, 0) == 0 && isOn
  }

  /// Gives all unused pages back to the kernel now.
  package static func releaseUnusedMemory() {
    // 4096 is MALLCTL_ARENAS_ALL of jemalloc.h, a macro that Swift does not see.
    _ = unsafe mallctl("arena.4096.purge", nil, nil, nil, 0)
  }

  private static func number(_ name: String) -> Int {
    var value = 0
    var size = MemoryLayout<Int>.size
    return unsafe mallctl(name, &value, &size, nil, 0) == 0 ? value : 0
  }
}
