// Names of members and methods, found by their bytes without making text of them.

/// A closed set of names: an enum whose raw values are the names.
protocol NameSet: RawRepresentable, CaseIterable, Sendable where RawValue == String {}

/// Finds the case that a name stands for: one probe or two of a small open-addressing table, whose keys are
/// the name's first and last eight bytes and its length.
struct MemberTable<Name: Sendable>: Sendable {
  private struct Entry: Sendable {
    var first: UInt64
    var last: UInt64
    var byteCount: Int
    var bytes: [UInt8]
    var name: Name
  }

  private let entries: [Entry]
  /// Index into `entries` plus one, 0 for free; a power of two of slots, at least four times the names.
  private let slots: [UInt8]

  init(_ names: [(String, Name)]) {
    entries = names.map { text, name in
      let bytes = Array(text.utf8)
      return Entry(
        first: Self.first(bytes.span), last: Self.last(bytes.span), byteCount: bytes.count, bytes: bytes,
        name: name)
    }
    precondition(entries.count < 128, "names are few")
    var slots = [UInt8](repeating: 0, count: 512)
    for (index, entry) in entries.enumerated() {
      var slot = Self.slot(entry.first, entry.last, entry.byteCount)
      while slots[slot] != 0 { slot = (slot + 1) & 511 }
      slots[slot] = UInt8(index + 1)
    }
    self.slots = slots
    for (index, entry) in entries.enumerated() {
      precondition(
        self.index(entry.first, entry.last, entry.byteCount) == index, "names differ in length, start or end")
    }
  }

  /// The case that a key or string of a request stands for. O(1) without escapes.
  @inline(__always)
  subscript(text: JSONValue) -> Name? {
    if text.hasEscapes { return unescaped(text) }
    // Read out of the whole line: eight bytes from a name's start may reach beyond its end.
    let line = text.wholeLine
    let start = text.offset + 1
    let byteCount = text.endOffset - 1 - start
    let first = JSONWord.load(line, start, byteCount)
    let last = byteCount <= 8 ? 0 : JSONWord.load(line, start + byteCount - 8, 8)
    guard let index = index(first, last, byteCount) else { return nil }
    if byteCount > 16, !Self.equal(entries[index].bytes, text.contents) { return nil }
    return entries[index].name
  }

  private func unescaped(_ text: JSONValue) -> Name? {
    var bytes: [UInt8] = []
    text.appendString(to: &bytes)
    guard let index = index(Self.first(bytes.span), Self.last(bytes.span), bytes.count) else { return nil }
    return Self.equal(entries[index].bytes, bytes.span) ? entries[index].name : nil
  }

  /// The entry with these words and this length; at most one has them.
  @inline(__always)
  private func index(_ first: UInt64, _ last: UInt64, _ byteCount: Int) -> Int? {
    var slot = Self.slot(first, last, byteCount)
    while slots[slot] != 0 {
      let index = Int(slots[slot]) - 1
      if entries[index].first == first, entries[index].last == last, entries[index].byteCount == byteCount {
        return index
      }
      slot = (slot + 1) & 511
    }
    return nil
  }

  @inline(__always)
  private static func first(_ bytes: Span<UInt8>) -> UInt64 { JSONWord.load(bytes, 0, bytes.count) }

  @inline(__always)
  private static func last(_ bytes: Span<UInt8>) -> UInt64 {
    bytes.count <= 8 ? 0 : JSONWord.load(bytes, bytes.count - 8, 8)
  }

  @inline(__always)
  private static func slot(_ first: UInt64, _ last: UInt64, _ byteCount: Int) -> Int {
    let mixed = (first ^ last &* 31 ^ UInt64(truncatingIfNeeded: byteCount)) &* 0x9e37_79b9_7f4a_7c15
    return Int(truncatingIfNeeded: mixed >> 55)
  }

  private static func equal(_ name: [UInt8], _ bytes: Span<UInt8>) -> Bool {
    for offset in 0..<name.count where name[offset] != bytes[offset] { return false }
    return true
  }
}

extension MemberTable where Name: NameSet {
  init() { self.init(Name.allCases.map { ($0.rawValue, $0) }) }
}

/// A name of one of the protocol's closed sets that is not known, and the nearest one that is.
enum UnknownName {
  /// The nearest of `names`; none for a text so long that comparing it would take its time.
  static func nearest(to text: String, among names: [String]) -> String? {
    text.utf8.count <= ParamsFaults.shownCharacters ? Suggestion.nearest(to: text, among: names) : nil
  }

  /// ` (did you mean "x"?)`, or nothing.
  static func hint(_ nearest: String?) -> String { nearest.map { "; did you mean \($0)?" } ?? "" }
}
