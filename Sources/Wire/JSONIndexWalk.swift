// The fast engine: walks the offsets that simdjson's stage 1 found and checks what stage 1 does not.

import CSimdjson

/// Parses one line along its structural offsets. A fence: offsets come from stage 1 over the same bytes.
///
/// Stage 1 has checked UTF-8, that strings end, and that no control character stands in one; it has found
/// every bracket, colon and comma outside strings and the first byte of every word. Since any byte that is
/// neither blank nor part of a word or bracket would be a word's first, a word reaches to the next offset
/// less the blanks before it. Grammar, numbers, literals, escapes, keys and depth are checked here.
///
/// Answers only yes or no: what is refused here is read again by `JSONScanner`, which knows why.
@safe
struct JSONIndexWalk {
  /// First byte of the line.
  let bytes: UnsafePointer<UInt8>
  let byteCount: Int
  /// The offsets from the line's first on; the one after the last is at least `base + byteCount`.
  private(set) var offsets: UnsafePointer<UInt32>
  /// Offset of the line in the indexed bytes.
  let base: Int
  /// The next backslash at or after the current place, or `byteCount`.
  private var backslash = 0

  @inline(__always)
  init(bytes: UnsafePointer<UInt8>, byteCount: Int, offsets: UnsafePointer<UInt32>, base: Int) {
    unsafe self.bytes = unsafe bytes
    self.byteCount = byteCount
    unsafe self.offsets = unsafe offsets
    self.base = base
  }

  /// Offset of the next structural byte; `byteCount` or more at the end of the line.
  @inline(__always)
  private var next: Int { unsafe Int(offsets.pointee) &- base }

  /// The next structural byte; 0 at the end of the line.
  @inline(__always)
  private var nextByte: UInt8 {
    let at = next
    return at < byteCount ? unsafe bytes[at] : 0
  }

  @inline(__always)
  private mutating func advance() { unsafe offsets += 1 }

  /// Fills `tape`, which has room for a token for every offset left. False: something is not in order.
  mutating func walk(into tape: inout JSONTape, keys: inout JSONKeySet) -> Bool {
    tape.removeAll()
    unsafe backslash = csimdjson_find(bytes, byteCount, JSONText.backslash)
    let line = unsafe Span<UInt8>(_unsafeStart: bytes, count: byteCount)
    while true {
      // A value starts here.
      switch nextByte {
      case UInt8(ascii: "{"):
        guard tape.depth < JSONDocument.greatestDepth else { return false }
        tape.open(.object, at: next)
        advance()
        if nextByte != UInt8(ascii: "}") {
          guard key(&tape, line) else { return false }
          continue
        }
      case UInt8(ascii: "["):
        guard tape.depth < JSONDocument.greatestDepth else { return false }
        tape.open(.array, at: next)
        advance()
        if nextByte != UInt8(ascii: "]") { continue }
      case JSONText.quote:
        let start = next
        advance()
        let end = endOfWord()
        guard let hasEscapes = escapes(before: end, line) else { return false }
        tape.scalar(.string, from: start, to: end, flag: hasEscapes)
      default:
        guard word(&tape, line) else { return false }
      }
      // A value has ended, or an empty container is about to.
      switch separator(&tape, &keys, line) {
      case .value: continue
      case .end: return true
      case .fault: return false
      }
    }
  }

  private enum After { case value, end, fault }

  /// Closes containers as long as they end, then steps over a comma (and in an object the key after it).
  @inline(__always)
  private mutating func separator(
    _ tape: inout JSONTape, _ keys: inout JSONKeySet, _ line: Span<UInt8>
  ) -> After {
    while tape.depth > 0 {
      let isInObject = tape.isInObject
      let byte = nextByte
      if byte == UInt8(ascii: ",") {
        advance()
        if isInObject { return key(&tape, line) ? .value : .fault }
        return .value
      }
      guard byte == (isInObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else { return .fault }
      let closed = tape.close(at: next &+ 1)
      advance()
      if isInObject, keys.duplicate(in: closed, of: tape, line) != nil { return .fault }
    }
    return next >= byteCount ? .end : .fault
  }

  /// Reads a key and the colon after it.
  @inline(__always)
  private mutating func key(_ tape: inout JSONTape, _ line: Span<UInt8>) -> Bool {
    guard nextByte == JSONText.quote else { return false }
    let start = next
    advance()
    let end = endOfWord()
    guard let hasEscapes = escapes(before: end, line) else { return false }
    tape.key(from: start, to: end, flag: hasEscapes)
    guard nextByte == UInt8(ascii: ":") else { return false }
    advance()
    return true
  }

  /// Where the word before the next structural byte ends.
  @inline(__always)
  private func endOfWord() -> Int {
    var end = min(next, byteCount)
    while end > 0, unsafe JSONText.isBlank(bytes[end &- 1]) { end &-= 1 }
    return end
  }

  /// Whether the string that ends before `end` has escapes; nil when one of them is malformed.
  @inline(__always)
  private mutating func escapes(before end: Int, _ line: Span<UInt8>) -> Bool? {
    if backslash >= end { return false }
    return checkEscapes(before: end, line) ? true : nil
  }

  private mutating func checkEscapes(before end: Int, _ line: Span<UInt8>) -> Bool {
    while backslash < end {
      do throws(JSONFault) {
        let after = try JSONText.checkEscape(in: line, at: backslash, end: end - 1)
        unsafe backslash = after + csimdjson_find(bytes + after, byteCount - after, JSONText.backslash)
      } catch {
        return false
      }
    }
    return true
  }

  /// Reads a number or literal.
  @inline(__always)
  private mutating func word(_ tape: inout JSONTape, _ line: Span<UInt8>) -> Bool {
    let start = next
    guard start < byteCount else { return false }
    advance()
    let end = endOfWord()
    let (isNumber, isInteger) = JSONText.number(in: line, start..<end)
    if isNumber {
      tape.scalar(.number, from: start, to: end, flag: !isInteger)
      return true
    }
    guard let kind = JSONText.literal(in: line, start..<end) else { return false }
    tape.scalar(kind, from: start, to: end)
    return true
  }
}
