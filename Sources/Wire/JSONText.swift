// The small words of JSON text: blanks, numbers, literals, escapes, UTF-8. Both engines read them here.

/// Functions over a line's bytes. Ranges are those of the line; all reads are checked.
enum JSONText {
  static let quote = UInt8(ascii: "\"")
  static let backslash = UInt8(ascii: "\\")

  @inline(__always)
  static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
  }

  @inline(__always)
  static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

  /// Whether `byte` can stand in a number.
  @inline(__always)
  static func isOfNumber(_ byte: UInt8) -> Bool {
    isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
      || byte | 0x20 == UInt8(ascii: "e")
  }

  /// Whether all of `range` is one number, and if so whether it is written without fraction and exponent.
  @inline(__always)
  static func number(in bytes: Span<UInt8>, _ range: Range<Int>) -> (isNumber: Bool, isInteger: Bool) {
    var at = range.lowerBound
    let end = range.upperBound
    if at < end, bytes[at] == UInt8(ascii: "-") { at += 1 }
    guard at < end, isDigit(bytes[at]) else { return (false, false) }
    if bytes[at] == UInt8(ascii: "0") {
      at += 1
    } else {
      skipDigits(in: bytes, &at, end)
    }
    if at == end { return (true, true) }
    return (restOfNumber(in: bytes, at, end), false)
  }

  /// Whether `at..<end` is a fraction, an exponent or both.
  private static func restOfNumber(in bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    var at = start
    if bytes[at] == UInt8(ascii: ".") {
      at += 1
      guard at < end, isDigit(bytes[at]) else { return false }
      skipDigits(in: bytes, &at, end)
      if at == end { return true }
    }
    guard bytes[at] | 0x20 == UInt8(ascii: "e") else { return false }
    at += 1
    if at < end, bytes[at] == UInt8(ascii: "-") || bytes[at] == UInt8(ascii: "+") { at += 1 }
    guard at < end, isDigit(bytes[at]) else { return false }
    skipDigits(in: bytes, &at, end)
    return at == end
  }

  @inline(__always)
  private static func skipDigits(in bytes: Span<UInt8>, _ at: inout Int, _ end: Int) {
    while at < end, isDigit(bytes[at]) { at += 1 }
  }

  /// The literal that all of `range` spells.
  static func literal(in bytes: Span<UInt8>, _ range: Range<Int>) -> JSONKind? {
    let word = bytes.extracting(range)
    if ByteText.equal(word, "true") { return .true }
    if ByteText.equal(word, "null") { return .null }
    if ByteText.equal(word, "false") { return .false }
    return nil
  }

  /// Checks the escape whose backslash stands at `at` in a string that ends before `end`: the offset after
  /// it (after both halves of a surrogate pair).
  static func checkEscape(in bytes: Span<UInt8>, at: Int, end: Int) throws(JSONFault) -> Int {
    guard at + 1 < end else { throw .notJSON(offset: at, what: .badEscape) }
    switch bytes[at + 1] {
    case UInt8(ascii: "\""), backslash, UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return at + 2
    case UInt8(ascii: "u"): break
    default: throw .notJSON(offset: at, what: .badEscape)
    }
    guard let unit = codeUnit(in: bytes, at: at, end: end) else {
      throw .notJSON(offset: at, what: .badEscape)
    }
    guard unit & 0xf800 == 0xd800 else { return at + 6 }
    guard unit < 0xdc00, let low = codeUnit(in: bytes, at: at + 6, end: end), low & 0xfc00 == 0xdc00 else {
      throw .notJSON(offset: at, what: .loneSurrogate)
    }
    return at + 12
  }

  /// The UTF-16 code unit that `\uXXXX` at `at` stands for; nil when it is something else.
  static func codeUnit(in bytes: Span<UInt8>, at: Int, end: Int) -> UInt32? {
    guard at + 6 <= end, bytes[at] == backslash, bytes[at + 1] == UInt8(ascii: "u") else { return nil }
    var unit: UInt32 = 0
    for offset in at + 2..<at + 6 {
      guard let digit = hexDigit(bytes[offset]) else { return nil }
      unit = unit << 4 | digit
    }
    return unit
  }

  private static func hexDigit(_ byte: UInt8) -> UInt32? {
    if isDigit(byte) { return UInt32(byte &- UInt8(ascii: "0")) }
    let letter = (byte | 0x20) &- UInt8(ascii: "a")
    return letter < 6 ? UInt32(letter) + 10 : nil
  }

  /// How many bytes the UTF-8 sequence at `at` has; nil when it is ill-formed (Unicode table 3-7).
  static func sequenceLength(in bytes: Span<UInt8>, at: Int, end: Int) -> Int? {
    let first = bytes[at]
    switch first {
    case 0x00..<0x80: return 1
    case 0xc2..<0xe0: return continues(bytes, at + 1, end, 0x80...0xbf) ? 2 : nil
    case 0xe0..<0xf0:
      let second: ClosedRange<UInt8> = first == 0xe0 ? 0xa0...0xbf : first == 0xed ? 0x80...0x9f : 0x80...0xbf
      return continues(bytes, at + 1, end, second) && continues(bytes, at + 2, end, 0x80...0xbf) ? 3 : nil
    case 0xf0..<0xf5:
      let second: ClosedRange<UInt8> = first == 0xf0 ? 0x90...0xbf : first == 0xf4 ? 0x80...0x8f : 0x80...0xbf
      return continues(bytes, at + 1, end, second) && continues(bytes, at + 2, end, 0x80...0xbf)
        && continues(bytes, at + 3, end, 0x80...0xbf) ? 4 : nil
    default: return nil
    }
  }

  private static func continues(
    _ bytes: Span<UInt8>, _ at: Int, _ end: Int, _ allowed: ClosedRange<UInt8>
  ) -> Bool {
    at < end && allowed.contains(bytes[at])
  }

  /// Appends the text that the contents of a checked string stand for. O(bytes).
  static func unescape(_ contents: Span<UInt8>, into text: inout [UInt8]) {
    text.reserveCapacity(text.count + contents.count)
    var at = 0
    while at < contents.count {
      let byte = contents[at]
      guard byte == backslash else {
        text.append(byte)
        at += 1
        continue
      }
      if contents[at + 1] == UInt8(ascii: "u") {
        at += unescapeUnicode(contents, at: at, into: &text)
      } else {
        text.append(plainEscape(contents[at + 1]))
        at += 2
      }
    }
  }

  private static func plainEscape(_ letter: UInt8) -> UInt8 {
    switch letter {
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0c
    case UInt8(ascii: "n"): 0x0a
    case UInt8(ascii: "r"): 0x0d
    case UInt8(ascii: "t"): 0x09
    default: letter
    }
  }

  /// Appends what `\uXXXX` (or a pair of them) at `at` stands for; how many bytes it was written in.
  private static func unescapeUnicode(_ contents: Span<UInt8>, at: Int, into text: inout [UInt8]) -> Int {
    guard let high = codeUnit(in: contents, at: at, end: contents.count) else {
      preconditionFailure("escapes were checked when the line was parsed")
    }
    var scalar = high
    var byteCount = 6
    if high & 0xfc00 == 0xd800, let low = codeUnit(in: contents, at: at + 6, end: contents.count) {
      scalar = 0x10000 + (high & 0x3ff) << 10 + (low & 0x3ff)
      byteCount = 12
    }
    guard let scalar = Unicode.Scalar(scalar) else {
      preconditionFailure("surrogates were checked when the line was parsed")
    }
    text.append(contentsOf: UTF8.encode(scalar)!)
    return byteCount
  }
}
