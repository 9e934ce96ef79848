// Memory for blocks: taken from the system in growing regions, recycled, never scattered.

import Platform

/// Blocks of one size. Copying into recycled memory costs a thirtieth of copying into new memory, so nothing
/// is given back to the system while the pool lives.
@safe final class BlockPool: Sendable {
  private static let alignment = 64
  private static let firstRegionBlocks = 8
  private static let regionByteLimit = 32 << 20

  private let blockByteCount: Int
  private let lock = Lock()
  private nonisolated(unsafe) let state: UnsafeMutablePointer<State>

  private struct State {
    var free: [Block] = []
    var regions: [Region] = []
    var next = 0
    var room = 0
    var reserved = 0
  }

  init(blockByteCount: Int) {
    self.blockByteCount = (blockByteCount + Self.alignment - 1) / Self.alignment * Self.alignment
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: State())
  }

  deinit {
    unsafe state.deinitialize(count: 1)
    unsafe state.deallocate()
  }

  var reservedByteCount: Int { lock.withLock { unsafe state.pointee.reserved } }

  /// A block with arbitrary content. O(1), now and then a system call.
  func take() -> Block {
    lock.withLock {
      if let block = unsafe state.pointee.free.popLast() { return block }
      if unsafe state.pointee.room < blockByteCount { unsafe addRegion(&state.pointee) }
      let region = unsafe state.pointee.regions.last.unsafelyUnwrapped
      let base = unsafe region.base + state.pointee.next
      unsafe state.pointee.next += blockByteCount
      unsafe state.pointee.room -= blockByteCount
      return unsafe Block(base: base)
    }
  }

  /// Takes blocks back.
  func give(_ blocks: [Block]) {
    lock.withLock { unsafe state.pointee.free.append(contentsOf: blocks) }
  }

  private func addRegion(_ state: inout State) {
    let wanted = max(blockByteCount * Self.firstRegionBlocks, min(state.reserved, Self.regionByteLimit))
    let region = Region(byteCount: wanted)
    state.regions.append(region)
    state.reserved += region.byteCount
    state.next = 0
    state.room = region.byteCount
  }
}
