// The Swift face of the C loops over columns.

import CKernels

/// Where the bits of a loop go: one byte for eight rows, byte k to `first + k * stride`.
@safe package struct BitTarget {
  @usableFromInline let first: UnsafeMutablePointer<UInt8>
  @usableFromInline let stride: Int
  @usableFromInline let keep: UInt8

  /// - Parameters:
  ///   - stride: 1 for columns in row order, `Layout.shardCount` for a chunk's lanes in its stripe's bitmap.
  ///   - adding: bits that are set already stay set.
  @inlinable package init(_ first: UnsafeMutablePointer<UInt8>, stride: Int, adding: Bool) {
    unsafe self.first = unsafe first
    self.stride = stride
    keep = adding ? 255 : 0
  }

  /// Clears the bits of the first `rowCount` rows.
  package func clear(rowCount: Int) {
    for byte in 0..<(rowCount + 7) / 8 { unsafe first[byte * stride] = 0 }
  }

  /// Keeps those bits that are set and whose row `isKept`.
  @inlinable package func filter(rowCount: Int, _ isKept: (Int) -> Bool) {
    for byte in 0..<(rowCount + 7) / 8 {
      var rest = unsafe first[byte * stride]
      var kept: UInt8 = 0
      while rest != 0 {
        let bit = rest.trailingZeroBitCount
        if isKept(byte * 8 + bit) { kept |= 1 << UInt8(bit) }
        rest &= rest &- 1
      }
      unsafe first[byte * stride] = kept
    }
  }
}

/// Loops that are worth a vector unit. Each has a Swift twin in the tests.
///
/// Those that select look at `rowCount` values and make one bit of each; bits past the last row of the last
/// byte are 0.
@usableFromInline package enum Kernels {
  /// Set bits in `wordCount` words.
  package static func populationCount(_ words: UnsafePointer<UInt64>, wordCount: Int) -> Int {
    unsafe ckernels_popcount(words, wordCount)
  }

  /// Selects the values that lie in `bounds`. About 0.05 ns a row in cache.
  package static func select(
    _ values: UnsafePointer<Int64>, rowCount: Int, in bounds: ClosedRange<Int64>, into target: BitTarget
  ) {
    unsafe ckernels_range_i64(
      values, rowCount, bounds.lowerBound, bounds.upperBound, target.first, target.stride, target.keep)
  }

  /// Selects the values that lie in `bounds`. About 0.04 ns a row in cache.
  package static func select(
    _ values: UnsafePointer<UInt32>, rowCount: Int, in bounds: ClosedRange<UInt32>, into target: BitTarget
  ) {
    unsafe ckernels_range_u32(
      values, rowCount, bounds.lowerBound, bounds.upperBound, target.first, target.stride, target.keep)
  }

  /// Selects the values whose bit is set in `codes`; larger values are not in the set. About 0.7 ns a row.
  package static func select(
    _ values: UnsafePointer<UInt32>, rowCount: Int, among codes: [UInt64], into target: BitTarget
  ) {
    unsafe codes.withUnsafeBufferPointer { codes in
      unsafe ckernels_codes_u32(
        values, rowCount, codes.baseAddress, codes.count, target.first, target.stride, target.keep)
    }
  }

  /// Selects the values whose bit is set in `codes`, four words. About 0.5 ns a row.
  package static func select(
    _ values: UnsafePointer<UInt8>, rowCount: Int, among codes: [UInt64], into target: BitTarget
  ) {
    precondition(codes.count == 4, "a bit for each value of a byte")
    unsafe codes.withUnsafeBufferPointer { codes in
      unsafe ckernels_codes_u8(
        values, rowCount, codes.baseAddress, target.first, target.stride, target.keep)
    }
  }

  /// Asks for the cache line at an address, so that it is near when it is read some 100 ns later.
  @inlinable @inline(__always)
  package static func prefetch(_ address: UnsafeRawPointer) { unsafe ckernels_prefetch(address) }
}
