// Why text or bytes are not an amount.

/// Why text or bytes from outside are refused as an amount. Offsets count bytes from the start of the text.
package enum AmountError: Error, Equatable, Sendable {
  /// There is no text at all.
  case empty
  /// The text is not `-?[0-9]+`; `offset` is that of the first byte that breaks it, or the length when the
  /// text ends too early.
  case notAnInteger(offset: Int)
  /// The text is not `-?[0-9]+` with an optional `.[0-9]+`; `offset` as above.
  case notADecimal(offset: Int)
  /// The text is well formed, but has too many digits (leading and trailing zeros count).
  case tooManyDigits(found: Int, allowed: Int)
  /// The bytes end before the amount does.
  case truncated
  /// The bytes hold an amount in a form that `appendBytes(to:)` never writes.
  case notCanonical
}

extension AmountError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .empty: "no digits"
    case .notAnInteger(let offset): "not an integer at byte \(offset)"
    case .notADecimal(let offset): "not a decimal number at byte \(offset)"
    case .tooManyDigits(let found, let allowed): "\(found) digits; at most \(allowed) are accepted"
    case .truncated: "the bytes of an amount end too early"
    case .notCanonical: "the bytes of an amount are not in their shortest form"
    }
  }
}
