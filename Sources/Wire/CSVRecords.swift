// JSON objects as records of comma-separated values.

/// Turns the objects of answers into records: the same members in the same order, with the same texts.
///
/// By RFC 4180, but for lines, which end with `\n` alone. Fields are quoted where they have to be. A null is
/// an empty field, an empty text is `""`; an object or an array (`meta_data`) is its JSON text.
package struct CSVRecords {
  /// A string without its escapes.
  private var text: [UInt8] = []

  package init() {}

  /// Appends the line of names.
  package mutating func header(_ names: [String], into writer: inout JSONWriter) {
    for (place, name) in names.enumerated() {
      if place > 0 { writer.raw(",") }
      text = Array(name.utf8)
      field(text.span, into: &writer)
    }
    writer.raw("\n")
  }

  /// Appends the record of an object as `JSONWriter` writes it, without blanks. O(bytes).
  package mutating func record(_ object: Span<UInt8>, into writer: inout JSONWriter) {
    var at = 1
    var fieldCount = 0
    let start = writer.count
    while at < object.count, object[at] != UInt8(ascii: "}") {
      if object[at] == UInt8(ascii: ",") { at += 1 }
      // The key and its colon.
      at = Self.endOfString(object, at) + 1
      if fieldCount > 0 { writer.raw(",") }
      fieldCount += 1
      at = value(object, at, into: &writer)
    }
    // A blank line is no record to most readers.
    if fieldCount == 1, writer.count == start { writer.raw("\"\"") }
    writer.raw("\n")
  }

  /// Appends the value at `at` as a field.
  /// - Returns: where it ends.
  private mutating func value(_ object: Span<UInt8>, _ at: Int, into writer: inout JSONWriter) -> Int {
    switch object[at] {
    case UInt8(ascii: "\""):
      let end = Self.endOfString(object, at)
      unescape(object.extracting(at + 1..<end - 1))
      if text.isEmpty { writer.raw("\"\"") } else { field(text.span, into: &writer) }
      return end
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      let end = Self.endOfNested(object, at)
      field(object.extracting(at..<end), into: &writer)
      return end
    default:
      var end = at
      while object[end] != UInt8(ascii: ","), object[end] != UInt8(ascii: "}") { end += 1 }
      if object[at] != UInt8(ascii: "n") { writer.raw(object.extracting(at..<end)) }
      return end
    }
  }

  /// The place behind the closing quote of the string at `at`.
  private static func endOfString(_ json: Span<UInt8>, _ at: Int) -> Int {
    var end = at + 1
    while json[end] != UInt8(ascii: "\"") { end += json[end] == UInt8(ascii: "\\") ? 2 : 1 }
    return end + 1
  }

  /// The place behind the closing bracket of the object or array at `at`.
  static func endOfNested(_ json: Span<UInt8>, _ at: Int) -> Int {
    var depth = 0
    var end = at
    while true {
      switch json[end] {
      case UInt8(ascii: "\""):
        end = endOfString(json, end)
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
      end += 1
      if depth == 0 { return end }
    }
  }

  private mutating func unescape(_ json: Span<UInt8>) {
    text.removeAll(keepingCapacity: true)
    text.reserveCapacity(json.count)
    var at = 0
    while at < json.count {
      let byte = json[at]
      if byte != UInt8(ascii: "\\") {
        text.append(byte)
        at += 1
        continue
      }
      switch json[at + 1] {
      case UInt8(ascii: "b"): text.append(0x08)
      case UInt8(ascii: "f"): text.append(0x0c)
      case UInt8(ascii: "n"): text.append(0x0a)
      case UInt8(ascii: "r"): text.append(0x0d)
      case UInt8(ascii: "t"): text.append(0x09)
      case UInt8(ascii: "u"):
        // The writer escapes so only what is below a blank.
        text.append(Self.digit(json[at + 4]) << 4 | Self.digit(json[at + 5]))
        at += 4
      default: text.append(json[at + 1])
      }
      at += 2
    }
  }

  private static func digit(_ byte: UInt8) -> UInt8 {
    byte <= UInt8(ascii: "9") ? byte - UInt8(ascii: "0") : (byte | 0x20) - UInt8(ascii: "a") + 10
  }

  private func field(_ text: Span<UInt8>, into writer: inout JSONWriter) {
    var needsQuotes = false
    for at in 0..<text.count where Self.needsQuotes(text[at]) {
      needsQuotes = true
      break
    }
    if !needsQuotes { return writer.raw(text) }
    writer.raw("\"")
    var start = 0
    for at in 0..<text.count where text[at] == UInt8(ascii: "\"") {
      // The quote goes out with what was before it, and again with what comes after it.
      writer.raw(text.extracting(start..<at + 1))
      start = at
    }
    writer.raw(text.extracting(start..<text.count))
    writer.raw("\"")
  }

  private static func needsQuotes(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: ","), UInt8(ascii: "\""), 0x0a, 0x0d: true
    default: false
    }
  }
}
