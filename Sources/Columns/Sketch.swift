// Sixteen bits that stand for an amount in a scan: greater amounts never have smaller codes.

import Amounts

/// The code of an amount: `zero` more or less 1 to 32,513 by sign, 7 bits of exponent and 8 bits after the
/// leading one. Amounts from 2^127 on, and from -2^127 down, have one code each.
///
/// Amounts below 512 have a code of their own; beyond, 256 codes divide the amounts between two powers of
/// two. There is no longer sketch beside it: a scan of the exact 64-bit lanes takes its part (it reads four
/// bytes more a row than 32-bit codes would, and no posting pays for them).
@usableFromInline package enum Sketch {
  @inlinable package static var mantissaBits: Int { 8 }
  /// The code of zero.
  @inlinable package static var zero: UInt16 { 0x8000 }

  /// The code of a narrow amount.
  @inlinable @inline(__always)
  package static func code(_ amount: Int64) -> UInt16 {
    let step = UInt16(truncatingIfNeeded: LogScale.step(amount.magnitude, mantissaBits: mantissaBits))
    return amount < 0 ? zero &- step : zero &+ step
  }

  /// The code of any amount.
  package static func code(_ amount: Amount) -> UInt16 {
    let step: UInt32
    if let value = amount.int128 {
      step = LogScale.step(value.magnitude, mantissaBits: mantissaBits)
    } else {
      step = LogScale.beyond(mantissaBits: mantissaBits)
    }
    return amount.isNegative ? zero - UInt16(step) : zero + UInt16(step)
  }

  /// The least and the greatest amount of a code, nil for no bound.
  static func bounds(of code: UInt16) -> (low: Amount?, high: Amount?) {
    let isNegative = code < zero
    let step = UInt32(isNegative ? zero - code : code - zero)
    guard let magnitudes = LogScale.magnitudes(ofStep: step, mantissaBits: mantissaBits) else {
      let limit = Amount(Int128.max) + .one
      return isNegative ? (nil, -limit) : (limit, nil)
    }
    let (near, far) = (
      Amount(Int128(magnitudes.lowerBound)), Amount(Int128(magnitudes.upperBound))
    )
    return isNegative ? (-far, -near) : (near, far)
  }
}

/// A range of amounts as a scan of sketches sees it: codes that are surely inside, and at most two of which
/// some amounts are and some are not.
package struct SketchRange: Equatable, Sendable {
  /// Every amount with one of these codes is in the range; nil for none.
  package let sure: ClosedRange<UInt16>?
  /// Codes of which the exact amount must be looked at, rising; none of them is in `sure`.
  package let edges: [UInt16]

  /// - Parameters:
  ///   - low: the least amount of the range, nil for no bound.
  ///   - high: the greatest, nil for no bound.
  package init(low: Amount?, high: Amount?) {
    let first = low.map { Sketch.code($0) } ?? 0
    let last = high.map { Sketch.code($0) } ?? .max
    if let low, let high, low > high {
      sure = nil
      edges = []
      return
    }
    // Whether every amount with the code of a bound is on the right side of it.
    let firstIsSure = low.map { low in Sketch.bounds(of: first).low.map { $0 >= low } ?? false } ?? true
    let lastIsSure = high.map { high in Sketch.bounds(of: last).high.map { $0 <= high } ?? false } ?? true
    if first == last {
      sure = firstIsSure && lastIsSure ? first...last : nil
      edges = firstIsSure && lastIsSure ? [] : [first]
      return
    }
    let (start, end) = (Int(first) + (firstIsSure ? 0 : 1), Int(last) - (lastIsSure ? 0 : 1))
    sure = start <= end ? UInt16(start)...UInt16(end) : nil
    edges = (firstIsSure ? [] : [first]) + (lastIsSure ? [] : [last])
  }

  /// Whether an amount with that code may be in the range.
  package func mayContain(_ code: UInt16) -> Bool {
    sure.map { $0.contains(code) } ?? false || edges.contains(code)
  }
}
