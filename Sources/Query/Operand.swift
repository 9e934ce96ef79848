// What a filter compares with: typed values, one predicate, and how predicates are combined.

import Amounts

/// What a written time stands for, as a half-open range of microseconds since 1970: one microsecond, or a
/// whole UTC day when only a date was written.
package struct TimeRange: Sendable, Hashable {
  /// The first microsecond.
  package var start: Int64
  /// The first microsecond after it.
  package var end: Int64

  package init(start: Int64, end: Int64) {
    precondition(start < end, "a written time stands for at least one microsecond")
    self.start = start
    self.end = end
  }
}

/// A JSON value that a member of the metadata is compared with.
package enum MetadataValue: Sendable, Hashable {
  case text(String)
  /// The number as it was written.
  case number(String)
  case boolean(Bool)
  case null
  /// An object or an array as compact JSON; equal only to the same bytes.
  case other(String)
}

/// The right-hand side of a predicate. Its kind fits the field's type (see `FieldType`).
package enum Operand: Sendable, Hashable {
  /// For operators that take none.
  case none
  case amount(Amount)
  case text(String)
  case boolean(Bool)
  case time(TimeRange)
  case decimal(DecimalAmount)
  case metadata(MetadataValue)
  /// The values of `in`, or the two of `between`.
  case list([Operand])
  /// The value was null or absent: matches nothing, as in SQL.
  case null
}

/// One condition of a filter.
package struct Predicate: Sendable, Hashable {
  package var field: QueryField
  package var op: FilterOperator
  package var operand: Operand

  /// - Precondition: the field's type allows the operator.
  package init(field: QueryField, op: FilterOperator, operand: Operand) {
    precondition(field.type.allows(op), "\(op.name) is not for fields like \(field.name)")
    self.field = field
    self.op = op
    self.operand = operand
  }
}

/// How the predicates of a filter are combined.
package enum Combination: Sendable, Hashable {
  /// All must hold; no predicate at all selects every row.
  case all
  /// One must hold; no predicate at all selects every row.
  case any
}
