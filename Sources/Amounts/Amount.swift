// An exact integer of any size: 128 bits inline, GMP beyond.

/// An exact integer of any size.
///
/// There is one form for each value: what fits `Int128` is kept inline and never as a GMP number, and zero
/// has no sign. So equality and hashing may look at the form, and the bytes of equal amounts are equal.
/// Inline amounts cost no allocation and no reference count. 17 bytes, stride 32.
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

  @inlinable
  package init(_ value: Int128) {
    storage = .inline(value)
  }

  @inlinable
  package init(_ value: Int) {
    storage = .inline(Int128(value))
  }

  @inlinable
  package init(_ value: Int64) {
    storage = .inline(Int128(value))
  }

  @inlinable
  package init(_ value: UInt64) {
    storage = .inline(Int128(value))
  }

  /// The value when it fits 128 bits, else nil.
  @inlinable package var int128: Int128? {
    switch storage {
    case .inline(let value): value
    case .big: nil
    }
  }

  /// The value when it fits 64 bits, else nil.
  @inlinable package var int64: Int64? {
    switch storage {
    case .inline(let value): Int64(exactly: value)
    case .big: nil
    }
  }

  @inlinable package var isZero: Bool {
    switch storage {
    case .inline(let value): value == 0
    case .big: false
    }
  }

  @inlinable package var isNegative: Bool {
    switch storage {
    case .inline(let value): value < 0
    case .big(let big): big.isNegative
    }
  }

  /// -1, 0 or 1.
  @inlinable package var signum: Int {
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

extension Amount: Comparable {
  @inlinable
  package static func == (left: Amount, right: Amount) -> Bool {
    switch (left.storage, right.storage) {
    case (.inline(let a), .inline(let b)): a == b
    case (.big(let a), .big(let b)): BigInteger.order(a, b) == 0
    case (.inline, .big), (.big, .inline): false
    }
  }

  @inlinable
  package static func < (left: Amount, right: Amount) -> Bool {
    switch (left.storage, right.storage) {
    case (.inline(let a), .inline(let b)): a < b
    // A big number lies outside the range of all inline ones, so its sign decides.
    case (.inline, .big(let b)): !b.isNegative
    case (.big(let a), .inline): a.isNegative
    case (.big(let a), .big(let b)): BigInteger.order(a, b) < 0
    }
  }

  // As `Comparable` derives them, but inlined into other modules.
  @inlinable
  package static func > (left: Amount, right: Amount) -> Bool { right < left }

  @inlinable
  package static func <= (left: Amount, right: Amount) -> Bool { !(right < left) }

  @inlinable
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
