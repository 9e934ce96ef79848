// A set of amounts in the forms that loops over sketches and over 64-bit lanes want.

import Amounts
import Columns

/// Made once for a test and used for every chunk.
struct AmountLoops: Sendable {
  /// How sketches tell which rows may be in the set.
  enum SketchTest: Sendable {
    /// One range of codes after the other.
    case ranges([(bounds: ClosedRange<UInt16>, sure: ClosedRange<UInt16>?)])
    /// Codes of which every exact amount is looked at.
    case members(CodeMembers)
  }

  /// The rows are those that are not in the set below.
  let isComplement: Bool
  let sketches: SketchTest
  /// The codes of the only range, when no exact value of theirs need be looked at.
  let sureCodes: ClosedRange<UInt16>?
  /// The codes of the only range and those of them that are sure, when some must.
  let edgedCodes: (bounds: ClosedRange<UInt16>, sure: ClosedRange<UInt16>?)?
  /// The least code of the set.
  let leastCode: UInt16
  /// The set as values of 64-bit lanes; what is wider holds the mark there.
  let narrow: IntegerRanges
  private let set: AmountRanges

  /// So many ranges have a loop each.
  private static let rangeLimit = 4

  init(_ ranges: AmountRanges) {
    let others = ranges.complement
    isComplement = others.ranges.count < ranges.ranges.count
    set = isComplement ? others : ranges
    // The ranges rise.
    leastCode = set.ranges.first?.low.map { Sketch.code($0) } ?? 0
    narrow = set.integers(in: AmountBlock.wideMark + 1 ... .max)
    sketches =
      set.ranges.count <= Self.rangeLimit
      ? .ranges(set.ranges.compactMap { Self.codes(of: $0) }) : .members(Self.members(of: set.ranges))
    var only: (bounds: ClosedRange<UInt16>, sure: ClosedRange<UInt16>?)?
    if case .ranges(let ranges) = sketches, ranges.count == 1 { only = ranges[0] }
    sureCodes = only.flatMap { $0.bounds == $0.sure ? $0.bounds : nil }
    edgedCodes = sureCodes == nil ? only : nil
  }

  /// Whether a row with that amount passes.
  func accepts(_ amount: Amount) -> Bool { set.contains(amount) != isComplement }

  /// Whether the amount at a place is in the set (of which the rows may be the complement).
  @inline(__always)
  func contains(_ lanes: AmountBlock, lane: Int, slot: Int) -> Bool {
    let value = unsafe lanes.lane(lane)[slot]
    return value == AmountBlock.wideMark
      ? set.contains(lanes.amount(lane: lane, slot: slot)) : narrow.contains(value)
  }

  /// Whether the amount is in the set (of which the rows may be the complement).
  func isInSet(_ amount: Amount) -> Bool { set.contains(amount) }

  private static func codes(
    of bounds: AmountRanges.Bounds
  ) -> (bounds: ClosedRange<UInt16>, sure: ClosedRange<UInt16>?)? {
    let range = SketchRange(low: bounds.low, high: bounds.high)
    guard let low = [range.sure?.lowerBound, range.edges.first].compactMap({ $0 }).min(),
      let high = [range.sure?.upperBound, range.edges.last].compactMap({ $0 }).max()
    else { return nil }
    return (low...high, range.sure)
  }

  private static func members(of ranges: [AmountRanges.Bounds]) -> CodeMembers {
    var words = [UInt64](repeating: 0, count: (Int(UInt16.max) + 1) / 64)
    for range in ranges {
      guard let codes = codes(of: range)?.bounds else { continue }
      for code in codes { words[Int(code >> 6)] |= 1 << UInt64(code & 63) }
    }
    return CodeMembers(bits: words)
  }
}

extension AmountLoops {
  /// So many exact values of a chunk are read one by one; beyond, the chunk's lane is tested as a whole.
  static let fewEdges = 48

  /// Selects the rows of a chunk whose sketch tells that they are in the set, and apart those whose exact
  /// value must be looked at. Returns how many there are of both.
  func select(
    sketches values: UnsafePointer<UInt16>, into bits: UnsafeMutablePointer<UInt64>,
    edges: UnsafeMutablePointer<UInt64>
  ) -> (sure: Int, edges: Int) {
    let rowCount = Layout.chunkRows
    switch sketches {
    case .members(let members):
      unsafe Kernels.select(values, rowCount: rowCount, among: members, into: BitTarget(edges, .put))
      unsafe bits.update(repeating: 0, count: 8)
      return (0, unsafe Kernels.populationCount(edges, wordCount: 8))
    case .ranges(let ranges):
      return unsafe select(sketches: values, ranges, into: bits, edges: edges)
    }
  }

  private func select(
    sketches values: UnsafePointer<UInt16>,
    _ ranges: [(bounds: ClosedRange<UInt16>, sure: ClosedRange<UInt16>?)],
    into bits: UnsafeMutablePointer<UInt64>, edges: UnsafeMutablePointer<UInt64>
  ) -> (sure: Int, edges: Int) {
    unsafe bits.update(repeating: 0, count: 8)
    unsafe edges.update(repeating: 0, count: 8)
    unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 16) { buffer in
      let found = unsafe buffer.baseAddress.unsafelyUnwrapped
      for range in ranges {
        _ = unsafe Kernels.selectSketches(
          values, rowCount: Layout.chunkRows, in: range.bounds, sure: range.sure, into: found,
          edges: found + 8)
        _ = unsafe Kernels.merge(bits, with: found, wordCount: 8, .add)
        _ = unsafe Kernels.merge(edges, with: found + 8, wordCount: 8, .add)
      }
    }
    // Two ranges may end in the same code; a row of it is looked at.
    return (
      unsafe Kernels.populationCount(bits, wordCount: 8), unsafe Kernels.populationCount(edges, wordCount: 8)
    )
  }

  /// Asks for the exact values of the rows in `edges`.
  func prefetch(_ lanes: AmountBlock, lane: Int, edges: UnsafePointer<UInt64>) {
    for word in 0..<8 {
      var rest = unsafe edges[word]
      while rest != 0 {
        lanes.prefetch(lane: lane, slot: word << 6 | rest.trailingZeroBitCount)
        rest &= rest &- 1
      }
    }
  }

  /// Looks at the exact values of the rows in `edges` and adds those in the set to `bits`. Returns how many
  /// there are.
  func resolve(
    _ lanes: AmountBlock, lane: Int, edges: UnsafeMutablePointer<UInt64>,
    into bits: UnsafeMutablePointer<UInt64>
  ) -> Int {
    var count = 0
    if unsafe Kernels.populationCount(edges, wordCount: 8) > Self.fewEdges {
      count += unsafe resolveWhole(lanes, lane: lane, edges: edges, into: bits)
    }
    for word in 0..<8 {
      var rest = unsafe edges[word]
      while rest != 0 {
        let bit = rest.trailingZeroBitCount
        if contains(lanes, lane: lane, slot: word << 6 | bit) {
          unsafe bits[word] |= 1 << UInt64(bit)
          count += 1
        }
        rest &= rest &- 1
      }
    }
    return count
  }

  /// The same by testing the lane as a whole; leaves in `edges` the rows with wide values.
  private func resolveWhole(
    _ lanes: AmountBlock, lane: Int, edges: UnsafeMutablePointer<UInt64>,
    into bits: UnsafeMutablePointer<UInt64>
  ) -> Int {
    let values = unsafe lanes.lane(lane)
    return unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 8) { buffer in
      let found = unsafe buffer.baseAddress.unsafelyUnwrapped
      unsafe found.update(repeating: 0, count: 8)
      if narrow.ranges.count <= Self.rangeLimit {
        for range in narrow.ranges {
          unsafe Kernels.select(values, rowCount: Layout.chunkRows, in: range, into: BitTarget(found, .add))
        }
      } else {
        for slot in 0..<Layout.chunkRows where narrow.contains(unsafe values[slot]) {
          unsafe found[slot >> 6] |= 1 << UInt64(slot & 63)
        }
      }
      _ = unsafe Kernels.merge(found, with: edges, wordCount: 8, .keep)
      _ = unsafe Kernels.merge(bits, with: found, wordCount: 8, .add)
      let mark = AmountBlock.wideMark
      unsafe Kernels.select(
        values, rowCount: Layout.chunkRows, in: mark...mark, into: BitTarget(edges, .keep))
      return unsafe Kernels.populationCount(found, wordCount: 8)
    }
  }
}

/// What the loops want of the sets that a scan meets, made once and not for every stripe, and what they left
/// out.
final class LoopsCache {
  /// Chunks that were not read because none of their rows was left.
  var chunksPruned = 0
  private var amounts: [(set: AmountRanges, loops: AmountLoops)] = []
  private var flags: [(set: [UInt64], members: CodeMembers)] = []
  private var next = 0
  private static let limit = 8

  func loops(_ set: AmountRanges) -> AmountLoops {
    for entry in amounts where entry.set == set { return entry.loops }
    let loops = AmountLoops(set)
    if amounts.count < Self.limit {
      amounts.append((set, loops))
    } else {
      // The bound of a page that fills up changes from stripe to stripe; the oldest set makes room for it.
      amounts[next] = (set, loops)
      next = (next + 1) % Self.limit
    }
    return loops
  }

  func members(_ flags: [UInt64]) -> CodeMembers {
    for entry in self.flags where entry.set == flags { return entry.members }
    let members = CodeMembers(bits: flags)
    if self.flags.count < Self.limit { self.flags.append((flags, members)) }
    return members
  }
}
