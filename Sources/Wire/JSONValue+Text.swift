// Strings, keys and numbers of a parsed line as text.

extension JSONValue {
  /// Whether this string or key says `name`, escapes resolved. O(bytes).
  @inlinable
  package func equals(_ name: StaticString) -> Bool {
    let kind = self.kind
    guard kind == .key || kind == .string else { return false }
    if token.isFlagged { return equalsUnescaped(name) }
    return ByteText.equal(contents, name)
  }

  @usableFromInline
  func equalsUnescaped(_ name: StaticString) -> Bool {
    var text: [UInt8] = []
    appendString(to: &text)
    return ByteText.equal(text.span, name)
  }

  /// The first eight bytes of a string or key, escapes resolved, first byte lowest, missing bytes zero: to
  /// be matched with `JSONWord.of`, then confirmed by `equals` where a name is longer than eight bytes.
  @inlinable package var word: UInt64 {
    if token.isFlagged { return wordUnescaped }
    let token = self.token
    let start = Int(token.start) + 1
    return JSONWord.load(wholeLine, start, Int(token.end) - 1 - start)
  }

  @usableFromInline var wordUnescaped: UInt64 {
    var text: [UInt8] = []
    appendString(to: &text)
    return JSONWord.load(text.span, 0, text.count)
  }

  /// The text of a string or key, escapes resolved; nil for other kinds. O(bytes).
  package func string() -> String? {
    let kind = self.kind
    guard kind == .string || kind == .key else { return nil }
    if hasEscapes {
      var text: [UInt8] = []
      appendString(to: &text)
      return String(decoding: text, as: UTF8.self)
    }
    return ByteText.string(contents)
  }

  /// Appends the UTF-8 text of a string or key, escapes resolved; nothing for other kinds. O(bytes).
  package func appendString(to text: inout [UInt8]) {
    let kind = self.kind
    guard kind == .string || kind == .key else { return }
    if hasEscapes {
      JSONText.unescape(contents, into: &text)
    } else {
      ByteText.append(contents, to: &text)
    }
  }

  /// The value as it was written, as text for messages.
  package func rawString() -> String {
    ByteText.string(rawText)
  }

  /// The integer, when this is a number written without fraction and exponent that fits 64 bits. The bytes
  /// are counted before they are converted.
  package func int64() -> Int64? {
    guard isInteger else { return nil }
    let text = rawText
    guard text.count <= 20 else { return nil }
    let isNegative = text[0] == UInt8(ascii: "-")
    var value: Int64 = 0
    for offset in (isNegative ? 1 : 0)..<text.count {
      let digit = Int64(text[offset] &- UInt8(ascii: "0"))
      let (tens, overflowed) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflowedToo) =
        isNegative ? tens.subtractingReportingOverflow(digit) : tens.addingReportingOverflow(digit)
      if overflowed || overflowedToo { return nil }
      value = sum
    }
    return value
  }
}
