// An exact integer of any size: 128 bits inline, GMP beyond.

/// An exact integer of any size.
///
/// There is one form for each value: what fits `Int128` is kept inline and never as a GMP number, and zero
/// has no sign. So equality and hashing may look at the form, and the bytes of equal amounts are equal.
/// Inline amounts cost no allocation and no reference count. 17 bytes, stride 32.
///
/// `@usableFromInline`: Swift 6.3 inlines members into other modules only when their type bears it too.
@usableFromInline
package struct Amount: Sendable {
  @usableFromInline
  enum Storage: Sendable {
    case inline(Int128)
    /// Never a value that fits `Int128`.
    case big(BigInteger)
  }

  @usableFromInline let storage: Storage

  @inlinable
  init(storage: Storage) {
    self.storage = storage
  }

  /// The most decimal digits that are accepted from a client. Sums and products may go beyond it.
  package static let maximumDigits = 1_000

  @inlinable package static var zero: Amount { Amount(0 as Int128) }
  @inlinable package static var one: Amount { Amount(1 as Int128) }

  @inlinable @inline(__always)
  package init(_ value: Int128) {
    storage = .inline(value)
  }

  @inlinable @inline(__always)
  package init(_ value: Int) {
    storage = .inline(Int128(value))
  }

  @inlinable @inline(__always)
  package init(_ value: Int64) {
    storage = .inline(Int128(value))
  }

  @inlinable @inline(__always)
  package init(_ value: UInt64) {
    storage = .inline(Int128(value))
  }

  /// The value when it fits 128 bits, else nil.
  @inlinable @inline(__always) package var int128: Int128? {
    switch storage {
    case .inline(let value): value
    case .big: nil
    }
  }

  /// The value when it fits 64 bits, else nil.
  @inlinable @inline(__always) package var int64: Int64? {
    switch storage {
    case .inline(let value): Int64(exactly: value)
    case .big: nil
    }
  }

  @inlinable @inline(__always) package var isZero: Bool {
    switch storage {
    case .inline(let value): value == 0
    case .big: false
    }
  }

  @inlinable @inline(__always) package var isNegative: Bool {
    switch storage {
    case .inline(let value): value < 0
    case .big(let big): big.isNegative
    }
  }

  /// -1, 0 or 1.
  @inlinable @inline(__always) package var signum: Int {
    switch storage {
    case .inline(let value): Int(truncatingIfNeeded: value.signum())
    case .big(let big): big.isNegative ? -1 : 1
    }
  }

  /// The absolute value.
  @inlinable package var magnitude: Amount {
    isNegative ? -self : self
  }
}

// The operators below are always inlined and call out only when an operand is big: without that, each use of
// an amount from an array costs two calls that copy and release it.

extension Amount: Comparable {
  @inlinable @inline(__always)
  package static func == (left: Amount, right: Amount) -> Bool {
    if case .inline(let a) = left.storage, case .inline(let b) = right.storage { return a == b }
    return BigInteger.order(left, right) == 0
  }

  @inlinable @inline(__always)
  package static func < (left: Amount, right: Amount) -> Bool {
    if case .inline(let a) = left.storage, case .inline(let b) = right.storage { return a < b }
    return BigInteger.order(left, right) < 0
  }

  // As `Comparable` derives them, but inlined into other modules.
  @inlinable @inline(__always)
  package static func > (left: Amount, right: Amount) -> Bool { right < left }

  @inlinable @inline(__always)
  package static func <= (left: Amount, right: Amount) -> Bool { !(right < left) }

  @inlinable @inline(__always)
  package static func >= (left: Amount, right: Amount) -> Bool { !(left < right) }
}

extension Amount: Hashable {
  @inlinable
  package func hash(into hasher: inout Hasher) {
    switch storage {
    case .inline(let value): hasher.combine(value)
    case .big(let big): big.hash(into: &hasher)
    }
  }
}
