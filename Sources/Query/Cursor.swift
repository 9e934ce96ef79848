// Where a page ended: the sort key and the row of its last row, and which request it belongs to.

import Amounts
import Columns
import Platform

/// The place between two rows in the order of one request. It stays valid under writes: a row that did not
/// change meanwhile is on exactly one of the pages.
///
/// ```
/// version   UInt8 (1)
/// digest    UInt64 little-endian: XXH3 of table, predicates, combination and order
/// row       UInt32 little-endian
/// key       UInt8 kind, then: nothing (null) | Int64 | amount bytes | decimal | UTF-8 bytes to the end
/// check     UInt32: low half of the XXH3 of all before it
/// ```
/// As text: base64url without padding. Not secret and not signed: a forged one gives rows from another place.
package struct Cursor: Sendable, Hashable {
  let digest: UInt64
  let row: RowIndex
  let key: SortKey

  init(digest: UInt64, row: RowIndex, key: SortKey) {
    self.digest = digest
    self.row = row
    self.key = key
  }

  /// Characters of a cursor's text, at most; longer texts are not read.
  package static let textByteLimit = 128 * 1024

  /// Reads what `text` gave; nil for anything else.
  package init?(text: String) {
    guard text.utf8.count <= Self.textByteLimit, let bytes = Base64URL.decode(text), bytes.count >= 18 else {
      return nil
    }
    let end = bytes.count - 4
    let checked = UInt32(truncatingIfNeeded: Checksum.xxh3(Array(bytes[..<end])))
    var reader = CursorReader(bytes: Array(bytes[..<end]))
    guard reader.byte() == 1, let digest = reader.word(), let row = reader.half(), let key = reader.key(),
      CursorReader.half(bytes[end...]) == checked
    else { return nil }
    self.init(digest: digest, row: RowIndex(row), key: key)
  }

  /// The cursor as a client gets it.
  package var text: String {
    var bytes: [UInt8] = [1]
    Self.append(digest, to: &bytes)
    Self.append(row.rawValue, to: &bytes)
    key.appendBytes(to: &bytes)
    Self.append(UInt32(truncatingIfNeeded: Checksum.xxh3(bytes)), to: &bytes)
    return Base64URL.encode(bytes)
  }

  /// Whether it was given out for a request with the same table, filter and order. Page sizes may differ.
  package func belongs(to request: QueryRequest) -> Bool {
    digest == request.digest && key.fits(request.order.field.type)
  }

  static func append<Word: FixedWidthInteger>(_ word: Word, to bytes: inout [UInt8]) {
    for shift in stride(from: 0, to: Word.bitWidth, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: word >> Word(shift)))
    }
  }
}

/// Reads a cursor's bytes.
private struct CursorReader {
  let bytes: [UInt8]
  var place = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func byte() -> UInt8? {
    guard place < bytes.count else { return nil }
    place += 1
    return bytes[place - 1]
  }

  mutating func word() -> UInt64? {
    guard let low = half(), let high = half() else { return nil }
    return UInt64(high) << 32 | UInt64(low)
  }

  mutating func half() -> UInt32? {
    guard place + 4 <= bytes.count else { return nil }
    place += 4
    return Self.half(bytes[place - 4..<place])
  }

  static func half(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  mutating func key() -> SortKey? {
    guard let kind = byte() else { return nil }
    let key: SortKey
    switch kind {
    case 0: key = .null
    case 1:
      guard let word = word() else { return nil }
      key = .integer(Int64(bitPattern: word))
    case 2:
      guard let amount = amount() else { return nil }
      key = .amount(amount)
    case 3:
      guard let amount = amount(), let precision = divisor() else { return nil }
      key = .quotient(amount, precision)
    case 4:
      key = .text(Array(bytes[place...]))
      place = bytes.count
    default: return nil
    }
    return place == bytes.count ? key : nil
  }

  private mutating func amount() -> Amount? {
    var end = place
    guard let amount = try? Amount(bytes: bytes.span, at: &end) else { return nil }
    place = end
    return amount
  }

  /// A divisor: at least one.
  private mutating func divisor() -> Amount? {
    guard let precision = amount(), precision.signum > 0 else { return nil }
    return precision
  }
}
