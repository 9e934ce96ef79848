// Lanes of 32-bit cells in a block: codes and handles that change rarely.

/// A block of some lanes of 512 cells of 32 bits, zero at first.
@usableFromInline package struct CellBlock: BitwiseCopyable, Sendable {
  @usableFromInline let block: Block

  @inlinable package init(_ block: Block) { self.block = block }

  /// The kind of block for `BlockTable`.
  package static func kind(laneCount: Int) -> BlockKind {
    let byteCount = laneCount * Layout.chunkRows * 4
    return BlockKind(
      payloadByteCount: byteCount,
      initialize: { block in
        unsafe block.payload.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
      })
  }

  /// The cells of a lane in slot order.
  @inlinable package func lane(_ lane: Int) -> UnsafeMutablePointer<UInt32> {
    unsafe (block.payload + lane * Layout.chunkRows * 4).assumingMemoryBound(to: UInt32.self)
  }

  /// Asks for a cell's memory.
  @inlinable @inline(__always)
  package func prefetch(lane: Int, slot: Int) { unsafe Kernels.prefetch(self.lane(lane) + slot) }

  @inlinable package subscript(lane lane: Int, slot slot: Int) -> UInt32 {
    get {
      assert(slot >= 0 && slot < Layout.chunkRows, "slot of the chunk")
      return unsafe self.lane(lane)[slot]
    }
    nonmutating set {
      assert(slot >= 0 && slot < Layout.chunkRows, "slot of the chunk")
      unsafe self.lane(lane)[slot] = newValue
    }
  }
}
