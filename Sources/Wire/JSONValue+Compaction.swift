// Values as they were sent, without the blanks that mean nothing: how `meta_data` is kept.

extension JSONValue {
  /// Appends the value without insignificant blanks. Order of keys, digits of numbers and escapes in strings
  /// stay as they were written. O(bytes), no recursion.
  package func compacted(into text: inout [UInt8]) {
    let raw = rawText
    if isCompact {
      ByteText.append(raw, to: &text)
      return
    }
    text.reserveCapacity(text.count + raw.count)
    var at = 0
    var run = 0
    while at < raw.count {
      if raw[at] == JSONText.quote {
        at = Self.endOfString(in: raw, from: at)
      } else if JSONText.isBlank(raw[at]) {
        Self.append(raw, run..<at, to: &text)
        while at < raw.count, JSONText.isBlank(raw[at]) { at += 1 }
        run = at
      } else {
        at += 1
      }
    }
    Self.append(raw, run..<at, to: &text)
  }

  /// The value without insignificant blanks.
  package func compacted() -> [UInt8] {
    var text: [UInt8] = []
    compacted(into: &text)
    return text
  }

  /// Whether no blank stands outside strings. Each token's text, with one byte for each bracket, comma and
  /// colon, adds up to the whole then. O(tokens).
  private var isCompact: Bool {
    var expected = 0
    let end = Int(token.next)
    for inner in index..<end {
      let token = JSONValue(in: self, at: inner).token
      switch token.kind {
      case .object, .array: expected += 2 + max(0, Int(JSONValue(in: self, at: inner).count) - 1)
      case .key: expected += Int(token.end - token.start) + 1
      case .string, .number, .true, .false, .null: expected += Int(token.end - token.start)
      }
    }
    return expected == endOffset - offset
  }

  /// The offset after the string that begins at `start`.
  private static func endOfString(in raw: Span<UInt8>, from start: Int) -> Int {
    var at = start + 1
    while raw[at] != JSONText.quote { at += raw[at] == JSONText.backslash ? 2 : 1 }
    return at + 1
  }

  private static func append(_ raw: Span<UInt8>, _ range: Range<Int>, to text: inout [UInt8]) {
    ByteText.append(raw.extracting(range), to: &text)
  }
}
