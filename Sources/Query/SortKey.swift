// The exact value that a row is sorted by, and its order.

import Amounts

/// A sort key. Keys of one field are all of one kind, or null; null is greater than every value, which puts
/// nulls first when descending and last when ascending.
enum SortKey: Sendable, Hashable {
  /// Times, integers, booleans.
  case integer(Int64)
  case amount(Amount)
  /// A decimal amount: minor units over precision, which is at least 1.
  case quotient(Amount, Amount)
  /// UTF-8 bytes.
  case text([UInt8])
  case null

  /// Negative, zero or positive as `left` comes before, with or after `right` in ascending order.
  static func order(_ left: SortKey, _ right: SortKey) -> Int {
    switch (left, right) {
    case (.null, .null): 0
    case (.null, _): 1
    case (_, .null): -1
    case (.integer(let left), .integer(let right)): left < right ? -1 : left > right ? 1 : 0
    case (.amount(let left), .amount(let right)): left < right ? -1 : left > right ? 1 : 0
    case (.quotient(let left, let divisor), .quotient(let right, let other)):
      order(.amount(left * other), .amount(right * divisor))
    case (.text(let left), .text(let right)):
      left.lexicographicallyPrecedes(right) ? -1 : left == right ? 0 : 1
    case (.integer, _), (.amount, _), (.quotient, _), (.text, _):
      preconditionFailure("keys of one field are of one kind")
    }
  }

  /// Whether keys of fields of that type look like this.
  func fits(_ type: FieldType) -> Bool {
    switch self {
    case .null: true
    case .integer: type == .integer || type == .time || type == .boolean
    case .amount: type == .amount
    case .quotient: type == .decimal
    case .text: type == .text || type == .identifier || type == .metadata
    }
  }

  /// Appends kind and value; see `Cursor` for the layout.
  func appendBytes(to bytes: inout [UInt8]) {
    switch self {
    case .null: bytes.append(0)
    case .integer(let value):
      bytes.append(1)
      Cursor.append(value, to: &bytes)
    case .amount(let amount):
      bytes.append(2)
      amount.appendBytes(to: &bytes)
    case .quotient(let amount, let precision):
      bytes.append(3)
      amount.appendBytes(to: &bytes)
      precision.appendBytes(to: &bytes)
    case .text(let text):
      bytes.append(4)
      bytes.append(contentsOf: text)
    }
  }
}
