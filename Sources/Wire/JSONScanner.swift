// The checked engine: reads a line byte by byte; twin of the fast engine, maker of all faults.

/// Parses one line left to right without recursion. Every read is bounds-checked.
///
/// A fault that leaves the line readable (a duplicate key, too deep nesting) is remembered and thrown at the
/// end, with the tape complete but for what is nested too deep.
struct JSONScanner: ~Escapable {
  private let bytes: Span<UInt8>
  private var at = 0
  /// The first fault found that is not a fault of syntax.
  private var fault: JSONFault?

  /// What the grammar allows next.
  private enum Expected {
    case value, valueOrEnd, key, keyOrEnd, colon, separator
  }

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>) { self.bytes = bytes }

  /// Parses all of the line into `tape`. O(bytes).
  mutating func scan(into tape: inout JSONTape, keys: inout JSONKeySet) throws(JSONFault) {
    tape.removeAll()
    if bytes.count >= 3, bytes[0] == 0xef, bytes[1] == 0xbb, bytes[2] == 0xbf {
      throw syntax(.byteOrderMark, 0)
    }
    skipBlanks()
    if at == bytes.count { throw syntax(.empty, at) }
    var expected = Expected.value
    repeat {
      expected = try step(expected, &tape, &keys)
      skipBlanks()
    } while expected != .separator || tape.depth > 0
    if at < bytes.count { throw syntax(.textAfterValue(bytes[at]), at) }
    if let fault { throw fault }
  }

  /// Reads one token that `expected` allows; what is allowed after it.
  private mutating func step(
    _ expected: Expected, _ tape: inout JSONTape, _ keys: inout JSONKeySet
  ) throws(JSONFault) -> Expected {
    guard at < bytes.count else { throw syntax(.unexpectedEnd, at) }
    let byte = bytes[at]
    switch expected {
    case .valueOrEnd:
      if byte == UInt8(ascii: "]") { return close(&tape, &keys) }
      return try value(&tape)
    case .value: return try value(&tape)
    case .keyOrEnd:
      if byte == UInt8(ascii: "}") { return close(&tape, &keys) }
      return try key(&tape)
    case .key: return try key(&tape)
    case .colon:
      guard byte == UInt8(ascii: ":") else { throw syntax(.unexpectedByte(byte), at) }
      at += 1
      return .value
    case .separator:
      if byte == UInt8(ascii: ",") {
        at += 1
        return tape.isInObject ? .key : .value
      }
      guard byte == (tape.isInObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
        throw syntax(.unexpectedByte(byte), at)
      }
      return close(&tape, &keys)
    }
  }

  private mutating func close(_ tape: inout JSONTape, _ keys: inout JSONKeySet) -> Expected {
    at += 1
    let closed = tape.close(at: at)
    if tape[closed].kind == .object, let duplicate = keys.duplicate(in: closed, of: tape, bytes) {
      report(duplicate)
    }
    return .separator
  }

  /// Keeps the fault that stands first in the line.
  private mutating func report(_ found: JSONFault) {
    guard let fault else {
      self.fault = found
      return
    }
    if found.offset < fault.offset { self.fault = found }
  }

  private mutating func key(_ tape: inout JSONTape) throws(JSONFault) -> Expected {
    guard bytes[at] == JSONText.quote else { throw syntax(.unexpectedByte(bytes[at]), at) }
    let start = at
    let hasEscapes = try skipString()
    tape.reserve(tape.count + 1)
    tape.key(from: start, to: at, flag: hasEscapes)
    return .colon
  }

  private mutating func value(_ tape: inout JSONTape) throws(JSONFault) -> Expected {
    tape.reserve(tape.count + 1)
    let start = at
    let first = bytes[at]
    switch first {
    case UInt8(ascii: "{"), UInt8(ascii: "["): return try open(&tape)
    case JSONText.quote:
      let hasEscapes = try skipString()
      tape.scalar(.string, from: start, to: at, flag: hasEscapes)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      let isInteger = try skipNumber()
      tape.scalar(.number, from: start, to: at, flag: !isInteger)
    case UInt8(ascii: "a")...UInt8(ascii: "z"):
      let kind = try skipLiteral()
      tape.scalar(kind, from: start, to: at)
    default: throw syntax(.unexpectedByte(first), at)
    }
    return .separator
  }

  private mutating func open(_ tape: inout JSONTape) throws(JSONFault) -> Expected {
    let isObject = bytes[at] == UInt8(ascii: "{")
    tape.open(isObject ? .object : .array, at: at)
    if tape.depth > JSONDocument.greatestDepth {
      report(.nestedTooDeep(offset: at))
      try skipNested()
      _ = tape.close(at: at)
      return .separator
    }
    at += 1
    return isObject ? .keyOrEnd : .valueOrEnd
  }

  /// Steps over what is nested too deep, from its opening bracket to the one that closes it. Words are
  /// checked, brackets only counted: whether `[` meets `]` would take memory for every level.
  private mutating func skipNested() throws(JSONFault) {
    var depth = 0
    repeat {
      skipBlanks()
      guard at < bytes.count else { throw syntax(.unexpectedEnd, at) }
      let first = bytes[at]
      switch first {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        at += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        at += 1
      case UInt8(ascii: ","), UInt8(ascii: ":"): at += 1
      case JSONText.quote: _ = try skipString()
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): _ = try skipNumber()
      case UInt8(ascii: "a")...UInt8(ascii: "z"): _ = try skipLiteral()
      default: throw syntax(.unexpectedByte(first), at)
      }
    } while depth > 0
  }

  private mutating func skipBlanks() {
    while at < bytes.count, JSONText.isBlank(bytes[at]) { at += 1 }
  }

  /// Steps over the string at `at`; whether it has escapes.
  private mutating func skipString() throws(JSONFault) -> Bool {
    var hasEscapes = false
    at += 1
    while at < bytes.count {
      let byte = bytes[at]
      if byte == JSONText.quote {
        at += 1
        return hasEscapes
      }
      if byte == JSONText.backslash {
        at = try JSONText.checkEscape(in: bytes, at: at, end: bytes.count)
        hasEscapes = true
      } else if byte < 0x20 {
        throw syntax(.controlCharacter(byte), at)
      } else if byte < 0x80 {
        at += 1
      } else {
        guard let length = JSONText.sequenceLength(in: bytes, at: at, end: bytes.count) else {
          throw syntax(.invalidUTF8, at)
        }
        at += length
      }
    }
    throw syntax(.unexpectedEnd, at)
  }

  /// Steps over the number at `at`; whether it has neither fraction nor exponent.
  private mutating func skipNumber() throws(JSONFault) -> Bool {
    let start = at
    while at < bytes.count, JSONText.isOfNumber(bytes[at]) { at += 1 }
    let (isNumber, isInteger) = JSONText.number(in: bytes, start..<at)
    guard isNumber else { throw syntax(.badNumber, start) }
    return isInteger
  }

  private mutating func skipLiteral() throws(JSONFault) -> JSONKind {
    let start = at
    while at < bytes.count, bytes[at] &- UInt8(ascii: "a") < 26 { at += 1 }
    guard let kind = JSONText.literal(in: bytes, start..<at) else { throw syntax(.badLiteral, start) }
    return kind
  }

  private func syntax(_ what: JSONSyntaxFault, _ offset: Int) -> JSONFault {
    .notJSON(offset: offset, what: what)
  }
}

extension JSONFault {
  /// Where in the line the fault was noticed.
  package var offset: Int {
    switch self {
    case .notJSON(let offset, _), .nestedTooDeep(let offset): offset
    case .duplicateKey(_, _, let second): second
    }
  }
}
