// Small text files that carry their own checksum: the manifest's copies and the summary of a snapshot.

import Platform

/// Lines of words, closed by a line with the XXH3 of everything before it.
///
/// ```
/// word word …\n
/// …
/// checksum 0123456789abcdef\n
/// ```
/// A text is accepted only when writing it again gives the same bytes, so no byte of it can change unseen.
enum CheckedText {
  static func close(_ lines: [String]) -> [UInt8] {
    var bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
    let checksum = Checksum.xxh3(bytes)
    bytes += Array("checksum \(hexadecimal(checksum))\n".utf8)
    return bytes
  }

  /// The lines above the checksum, each in words; the first differing byte when the checksum is wrong.
  static func open(_ bytes: [UInt8]) throws(ContentFault) -> [[Substring]] {
    let closingCount = 26  // "checksum " + 16 digits + "\n"
    guard bytes.count > closingCount else {
      throw ContentFault("there are \(bytes.count) bytes, expected more than \(closingCount)")
    }
    let content = Array(bytes.dropLast(closingCount))
    let expected = "checksum \(hexadecimal(Checksum.xxh3(content)))\n"
    guard bytes.suffix(closingCount).elementsEqual(expected.utf8) else {
      throw ContentFault("the checksum does not fit the text")
    }
    guard content.last == UInt8(ascii: "\n") else { throw ContentFault("the last line is not closed") }
    let text = String(decoding: content.dropLast(), as: UTF8.self)
    return text.split(separator: "\n", omittingEmptySubsequences: false).map {
      $0.split(separator: " ", omittingEmptySubsequences: false)
    }
  }
}

/// Reads the lines of a checked text one after the other.
struct CheckedTextReader {
  private let lines: [[Substring]]
  private var place = 0

  init(_ bytes: [UInt8]) throws(ContentFault) { lines = try CheckedText.open(bytes) }

  var isAtEnd: Bool { place == lines.count }
  /// First word of the next line.
  var nextWord: Substring? { isAtEnd ? nil : lines[place].first }

  /// The words after `name` on the next line, which has `count` of them.
  mutating func line(_ name: String, count: Int) throws(ContentFault) -> [Substring] {
    guard !isAtEnd, lines[place].first.map({ $0 == name }) == true, lines[place].count == count + 1 else {
      throw ContentFault("line \(place + 1) is not \"\(name)\" with \(count) words")
    }
    place += 1
    return Array(lines[place - 1].dropFirst())
  }

  mutating func number(_ name: String) throws(ContentFault) -> UInt64 {
    try Self.number(line(name, count: 1)[0])
  }

  static func number(_ word: Substring) throws(ContentFault) -> UInt64 {
    // From each that is read it must be possible to count on.
    guard let number = UInt64(word), number < 1 << 62 else {
      throw ContentFault("\"\(word)\" is not a number that can be")
    }
    return number
  }

  static func hexadecimalWord(_ word: Substring) throws(ContentFault) -> UInt64 {
    guard word.utf8.count == 16, let number = UInt64(word, radix: 16) else {
      throw ContentFault("\"\(word)\" is not a word of 16 hexadecimal digits")
    }
    return number
  }

  static func identifier(_ word: Substring) throws(ContentFault) -> DirectoryIdentifier {
    guard word.utf8.count == 32 else { throw ContentFault("\"\(word)\" is not a directory id") }
    return DirectoryIdentifier(
      high: try hexadecimalWord(word.prefix(16)), low: try hexadecimalWord(word.suffix(16)))
  }
}
