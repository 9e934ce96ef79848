// Where a magnitude lies on a scale that is even in its leading bits: the common root of short codes of
// amounts.

import Amounts

/// Numbers magnitudes so that greater ones never have smaller numbers: 0 for zero, else 1 + exponent, a power
/// of two, and the bits after the leading one, `mantissaBits` of them. From 2^127 on all have one number.
@usableFromInline package enum LogScale {
  /// Exponent of every magnitude that is beyond the scale.
  @inlinable package static var lastExponent: Int { 127 }

  @inlinable @inline(__always)
  package static func step(_ magnitude: UInt64, mantissaBits: Int) -> UInt32 {
    if magnitude == 0 { return 0 }
    let leadingZeros = magnitude.leadingZeroBitCount
    let belowLeading = (magnitude &<< UInt64(leadingZeros)) &<< 1
    let mantissa = belowLeading &>> UInt64(64 - mantissaBits)
    return UInt32(truncatingIfNeeded: (63 - leadingZeros) &<< mantissaBits | Int(mantissa)) &+ 1
  }

  @inlinable package static func step(_ magnitude: UInt128, mantissaBits: Int) -> UInt32 {
    if let narrow = UInt64(exactly: magnitude) { return step(narrow, mantissaBits: mantissaBits) }
    let leadingZeros = magnitude.leadingZeroBitCount
    if leadingZeros == 0 { return beyond(mantissaBits: mantissaBits) }
    let belowLeading = magnitude << UInt128(leadingZeros + 1)
    let mantissa = belowLeading >> UInt128(128 - mantissaBits)
    return UInt32(truncatingIfNeeded: (127 - leadingZeros) << mantissaBits | Int(mantissa)) + 1
  }

  /// The number of every magnitude from 2^127 on.
  @inlinable package static func beyond(mantissaBits: Int) -> UInt32 {
    UInt32(lastExponent << mantissaBits) + 1
  }

  /// The magnitudes that have a number, nil for that of those beyond the scale. Numbers that no magnitude has
  /// (small ones lack bits after the leading one) have the bounds of the nearest below.
  package static func magnitudes(ofStep step: UInt32, mantissaBits: Int) -> ClosedRange<UInt128>? {
    if step == 0 { return 0...0 }
    let exponent = Int(step - 1) >> mantissaBits
    if exponent >= lastExponent { return nil }
    let leading = UInt128(1) << UInt128(mantissaBits) | UInt128(Int(step - 1) & (1 << mantissaBits - 1))
    if exponent <= mantissaBits {
      let only = leading >> UInt128(mantissaBits - exponent)
      return only...only
    }
    let shift = UInt128(exponent - mantissaBits)
    return leading << shift...((leading + 1) << shift) - 1
  }
}
