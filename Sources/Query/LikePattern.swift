// Patterns of `like` and `ilike`, and the walk that matches them.

/// A pattern over whole texts: `%` stands for any run of code points, `_` for one, `\` takes the next
/// character as itself. A backslash at the very end stands for itself.
///
/// `ilike` compares code points by their simple lower case (one code point for one), on both sides.
struct LikePattern: Hashable, Sendable {
  /// A part of the pattern; plain values in one array, so that matching a row touches no reference count.
  private struct Part: Hashable, Sendable, BitwiseCopyable {
    enum Kind: UInt8 {
      /// The bytes `start..<end` of `bytes`.
      case run
      case anyRun, anyOne
    }

    var kind: Kind
    var start = 0
    var end = 0
  }

  private let parts: [Part]
  /// UTF-8 bytes of all plain characters; in lower case when case is ignored.
  private let bytes: [UInt8]
  let ignoresCase: Bool

  init(_ pattern: String, ignoresCase: Bool) {
    var parts: [Part] = []
    var bytes: [UInt8] = []
    func take(_ scalar: Unicode.Scalar) {
      let start = bytes.count
      bytes.append(contentsOf: String(ignoresCase ? CaseFolding.lower(scalar) : scalar).utf8)
      if let last = parts.last, last.kind == .run {
        parts[parts.count - 1].end = bytes.count
      } else {
        parts.append(Part(kind: .run, start: start, end: bytes.count))
      }
    }
    var isEscaped = false
    for scalar in pattern.unicodeScalars {
      if isEscaped {
        take(scalar)
        isEscaped = false
      } else if scalar == "\\" {
        isEscaped = true
      } else if scalar == "%" {
        if parts.last?.kind != .anyRun { parts.append(Part(kind: .anyRun)) }
      } else if scalar == "_" {
        parts.append(Part(kind: .anyOne))
      } else {
        take(scalar)
      }
    }
    if isEscaped { take("\\") }
    self.parts = parts
    self.bytes = bytes
    self.ignoresCase = ignoresCase
  }

  /// What a pattern with one run of plain characters asks for.
  enum Shape: Equatable {
    case exact([UInt8])
    case prefix([UInt8])
    case suffix([UInt8])
    case infix([UInt8])
    /// Any text.
    case everything
    /// None of those.
    case general
  }

  /// The pattern's shape; its bytes are in lower case when case is ignored.
  var shape: Shape {
    switch parts.map(\.kind) {
    case []: .exact([])
    case [.anyRun]: .everything
    case [.run]: .exact(bytes)
    case [.run, .anyRun]: .prefix(bytes)
    case [.anyRun, .run]: .suffix(bytes)
    case [.anyRun, .run, .anyRun]: .infix(bytes)
    default: .general
    }
  }

  /// The runs of plain characters, each with whether it begins and whether it ends every text that fits.
  var runs: [(bytes: [UInt8], isAtStart: Bool, isAtEnd: Bool)] {
    parts.indices.filter { parts[$0].kind == .run }.map { place in
      (Array(bytes[parts[place].start..<parts[place].end]), place == 0, place == parts.count - 1)
    }
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
    let parts = parts.span
    let bytes = bytes.span
    var place = 0
    var part = 0
    // Where to go on when what follows the last `%` does not fit: one code point further.
    var retryPart = -1
    var retryPlace = 0
    while true {
      if part == parts.count {
        if place == text.count { return true }
      } else {
        switch parts[part].kind {
        case .anyRun:
          part += 1
          if part == parts.count { return true }
          retryPart = part
          retryPlace = place
          continue
        case .anyOne:
          if place < text.count {
            place = Self.next(after: place, in: text)
            part += 1
            continue
          }
        case .run:
          let run = bytes.extracting(parts[part].start..<parts[part].end)
          if Self.text(text, hasAt: place, run) {
            place += run.count
            part += 1
            continue
          }
        }
      }
      guard retryPart >= 0, retryPlace < text.count else { return false }
      retryPlace = Self.next(after: retryPlace, in: text)
      if parts[retryPart].kind == .run {
        // No other place than one with the run's first byte can fit.
        let first = bytes[parts[retryPart].start]
        while retryPlace < text.count, text[retryPlace] != first { retryPlace += 1 }
        if retryPlace == text.count { return false }
      }
      place = retryPlace
      part = retryPart
    }
  }

  private static func text(_ text: Span<UInt8>, hasAt place: Int, _ run: Span<UInt8>) -> Bool {
    guard run.count <= text.count - place else { return false }
    var index = 0
    while index < run.count {
      if text[place + index] != run[index] { return false }
      index += 1
    }
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
