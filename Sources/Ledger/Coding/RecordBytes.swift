// The bytes of small records: numbers of variable length, texts, amounts, identifiers.

import Amounts
import Columns

/// Why bytes are not a record.
package enum RecordFault: Error, Equatable, Sendable {
  /// The bytes end too early.
  case truncated
  /// A tag, a number or a text that no writer writes.
  case malformed
  /// A fact of a type or a version that this program does not know: a newer one has written it.
  case newer(type: UInt8, version: UInt8)
}

/// Appends values to an array of bytes.
///
/// ```
/// number        7 bits a byte, lowest first, bit 7 set on all but the last
/// word          8 bytes, little-endian
/// text          number of bytes | UTF-8
/// amount        as in Amounts/ByteForm.swift
/// identifier    0 | two words, or 1 | text
/// ```
struct RecordWriter {
  private(set) var bytes: [UInt8] = []

  mutating func append(byte: UInt8) { bytes.append(byte) }

  mutating func append(number: Int) {
    var rest = UInt64(number)
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func append(word: UInt64) {
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: word >> shift))
    }
  }

  mutating func append(text: String) {
    append(number: text.utf8.count)
    bytes.append(contentsOf: text.utf8)
  }

  mutating func append(amount: Amount) { amount.appendBytes(to: &bytes) }

  mutating func append(row: RowIndex) { append(number: row.index) }

  mutating func append(identifier: Identifier) {
    switch identifier {
    case .uuid(let high, let low):
      append(byte: 0)
      append(word: high)
      append(word: low)
    case .custom(let text):
      append(byte: 1)
      append(text: text)
    }
  }
}

/// Reads what `RecordWriter` wrote, trusting nothing.
struct RecordReader: ~Escapable {
  private let bytes: Span<UInt8>
  private var place = 0

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>) { self.bytes = bytes }

  var isAtEnd: Bool { place == bytes.count }

  @_lifetime(self: copy self)
  mutating func byte() throws(RecordFault) -> UInt8 {
    if place >= bytes.count { throw .truncated }
    place += 1
    return bytes[place - 1]
  }

  @_lifetime(self: copy self)
  mutating func number() throws(RecordFault) -> Int {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let next = try byte()
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 { break }
      shift += 7
      if shift > 56 { throw .malformed }
    }
    guard let number = Int(exactly: value) else { throw .malformed }
    return number
  }

  @_lifetime(self: copy self)
  mutating func word() throws(RecordFault) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 8) { value |= UInt64(try byte()) << shift }
    return value
  }

  @_lifetime(self: copy self)
  mutating func text() throws(RecordFault) -> String {
    let count = try number()
    if count > bytes.count - place { throw .truncated }
    let part = bytes.extracting(place..<place + count)
    place += count
    return unsafe part.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }

  @_lifetime(self: copy self)
  mutating func amount() throws(RecordFault) -> Amount {
    do {
      return try Amount(bytes: bytes, at: &place)
    } catch {
      throw .malformed
    }
  }

  @_lifetime(self: copy self)
  mutating func row() throws(RecordFault) -> RowIndex {
    guard let value = UInt32(exactly: try number()) else { throw .malformed }
    return RowIndex(value)
  }

  @_lifetime(self: copy self)
  mutating func identifier() throws(RecordFault) -> Identifier {
    switch try byte() {
    case 0: return .uuid(high: try word(), low: try word())
    case 1: return .custom(try text())
    default: throw .malformed
    }
  }

  @_lifetime(self: copy self)
  mutating func kind() throws(RecordFault) -> EntityKind {
    guard let kind = EntityKind(rawValue: try byte()) else { throw .malformed }
    return kind
  }
}
