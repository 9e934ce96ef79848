// Memory straight from the system for what grows large: pages that cost one fault and one translation for 2
// MiB.

import Platform

/// Memory that many blocks or segments lie in, given back when the region goes. Running out of memory stops
/// the process, as it does for every Swift allocation.
final class Region: Sendable {
  private let memory: PageMemory

  init(byteCount: Int) {
    do {
      memory = try PageMemory(byteCount: byteCount)
    } catch {
      preconditionFailure("no memory for rows: \(error)")
    }
  }

  var base: UnsafeMutableRawPointer { unsafe memory.base }
  var byteCount: Int { memory.byteCount }
}
