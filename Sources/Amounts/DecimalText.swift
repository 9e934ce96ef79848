// Amounts read from decimal text, and how long their text is.

extension Amount {
  /// Reads `-?[0-9]+`. Leading zeros are accepted and count as digits, `-0` is zero; a plus sign, blanks,
  /// points and exponents are refused. Digits are counted before anything is converted.
  ///
  /// - Throws: `empty`, `notAnInteger`, `tooManyDigits`.
  /// - Complexity: O(digits) to 38, beyond that what GMP's conversion costs.
  package init(
    decimal text: Span<UInt8>, maximumDigits: Int = Amount.maximumDigits
  ) throws(AmountError) {
    let count = text.count
    if count == 0 { throw .empty }
    let isNegative = text[0] == UInt8(ascii: "-")
    let digitCount = isNegative ? count - 1 : count
    if digitCount > 0 && digitCount <= min(DecimalDigits.maximumInlineDigits, maximumDigits) {
      if let magnitude = DecimalDigits.read(text, from: count - digitCount) {
        let value = Int128(truncatingIfNeeded: magnitude)
        self.init(isNegative ? 0 &- value : value)
        return
      }
    }
    try self.init(checking: text, isNegative: isNegative, maximumDigits: maximumDigits)
  }

  /// The way of long numbers and of all refusals.
  private init(
    checking text: Span<UInt8>, isNegative: Bool, maximumDigits: Int
  ) throws(AmountError) {
    let start = isNegative ? 1 : 0
    let end = DecimalDigits.firstNonDigit(in: text, from: start)
    if end < text.count || end == start { throw .notAnInteger(offset: end) }
    let digitCount = end - start
    if digitCount > maximumDigits { throw .tooManyDigits(found: digitCount, allowed: maximumDigits) }
    self = BigInteger.parse(digits: text.extracting(start..<end), isNegative: isNegative)
  }

  /// Reads `-?[0-9]+` as `init(decimal:maximumDigits:)` does.
  package init(_ text: String) throws(AmountError) {
    try self.init(decimal: text.utf8.span)
  }

  /// The decimal digits of the magnitude; 1 for zero.
  package var digitCount: Int {
    switch storage {
    case .inline(let value):
      return DecimalDigits.count(value.magnitude)
    case .big(let big):
      let estimate = big.digitCountEstimate
      return magnitude < Amount.power(of10: estimate - 1) ? estimate - 1 : estimate
    }
  }

  /// The bytes that `writeDecimal(at:)` may touch: at least sign and digits, with room for whole words.
  package var decimalCapacity: Int {
    switch storage {
    case .inline: 48
    case .big(let big): big.digitCountEstimate + 2
    }
  }
}
