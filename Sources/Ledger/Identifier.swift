// The names of things: a prefix and a UUID, or a prefix and a text that the caller chose.

import Amounts
import Columns
import Platform

/// What an identifier names; each kind has its prefix.
package enum EntityKind: UInt8, Sendable, CaseIterable {
  case ledger, balance, transaction, identity, batch

  /// The text before the UUID, underscore included.
  package var prefix: StaticString {
    switch self {
    case .ledger: "ldg_"
    case .balance: "bln_"
    case .transaction: "txn_"
    case .identity: "idt_"
    case .batch: "bulk_"
    }
  }
}

/// An identifier of a known kind.
///
/// Text: the kind's prefix, then a UUID in its canonical lower-case form, or 1 to 64 of `A-Z a-z 0-9 _ -`.
/// The ledger `general_ledger_id` is the one name without a prefix.
package enum Identifier: Hashable, Sendable {
  /// A UUID of the RFC 9562 variant, whose text is the canonical one.
  case uuid(high: UInt64, low: UInt64)
  /// Any other text, prefix included.
  case custom(String)

  /// The ledger that holds every `@indicator` balance.
  package static let generalLedger = Identifier.custom("general_ledger_id")
  /// Characters after the prefix, at most.
  package static let suffixLimit = 64

  /// Reads an identifier of `kind`; nil if the text is not one. O(bytes).
  package init?(_ text: UnsafeRawBufferPointer, kind: EntityKind) {
    let prefixCount = kind.prefix.utf8CodeUnitCount
    guard unsafe text.starts(with: UnsafeBufferPointer(start: kind.prefix.utf8Start, count: prefixCount))
    else {
      guard kind == .ledger, unsafe text.elementsEqual("general_ledger_id".utf8) else { return nil }
      self = .generalLedger
      return
    }
    let suffix = unsafe UnsafeRawBufferPointer(rebasing: text[prefixCount...])
    if let (high, low) = unsafe UUIDText.parse(suffix) {
      self = .uuid(high: high, low: low)
      return
    }
    guard suffix.count >= 1, suffix.count <= Self.suffixLimit, unsafe suffix.allSatisfy(Self.isAllowed) else {
      return nil
    }
    self = .custom(unsafe String(decoding: text, as: UTF8.self))
  }

  package init?(_ text: String, kind: EntityKind) {
    var text = text
    guard let identifier = text.withUTF8({ unsafe Identifier(UnsafeRawBufferPointer($0), kind: kind) }) else {
      return nil
    }
    self = identifier
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  /// Upper bound of the bytes that `write` needs.
  package static let textByteLimit = 5 + 64

  /// Writes the text and returns its length; there is room for `textByteLimit` bytes.
  package func write(kind: EntityKind, at target: UnsafeMutablePointer<UInt8>) -> Int {
    switch self {
    case .uuid(let high, let low):
      let prefixCount = kind.prefix.utf8CodeUnitCount
      unsafe target.update(from: kind.prefix.utf8Start, count: prefixCount)
      unsafe UUIDText.write(high: high, low: low, at: target + prefixCount)
      return prefixCount + UUIDText.byteCount
    case .custom(var text):
      return text.withUTF8 { bytes in
        if let base = bytes.baseAddress { unsafe target.update(from: base, count: bytes.count) }
        return bytes.count
      }
    }
  }

  /// The identifier as text.
  package func text(kind: EntityKind) -> String {
    unsafe String(unsafeUninitializedCapacity: Self.textByteLimit) { buffer in
      unsafe write(kind: kind, at: buffer.baseAddress.unsafelyUnwrapped)
    }
  }
}

/// The canonical text of a UUID: 8-4-4-4-12 lower-case hexadecimal digits.
package enum UUIDText {
  package static let byteCount = 36

  /// Reads a canonical UUID of the RFC variant (10 in the two highest bits of the low half); nil for any
  /// other text, so that a text and its 128 bits always name each other.
  package static func parse(_ text: UnsafeRawBufferPointer) -> (high: UInt64, low: UInt64)? {
    guard text.count == byteCount, let start = text.baseAddress else { return nil }
    let hyphen = UInt8(ascii: "-")
    guard unsafe text[8] == hyphen, unsafe text[13] == hyphen, unsafe text[18] == hyphen,
      unsafe text[23] == hyphen
    else { return nil }
    let first = unsafe eightDigits(start.loadUnaligned(as: UInt64.self))
    let second = unsafe eightDigits(fourAndFour(start, 9, 14))
    let third = unsafe eightDigits(fourAndFour(start, 19, 24))
    let fourth = unsafe eightDigits(start.loadUnaligned(fromByteOffset: 28, as: UInt64.self))
    guard (first | second | third | fourth) >> 32 == 0, third >> 30 == 2 else { return nil }
    return (first << 32 | second, third << 32 | fourth)
  }

  /// Two pieces of four bytes as one word.
  @inline(__always)
  private static func fourAndFour(_ start: UnsafeRawPointer, _ low: Int, _ high: Int) -> UInt64 {
    let lower = unsafe start.loadUnaligned(fromByteOffset: low, as: UInt32.self)
    let upper = unsafe start.loadUnaligned(fromByteOffset: high, as: UInt32.self)
    return UInt64(lower) | UInt64(upper) << 32
  }

  /// The value of eight lower-case hexadecimal digits, the first one in the lowest byte; 2^32 or more when
  /// one is none. All eight bytes at once: letters have bit 6 and count from 9 in their low halves.
  @inline(__always)
  private static func eightDigits(_ text: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let letters = text >> 6 & ones
    let values = (text & (ones &* 15)) &+ letters &* 9
    let large = (values &+ ones &* 118) >> 7 & ones
    // The digits of these values must be the text again, which finds all that is no digit below 16.
    guard values &+ ones &* 0x30 &+ large &* 39 == text, values & (ones &* 0xF0) == 0 else { return .max }
    var packed = values.byteSwapped
    packed = (packed | packed >> 4) & 0x00FF_00FF_00FF_00FF
    packed = (packed | packed >> 8) & 0x0000_FFFF_0000_FFFF
    return (packed | packed >> 16) & 0xFFFF_FFFF
  }

  /// Writes 36 bytes.
  package static func write(high: UInt64, low: UInt64, at target: UnsafeMutablePointer<UInt8>) {
    let raw = UnsafeMutableRawPointer(target)
    let second = digits(UInt32(truncatingIfNeeded: high))
    let third = digits(UInt32(truncatingIfNeeded: low >> 32))
    let dash = UInt8(ascii: "-")
    unsafe raw.storeBytes(of: digits(UInt32(truncatingIfNeeded: high >> 32)), as: UInt64.self)
    unsafe target[8] = dash
    unsafe raw.storeBytes(of: UInt32(truncatingIfNeeded: second), toByteOffset: 9, as: UInt32.self)
    unsafe target[13] = dash
    unsafe raw.storeBytes(of: UInt32(truncatingIfNeeded: second >> 32), toByteOffset: 14, as: UInt32.self)
    unsafe target[18] = dash
    unsafe raw.storeBytes(of: UInt32(truncatingIfNeeded: third), toByteOffset: 19, as: UInt32.self)
    unsafe target[23] = dash
    unsafe raw.storeBytes(of: UInt32(truncatingIfNeeded: third >> 32), toByteOffset: 24, as: UInt32.self)
    unsafe raw.storeBytes(of: digits(UInt32(truncatingIfNeeded: low)), toByteOffset: 28, as: UInt64.self)
  }

  /// Eight hexadecimal digits as eight bytes in the order of the text (little-endian), all at once.
  private static func digits(_ value: UInt32) -> UInt64 {
    var spread = UInt64(value.byteSwapped)
    spread = (spread & 0xFFFF_0000) << 16 | spread & 0xFFFF
    spread = (spread << 8 | spread) & 0x00FF_00FF_00FF_00FF
    let nibbles = spread >> 4 & 0x000F_000F_000F_000F | (spread & 0x000F_000F_000F_000F) << 8
    // Adding 6 carries into bit 4 for the digits from a on; their letters lie 39 beyond the decimal digits.
    let letters = (nibbles &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
    return nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 39
  }
}

/// Makes identifiers: UUIDs of version 7, so that those made later sort later.
///
/// Layout: 48 bits of milliseconds, version, 12 bits and 62 bits of a counter that starts at random in each
/// millisecond and rises by random steps. If the clock stands still or falls back, the last millisecond goes
/// on.
package struct IdentifierSource: Sendable {
  private var random: RandomState
  private var lastMillisecond: UInt64 = 0
  private var counterHigh: UInt64 = 0
  private var counterLow: UInt64 = 0

  /// - Parameter seed: 128 random bits; the same seed and times give the same identifiers.
  package init(seed: (UInt64, UInt64)) { random = RandomState(seed: seed) }

  /// The next identifier, greater than all before it. O(1).
  package mutating func next(at time: Microseconds) -> Identifier {
    let millisecond = UInt64(max(time.count / 1000, 0)) & (1 << 48 - 1)
    if millisecond > lastMillisecond {
      lastMillisecond = millisecond
      counterHigh = random.next() & 0x7FF
      counterLow = random.next() & (1 << 62 - 1)
    } else {
      counterLow += random.next() & 0xFFFF_FFFF | 1
      if counterLow >> 62 != 0 {
        counterLow &= 1 << 62 - 1
        counterHigh += 1
      }
      if counterHigh >> 12 != 0 {
        counterHigh = 0
        lastMillisecond += 1
      }
    }
    return .uuid(high: lastMillisecond << 16 | 0x7000 | counterHigh, low: 1 << 63 | counterLow)
  }
}

/// xoroshiro128+ (Blackman and Vigna): small and fast; identifiers need to be distinct, not secret.
private struct RandomState: Sendable {
  private var state: (UInt64, UInt64)

  init(seed: (UInt64, UInt64)) { state = (seed.0 | 1, seed.1) }

  mutating func next() -> UInt64 {
    let result = state.0 &+ state.1
    let mixed = state.1 ^ state.0
    state.0 = (state.0 << 24 | state.0 >> 40) ^ mixed ^ (mixed << 16)
    state.1 = mixed << 37 | mixed >> 27
    return result
  }
}
