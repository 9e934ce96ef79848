// Random amounts for tests, of all sizes, with a liking for the edges of words and of powers of ten.

package import Amounts

extension Amount {
  /// A random amount of either sign with at most `digits` decimal digits. Sizes are even, not values: small
  /// numbers are as common as large ones, and one in four lies within 2 of an edge.
  package static func random(
    digits: Int = Amount.maximumDigits, using generator: inout SeededGenerator
  ) -> Amount {
    let size = Int.random(in: 1...digits, using: &generator)
    var amount: Amount
    if Int.random(in: 0..<4, using: &generator) == 0 {
      let edge = [
        .zero, .power(of10: size - 1), Amount(1 << 62), Amount(UInt64.max), Amount(Int128.max),
        Amount(Int128.min),
      ].randomElement(using: &generator)!
      amount = edge + Amount(Int.random(in: -2...2, using: &generator))
      if amount.digitCount > digits { amount = .zero }
    } else {
      amount = .zero
      var left = size
      while left > 0 {
        let step = min(18, left)
        amount = amount * .power(of10: step) + .random(below: .power(of10: step), using: &generator)
        left -= step
      }
    }
    return Bool.random(using: &generator) ? -amount : amount
  }

  /// A random amount from zero up to, not including, `limit`, which is positive and fits 64 bits.
  private static func random(below limit: Amount, using generator: inout SeededGenerator) -> Amount {
    Amount(Int64.random(in: 0..<limit.int64!, using: &generator))
  }
}
