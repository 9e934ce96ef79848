// A decimal number read from its text, kept exactly, and the way back from a scaled amount to such text.

/// A decimal number as a client writes it (`12.34`), kept exactly: never a binary float.
///
/// One form for each value: zeros at the end of the fraction are dropped, so `1.50` equals `1.5`.
package struct DecimalAmount: Sendable, Hashable {
  /// The number without its point: 1234 for `12.34`.
  package let unscaled: Amount
  /// How many digits of `unscaled` stand behind the point: 2 for `12.34`. Never negative.
  package let scale: Int

  /// Reads `-?[0-9]+` with an optional `.[0-9]+`. No exponent, no plus sign, no blanks; a point
  /// has digits on both sides.
  ///
  /// - Throws: `empty`, `notADecimal`, `tooManyDigits` (all digits together, zeros too).
  package init(
    text: Span<UInt8>, maximumDigits: Int = Amount.maximumDigits
  ) throws(AmountError) {
    let count = text.count
    if count == 0 { throw .empty }
    let isNegative = text[0] == UInt8(ascii: "-")
    let start = isNegative ? 1 : 0
    let point = DecimalDigits.firstNonDigit(in: text, from: start)
    if point == start { throw .notADecimal(offset: point) }
    var end = point
    var digitCount = point - start
    if point < count {
      if text[point] != UInt8(ascii: ".") { throw .notADecimal(offset: point) }
      end = DecimalDigits.firstNonDigit(in: text, from: point + 1)
      if end < count || end == point + 1 { throw .notADecimal(offset: end) }
      digitCount += end - point - 1
    }
    if digitCount > maximumDigits { throw .tooManyDigits(found: digitCount, allowed: maximumDigits) }
    while end > point && (text[end - 1] == UInt8(ascii: "0") || end - 1 == point) {
      end -= 1
    }
    var magnitude = try Amount(decimal: text.extracting(start..<point), maximumDigits: maximumDigits)
    scale = max(0, end - point - 1)
    if scale > 0 {
      let fraction = try Amount(decimal: text.extracting(point + 1..<end), maximumDigits: maximumDigits)
      magnitude = magnitude * .power(of10: scale) + fraction
    }
    unscaled = isNegative ? -magnitude : magnitude
  }

  /// Reads text as `init(text:maximumDigits:)` does.
  package init(_ text: String) throws(AmountError) {
    try self.init(text: text.utf8.span)
  }

  /// The number times `precision`, rounded to an integer, halves away from zero: `1.005` by 100 is 101.
  ///
  /// The result may have more digits than clients may send: check `digitCount` where that matters.
  ///
  /// - Precondition: `precision` is at least 1.
  package func scaled(by precision: Amount) -> Amount {
    precondition(precision.signum > 0, "precision below 1")
    let product = unscaled * precision
    if scale == 0 { return product }
    return product.dividedRoundingHalfAwayFromZero(by: .power(of10: scale))
  }
}

// MARK: - From a scaled amount to text

extension DecimalAmount {
  /// Digits behind the point of a quotient that no finite decimal can show.
  package static let roundedFractionDigits = 16

  /// `precise / precision` as decimal text, without zeros at the end of its fraction: exact when the quotient
  /// is a finite decimal (12345 by 100 is `123.45`), else rounded to 16 fractional digits, a half
  /// away from zero.
  ///
  /// - Precondition: `precision` is at least 1.
  package static func decimalText(of precise: Amount, precision: Amount) -> String {
    var bytes: [UInt8] = []
    appendDecimal(of: precise, precision: precision, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends what `decimalText(of:precision:)` gives.
  ///
  /// - Precondition: `precision` is at least 1.
  package static func appendDecimal(of precise: Amount, precision: Amount, to bytes: inout [UInt8]) {
    precondition(precision.signum > 0, "precision below 1")
    if precision == .one { return precise.appendDecimal(to: &bytes) }
    // Nearly every precision is a power of ten: the digits stay as they are.
    let zeros = precision.digitCount - 1
    if precision == .power(of10: zeros) {
      return append(unscaled: precise, scale: zeros, to: &bytes)
    }
    let (unscaled, scale) = quotient(precise, precision)
    append(unscaled: unscaled, scale: scale, to: &bytes)
  }

  /// `precise / precision` as an integer over a power of ten: exact if it can be, else rounded.
  private static func quotient(_ precise: Amount, _ precision: Amount) -> (unscaled: Amount, scale: Int) {
    let (odd, twos) = BigInteger.removing(factor: 2, from: precision)
    let (rest, fives) = BigInteger.removing(factor: 5, from: odd)
    // The rest shares no factor with ten: the quotient is finite if and only if it divides `precise`.
    guard let reduced = precise.dividedExactly(by: rest) else {
      let scale = roundedFractionDigits
      return ((precise * .power(of10: scale)).dividedRoundingHalfAwayFromZero(by: precision), scale)
    }
    let scale = max(twos, fives)
    guard
      let divisor = precision.dividedExactly(by: rest),
      let unscaled = (reduced * .power(of10: scale)).dividedExactly(by: divisor)
    else { preconditionFailure("a power of ten is divisible by its factors") }
    return (unscaled, scale)
  }

  /// Appends `unscaled` with a point before its last `scale` digits, less zeros at the end of the fraction.
  private static func append(unscaled: Amount, scale: Int, to bytes: inout [UInt8]) {
    let start = bytes.count
    unscaled.appendDecimal(to: &bytes)
    if scale == 0 { return }
    let digits = start + (unscaled.isNegative ? 1 : 0)
    let missing = scale + 1 - (bytes.count - digits)
    if missing > 0 {
      bytes.insert(contentsOf: repeatElement(UInt8(ascii: "0"), count: missing), at: digits)
    }
    let point = bytes.count - scale
    while bytes.count > point && bytes.last == UInt8(ascii: "0") {
      bytes.removeLast()
    }
    if bytes.count > point {
      bytes.insert(UInt8(ascii: "."), at: point)
    }
  }
}
