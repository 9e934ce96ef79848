// The Swift face of the C loops over columns.

import CKernels

/// What the bits that a loop makes do to those that are there.
@usableFromInline package enum BitChange: Sendable {
  /// They replace them.
  case put
  /// They are added.
  case add
  /// Those stay that are made too.
  case keep
  /// Those stay that are not made.
  case drop

  @inlinable var code: ckernels_change {
    switch self {
    case .put: ckernels_put
    case .add: ckernels_add
    case .keep: ckernels_keep
    case .drop: ckernels_drop
    }
  }
}

/// Where the bits of a loop go, and what they do there: one bit a row, row 0 in the lowest bit of the first
/// byte.
@safe @usableFromInline package struct BitTarget {
  @usableFromInline let first: UnsafeMutablePointer<UInt8>
  @usableFromInline let change: BitChange

  @inlinable package init(_ first: UnsafeMutablePointer<UInt8>, _ change: BitChange) {
    unsafe self.first = unsafe first
    self.change = change
  }

  @inlinable package init(_ words: UnsafeMutablePointer<UInt64>, _ change: BitChange) {
    unsafe self.init(UnsafeMutableRawPointer(words).assumingMemoryBound(to: UInt8.self), change)
  }

  /// Keeps those bits that are set and whose row `isKept`.
  @inlinable package func filter(rowCount: Int, _ isKept: (Int) -> Bool) {
    for byte in 0..<(rowCount + 7) / 8 {
      var rest = unsafe first[byte]
      var kept: UInt8 = 0
      while rest != 0 {
        let bit = rest.trailingZeroBitCount
        if isKept(byte * 8 + bit) { kept |= 1 << UInt8(bit) }
        rest &= rest &- 1
      }
      unsafe first[byte] = kept
    }
  }

  /// What a loop does that finds no row.
  package func findNone(rowCount: Int) {
    switch change {
    case .put, .keep: unsafe first.update(repeating: 0, count: (rowCount + 7) / 8)
    case .add, .drop:
      if rowCount & 7 != 0 { unsafe first[rowCount >> 3] &= 1 << UInt8(rowCount & 7) - 1 }
    }
  }
}

/// An exact sum of 64-bit values.
package struct LaneSum: Equatable, Sendable {
  package let sum: Int128
  /// Rows that were added.
  package let count: Int
  /// Selected rows that hold `AmountBlock.wideMark`; they were not added.
  package let wideCount: Int

  package init(sum: Int128, count: Int, wideCount: Int) {
    self.sum = sum
    self.count = count
    self.wideCount = wideCount
  }
}

/// The bounds of 64-bit values.
package struct LaneBounds: Equatable, Sendable {
  /// `.max` when there is no value.
  package let least: Int64
  /// `.min` when there is no value.
  package let greatest: Int64
  /// Rows that were looked at.
  package let count: Int
  /// Selected rows that hold `AmountBlock.wideMark`; they were left out.
  package let wideCount: Int

  package init(least: Int64, greatest: Int64, count: Int, wideCount: Int) {
    self.least = least
    self.greatest = greatest
    self.count = count
    self.wideCount = wideCount
  }
}

/// Loops that are worth a vector unit. Each has a Swift twin in the tests.
///
/// Those that select look at `rowCount` values and make one bit of each; bits past the last row of the last
/// byte become 0. Figures are for values in the cache of one core, with AVX-512.
@usableFromInline package enum Kernels {
  /// What the loops are compiled for, poorest first.
  package enum InstructionSet: CInt, CaseIterable, Sendable {
    case baseline = 1
    case avx2 = 2
    case avx512 = 3
  }

  /// Makes all loops use an instruction set from now on, or the best there is below it; the best of all for
  /// nil, which is also the start. For tests and measurements. Returns what was chosen.
  @discardableResult
  package static func use(_ set: InstructionSet?) -> InstructionSet {
    InstructionSet(rawValue: ckernels_use(set?.rawValue ?? 0)) ?? .baseline
  }

  // MARK: Ranges

  /// Selects the values that lie in `bounds`. 0.010 ns a row.
  package static func select(
    _ values: UnsafePointer<UInt8>, rowCount: Int, in bounds: ClosedRange<UInt8>, into target: BitTarget
  ) {
    unsafe ckernels_range_u8(
      values, rowCount, bounds.lowerBound, bounds.upperBound, target.first, target.change.code)
  }

  /// Selects the values that lie in `bounds`. 0.018 ns a row.
  @inlinable
  package static func select(
    _ values: UnsafePointer<UInt16>, rowCount: Int, in bounds: ClosedRange<UInt16>, into target: BitTarget
  ) {
    unsafe ckernels_range_u16(
      values, rowCount, bounds.lowerBound, bounds.upperBound, target.first, target.change.code)
  }

  /// Selects the values that lie in `bounds`. 0.025 ns a row.
  package static func select(
    _ values: UnsafePointer<UInt32>, rowCount: Int, in bounds: ClosedRange<UInt32>, into target: BitTarget
  ) {
    unsafe ckernels_range_u32(
      values, rowCount, bounds.lowerBound, bounds.upperBound, target.first, target.change.code)
  }

  /// Selects the values that lie in `bounds`. 0.064 ns a row.
  package static func select(
    _ values: UnsafePointer<Int64>, rowCount: Int, in bounds: ClosedRange<Int64>, into target: BitTarget
  ) {
    unsafe ckernels_range_i64(
      values, rowCount, bounds.lowerBound, bounds.upperBound, target.first, target.change.code)
  }

  /// Number of values that lie in `bounds`. 0.006 ns a row.
  package static func count(
    _ values: UnsafePointer<UInt8>, rowCount: Int, in bounds: ClosedRange<UInt8>
  ) -> Int {
    unsafe ckernels_count_range_u8(values, rowCount, bounds.lowerBound, bounds.upperBound)
  }

  /// Number of values that lie in `bounds`. 0.012 ns a row.
  @inlinable
  package static func count(
    _ values: UnsafePointer<UInt16>, rowCount: Int, in bounds: ClosedRange<UInt16>
  ) -> Int {
    unsafe ckernels_count_range_u16(values, rowCount, bounds.lowerBound, bounds.upperBound)
  }

  /// Number of values that lie in `bounds`. 0.023 ns a row.
  package static func count(
    _ values: UnsafePointer<UInt32>, rowCount: Int, in bounds: ClosedRange<UInt32>
  ) -> Int {
    unsafe ckernels_count_range_u32(values, rowCount, bounds.lowerBound, bounds.upperBound)
  }

  /// Number of values that lie in `bounds`. 0.062 ns a row.
  package static func count(
    _ values: UnsafePointer<Int64>, rowCount: Int, in bounds: ClosedRange<Int64>
  ) -> Int {
    unsafe ckernels_count_range_i64(values, rowCount, bounds.lowerBound, bounds.upperBound)
  }

  // MARK: Sets

  /// Selects the codes that are members. 0.010 ns a row, whatever the set.
  package static func select(
    _ values: UnsafePointer<UInt8>, rowCount: Int, among members: CodeMembers, into target: BitTarget
  ) {
    guard let bounds = members.bounds, bounds.lowerBound < 256 else {
      return target.findNone(rowCount: rowCount)
    }
    unsafe withBytes(of: members) { codes, table in
      unsafe ckernels_members_u8(
        values, rowCount, codes, members.fewByteCount, table, target.first, target.change.code)
    }
  }

  /// Selects the codes that are members. 0.02 ns a row for up to four of them; for more 0.04 where few codes
  /// lie between the smallest and the largest, 0.4 where all do.
  package static func select(
    _ values: UnsafePointer<UInt16>, rowCount: Int, among members: CodeMembers, into target: BitTarget
  ) {
    guard let bounds = members.bounds, let low = UInt16(exactly: bounds.lowerBound) else {
      return target.findNone(rowCount: rowCount)
    }
    if members.bits.isEmpty {
      unsafe withShorts(of: members) { codes in
        unsafe ckernels_few_u16(
          values, rowCount, codes, members.fewShortCount, target.first, target.change.code)
      }
    } else {
      unsafe ckernels_set_u16(
        values, rowCount, members.bits, low, UInt16(clamping: bounds.upperBound), target.first,
        target.change.code)
    }
  }

  /// Selects the codes that are members. Twice what it costs for 16 bits.
  package static func select(
    _ values: UnsafePointer<UInt32>, rowCount: Int, among members: CodeMembers, into target: BitTarget
  ) {
    guard let bounds = members.bounds else { return target.findNone(rowCount: rowCount) }
    if members.bits.isEmpty {
      unsafe ckernels_few_u32(
        values, rowCount, members.few, members.few.count, target.first, target.change.code)
    } else {
      unsafe ckernels_set_u32(
        values, rowCount, members.bits, bounds.lowerBound, bounds.upperBound, target.first,
        target.change.code)
    }
  }

  /// Number of codes that are members. 0.009 ns a row.
  package static func count(
    _ values: UnsafePointer<UInt8>, rowCount: Int, among members: CodeMembers
  ) -> Int {
    guard let bounds = members.bounds, bounds.lowerBound < 256 else { return 0 }
    return unsafe withBytes(of: members) { codes, table in
      unsafe ckernels_count_members_u8(values, rowCount, codes, members.fewByteCount, table)
    }
  }

  /// Number of codes that are members.
  package static func count(
    _ values: UnsafePointer<UInt16>, rowCount: Int, among members: CodeMembers
  ) -> Int {
    guard let bounds = members.bounds, let low = UInt16(exactly: bounds.lowerBound) else { return 0 }
    if members.bits.isEmpty {
      return unsafe withShorts(of: members) { codes in
        unsafe ckernels_count_few_u16(values, rowCount, codes, members.fewShortCount)
      }
    }
    return unsafe ckernels_count_set_u16(
      values, rowCount, members.bits, low, UInt16(clamping: bounds.upperBound))
  }

  /// Number of codes that are members.
  package static func count(
    _ values: UnsafePointer<UInt32>, rowCount: Int, among members: CodeMembers
  ) -> Int {
    guard let bounds = members.bounds else { return 0 }
    if members.bits.isEmpty {
      return unsafe ckernels_count_few_u32(values, rowCount, members.few, members.few.count)
    }
    return unsafe ckernels_count_set_u32(
      values, rowCount, members.bits, bounds.lowerBound, bounds.upperBound)
  }

  private static func withBytes<Result>(
    of members: CodeMembers, _ body: (_ few: UnsafePointer<UInt8>, _ table: UnsafePointer<UInt8>) -> Result
  ) -> Result {
    unsafe withUnsafeBytes(of: members.fewBytes) { few in
      unsafe withUnsafeBytes(of: members.byteTable) { table in
        unsafe body(
          few.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self),
          table.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self))
      }
    }
  }

  private static func withShorts<Result>(
    of members: CodeMembers, _ body: (UnsafePointer<UInt16>) -> Result
  ) -> Result {
    unsafe withUnsafeBytes(of: members.fewShorts) { few in
      unsafe body(few.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt16.self))
    }
  }

  // MARK: Sketches

  /// Selects the sketches that lie in `sure`, and those that lie in `bounds` but not in `sure` apart: their
  /// rows must be looked at. Replaces the bits of both; `bits` may be nil when only numbers matter. 0.02 to
  /// 0.03 ns a row.
  ///
  /// - Precondition: `sure` lies in `bounds`.
  @inlinable
  package static func selectSketches(
    _ values: UnsafePointer<UInt16>, rowCount: Int, in bounds: ClosedRange<UInt16>,
    sure: ClosedRange<UInt16>?, into bits: UnsafeMutablePointer<UInt8>?,
    edges: UnsafeMutablePointer<UInt8>
  ) -> (sure: Int, edges: Int) {
    guard let sure else {
      unsafe bits?.update(repeating: 0, count: (rowCount + 7) / 8)
      unsafe select(values, rowCount: rowCount, in: bounds, into: BitTarget(edges, .put))
      return (0, unsafe count(values, rowCount: rowCount, in: bounds))
    }
    let found = unsafe ckernels_sketches(
      values, rowCount, bounds.lowerBound, bounds.upperBound, sure.lowerBound, sure.upperBound, bits, edges)
    return (found.sure, found.edges)
  }

  /// The same into words.
  @inlinable @inline(__always)
  package static func selectSketches(
    _ values: UnsafePointer<UInt16>, rowCount: Int, in bounds: ClosedRange<UInt16>,
    sure: ClosedRange<UInt16>?, into bits: UnsafeMutablePointer<UInt64>?,
    edges: UnsafeMutablePointer<UInt64>
  ) -> (sure: Int, edges: Int) {
    unsafe selectSketches(
      values, rowCount: rowCount, in: bounds, sure: sure,
      into: UnsafeMutableRawPointer(bits)?.assumingMemoryBound(to: UInt8.self),
      edges: UnsafeMutableRawPointer(edges).assumingMemoryBound(to: UInt8.self))
  }

  // MARK: Sums and bounds

  /// The exact sum of the values whose bit is set, of all for nil. 0.12 ns a row.
  package static func sum(
    _ values: UnsafePointer<Int64>, rowCount: Int, selected bits: UnsafePointer<UInt8>?
  ) -> LaneSum {
    let found = unsafe ckernels_sum_i64(values, rowCount, bits)
    return LaneSum(
      sum: Int128(found.high) << 64 | Int128(found.low), count: found.count, wideCount: found.wide)
  }

  /// The least and the greatest of the values whose bit is set, of all for nil. 0.12 ns a row.
  package static func bounds(
    _ values: UnsafePointer<Int64>, rowCount: Int, selected bits: UnsafePointer<UInt8>?
  ) -> LaneBounds {
    let found = unsafe ckernels_bounds_i64(values, rowCount, bits)
    return LaneBounds(
      least: found.least, greatest: found.greatest, count: found.count, wideCount: found.wide)
  }

  /// The sum of all values, modulo 2^64: as little work for each byte as there can be. What other loops are
  /// measured against.
  package static func total(_ values: UnsafePointer<UInt64>, count: Int) -> UInt64 {
    unsafe ckernels_total(values, count)
  }

  // MARK: Bitmaps

  /// Set bits in `wordCount` words. 4 KiB in 36 ns.
  @inlinable
  package static func populationCount(_ words: UnsafePointer<UInt64>, wordCount: Int) -> Int {
    unsafe ckernels_popcount(words, wordCount)
  }

  /// Combines the first bitmap with the second; whether any bit is set then. 4 KiB in 26 ns.
  @inlinable
  package static func merge(
    _ words: UnsafeMutablePointer<UInt64>, with other: UnsafePointer<UInt64>, wordCount: Int,
    _ change: BitChange
  ) -> Bool {
    unsafe ckernels_merge(words, other, wordCount, change.code) != 0
  }

  /// Turns the 64 bitmaps of a stripe's chunks, 64 bytes each, into the stripe's bitmap in row order, or that
  /// into those: byte 64 i + j goes to 64 j + i. The two do not overlap. 0.14 us.
  package static func transpose(
    _ source: UnsafePointer<UInt64>, into target: UnsafeMutablePointer<UInt64>
  ) {
    unsafe ckernels_transpose(
      UnsafeRawPointer(source).assumingMemoryBound(to: UInt8.self),
      UnsafeMutableRawPointer(target).assumingMemoryBound(to: UInt8.self))
  }

  // MARK: Texts and memory

  /// The first place of `needle` in `text`, nil if there is none; 0 for an empty needle. Reads nothing
  /// outside the two. 18 ns for 1,000 bytes without the needle's first and last byte (memmem: 70).
  package static func firstPlace(of needle: UnsafeRawBufferPointer, in text: UnsafeRawBufferPointer) -> Int? {
    guard let start = text.baseAddress, let wanted = needle.baseAddress else {
      return unsafe needle.isEmpty ? 0 : nil
    }
    let place = unsafe ckernels_find(
      start.assumingMemoryBound(to: UInt8.self), text.count, wanted.assumingMemoryBound(to: UInt8.self),
      needle.count)
    return place < 0 ? nil : place
  }

  /// Asks for the cache line at an address, so that it is near when it is read some 100 ns later.
  @inlinable @inline(__always)
  package static func prefetch(_ address: UnsafeRawPointer) { unsafe ckernels_prefetch(address) }

  /// Asks for all cache lines of a run of bytes.
  @inlinable @inline(__always)
  package static func prefetchRun(_ address: UnsafeRawPointer, byteCount: Int) {
    unsafe ckernels_prefetch_run(address, byteCount)
  }
}
