// The operators of a filter, and what a field's type lets them do.

/// How a field is compared with an operand.
package enum FilterOperator: Sendable, CaseIterable {
  case equal, notEqual, greater, greaterOrEqual, less, lessOrEqual
  /// One of a list.
  case isIn
  /// `%` any run, `_` one code point, `\` escapes; the whole text.
  case like
  /// As `like`, without regard to case.
  case ilike
  /// From the first to the second operand, both included.
  case between
  case isNull, isNotNull

  /// The operator that clients call `name`; `ne` and `neq` are one.
  package init?(name: String) {
    if name == "ne" {
      self = .notEqual
      return
    }
    guard let known = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = known
  }

  /// Its name on the wire.
  package var name: String {
    switch self {
    case .equal: "eq"
    case .notEqual: "neq"
    case .greater: "gt"
    case .greaterOrEqual: "gte"
    case .less: "lt"
    case .lessOrEqual: "lte"
    case .isIn: "in"
    case .like: "like"
    case .ilike: "ilike"
    case .between: "between"
    case .isNull: "isnull"
    case .isNotNull: "isnotnull"
    }
  }

  /// How many operands it takes.
  package var arity: Arity {
    switch self {
    case .isNull, .isNotNull: .none
    case .isIn: .list
    case .between: .pair
    case .equal, .notEqual, .greater, .greaterOrEqual, .less, .lessOrEqual, .like, .ilike: .one
    }
  }

  /// Number of operands; lists and pairs come as `Operand.list`.
  package enum Arity: Sendable {
    case none, one, pair, list
  }
}

/// What a field holds, and so which operands and operators it takes.
package enum FieldType: Sendable {
  /// An exact integer of any size; operands are `.amount`.
  case amount
  /// An integer of at most 64 bits; operands are `.amount`.
  case integer
  /// Text, ordered by UTF-8 bytes; operands are `.text`.
  case text
  /// The text of an identifier; operands are `.text`.
  case identifier
  /// A moment; operands are `.time`.
  case time
  /// Operands are `.boolean`.
  case boolean
  /// A decimal number; operands are `.decimal`.
  case decimal
  /// One member of the metadata; operands are `.metadata`.
  case metadata

  /// Whether a filter with that operator makes sense. What is not allowed is refused before a plan is made.
  package func allows(_ op: FilterOperator) -> Bool {
    switch op {
    case .equal, .notEqual, .isIn, .isNull, .isNotNull: true
    case .greater, .greaterOrEqual, .less, .lessOrEqual, .between: self != .boolean
    case .like, .ilike: self == .text || self == .identifier || self == .metadata
    }
  }

  /// The operators that `allows` takes, in their usual order.
  package var allowedOperators: [FilterOperator] { FilterOperator.allCases.filter(allows) }
}
