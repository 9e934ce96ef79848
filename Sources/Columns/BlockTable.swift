// Blocks of changing values, one for each chunk, copied on write when a held cut still needs the old ones.

import Platform
import Synchronization

/// What stands at the head of every block, 64 bytes, before its payload.
///
/// ```
///  0  birth         epoch in which this version was made
///  8  previous      address of the version before it, 0 if none
/// 16  lastChange    journal position of the last change
/// 24  companion     retained object that belongs to this version (wide amounts), 0 if none
/// 32  payload …     (64-byte aligned)
/// ```
@usableFromInline package struct BlockHeader: BitwiseCopyable {
  /// Epoch in which this version was made.
  @usableFromInline package var birth: UInt64
  @usableFromInline var previous: UInt
  /// Journal position of the last change to the block.
  package var lastChange: UInt64
  /// Address of a retained object that belongs to this version, 0 if none.
  package var companion: UInt

  @usableFromInline static var byteCount: Int { 64 }
}

/// One version of a chunk's values: the payload follows the header.
///
/// Sendable because who may touch which version is settled by locks and epochs, not by the type (see
/// `BlockTable`).
@safe @usableFromInline package struct Block: BitwiseCopyable, @unchecked Sendable {
  @usableFromInline let base: UnsafeMutableRawPointer

  @inlinable init(base: UnsafeMutableRawPointer) { unsafe self.base = unsafe base }

  @inlinable package var header: UnsafeMutablePointer<BlockHeader> {
    unsafe base.assumingMemoryBound(to: BlockHeader.self)
  }

  /// First byte of the payload, 64-byte aligned.
  @inlinable package var payload: UnsafeMutableRawPointer { unsafe base + BlockHeader.byteCount }
}

/// What a kind of block holds, and what is to be done with its companion object.
package struct BlockKind: Sendable {
  /// Bytes of the payload.
  package let payloadByteCount: Int
  /// Fills the payload of a block that has no previous version.
  package let initialize: @Sendable (Block) -> Void
  /// Gives a fresh copy its own companion (the header's field still holds the old version's).
  package let copyCompanion: (@Sendable (Block) -> Void)?
  /// Releases the companion of a block that is given back.
  package let releaseCompanion: (@Sendable (Block) -> Void)?

  package init(
    payloadByteCount: Int, initialize: @escaping @Sendable (Block) -> Void,
    copyCompanion: (@Sendable (Block) -> Void)? = nil, releaseCompanion: (@Sendable (Block) -> Void)? = nil
  ) {
    self.payloadByteCount = payloadByteCount
    self.initialize = initialize
    self.copyCompanion = copyCompanion
    self.releaseCompanion = releaseCompanion
  }
}

/// One block for each chunk of a table. A chunk without a block has never been written: its reader uses the
/// default.
///
/// Who may do what: writing takes the books' creation lock and the shard's lock; reading the current block
/// takes the shard's lock; reading through a cut takes neither.
@safe @usableFromInline package final class BlockTable: Sendable {
  private static let segmentShift = 12
  private static let segmentCount = ((Layout.rowLimit / Layout.chunkRows) >> segmentShift) + 1

  private let epochs: Epochs
  private let kind: BlockKind
  private let pool: BlockPool
  /// Segments of block addresses; a slot is written once by the writer.
  private nonisolated(unsafe) let directory: UnsafeMutablePointer<Atomic<UInt>>
  /// Versions that were replaced, oldest first, with the epoch their successor was born in.
  private let retired = Guarded<RetiredQueue<Block>>(RetiredQueue())
  /// Number of versions on that list, so that asking whether there are any takes no lock.
  private let retiredCount = Atomic<Int>(0)
  /// Versions given back at a time: while it happens, a writer may wait for the list.
  private static let reclaimBatch = 64

  package init(epochs: Epochs, kind: BlockKind) {
    self.epochs = epochs
    self.kind = kind
    pool = BlockPool(blockByteCount: BlockHeader.byteCount + kind.payloadByteCount)
    unsafe directory = .allocate(capacity: Self.segmentCount)
    for index in 0..<Self.segmentCount { unsafe (directory + index).initialize(to: Atomic(0)) }
  }

  deinit {
    if let release = kind.releaseCompanion {
      for block in retired.withLock({ $0.takeFreed(oldestHeld: .max, limit: .max) }) { release(block) }
      unsafe forEachSlot { slot in
        if let block = unsafe Self.block(at: slot.pointee.load(ordering: .relaxed)) { release(block) }
      }
    }
    for index in 0..<Self.segmentCount {
      unsafe Self.slots(at: directory[index].load(ordering: .relaxed))?.deallocate()
    }
    unsafe directory.deallocate()
  }

  // MARK: Reading

  /// The current block of a chunk, nil if it was never written. The caller holds the chunk's shard lock, or
  /// keeps writers out.
  package func currentBlock(_ chunk: Int) -> Block? {
    guard let slot = unsafe slot(chunk) else { return nil }
    return unsafe Self.block(at: slot.pointee.load(ordering: .acquiring))
  }

  /// The chunks of a stripe, for loops over them.
  package func blocks(ofStripe stripe: Int) -> StripeBlocks {
    unsafe StripeBlocks(slots: slot(stripe * Layout.shardCount))
  }

  /// The block as a held cut sees it, nil if the chunk had not been written then. An epoch of `.max` stands
  /// for now, and its caller keeps writers out.
  /// - Complexity: O(versions made since the cut).
  package func block(_ chunk: Int, cut epoch: UInt64) -> Block? {
    guard let slot = unsafe slot(chunk) else { return nil }
    var address = unsafe slot.pointee.load(ordering: .acquiring)
    // An instant view, under the creation lock: the block of now, without a look at its header.
    if epoch == .max { return Self.block(at: address) }
    while let block = Self.block(at: address) {
      if unsafe block.header.pointee.birth < epoch { return block }
      unsafe address = block.header.pointee.previous
    }
    return nil
  }

  /// Journal position of the last change to a chunk's block, 0 if it was never written. The caller holds the
  /// chunk's shard lock, or keeps writers out.
  package func lastChange(_ chunk: Int) -> UInt64 {
    guard let block = currentBlock(chunk) else { return 0 }
    return unsafe block.header.pointee.lastChange
  }

  // MARK: Writing

  /// The block to write into: the current one, or a copy of it if a held cut still needs it, or a fresh one.
  /// The caller is the one writer and holds the chunk's shard lock.
  package func blockForWriting(_ chunk: Int, position: UInt64) -> Block {
    let slot = unsafe slotForWriting(chunk)
    let address = unsafe slot.pointee.load(ordering: .relaxed)
    if let block = Self.block(at: address), unsafe block.header.pointee.birth >= epochs.newestHeld {
      unsafe block.header.pointee.lastChange = position
      return block
    }
    let block = replacement(for: Self.block(at: address))
    unsafe block.header.pointee.lastChange = position
    unsafe slot.pointee.store(UInt(bitPattern: block.base), ordering: .releasing)
    return block
  }

  /// A new version, born now: a copy of `old`, which is retired, or an initial block.
  private func replacement(for old: Block?) -> Block {
    let block = pool.take()
    let birth = epochs.current
    guard let old else {
      unsafe block.header.initialize(
        to: BlockHeader(birth: birth, previous: 0, lastChange: 0, companion: 0))
      kind.initialize(block)
      return block
    }
    unsafe block.base.copyMemory(from: old.base, byteCount: BlockHeader.byteCount + kind.payloadByteCount)
    unsafe block.header.pointee.birth = birth
    unsafe block.header.pointee.previous = UInt(bitPattern: old.base)
    kind.copyCompanion?(block)
    retired.withLock { list in
      list.append(old, replacedIn: birth)
      retiredCount.store(list.count, ordering: .relaxed)
    }
    return block
  }

  /// Gives back the versions that no held cut can reach. Whoever ends a cut calls it, so that writers need
  /// not; any thread may. O(versions given back); a few nanoseconds when none is kept.
  package func reclaim() {
    while retiredCount.load(ordering: .relaxed) > 0 {
      // Asked under the list's lock: a bound read before it may be older than a cut for which a version on
      // the list is kept, and would free that version under its reader.
      let freed = retired.withLock { list in
        let freed = list.takeFreed(oldestHeld: epochs.oldestHeld, limit: Self.reclaimBatch)
        retiredCount.store(list.count, ordering: .relaxed)
        return freed
      }
      if let release = kind.releaseCompanion {
        for block in freed { release(block) }
      }
      pool.give(freed)
      if freed.count < Self.reclaimBatch { return }
    }
  }

  /// Bytes of replaced versions that are still kept for cuts.
  package var retainedByteCount: Int {
    retiredCount.load(ordering: .relaxed) * (BlockHeader.byteCount + kind.payloadByteCount)
  }

  /// Bytes of all memory taken for blocks, free ones included.
  package var reservedByteCount: Int { pool.reservedByteCount }

  // MARK: The directory

  private static func block(at address: UInt) -> Block? {
    guard let base = unsafe UnsafeMutableRawPointer(bitPattern: address) else { return nil }
    return unsafe Block(base: base)
  }

  private static func slots(at address: UInt) -> UnsafeMutablePointer<Atomic<UInt>>? {
    unsafe UnsafeMutablePointer(bitPattern: address)
  }

  private func slot(_ chunk: Int) -> UnsafeMutablePointer<Atomic<UInt>>? {
    let segment = unsafe directory[chunk >> Self.segmentShift].load(ordering: .acquiring)
    guard let slots = unsafe Self.slots(at: segment) else { return nil }
    return unsafe slots + (chunk & (1 << Self.segmentShift - 1))
  }

  private func slotForWriting(_ chunk: Int) -> UnsafeMutablePointer<Atomic<UInt>> {
    if let slot = unsafe slot(chunk) { return unsafe slot }
    let rows = 1 << Self.segmentShift
    let segment = UnsafeMutablePointer<Atomic<UInt>>.allocate(capacity: rows)
    for index in 0..<rows { unsafe (segment + index).initialize(to: Atomic(0)) }
    unsafe directory[chunk >> Self.segmentShift].store(UInt(bitPattern: segment), ordering: .releasing)
    return unsafe segment + (chunk & (rows - 1))
  }

  private func forEachSlot(_ body: (UnsafeMutablePointer<Atomic<UInt>>) -> Void) {
    for index in 0..<Self.segmentCount {
      let address = unsafe directory[index].load(ordering: .relaxed)
      guard let slots = unsafe Self.slots(at: address) else { continue }
      for place in 0..<(1 << Self.segmentShift) { unsafe body(slots + place) }
    }
  }
}

/// The blocks of one stripe's chunks: what `BlockTable` says of each, without finding its slot anew.
@safe @usableFromInline package struct StripeBlocks {
  /// Nil when no chunk was ever written there.
  @usableFromInline let slots: UnsafeMutablePointer<Atomic<UInt>>?

  @inlinable init(slots: UnsafeMutablePointer<Atomic<UInt>>?) { unsafe self.slots = unsafe slots }

  /// As `BlockTable.block(_:cut:)`, of the chunk at a place of the stripe.
  @inlinable @inline(__always)
  package func block(_ place: Int, cut epoch: UInt64) -> Block? {
    guard let slots = unsafe slots else { return nil }
    var address = unsafe slots[place].load(ordering: .acquiring)
    while let base = unsafe UnsafeMutableRawPointer(bitPattern: address) {
      let block = unsafe Block(base: base)
      if unsafe epoch == .max || block.header.pointee.birth < epoch { return block }
      unsafe address = block.header.pointee.previous
    }
    return nil
  }

  /// Asks for the header of a chunk's current block and for a run of bytes of its payload. It is only a hint:
  /// a reader of an older version takes nothing from it.
  @inlinable @inline(__always)
  package func prefetch(_ place: Int, payload offset: Int, byteCount: Int) {
    guard let slots = unsafe slots else { return }
    let address = unsafe slots[place].load(ordering: .acquiring)
    guard let base = unsafe UnsafeRawPointer(bitPattern: address) else { return }
    unsafe Kernels.prefetch(base)
    unsafe Kernels.prefetchRun(base + BlockHeader.byteCount + offset, byteCount: byteCount)
  }
}
