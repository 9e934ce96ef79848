// Sums and bounds of many groups at once, one row after the other, by C loops over a chunk.

import CKernels

/// The numbers of the groups of a stripe's rows, in row order.
@safe package enum GroupNumbers {
  case bytes(UnsafePointer<UInt8>)
  case shorts(UnsafePointer<UInt16>)
}

/// What the groups of a request have so far: sums in parts of 64 bits, which `takeSums` empties before they
/// can overflow, and bounds. 0.6 ns a row for a sum, 1 ns for bounds, whatever the number of groups.
package struct GroupParts: Sendable {
  /// A row goes to any of so many arrays of groups, one after the other.
  package static let arrayCount = 4
  /// Rows of a group whose sum its parts hold.
  package static let rowLimit = 65_535

  package let groupCount: Int
  private var sums: [ckernels_group_sum] = []
  private var bounds: [ckernels_group_bounds] = []

  /// - Parameter groupCount: the numbers of groups are less than this.
  package init(groupCount: Int) { self.groupCount = groupCount }

  // MARK: Adding

  /// Adds the values of a chunk whose bit is set to the sums of their groups; at most `rowLimit` rows a group
  /// before `takeSums`.
  ///
  /// - Parameters:
  ///   - values: 512 in slot order.
  ///   - chunk: of the stripe.
  ///   - bits: 64 bytes in slot order.
  ///   - next: the values of the chunk that comes next, whose bits follow, to ask for their memory in time.
  ///   - wide: eight words, which are given the bits of the selected rows that hold `AmountBlock.wideMark`:
  ///     they are left out.
  /// - Returns: how many were left out.
  /// - Precondition: the numbers of the selected rows are less than `groupCount`; all others are readable.
  package mutating func addSums(
    _ values: UnsafePointer<Int64>, chunk: Int, _ numbers: GroupNumbers, selected bits: UnsafePointer<UInt8>,
    next: UnsafePointer<Int64>?, wide: UnsafeMutablePointer<UInt64>
  ) -> Int {
    if sums.isEmpty {
      sums = Array(repeating: ckernels_group_sum(low: 0, high: 0), count: groupCount * Self.arrayCount)
    }
    return unsafe sums.withUnsafeMutableBufferPointer { sums in
      let (rowCount, step) = (Layout.chunkRows, Layout.shardCount * Layout.groupRows)
      switch numbers {
      case .bytes(let numbers):
        return unsafe ckernels_group_sums_u8(
          values, rowCount, numbers + chunk * Layout.groupRows, step, bits, next, wide, sums.baseAddress,
          groupCount
        )
      case .shorts(let numbers):
        return unsafe ckernels_group_sums_u16(
          values, rowCount, numbers + chunk * Layout.groupRows, step, bits, next, wide, sums.baseAddress,
          groupCount
        )
      }
    }
  }

  /// Takes the values of a chunk whose bit is set into the bounds of their groups. As `addSums`.
  package mutating func addBounds(
    _ values: UnsafePointer<Int64>, chunk: Int, _ numbers: GroupNumbers, selected bits: UnsafePointer<UInt8>,
    next: UnsafePointer<Int64>?, wide: UnsafeMutablePointer<UInt64>
  ) -> Int {
    if bounds.isEmpty {
      bounds = Array(
        repeating: ckernels_group_bounds(least: .max, greatest: .min), count: groupCount * Self.arrayCount)
    }
    return unsafe bounds.withUnsafeMutableBufferPointer { bounds in
      let (rowCount, step) = (Layout.chunkRows, Layout.shardCount * Layout.groupRows)
      switch numbers {
      case .bytes(let numbers):
        return unsafe ckernels_group_bounds_u8(
          values, rowCount, numbers + chunk * Layout.groupRows, step, bits, next, wide, bounds.baseAddress,
          groupCount)
      case .shorts(let numbers):
        return unsafe ckernels_group_bounds_u16(
          values, rowCount, numbers + chunk * Layout.groupRows, step, bits, next, wide, bounds.baseAddress,
          groupCount)
      }
    }
  }

  // MARK: Taking

  /// Gives the sum and the number of the rows of each group that has any, and begins anew.
  package mutating func takeSums(_ body: (_ group: Int, LaneSum) -> Void) {
    if sums.isEmpty { return }
    for group in 0..<groupCount {
      var (low, high): (UInt64, UInt64) = (0, 0)
      var count = 0
      for place in stride(from: group, to: sums.count, by: groupCount) {
        low &+= sums[place].low & 0xFFFF_FFFF_FFFF
        high &+= sums[place].high
        count += Int(sums[place].low >> 48)
        sums[place] = ckernels_group_sum(low: 0, high: 0)
      }
      if count == 0 { continue }
      let sum = Int128(low) + Int128(high) << 32 - Int128(count) << 63
      body(group, LaneSum(sum: sum, count: count, wideCount: 0))
    }
  }

  /// Gives the bounds of each group that has any row in them, and begins anew.
  package mutating func takeBounds(_ body: (_ group: Int, _ least: Int64, _ greatest: Int64) -> Void) {
    if bounds.isEmpty { return }
    for group in 0..<groupCount {
      var (least, greatest): (Int64, Int64) = (.max, .min)
      for place in stride(from: group, to: bounds.count, by: groupCount) {
        least = min(least, bounds[place].least)
        greatest = max(greatest, bounds[place].greatest)
        bounds[place] = ckernels_group_bounds(least: .max, greatest: .min)
      }
      if least <= greatest { body(group, least, greatest) }
    }
  }
}
