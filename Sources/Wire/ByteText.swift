// Copying, comparing and hashing spans of bytes, which the standard library does only for pointers.

import Ledger

/// A fence: calls that take pointers, behind spans.
@usableFromInline
enum ByteText {
  /// Appends `bytes` to `text`.
  static func append(_ bytes: Span<UInt8>, to text: inout [UInt8]) {
    unsafe bytes.withUnsafeBufferPointer { unsafe text.append(contentsOf: $0) }
  }

  /// The text that `bytes`, which are known to be UTF-8, spell.
  static func string(_ bytes: Span<UInt8>) -> String {
    unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
  }

  /// The text of a piece of UTF-8 that may end within a character, which is left out.
  static func lossyString(_ bytes: Span<UInt8>) -> String {
    var end = bytes.count
    while end > 0, bytes[end - 1] & 0xC0 == 0x80 { end -= 1 }
    if end > 0, bytes[end - 1] >= 0xC0 { end -= 1 } else { end = bytes.count }
    return string(bytes.extracting(0..<end))
  }

  /// Whether `bytes` spell `word`.
  @inlinable
  static func equal(_ bytes: Span<UInt8>, _ word: StaticString) -> Bool {
    let byteCount = word.utf8CodeUnitCount
    guard bytes.count == byteCount else { return false }
    for offset in 0..<byteCount where unsafe bytes[offset] != word.utf8Start[offset] { return false }
    return true
  }

  /// The identifier of `kind` that `bytes` spell, nil when they spell none.
  static func identifier(_ bytes: Span<UInt8>, kind: EntityKind) -> Identifier? {
    unsafe bytes.withUnsafeBytes { unsafe Identifier($0, kind: kind) }
  }

  /// The bytes of a static text.
  static func bytes(of word: StaticString) -> [UInt8] {
    unsafe Array(UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
  }

  /// A hash under the key of this process: nobody outside can choose bytes that collide.
  static func hash(_ bytes: [UInt8]) -> UInt64 {
    var hasher = Hasher()
    unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    return UInt64(truncatingIfNeeded: hasher.finalize())
  }
}

/// Short text as a number, for `switch` and for quick comparison.
@usableFromInline
package enum JSONWord {
  /// The first eight bytes of `count` bytes at `start`, first byte lowest, missing bytes zero.
  @inlinable
  @inline(__always)
  static func load(_ bytes: Span<UInt8>, _ start: Int, _ count: Int) -> UInt64 {
    if start + 8 <= bytes.count {
      let word = unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: start, as: UInt64.self).littleEndian
      return count >= 8 ? word : word & ((1 << UInt64(count &* 8)) - 1)
    }
    return loadSlowly(bytes, start, min(count, 8))
  }

  @usableFromInline
  static func loadSlowly(_ bytes: Span<UInt8>, _ start: Int, _ count: Int) -> UInt64 {
    var word: UInt64 = 0
    for offset in 0..<count { word |= UInt64(bytes[start + offset]) << UInt64(offset * 8) }
    return word
  }

  /// The first eight bytes of `name` as `load` gives them.
  @inlinable
  package static func of(_ name: StaticString) -> UInt64 {
    var word: UInt64 = 0
    for offset in 0..<min(name.utf8CodeUnitCount, 8) {
      word |= unsafe UInt64(name.utf8Start[offset]) << UInt64(offset * 8)
    }
    return word
  }
}
