// Patterns of `like` and `ilike`, and the walk that matches them.

/// A pattern over whole texts: `%` stands for any run of code points, `_` for one, `\` takes the next
/// character as itself. A backslash at the very end stands for itself.
///
/// `ilike` compares code points by their simple lower case (one code point for one), on both sides.
struct LikePattern: Hashable, Sendable {
  enum Element: Hashable, Sendable {
    /// UTF-8 bytes of a run of plain characters; already in lower case when case is ignored.
    case run([UInt8])
    case anyRun
    case anyOne
  }

  let elements: [Element]
  let ignoresCase: Bool

  init(_ pattern: String, ignoresCase: Bool) {
    var elements: [Element] = []
    var run: [UInt8] = []
    func flush() {
      if !run.isEmpty { elements.append(.run(run)) }
      run = []
    }
    func take(_ scalar: Unicode.Scalar) {
      run.append(contentsOf: String(ignoresCase ? CaseFolding.lower(scalar) : scalar).utf8)
    }
    var isEscaped = false
    for scalar in pattern.unicodeScalars {
      if isEscaped {
        take(scalar)
        isEscaped = false
      } else if scalar == "\\" {
        isEscaped = true
      } else if scalar == "%" {
        flush()
        if elements.last != .anyRun { elements.append(.anyRun) }
      } else if scalar == "_" {
        flush()
        elements.append(.anyOne)
      } else {
        take(scalar)
      }
    }
    if isEscaped { take("\\") }
    flush()
    self.elements = elements
    self.ignoresCase = ignoresCase
  }

  /// Whether all of `text` fits. O(text · pattern) at worst, O(text + pattern) for most patterns: after a `%`
  /// only the last one is ever taken back.
  func matches(_ text: Span<UInt8>) -> Bool {
    if ignoresCase, !CaseFolding.isLowerASCII(text) {
      let folded = CaseFolding.lower(text)
      return walk(folded.span)
    }
    return walk(text)
  }

  private func walk(_ text: Span<UInt8>) -> Bool {
    var place = 0
    var element = 0
    // Where to go on when what follows the last `%` does not fit: one code point further.
    var retryElement = -1
    var retryPlace = 0
    while true {
      if element == elements.count {
        if place == text.count { return true }
      } else {
        switch elements[element] {
        case .anyRun:
          if element + 1 == elements.count { return true }
          retryElement = element + 1
          retryPlace = place
          element += 1
          continue
        case .anyOne:
          if place < text.count {
            place = Self.next(after: place, in: text)
            element += 1
            continue
          }
        case .run(let bytes):
          if Self.text(text, hasAt: place, bytes) {
            place += bytes.count
            element += 1
            continue
          }
        }
      }
      guard retryElement >= 0, retryPlace < text.count else { return false }
      retryPlace = Self.next(after: retryPlace, in: text)
      place = retryPlace
      element = retryElement
    }
  }

  private static func text(_ text: Span<UInt8>, hasAt place: Int, _ bytes: [UInt8]) -> Bool {
    guard bytes.count <= text.count - place else { return false }
    for index in bytes.indices where text[place + index] != bytes[index] { return false }
    return true
  }

  /// The place of the code point after the one at `place`.
  private static func next(after place: Int, in text: Span<UInt8>) -> Int {
    var next = place + 1
    while next < text.count, text[next] & 0xC0 == 0x80 { next += 1 }
    return next
  }
}

/// Lower case, code point by code point.
enum CaseFolding {
  /// The simple lower case of a code point: itself when its lower case is longer than one code point.
  static func lower(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    if scalar.isASCII {
      return ("A"..."Z").contains(scalar) ? Unicode.Scalar(UInt8(scalar.value) + 32) : scalar
    }
    let mapping = scalar.properties.lowercaseMapping.unicodeScalars
    return mapping.count == 1 ? mapping[mapping.startIndex] : scalar
  }

  /// Whether `lower` would change nothing, and that is plain to see.
  static func isLowerASCII(_ text: Span<UInt8>) -> Bool {
    for place in text.indices where text[place] >= 0x80 || (text[place] >= 0x41 && text[place] <= 0x5A) {
      return false
    }
    return true
  }

  /// The text in lower case.
  static func lower(_ text: Span<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var isASCII = true
    for place in text.indices {
      let byte = text[place]
      isASCII = isASCII && byte < 0x80
      bytes.append(byte >= 0x41 && byte <= 0x5A ? byte + 32 : byte)
    }
    if isASCII { return bytes }
    var folded: [UInt8] = []
    folded.reserveCapacity(bytes.count)
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      folded.append(contentsOf: String(lower(scalar)).utf8)
    }
    return folded
  }
}
