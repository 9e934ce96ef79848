// Memory straight from the system for what grows large: pages that cost one fault and one translation for 2
// MiB.

import Platform

/// Memory that many blocks or segments lie in, given back when the region goes. Running out of memory stops
/// the process, as it does for every Swift allocation.
final class Region: Sendable {
  private let memory: PageMemory

  /// - Parameter prefault: the pages are wanted at once.
  init(byteCount: Int, prefault: Bool = false) {
    do {
      memory = try PageMemory(byteCount: byteCount, prefault: prefault)
    } catch {
      preconditionFailure("no memory for rows: \(error)")
    }
  }

  var base: UnsafeMutableRawPointer { unsafe memory.base }
  var byteCount: Int { memory.byteCount }
}

/// Segments of one size one after the other in regions that grow with what they hold. One thread at a time
/// takes; the memory lasts as long as this.
@safe final class SegmentRegions: @unchecked Sendable {
  // @unchecked: touched by the one writer of what owns it alone.
  private static let regionByteLimit = 32 << 20

  private var regions: [Region] = []
  private var total = 0
  private var used = 0

  /// Memory for a segment, aligned to 64 bytes at least; its size is a multiple of that.
  func take(_ byteCount: Int) -> UnsafeMutableRawPointer {
    precondition(byteCount > 0 && byteCount % 64 == 0, "segments stay aligned")
    if let last = regions.last, used + byteCount <= last.byteCount {
      used += byteCount
      return unsafe last.base + (used - byteCount)
    }
    let wanted = max(byteCount, min(max(total, PageMemory.hugePageByteCount), Self.regionByteLimit))
    let region = Region(byteCount: wanted)
    regions.append(region)
    total += region.byteCount
    used = byteCount
    return unsafe region.base
  }
}
