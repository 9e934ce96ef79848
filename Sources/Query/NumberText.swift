// Numbers of JSON texts, compared exactly whatever their length and exponent.

/// A number as 0.d₁d₂d₃… × 10^exponent with d₁ and the last digit not zero; zero has no digits and no sign.
/// One form for each value, so 5, 5.0 and 50e-1 are equal. Nothing is ever expanded: `1e999999999` costs a
/// few bytes.
struct NumberText: Hashable, Sendable {
  let isNegative: Bool
  /// Values 0 to 9.
  let digits: [UInt8]
  let exponent: Int

  /// Exponents beyond this are held at it.
  private static let exponentLimit = 1 << 60

  /// Reads a number as JSON writes it; nil for any other text. O(text).
  init?(_ text: Span<UInt8>) {
    var place = 0
    let isNegative = text.count > 0 && text[0] == UInt8(ascii: "-")
    if isNegative { place = 1 }
    var digits: [UInt8] = []
    let wholeStart = place
    Self.takeDigits(text, &place, &digits)
    let wholeCount = place - wholeStart
    guard wholeCount > 0, wholeCount == 1 || text[wholeStart] != UInt8(ascii: "0") else { return nil }
    if place < text.count, text[place] == UInt8(ascii: ".") {
      place += 1
      let start = place
      Self.takeDigits(text, &place, &digits)
      guard place > start else { return nil }
    }
    guard let power = Self.takeExponent(text, &place), place == text.count else { return nil }
    let leading = digits.prefix { $0 == 0 }.count
    if leading == digits.count {
      self.isNegative = false
      self.digits = []
      exponent = 0
      return
    }
    let trailing = digits.reversed().prefix { $0 == 0 }.count
    self.isNegative = isNegative
    self.digits = leading + trailing == 0 ? digits : Array(digits[leading..<digits.count - trailing])
    exponent = wholeCount - leading + power
  }

  private static func takeDigits(_ text: Span<UInt8>, _ place: inout Int, _ digits: inout [UInt8]) {
    while place < text.count, text[place] >= UInt8(ascii: "0"), text[place] <= UInt8(ascii: "9") {
      digits.append(text[place] - UInt8(ascii: "0"))
      place += 1
    }
  }

  /// The exponent that stands at `place`, 0 if none does, nil if it has no digits.
  private static func takeExponent(_ text: Span<UInt8>, _ place: inout Int) -> Int? {
    guard place < text.count, text[place] | 0x20 == UInt8(ascii: "e") else { return 0 }
    place += 1
    var isNegative = false
    if place < text.count, text[place] == UInt8(ascii: "-") || text[place] == UInt8(ascii: "+") {
      isNegative = text[place] == UInt8(ascii: "-")
      place += 1
    }
    var digits: [UInt8] = []
    takeDigits(text, &place, &digits)
    guard !digits.isEmpty else { return nil }
    var power = 0
    for digit in digits { power = min(power * 10 + Int(digit), exponentLimit) }
    return isNegative ? -power : power
  }

  /// Negative, zero or positive as `left` is below, equal to or above `right`.
  static func order(_ left: NumberText, _ right: NumberText) -> Int {
    let signs = (left.sign, right.sign)
    if signs.0 != signs.1 { return signs.0 - signs.1 }
    if signs.0 == 0 { return 0 }
    let magnitudes: Int
    if left.exponent != right.exponent {
      magnitudes = left.exponent < right.exponent ? -1 : 1
    } else {
      magnitudes = TextOrder.order(left.digits.span, right.digits.span)
    }
    return signs.0 * magnitudes
  }

  private var sign: Int { digits.isEmpty ? 0 : isNegative ? -1 : 1 }
}
