// Lanes of amounts in a block: 64 bits a value, the few wider ones beside them, and a sketch of each.

import Amounts

/// A block of some lanes of 512 amounts, followed by one lane of 512 32-bit words and the sketches of all
/// amounts.
///
/// ```
/// lane 0    512 × Int64   8 bytes each, in slot order
/// lane 1    512 × Int64
/// …
/// words     512 × UInt32
/// sketches  512 × UInt16 for lane 0, then for lane 1, …
/// ```
/// Whoever writes an amount here writes its sketch too, so that a cut has the sketches of its amounts.
/// A value that needs more than 64 bits stands in the block's companion, keyed by (lane, slot); its place in
/// the lane holds `AmountBlock.wideMark`, which no narrow value uses. So a scan reads 8 bytes a row and looks
/// aside only where it meets the mark.
@usableFromInline package struct AmountBlock: BitwiseCopyable, Sendable {
  /// Stands in a lane for a value that is kept in the companion.
  @inlinable package static var wideMark: Int64 { .min }

  @usableFromInline let block: Block
  @usableFromInline let laneCount: Int

  @inlinable package init(_ block: Block, laneCount: Int) {
    self.block = block
    self.laneCount = laneCount
  }

  /// The kind of block for `BlockTable`: all amounts zero, with zero's sketches, all words `word`.
  package static func kind(laneCount: Int, word: UInt32) -> BlockKind {
    let laneBytes = laneCount * Layout.chunkRows * 8
    return BlockKind(
      payloadByteCount: laneBytes + Layout.chunkRows * (4 + laneCount * 2),
      initialize: { block in
        unsafe block.payload.initializeMemory(as: UInt8.self, repeating: 0, count: laneBytes)
        unsafe (block.payload + laneBytes).initializeMemory(
          as: UInt32.self, repeating: word, count: Layout.chunkRows)
        unsafe (block.payload + laneBytes + Layout.chunkRows * 4).initializeMemory(
          as: UInt16.self, repeating: Sketch.zero, count: laneCount * Layout.chunkRows)
      },
      copyCompanion: { block in
        guard let wide = WideAmounts.of(block) else { return }
        WideAmounts.attach(WideAmounts(copying: wide), to: block)
      },
      releaseCompanion: { block in WideAmounts.detach(from: block) })
  }

  /// The 64-bit values of a lane, `wideMark` where the value is wider.
  @inlinable package func lane(_ lane: Int) -> UnsafeMutablePointer<Int64> {
    assert(lane >= 0 && lane < laneCount, "lane of the block")
    return unsafe (block.payload + lane * Layout.chunkRows * 8).assumingMemoryBound(to: Int64.self)
  }

  /// The 32-bit words of the block.
  @inlinable package var words: UnsafeMutablePointer<UInt32> {
    unsafe (block.payload + laneCount * Layout.chunkRows * 8).assumingMemoryBound(to: UInt32.self)
  }

  /// The sketches of a lane's amounts.
  @inlinable package func sketches(_ lane: Int) -> UnsafeMutablePointer<UInt16> {
    assert(lane >= 0 && lane < laneCount, "lane of the block")
    let offset = Self.sketchOffset(lane, laneCount: laneCount)
    return unsafe (block.payload + offset).assumingMemoryBound(to: UInt16.self)
  }

  /// Where the sketches of a lane lie in the payload.
  @inlinable package static func sketchOffset(_ lane: Int, laneCount: Int) -> Int {
    (laneCount * 8 + 4 + lane * 2) * Layout.chunkRows
  }

  /// Asks for a value's memory.
  @inlinable @inline(__always)
  package func prefetch(lane: Int, slot: Int) { unsafe Kernels.prefetch(self.lane(lane) + slot) }

  /// Asks for the memory of a value's sketch, which a writer needs too.
  @inlinable @inline(__always)
  package func prefetchSketch(lane: Int, slot: Int) { unsafe Kernels.prefetch(sketches(lane) + slot) }

  /// Asks for a word's memory and the header's.
  @inlinable @inline(__always)
  package func prefetchWord(slot: Int) {
    unsafe Kernels.prefetch(words + slot)
    unsafe Kernels.prefetch(block.header)
  }

  /// The amount at a place. O(1), O(log wide values of the chunk) for a wide one.
  @inlinable package func amount(lane: Int, slot: Int) -> Amount {
    assert(slot >= 0 && slot < Layout.chunkRows, "slot of the chunk")
    let narrow = unsafe self.lane(lane)[slot]
    if narrow != Self.wideMark { return Amount(narrow) }
    return wideAmount(lane: lane, slot: slot)
  }

  @usableFromInline func wideAmount(lane: Int, slot: Int) -> Amount {
    guard let wide = WideAmounts.of(block) else { preconditionFailure("a marked value has its amount") }
    return wide[Self.key(lane, slot)]
  }

  /// Sets an amount that is not the mark, and is not wide there yet, and its sketch.
  @inlinable @inline(__always)
  package func setNarrow(_ narrow: Int64, lane: Int, slot: Int) {
    unsafe self.lane(lane)[slot] = narrow
    unsafe sketches(lane)[slot] = Sketch.code(narrow)
  }

  /// Sets the amount at a place, in the narrowest form. The caller writes to this version alone.
  @inlinable package func set(_ amount: Amount, lane: Int, slot: Int) {
    assert(slot >= 0 && slot < Layout.chunkRows, "slot of the chunk")
    if let narrow = amount.int64, narrow != Self.wideMark {
      if unsafe self.lane(lane)[slot] == Self.wideMark { removeWide(lane: lane, slot: slot) }
      setNarrow(narrow, lane: lane, slot: slot)
      return
    }
    setWide(amount, lane: lane, slot: slot)
  }

  /// Subtracts from the amount at a place.
  @inlinable package func subtract(_ amount: Amount, lane: Int, slot: Int) {
    assert(slot >= 0 && slot < Layout.chunkRows, "slot of the chunk")
    if let step = amount.int64 {
      let narrow = unsafe self.lane(lane)[slot]
      let (difference, overflow) = narrow.subtractingReportingOverflow(step)
      if narrow != Self.wideMark, !overflow, difference != Self.wideMark {
        setNarrow(difference, lane: lane, slot: slot)
        return
      }
    }
    set(self.amount(lane: lane, slot: slot) - amount, lane: lane, slot: slot)
  }

  /// Adds to the amount at a place.
  @inlinable package func add(_ amount: Amount, lane: Int, slot: Int) {
    assert(slot >= 0 && slot < Layout.chunkRows, "slot of the chunk")
    if let step = amount.int64 {
      let narrow = unsafe self.lane(lane)[slot]
      let (sum, overflow) = narrow.addingReportingOverflow(step)
      if narrow != Self.wideMark, !overflow, sum != Self.wideMark {
        setNarrow(sum, lane: lane, slot: slot)
        return
      }
    }
    set(self.amount(lane: lane, slot: slot) + amount, lane: lane, slot: slot)
  }

  /// Number of wide values in the block.
  package var wideCount: Int { WideAmounts.of(block)?.count ?? 0 }

  @usableFromInline func setWide(_ amount: Amount, lane: Int, slot: Int) {
    let wide: WideAmounts
    if let present = WideAmounts.of(block) {
      wide = present
    } else {
      wide = WideAmounts()
      WideAmounts.attach(wide, to: block)
    }
    wide[Self.key(lane, slot)] = amount
    unsafe self.lane(lane)[slot] = Self.wideMark
    unsafe sketches(lane)[slot] = Sketch.code(amount)
  }

  @usableFromInline func removeWide(lane: Int, slot: Int) {
    guard let wide = WideAmounts.of(block) else { return }
    wide.remove(Self.key(lane, slot))
    if wide.count == 0 { WideAmounts.detach(from: block) }
  }

  private static func key(_ lane: Int, _ slot: Int) -> UInt16 { UInt16(lane * Layout.chunkRows + slot) }
}

/// The amounts of one block version that need more than 64 bits, ordered by key.
final class WideAmounts {
  private var keys: [UInt16]
  private var amounts: [Amount]

  init() {
    keys = []
    amounts = []
  }

  init(copying other: WideAmounts) {
    keys = other.keys
    amounts = other.amounts
  }

  var count: Int { keys.count }

  subscript(key: UInt16) -> Amount {
    get {
      let place = firstPlace(notBelow: key)
      precondition(place < keys.count && keys[place] == key, "a marked value has its amount")
      return amounts[place]
    }
    set {
      let place = firstPlace(notBelow: key)
      if place < keys.count, keys[place] == key {
        amounts[place] = newValue
      } else {
        keys.insert(key, at: place)
        amounts.insert(newValue, at: place)
      }
    }
  }

  func remove(_ key: UInt16) {
    let place = firstPlace(notBelow: key)
    guard place < keys.count, keys[place] == key else { return }
    keys.remove(at: place)
    amounts.remove(at: place)
  }

  private func firstPlace(notBelow key: UInt16) -> Int {
    var low = 0
    var high = keys.count
    while low < high {
      let middle = (low + high) / 2
      if keys[middle] < key { low = middle + 1 } else { high = middle }
    }
    return low
  }

  static func of(_ block: Block) -> WideAmounts? {
    guard let address = unsafe UnsafeRawPointer(bitPattern: block.header.pointee.companion) else {
      return nil
    }
    return unsafe Unmanaged<WideAmounts>.fromOpaque(address).takeUnretainedValue()
  }

  static func attach(_ wide: WideAmounts, to block: Block) {
    unsafe block.header.pointee.companion = UInt(bitPattern: Unmanaged.passRetained(wide).toOpaque())
  }

  static func detach(from block: Block) {
    guard let address = unsafe UnsafeRawPointer(bitPattern: block.header.pointee.companion) else { return }
    unsafe Unmanaged<WideAmounts>.fromOpaque(address).release()
    unsafe block.header.pointee.companion = 0
  }
}
