// How many terminal columns a text takes, and how to cut a text to a number of columns.
//
// glibc's `wcwidth` depends on the locale and knows nothing of emoji sequences; this table is the East Asian
// Wide and Fullwidth ranges of Unicode 15 (EastAsianWidth.txt), joined over unassigned code points.

package enum TextWidth {
  /// Terminal columns that `text` takes. O(scalars).
  package static func of(_ text: some StringProtocol) -> Int {
    var isPlain = true
    var count = 0
    for byte in text.utf8 {
      count += 1
      if byte >= 0x7f || byte < 0x20 {
        isPlain = false
        break
      }
    }
    if isPlain { return count }
    var width = 0
    for character in text { width += of(character) }
    return width
  }

  /// Columns of one grapheme cluster: its widest scalar, or two when a variation selector asks for emoji.
  package static func of(_ character: Character) -> Int {
    var width = 0
    for scalar in character.unicodeScalars {
      if scalar.value == 0xFE0F && width == 1 { return 2 }
      width = max(width, of(scalar))
    }
    return width
  }

  /// Columns of one scalar: 0 for combining marks and invisible formatting, 2 for wide ones, else 1.
  package static func of(_ scalar: Unicode.Scalar) -> Int {
    let value = scalar.value
    if value < 0x20 || (0x7f..<0xa0).contains(value) { return 0 }
    if value < 0x300 { return value == 0xad ? 0 : 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    if (0x1160...0x11FF).contains(value) { return 0 }
    return isWide(value) ? 2 : 1
  }

  private static func isWide(_ value: UInt32) -> Bool {
    guard value >= 0x1100 else { return false }
    var low = 0
    var high = wideRanges.count
    while low < high {
      let middle = (low + high) / 2
      if wideRanges[middle].upperBound < value { low = middle + 1 } else { high = middle }
    }
    return low < wideRanges.count && wideRanges[low].contains(value)
  }

  private static let wideRanges: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x231A...0x231B, 0x2329...0x232A, 0x23E9...0x23EC, 0x23F0...0x23F0, 0x23F3...0x23F3,
    0x25FD...0x25FE, 0x2614...0x2615, 0x2648...0x2653, 0x267F...0x267F, 0x2693...0x2693, 0x26A1...0x26A1,
    0x26AA...0x26AB, 0x26BD...0x26BE, 0x26C4...0x26C5, 0x26CE...0x26CE, 0x26D4...0x26D4, 0x26EA...0x26EA,
    0x26F2...0x26F3, 0x26F5...0x26F5, 0x26FA...0x26FA, 0x26FD...0x26FD, 0x2705...0x2705, 0x270A...0x270B,
    0x2728...0x2728, 0x274C...0x274C, 0x274E...0x274E, 0x2753...0x2755, 0x2757...0x2757, 0x2795...0x2797,
    0x27B0...0x27B0, 0x27BF...0x27BF, 0x2B1B...0x2B1C, 0x2B50...0x2B50, 0x2B55...0x2B55, 0x2E80...0x303E,
    0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0xA4C6, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF,
    0xFE10...0xFE19, 0xFE30...0xFE6B, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x16FF1, 0x17000...0x18CD5,
    0x18D00...0x18D08, 0x1AFF0...0x1B2FB, 0x1F004...0x1F004, 0x1F0CF...0x1F0CF, 0x1F18E...0x1F18E,
    0x1F191...0x1F19A, 0x1F200...0x1F320, 0x1F32D...0x1F335, 0x1F337...0x1F37C, 0x1F37E...0x1F393,
    0x1F3A0...0x1F3CA, 0x1F3CF...0x1F3D3, 0x1F3E0...0x1F3F0, 0x1F3F4...0x1F3F4, 0x1F3F8...0x1F43E,
    0x1F440...0x1F440, 0x1F442...0x1F4FC, 0x1F4FF...0x1F53D, 0x1F54B...0x1F54E, 0x1F550...0x1F567,
    0x1F57A...0x1F57A, 0x1F595...0x1F596, 0x1F5A4...0x1F5A4, 0x1F5FB...0x1F64F, 0x1F680...0x1F6C5,
    0x1F6CC...0x1F6CC, 0x1F6D0...0x1F6D2, 0x1F6D5...0x1F6D7, 0x1F6DC...0x1F6DF, 0x1F6EB...0x1F6EC,
    0x1F6F4...0x1F6FC, 0x1F7E0...0x1F7EB, 0x1F7F0...0x1F7F0, 0x1F90C...0x1F93A, 0x1F93C...0x1F945,
    0x1F947...0x1F9FF, 0x1FA70...0x1FAF8, 0x20000...0x3FFFD,
  ]
}

extension TextWidth {
  /// The longest beginning of `text` that takes at most `columns`.
  package static func prefix(_ text: String, columns: Int) -> String {
    var width = 0
    var kept = ""
    for character in text {
      width += of(character)
      if width > columns { break }
      kept.append(character)
    }
    return kept
  }

  /// The longest end of `text` that takes at most `columns`.
  package static func suffix(_ text: String, columns: Int) -> String {
    var width = 0
    var kept: [Character] = []
    for character in text.reversed() {
      width += of(character)
      if width > columns { break }
      kept.append(character)
    }
    return String(kept.reversed())
  }

  /// `text` within `columns`, its end replaced by `mark` when it does not fit.
  package static func elideEnd(_ text: String, columns: Int, mark: String) -> String {
    guard of(text) > columns else { return text }
    let markWidth = of(mark)
    guard columns > markWidth else { return prefix(mark, columns: columns) }
    return prefix(text, columns: columns - markWidth) + mark
  }

  /// `text` within `columns`, its middle replaced by `mark`: for ids, whose two ends tell them apart.
  package static func elideMiddle(_ text: String, columns: Int, mark: String) -> String {
    guard of(text) > columns else { return text }
    let room = columns - of(mark)
    guard room >= 2 else { return elideEnd(text, columns: columns, mark: mark) }
    return prefix(text, columns: (room + 1) / 2) + mark + suffix(text, columns: room / 2)
  }

  /// `text` filled up with blanks to `columns`, on the left when `toRight`.
  package static func pad(_ text: String, columns: Int, toRight: Bool = false) -> String {
    let missing = columns - of(text)
    guard missing > 0 else { return text }
    let blanks = String(repeating: " ", count: missing)
    return toRight ? blanks + text : text + blanks
  }

  /// `text` with what would move a terminal's cursor, or start an escape sequence, written as JSON escapes.
  ///
  /// Metadata and descriptions come from others; a table must not be able to be forged by them.
  package static func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isUnprintable) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      guard isUnprintable(scalar) else {
        result.unicodeScalars.append(scalar)
        continue
      }
      switch scalar {
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
      }
    }
    return result
  }

  /// Control characters, and the marks that reorder text (U+202A to U+202E, U+2066 to U+2069).
  private static func isUnprintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7f..<0xa0, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}
