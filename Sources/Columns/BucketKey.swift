// Where an amount belongs among buckets: which one, and which way further down when it is divided.

import Amounts

/// An amount cut into digits: one of 2^19 buckets by sign, exponent and the 11 bits after the leading one,
/// and the bits after those, four at a time, until all of the amount is said.
///
/// Amounts from 2^127 on share a bucket, as those from -2^127 down do, and have no further digits.
@usableFromInline package struct BucketKey: BitwiseCopyable, Sendable, Equatable {
  @usableFromInline static var mantissaBits: Int { 11 }
  @usableFromInline static var bucketCount: Int { 1 << 19 }
  @usableFromInline static var zero: UInt32 { 1 << 18 }
  /// Bits of one digit.
  static var digitBits: Int { 4 }

  @usableFromInline let bucket: UInt32
  /// The bits after the bucket's, the first of them highest; turned over for negative amounts, so that they
  /// rise with the amount.
  @usableFromInline let rest: UInt128

  @inlinable init(bucket: UInt32, rest: UInt128) {
    self.bucket = bucket
    self.rest = rest
  }

  /// The key of a narrow amount.
  @inlinable @inline(__always)
  package init(_ amount: Int64) {
    let magnitude = amount.magnitude
    let step = LogScale.step(magnitude, mantissaBits: Self.mantissaBits)
    let first = (magnitude &<< UInt64(magnitude.leadingZeroBitCount & 63)) &<< UInt64(Self.mantissaBits + 1)
    let rest = UInt128(first) &<< 64
    if amount < 0 {
      self.init(bucket: Self.zero &- step, rest: ~rest)
    } else {
      self.init(bucket: Self.zero &+ step, rest: rest)
    }
  }

  /// The key of any amount.
  package init(_ amount: Amount) {
    if let narrow = amount.int64 {
      self.init(narrow)
      return
    }
    guard let wide = amount.int128, wide != .min else {
      let step = LogScale.beyond(mantissaBits: Self.mantissaBits)
      self.init(bucket: amount.isNegative ? Self.zero - step : Self.zero + step, rest: 0)
      return
    }
    let magnitude = wide.magnitude
    let step = LogScale.step(magnitude, mantissaBits: Self.mantissaBits)
    let rest = magnitude << UInt128(magnitude.leadingZeroBitCount + Self.mantissaBits + 1)
    if wide < 0 {
      self.init(bucket: Self.zero - step, rest: ~rest)
    } else {
      self.init(bucket: Self.zero + step, rest: rest)
    }
  }

  /// How a bucket may be divided.
  @inline(__always)
  static func depth(of bucket: UInt32) -> BucketDepth {
    let step = Int(bucket > zero ? bucket - zero : zero - bucket)
    let exponent = (step - 1) >> mantissaBits
    if exponent <= mantissaBits { return BucketDepth(amountLevels: 0, isBeyond: false) }
    if exponent >= LogScale.lastExponent { return BucketDepth(amountLevels: 0, isBeyond: true) }
    return BucketDepth(
      amountLevels: (exponent - mantissaBits + digitBits - 1) / digitBits, isBeyond: false)
  }
}

/// The levels of a bucket's tree: first digits of the amount, then of the row number.
struct BucketDepth: BitwiseCopyable {
  /// Digits after which the amount is said completely.
  let amountLevels: Int
  /// Whether amounts of the bucket differ in more than their keys say.
  let isBeyond: Bool

  private static var rowDigitBits: Int { 6 }
  /// Bits of a row number after its first digit.
  private static var firstRowShift: Int { 26 }

  /// Whether the rows of a node at that level have one amount.
  @inline(__always) func isExact(_ level: Int) -> Bool { level >= amountLevels && !isBeyond }

  /// Children of a divided node at that level.
  @inline(__always) func childCount(_ level: Int) -> Int {
    1 << (level < amountLevels ? BucketKey.digitBits : Self.rowDigitBits)
  }

  /// Which child of a divided node at that level a row goes to.
  @inline(__always) func digit(_ level: Int, _ rest: UInt128, row: UInt32) -> Int {
    if level < amountLevels {
      return Int(truncatingIfNeeded: rest &>> UInt128(truncatingIfNeeded: 124 &- level &* 4)) & 15
    }
    let shift = Self.firstRowShift &- (level &- amountLevels) &* Self.rowDigitBits
    assert(shift >= 0, "a node that is divided by its rows' last bits has few rows")
    return Int(truncatingIfNeeded: row &>> UInt32(truncatingIfNeeded: shift)) & 63
  }
}
