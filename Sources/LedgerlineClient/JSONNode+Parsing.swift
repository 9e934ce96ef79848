// Text to `JSONNode`, by RFC 8259, strictly: what the grammar forbids is refused with its byte offset.

/// Why a text is not a JSON value.
package struct JSONNodeError: Error, Equatable {
  /// Bytes before the fault.
  package let offset: Int
  package let message: String

  package init(offset: Int, message: String) {
    self.offset = offset
    self.message = message
  }

  package var text: String { "not JSON at byte \(offset): \(message)" }
}

extension JSONNode {
  /// Deepest nesting that is read.
  package static let depthLimit = 64

  /// Reads one JSON value with nothing but blanks around it. O(bytes).
  package static func parse(_ text: some StringProtocol) throws(JSONNodeError) -> JSONNode {
    try parse(Array(text.utf8))
  }

  /// Reads one JSON value with nothing but blanks around it. O(bytes).
  package static func parse(_ bytes: [UInt8]) throws(JSONNodeError) -> JSONNode {
    var reader = Reader(bytes: bytes)
    let node = try reader.value(depth: 0)
    reader.skipBlanks()
    guard reader.offset == bytes.count else { throw reader.fault("text after the value") }
    return node
  }

  private struct Reader {
    let bytes: [UInt8]
    var offset = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    func fault(_ message: String) -> JSONNodeError { JSONNodeError(offset: offset, message: message) }

    var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    mutating func skipBlanks() {
      while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { offset += 1 }
    }

    mutating func value(depth: Int) throws(JSONNodeError) -> JSONNode {
      guard depth <= JSONNode.depthLimit else { throw fault("deeper than \(JSONNode.depthLimit)") }
      skipBlanks()
      switch next {
      case UInt8(ascii: "{"): return try object(depth: depth)
      case UInt8(ascii: "["): return try array(depth: depth)
      case UInt8(ascii: "\""): return .string(try string())
      case UInt8(ascii: "t"): return try word("true", .bool(true))
      case UInt8(ascii: "f"): return try word("false", .bool(false))
      case UInt8(ascii: "n"): return try word("null", .null)
      case nil: throw fault("the text ends where a value should stand")
      case let byte?:
        guard byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else {
          throw fault("no value begins like this")
        }
        return try number()
      }
    }

    mutating func word(_ text: StaticString, _ node: JSONNode) throws(JSONNodeError) -> JSONNode {
      let expected = Array(text.description.utf8)
      guard bytes[offset...].starts(with: expected) else { throw fault("no value begins like this") }
      offset += expected.count
      return node
    }

    mutating func digits() throws(JSONNodeError) {
      let start = offset
      while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { offset += 1 }
      guard offset > start else { throw fault("a digit is missing") }
    }

    mutating func number() throws(JSONNodeError) -> JSONNode {
      let start = offset
      if next == UInt8(ascii: "-") { offset += 1 }
      if next == UInt8(ascii: "0") { offset += 1 } else { try digits() }
      if next == UInt8(ascii: ".") {
        offset += 1
        try digits()
      }
      if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
        offset += 1
        if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { offset += 1 }
        try digits()
      }
      return .number(String(decoding: bytes[start..<offset], as: UTF8.self))
    }

    mutating func array(depth: Int) throws(JSONNodeError) -> JSONNode {
      offset += 1
      var items: [JSONNode] = []
      skipBlanks()
      if next == UInt8(ascii: "]") {
        offset += 1
        return .array(items)
      }
      while true {
        items.append(try value(depth: depth + 1))
        skipBlanks()
        switch next {
        case UInt8(ascii: ","): offset += 1
        case UInt8(ascii: "]"):
          offset += 1
          return .array(items)
        default: throw fault("a comma or ] is missing")
        }
      }
    }

    mutating func object(depth: Int) throws(JSONNodeError) -> JSONNode {
      offset += 1
      var members: [Member] = []
      skipBlanks()
      if next == UInt8(ascii: "}") {
        offset += 1
        return .object(members)
      }
      while true {
        skipBlanks()
        guard next == UInt8(ascii: "\"") else { throw fault("a member's name is missing") }
        let place = offset
        let name = try string()
        if members.contains(where: { $0.name == name }) {
          throw JSONNodeError(offset: place, message: "the member \"\(name)\" stands here twice")
        }
        skipBlanks()
        guard next == UInt8(ascii: ":") else { throw fault("a colon is missing") }
        offset += 1
        members.append(Member(name, try value(depth: depth + 1)))
        skipBlanks()
        switch next {
        case UInt8(ascii: ","): offset += 1
        case UInt8(ascii: "}"):
          offset += 1
          return .object(members)
        default: throw fault("a comma or } is missing")
        }
      }
    }

    mutating func string() throws(JSONNodeError) -> String {
      offset += 1
      let start = offset
      while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
        offset += 1
      }
      var text = Array(bytes[start..<offset])
      while true {
        guard let byte = next else { throw fault("the text ends inside a string") }
        switch byte {
        case UInt8(ascii: "\""):
          offset += 1
          guard let string = String(validating: text, as: UTF8.self) else {
            throw JSONNodeError(offset: start, message: "a string is not valid UTF-8")
          }
          return string
        case UInt8(ascii: "\\"): try escape(into: &text)
        case 0..<0x20: throw fault("a control character stands in a string unescaped")
        default:
          text.append(byte)
          offset += 1
        }
      }
    }

    mutating func escape(into text: inout [UInt8]) throws(JSONNodeError) {
      offset += 1
      guard let byte = next else { throw fault("the text ends inside a string") }
      offset += 1
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
      case UInt8(ascii: "b"): text.append(0x08)
      case UInt8(ascii: "f"): text.append(0x0c)
      case UInt8(ascii: "n"): text.append(0x0a)
      case UInt8(ascii: "r"): text.append(0x0d)
      case UInt8(ascii: "t"): text.append(0x09)
      case UInt8(ascii: "u"):
        var value = try hexadecimal()
        if (0xD800...0xDBFF).contains(value) {
          guard offset + 1 < bytes.count, bytes[offset] == UInt8(ascii: "\\"),
            bytes[offset + 1] == UInt8(ascii: "u")
          else { throw fault("half of a surrogate pair") }
          offset += 2
          let low = try hexadecimal()
          guard (0xDC00...0xDFFF).contains(low) else { throw fault("half of a surrogate pair") }
          value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw fault("half of a surrogate pair") }
        text.append(contentsOf: UTF8.encode(scalar)!)
      default: throw fault("no such escape")
      }
    }

    mutating func hexadecimal() throws(JSONNodeError) -> UInt32 {
      guard offset + 4 <= bytes.count,
        let value = UInt32(String(decoding: bytes[offset..<offset + 4], as: UTF8.self), radix: 16),
        bytes[offset] != UInt8(ascii: "+")
      else { throw fault("four hexadecimal digits are missing") }
      offset += 4
      return value
    }
  }
}
