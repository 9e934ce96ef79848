// Exact sums, differences, products and quotients of amounts.

extension Amount {
  @inlinable @inline(__always)
  package static func + (left: Amount, right: Amount) -> Amount {
    if case .inline(let a) = left.storage, case .inline(let b) = right.storage {
      let (sum, overflow) = a.addingReportingOverflow(b)
      if !overflow { return Amount(sum) }
    }
    return BigInteger.sum(left, right)
  }

  @inlinable @inline(__always)
  package static func - (left: Amount, right: Amount) -> Amount {
    if case .inline(let a) = left.storage, case .inline(let b) = right.storage {
      let (difference, overflow) = a.subtractingReportingOverflow(b)
      if !overflow { return Amount(difference) }
    }
    return BigInteger.difference(left, right)
  }

  @inlinable @inline(__always)
  package static func * (left: Amount, right: Amount) -> Amount {
    if case .inline(let a) = left.storage, case .inline(let b) = right.storage {
      // Two 64-bit factors cannot overflow 128 bits: one multiplication and no check.
      if let a = Int64(exactly: a), let b = Int64(exactly: b) {
        return Amount(Int128(a) &* Int128(b))
      }
      let (product, overflow) = a.multipliedReportingOverflow(by: b)
      if !overflow { return Amount(product) }
    }
    return BigInteger.product(left, right)
  }

  @inlinable @inline(__always)
  package static prefix func - (amount: Amount) -> Amount {
    .zero - amount
  }

  @inlinable @inline(__always)
  package static func += (left: inout Amount, right: Amount) {
    left = left + right
  }

  @inlinable @inline(__always)
  package static func -= (left: inout Amount, right: Amount) {
    left = left - right
  }

  @inlinable @inline(__always)
  package static func *= (left: inout Amount, right: Amount) {
    left = left * right
  }

  /// The quotient, rounded towards zero, and the remainder, which has the sign of `self`.
  ///
  /// - Precondition: `divisor` is not zero.
  @inlinable
  package func quotientAndRemainder(
    dividingBy divisor: Amount
  ) -> (quotient: Amount, remainder: Amount) {
    precondition(!divisor.isZero, "division of an amount by zero")
    if case .inline(let a) = storage, case .inline(let b) = divisor.storage {
      if let a = Int64(exactly: a), let b = Int64(exactly: b), b != -1 {
        let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
        return (Amount(quotient), Amount(remainder))
      }
      // The smallest Int128 over -1 is the one quotient that leaves 128 bits.
      if b != -1 {
        let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
        return (Amount(quotient), Amount(remainder))
      }
      return (-self, .zero)
    }
    return BigInteger.quotientAndRemainder(self, divisor)
  }

  /// The quotient when `divisor` divides `self`, nil when there is a remainder.
  ///
  /// - Precondition: `divisor` is not zero.
  @inlinable
  package func dividedExactly(by divisor: Amount) -> Amount? {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder.isZero ? quotient : nil
  }

  /// The quotient rounded to the nearest integer, halves away from zero.
  ///
  /// - Precondition: `divisor` is not zero.
  package func dividedRoundingHalfAwayFromZero(by divisor: Amount) -> Amount {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    if remainder.isZero { return quotient }
    let rest = remainder.magnitude
    if rest + rest < divisor.magnitude { return quotient }
    // The quotient may have been cut to zero, so the sign comes from the operands.
    return isNegative == divisor.isNegative ? quotient + .one : quotient - .one
  }

  /// 10 to the power of `exponent`.
  ///
  /// - Precondition: `exponent` is not negative.
  package static func power(of10 exponent: Int) -> Amount {
    precondition(exponent >= 0, "negative power of ten")
    if exponent <= 38 { return Amount(Int128(DecimalDigits.power(of10: exponent))) }
    return BigInteger.power(of10: exponent)
  }
}
