// Writes the payload of a fact into memory that was set aside for it.

import Amounts
import Columns
import Platform

/// Puts values one after the other into raw memory; numbers are little-endian.
///
/// ```
/// number        7 bits a byte, lowest first, bit 7 set on all but the last
/// identifier    UUID: its high half, its low half (which begins with the bits 10). Chosen text: 16 bytes 0,
///               a byte with its length, UTF-8
/// amount        as in Amounts/ByteForm.swift
/// ```
@safe struct FactWriter {
  /// Bytes beyond the limit that belong to the writer: short values are stored as whole words.
  static let slack = 16
  /// Bytes of a number at most.
  static let numberByteLimit = 10

  private(set) var place: UnsafeMutableRawPointer
  private let end: UnsafeMutableRawPointer

  /// - Parameter place: of `byteLimit` bytes and `slack` more.
  init(_ place: UnsafeMutableRawPointer, byteLimit: Int) {
    unsafe self.place = unsafe place
    unsafe end = unsafe place + byteLimit
  }

  @inline(__always)
  private mutating func advance(_ byteCount: Int) {
    unsafe place += byteCount
    unsafe precondition(place <= end, "a payload keeps to its bound")
  }

  @inline(__always)
  mutating func append(byte: UInt8) {
    unsafe place.storeBytes(of: byte, as: UInt8.self)
    advance(1)
  }

  @inline(__always)
  mutating func append(word: UInt64) {
    unsafe place.storeBytes(of: word.littleEndian, as: UInt64.self)
    advance(8)
  }

  @inline(__always)
  mutating func append(time: Microseconds) { append(word: UInt64(bitPattern: time.count)) }

  @inline(__always)
  mutating func append(row: RowIndex) { append(halfWord: row.rawValue) }

  @inline(__always)
  mutating func append(halfWord: UInt32) {
    unsafe place.storeBytes(of: halfWord.littleEndian, as: UInt32.self)
    advance(4)
  }

  @inline(__always)
  mutating func append(number: UInt64) {
    var rest = number
    while rest >= 0x80 {
      append(byte: UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(byte: UInt8(truncatingIfNeeded: rest))
  }

  @inline(__always)
  mutating func append(bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress else { return }
    unsafe precondition(bytes.count <= end - place, "a payload keeps to its bound")
    unsafe place.copyMemory(from: source, byteCount: bytes.count)
    unsafe place += bytes.count
  }

  mutating func append(bytes: [UInt8]) {
    if bytes.isEmpty { return }
    unsafe bytes.withUnsafeBytes { unsafe append(bytes: $0) }
  }

  /// The number of bytes, then UTF-8.
  mutating func append(text: String) {
    var text = text
    text.withUTF8 { bytes in
      append(number: UInt64(bytes.count))
      unsafe append(bytes: UnsafeRawBufferPointer(bytes))
    }
  }

  @inline(__always)
  mutating func append(identifier: Identifier) {
    switch identifier {
    case .uuid(let high, let low):
      append(word: high)
      append(word: low)
    case .custom(let text):
      append(word: 0)
      append(word: 0)
      append(text: text)
    }
  }

  @inline(__always)
  mutating func append(amount: Amount) {
    guard let value = amount.int64, value >= 0 else {
      append(wideAmount: amount)
      return
    }
    let byteCount = (71 - value.leadingZeroBitCount) >> 3
    append(byte: UInt8(byteCount))
    unsafe place.storeBytes(of: value.littleEndian, as: Int64.self)
    advance(byteCount)
  }

  @inline(never)
  private mutating func append(wideAmount amount: Amount) {
    var bytes: [UInt8] = []
    amount.appendBytes(to: &bytes)
    append(bytes: bytes)
  }
}
