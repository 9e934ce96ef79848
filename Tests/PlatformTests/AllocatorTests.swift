// Swift's memory comes from jemalloc with our settings (or from a sanitizer, which is told apart).

import CJemalloc
import Platform
import Testing

@Test func swiftArraysAreCountedByJemalloc() {
  Allocator.anchor()
  if isSanitized { return }
  let count = 10_000_000
  let before = Allocator.statistics()
  let threadBefore = Allocator.threadAllocatedBytes()
  let array = [Int](repeating: 1, count: count)
  let during = Allocator.statistics()
  let threadDuring = Allocator.threadAllocatedBytes()
  #expect(array.reduce(0, &+) == count)
  // Other tests allocate and free meanwhile, but not 40 MB.
  #expect(during.allocated - before.allocated > 40_000_000)
  #expect(threadDuring - threadBefore >= count * 8)
  #expect(during.active >= during.allocated)
  #expect(during.resident > 0)
  #expect(during.mapped >= during.active)
}

@Test func theCompiledInSettingsAreInForce() {
  Allocator.anchor()
  if isSanitized { return }
  #expect(Allocator.hasBackgroundThread)
  #expect(Allocator.version.hasPrefix("5."))
  var milliseconds = 0
  var size = MemoryLayout<Int>.size
  let result = unsafe mallctl("opt.dirty_decay_ms", &milliseconds, &size, nil, 0)
  #expect(result == 0 && milliseconds == 1000)
}

@Test func askingIsHarmlessWhoeverAllocates() {
  Allocator.releaseUnusedMemory()
  #expect(Allocator.statistics().allocated >= 0)
  #expect(Allocator.threadAllocatedBytes() >= 0)
}

/// Whether this program was built with a sanitizer: then its runtime allocates, and jemalloc counts little.
private let isSanitized: Bool = {
  guard let maps = try? OpenFile("/proc/self/maps", .read) else { return false }
  var text: [UInt8] = []
  var piece = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    var span = piece.mutableSpan
    guard let count = try? maps.read(into: &span), count > 0 else { break }
    text += piece[..<count]
  }
  // A shadow of the address space makes tens of terabytes of mappings; nothing else here does.
  return String(decoding: text, as: UTF8.self).split(separator: "\n").contains { line in
    let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt64($0, radix: 16) }
    return ends.count == 2 && ends[1] - ends[0] > 1 << 40
  }
}()
