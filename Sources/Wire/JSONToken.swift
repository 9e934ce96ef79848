// One entry of a parsed line: what stands where.

/// What a token is.
@frozen
@usableFromInline
package enum JSONKind: UInt8, Sendable {
  case object, array, string, number, `true`, `false`, null
  /// The name of a member; its value is the next token.
  case key
}

/// One token of a line, 16 bytes:
///
///     start  32 bits   offset of the first byte
///     end    32 bits   offset after the last byte (a string's quotes are inside)
///     next   32 bits   index of the token after this value and everything in it
///     meta   32 bits   kind (bits 0-3), flags (bits 4-7), members or elements (bits 8-31, saturating)
@usableFromInline
struct JSONToken: Equatable, Sendable {
  @usableFromInline var start: UInt32
  @usableFromInline var end: UInt32
  @usableFromInline var next: UInt32
  @usableFromInline var meta: UInt32

  /// A string or key: at least one backslash in it. A number: a fraction or an exponent.
  static let flag: UInt32 = 1 << 4
  @usableFromInline static let greatestCount: UInt32 = 1 << 24 - 1

  @inline(__always)
  init(start: UInt32, end: UInt32, next: UInt32, kind: JSONKind, flag: Bool = false) {
    self.start = start
    self.end = end
    self.next = next
    meta = UInt32(kind.rawValue) | (flag ? Self.flag : 0)
  }

  @inlinable var kind: JSONKind {
    switch meta & 15 {
    case 0: .object
    case 1: .array
    case 2: .string
    case 3: .number
    case 4: .true
    case 5: .false
    case 6: .null
    default: .key
    }
  }

  @inlinable var isFlagged: Bool { meta & 16 != 0 }
  @inlinable var storedCount: UInt32 { meta >> 8 }
}
