// Finds one member of a stored metadata object without parsing the rest.

/// Reads compact JSON objects that were checked when they were stored: no blanks outside strings, keys
/// distinct, UTF-8 valid. Empty bytes stand for `{}`.
enum MetadataScanner {
  /// Where the value of `key` (unescaped UTF-8) lies in `object`; nil if there is none. O(object).
  static func value(of key: [UInt8], in object: Span<UInt8>) -> Range<Int>? {
    var place = 1
    while place < object.count, object[place] == quote {
      let keyEnd = end(ofText: place, in: object)
      let isMatch = text(object.extracting(place + 1..<keyEnd - 1), is: key)
      let start = keyEnd + 1
      let valueEnd = end(ofValue: start, in: object)
      if isMatch { return start..<valueEnd }
      place = valueEnd + 1
    }
    return nil
  }

  /// The text of a string's inside, escapes resolved.
  static func unescaped(_ inside: Span<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(inside.count)
    var place = 0
    while place < inside.count {
      let byte = inside[place]
      place += 1
      if byte != backslash {
        bytes.append(byte)
        continue
      }
      let escape = inside[place]
      place += 1
      switch escape {
      case UInt8(ascii: "b"): bytes.append(8)
      case UInt8(ascii: "t"): bytes.append(9)
      case UInt8(ascii: "n"): bytes.append(10)
      case UInt8(ascii: "f"): bytes.append(12)
      case UInt8(ascii: "r"): bytes.append(13)
      case UInt8(ascii: "u"):
        bytes.append(contentsOf: String(codePoint(inside, &place)).utf8)
      default: bytes.append(escape)
      }
    }
    return bytes
  }

  static let quote = UInt8(ascii: "\"")
  static let backslash = UInt8(ascii: "\\")

  static func hasEscape(_ inside: Span<UInt8>) -> Bool {
    for place in inside.indices where inside[place] == backslash { return true }
    return false
  }

  private static func text(_ inside: Span<UInt8>, is key: [UInt8]) -> Bool {
    // An escape never makes a text shorter than what it stands for.
    if inside.count < key.count { return false }
    if hasEscape(inside) { return unescaped(inside) == key }
    return TextOrder.order(inside, key.span) == 0
  }

  /// The place after the closing quote of the string that begins at `start`.
  private static func end(ofText start: Int, in object: Span<UInt8>) -> Int {
    var place = start + 1
    while object[place] != quote { place += object[place] == backslash ? 2 : 1 }
    return place + 1
  }

  /// The place after the value that begins at `start`.
  private static func end(ofValue start: Int, in object: Span<UInt8>) -> Int {
    switch object[start] {
    case quote: return end(ofText: start, in: object)
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      var depth = 0
      var place = start
      repeat {
        switch object[place] {
        case quote:
          place = end(ofText: place, in: object)
          continue
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        default: break
        }
        place += 1
      } while depth > 0
      return place
    default:
      var place = start
      while object[place] != UInt8(ascii: ","), object[place] != UInt8(ascii: "}") { place += 1 }
      return place
    }
  }

  /// The code point after `\u`; stored text has no lone surrogates.
  private static func codePoint(_ inside: Span<UInt8>, _ place: inout Int) -> Unicode.Scalar {
    let unit = hexadecimal(inside, &place)
    if let scalar = Unicode.Scalar(unit) { return scalar }
    // The low half follows after another `\u`.
    place += 2
    let low = hexadecimal(inside, &place)
    return Unicode.Scalar(0x1_0000 + (unit & 0x3FF) << 10 + low & 0x3FF) ?? "\u{FFFD}"
  }

  private static func hexadecimal(_ inside: Span<UInt8>, _ place: inout Int) -> UInt32 {
    var value: UInt32 = 0
    for digit in place..<place + 4 {
      let byte = inside[digit]
      value = value << 4 | UInt32(byte <= UInt8(ascii: "9") ? byte & 15 : byte & 15 + 9)
    }
    place += 4
    return value
  }
}

/// One member of a metadata object as it is stored.
@safe struct MetadataMember: ~Escapable {
  enum Kind: UInt8 {
    case text, number, boolean, null, other
  }

  /// The value's JSON, quotes included.
  let json: Span<UInt8>

  @_lifetime(copy json)
  init(json: Span<UInt8>) { self.json = json }

  var kind: Kind {
    switch json[0] {
    case MetadataScanner.quote: .text
    case UInt8(ascii: "t"), UInt8(ascii: "f"): .boolean
    case UInt8(ascii: "n"): .null
    case UInt8(ascii: "{"), UInt8(ascii: "["): .other
    default: .number
    }
  }

  /// Calls `body` with the value as text: a string unescaped, anything else as its JSON.
  func withText<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
    guard kind == .text else { return body(json) }
    let inside = json.extracting(1..<json.count - 1)
    if MetadataScanner.hasEscape(inside) {
      let unescaped = MetadataScanner.unescaped(inside)
      return body(unescaped.span)
    }
    return body(inside)
  }
}
