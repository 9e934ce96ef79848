// Why a line is not accepted as JSON.

/// Why a line is not accepted. Offsets count bytes from the start of the line.
package enum JSONFault: Error, Equatable, Sendable {
  /// Not JSON as RFC 8259 has it, or not UTF-8 (-32700).
  case notJSON(offset: Int, what: JSONSyntaxFault)
  /// The same key twice in one object, compared after unescaping (-32602). Offsets are those of the keys'
  /// opening quotes. Of several duplicates, the one whose second key comes first in the line.
  case duplicateKey(name: String, firstOffset: Int, secondOffset: Int)
  /// The bracket at `offset` opens nesting deeper than `JSONDocument.greatestDepth` (-32602).
  case nestedTooDeep(offset: Int)
}

/// What about a line is not JSON.
package enum JSONSyntaxFault: Equatable, Sendable {
  case empty
  case byteOrderMark
  case invalidUTF8
  case controlCharacter(UInt8)
  case unexpectedByte(UInt8)
  case unexpectedEnd
  case badNumber
  case badLiteral
  case badEscape
  case loneSurrogate
  case textAfterValue(UInt8)
}

extension JSONSyntaxFault: CustomStringConvertible {
  package var description: String {
    switch self {
    case .empty: "nothing where a value is expected"
    case .byteOrderMark: "a byte order mark, which JSON does not allow"
    case .invalidUTF8: "bytes that are not UTF-8"
    case .controlCharacter(let byte): "unescaped control character \(Self.show(byte)) in a string"
    case .unexpectedByte(let byte): "unexpected \(Self.show(byte))"
    case .unexpectedEnd: "the line ends inside a value"
    case .badNumber: "a malformed number"
    case .badLiteral: "a word that is not true, false or null"
    case .badEscape: "a malformed escape in a string"
    case .loneSurrogate: "half of a surrogate pair in a \\u escape"
    case .textAfterValue(let byte): "\(Self.show(byte)) after the end of the value"
    }
  }

  private static func show(_ byte: UInt8) -> String {
    if byte > 0x20, byte < 0x7f { return "'\(Character(Unicode.Scalar(byte)))'" }
    let digits = String(byte, radix: 16, uppercase: true)
    return "byte 0x\(byte < 16 ? "0" : "")\(digits)"
  }
}

extension JSONFault: CustomStringConvertible {
  /// More characters of a key than this are not shown.
  private static let longestShownName = 64

  package var description: String {
    switch self {
    case .notJSON(let offset, let what): "not JSON at byte \(offset): \(what)"
    case .duplicateKey(let name, let first, let second):
      "key \"\(name.prefix(Self.longestShownName))\" twice in one object, at bytes \(first) and \(second)"
    case .nestedTooDeep(let offset):
      "nested too deep at byte \(offset); at most \(JSONDocument.greatestDepth) levels are accepted"
    }
  }
}
