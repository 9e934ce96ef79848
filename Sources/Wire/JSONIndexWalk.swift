// The fast engine: walks the offsets that simdjson's stage 1 found and checks what stage 1 does not.

import CSimdjson

/// Parses one line along its structural offsets. A fence: offsets come from stage 1 over the same bytes, and
/// the tape has room for a token for each of them.
///
/// Stage 1 has checked UTF-8, that strings end, and that no control character stands in one; it has found
/// every bracket, colon and comma outside strings and the first byte of every word. Since any byte that is
/// neither blank nor part of a word or bracket would be a word's first, a word reaches to the next offset
/// less the blanks before it. Grammar, numbers, literals, escapes, keys and depth are checked here.
///
/// Answers only yes or no: what is refused here is read again by `JSONScanner`, which knows why. All state
/// is local to `walk`, so that it stays in registers: what is not inlined takes and gives values.
@safe
struct JSONIndexWalk {
  /// First byte of the line.
  private let bytes: UnsafePointer<UInt8>
  private let byteCount: Int
  /// The next offset; the one after the line's last is at least `base + byteCount`.
  private(set) var offsets: UnsafePointer<UInt32>
  /// Offset of the line in the indexed bytes.
  private let base: Int
  /// The line's first token, and where the next goes.
  private let first: UnsafeMutablePointer<JSONToken>
  private var free: UnsafeMutablePointer<JSONToken>
  /// The innermost open container, its members or elements so far, and whether it is an object. The counts
  /// of the containers around it rest in their tokens' `end`.
  private var parent: UnsafeMutablePointer<JSONToken>
  private var elements: UInt32 = 0
  private var isInObject = false
  private var depth = 0
  /// The next backslash at or after the current place, or `byteCount`.
  private var backslash = 0

  @inline(__always)
  init(
    line: UnsafeRawBufferPointer, at start: UnsafeRawPointer, offsets: UnsafePointer<UInt32>, base: Int,
    into tape: inout JSONTape
  ) {
    unsafe bytes = start.assumingMemoryBound(to: UInt8.self)
    byteCount = line.count
    unsafe self.offsets = unsafe offsets
    self.base = base
    unsafe first = unsafe tape.tokens
    unsafe free = unsafe tape.tokens
    unsafe parent = unsafe tape.tokens
  }

  /// Offset of the next structural byte; `byteCount` or more at the end of the line.
  private var next: Int {
    @inline(__always) get { unsafe Int(offsets.pointee) &- base }
  }

  /// The next structural byte; 0 at the end of the line.
  private var nextByte: UInt8 {
    @inline(__always) get {
      let at = next
      return at < byteCount ? unsafe bytes[at] : 0
    }
  }

  @inline(__always)
  private mutating func advance() { unsafe offsets += 1 }

  /// Fills `tape`, the one given at first. False: something is not in order.
  @inline(__always)
  mutating func walk(into tape: inout JSONTape, keys: inout JSONKeySet) -> Bool {
    unsafe backslash = csimdjson_find(bytes, byteCount, JSONText.backslash)
    while true {
      // A value starts here.
      switch nextByte {
      case JSONText.quote: guard string(.string) else { return false }
      case UInt8(ascii: "{"):
        guard open(.object) else { return false }
        if nextByte != UInt8(ascii: "}") {
          guard key() else { return false }
          continue
        }
      case UInt8(ascii: "["):
        guard open(.array) else { return false }
        if nextByte != UInt8(ascii: "]") {
          elements = 1
          continue
        }
      default: guard word() else { return false }
      }
      // A value has ended, or an empty container is about to.
      while depth > 0 {
        let byte = nextByte
        if byte == UInt8(ascii: ",") {
          advance()
          if !isInObject {
            elements &+= 1
          } else if !key() {
            return false
          }
          break
        }
        guard byte == (isInObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else { return false }
        guard close(&tape, &keys) else { return false }
      }
      if depth == 0 { break }
    }
    unsafe tape.hold(count: free - first)
    return next >= byteCount
  }

  @inline(__always)
  private mutating func add(_ kind: JSONKind, _ start: Int, _ end: Int, flag: Bool) {
    let after = unsafe UInt32(truncatingIfNeeded: free - first &+ 1)
    unsafe free.initialize(
      to: JSONToken(
        start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: end), next: after,
        kind: kind,
        flag: flag))
    unsafe free += 1
  }

  /// Opens a container. False when it would be nested too deep.
  @inline(__always)
  private mutating func open(_ kind: JSONKind) -> Bool {
    guard depth < JSONDocument.greatestDepth else { return false }
    if depth > 0 { unsafe parent.pointee.end = elements }
    let around = unsafe UInt32(truncatingIfNeeded: parent - first)
    unsafe parent = unsafe free
    add(kind, next, 0, flag: false)
    unsafe parent.pointee.next = around
    elements = 0
    isInObject = kind == .object
    depth &+= 1
    advance()
    return true
  }

  /// Closes the innermost container. False when a key stands in it twice.
  @inline(__always)
  private mutating func close(_ tape: inout JSONTape, _ keys: inout JSONKeySet) -> Bool {
    let closed = unsafe parent
    let around = unsafe Int(closed.pointee.next)
    unsafe closed.pointee.meta |= min(elements, JSONToken.greatestCount) << 8
    unsafe closed.pointee.end = UInt32(truncatingIfNeeded: next &+ 1)
    unsafe closed.pointee.next = UInt32(truncatingIfNeeded: free - first)
    advance()
    if isInObject, elements > 1, unsafe !Self.areDistinct(bytes, first, closed, Int(elements)) {
      unsafe tape.hold(count: free - first)
      let line = unsafe Span<UInt8>(_unsafeStart: bytes, count: byteCount)
      if unsafe keys.duplicate(in: closed - first, of: tape, line) != nil { return false }
    }
    depth &-= 1
    unsafe parent = first + around
    isInObject = unsafe parent.pointee.meta & 15 == UInt32(JSONKind.object.rawValue)
    elements = unsafe parent.pointee.end
    return true
  }

  /// Reads a key and the colon after it.
  @inline(__always)
  private mutating func key() -> Bool {
    guard nextByte == JSONText.quote else { return false }
    guard string(.key) else { return false }
    elements &+= 1
    guard nextByte == UInt8(ascii: ":") else { return false }
    advance()
    return true
  }

  /// Reads a string. False when an escape in it is malformed.
  @inline(__always)
  private mutating func string(_ kind: JSONKind) -> Bool {
    let start = next
    advance()
    let end = endOfWord()
    let hasEscapes = backslash < end
    if hasEscapes {
      guard let after = unsafe Self.checkEscapes(bytes, byteCount, from: backslash, before: end) else {
        return false
      }
      backslash = after
    }
    add(kind, start, end, flag: hasEscapes)
    return true
  }

  /// Where the word before the next structural byte ends.
  @inline(__always)
  private func endOfWord() -> Int {
    let end = min(next, byteCount)
    return unsafe bytes[end &- 1] > 0x20 ? end : Self.trimmed(bytes, end)
  }

  /// `end` less the blanks before it. A word stands before them.
  @inline(never)
  private static func trimmed(_ bytes: UnsafePointer<UInt8>, _ end: Int) -> Int {
    var end = end
    while end > 0, unsafe JSONText.isBlank(bytes[end &- 1]) { end &-= 1 }
    return end
  }

  /// Checks the escapes from the backslash at `start` to the end of the string before `end`: the offset of
  /// the next backslash after it; nil when an escape is malformed.
  @inline(never)
  private static func checkEscapes(
    _ bytes: UnsafePointer<UInt8>, _ byteCount: Int, from start: Int, before end: Int
  ) -> Int? {
    let line = unsafe Span<UInt8>(_unsafeStart: bytes, count: byteCount)
    var backslash = start
    while backslash < end {
      do throws(JSONFault) {
        let after = try JSONText.checkEscape(in: line, at: backslash, end: end - 1)
        unsafe backslash = after + csimdjson_find(bytes + after, byteCount - after, JSONText.backslash)
      } catch {
        return nil
      }
    }
    return backslash
  }

  /// Reads a number or literal.
  @inline(__always)
  private mutating func word() -> Bool {
    let start = next
    guard start < byteCount else { return false }
    advance()
    let end = endOfWord()
    guard let (kind, flag) = unsafe Self.word(bytes, start, end) else { return false }
    add(kind, start, end, flag: flag)
    return true
  }

  @inline(never)
  private static func word(_ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> (JSONKind, Bool)? {
    let text = unsafe Span<UInt8>(_unsafeStart: bytes + start, count: end - start)
    let (isNumber, isInteger) = JSONText.number(in: text, 0..<text.count)
    if isNumber { return (.number, !isInteger) }
    return JSONText.literal(in: text, 0..<text.count).map { ($0, false) }
  }

  /// Whether the keys of the closed `object` differ in their length, first or last eight bytes. False for
  /// more keys than are worth comparing and for keys with escapes: then `JSONKeySet` knows.
  @inline(never)
  private static func areDistinct(
    _ bytes: UnsafePointer<UInt8>, _ first: UnsafeMutablePointer<JSONToken>,
    _ object: UnsafeMutablePointer<JSONToken>, _ count: Int
  ) -> Bool {
    guard count <= JSONKeySet.mostCompared else { return false }
    var words = [12 of UInt64](repeating: 0)
    // One bit for each word: as long as no bit is met twice, no two words are alike.
    var seen: UInt64 = 0
    var isAnyMet: UInt64 = 0
    var escapes: UInt32 = 0
    var key = unsafe object + 1
    for index in 0..<count {
      let token = unsafe key.pointee
      let start = Int(token.start) &+ 1
      let length = Int(token.end) &- 1 &- start
      let text = unsafe UnsafeRawPointer(bytes + start)
      // The line is followed by readable bytes, so a short key can be loaded with what follows it.
      var word = unsafe text.loadUnaligned(as: UInt64.self)
      if length < 8 {
        word &= (1 << UInt64(truncatingIfNeeded: length &* 8)) &- 1
      } else {
        word = unsafe (word &* 31) ^ text.loadUnaligned(fromByteOffset: length &- 8, as: UInt64.self)
      }
      word ^= UInt64(truncatingIfNeeded: length) &* 0x9e37_79b9_7f4a_7c15
      escapes |= token.meta & JSONToken.flag
      let bit: UInt64 = 1 << ((word &* 0x9e37_79b9_7f4a_7c15) >> 58)
      isAnyMet |= seen & bit
      seen |= bit
      unsafe words[unchecked: index] = word
      unsafe key = unsafe first + Int((key + 1).pointee.next)
    }
    return escapes == 0 && (isAnyMet == 0 || areDistinct(words, count))
  }

  private static func areDistinct(_ words: [12 of UInt64], _ count: Int) -> Bool {
    var isAnyAlike = false
    for index in 1..<count {
      for earlier in 0..<index { isAnyAlike = isAnyAlike || words[earlier] == words[index] }
    }
    return !isAnyAlike
  }
}
