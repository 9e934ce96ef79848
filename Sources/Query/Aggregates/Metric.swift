// What is computed of each group.

import Amounts

/// One entry of `metrics`.
package struct Metric: Sendable, Hashable {
  package enum Function: String, Sendable, Hashable, CaseIterable {
    case count, sum, min, max, avg
  }

  package let function: Function
  /// What it is computed of; nil for `count`.
  package let field: QueryField?

  /// Its name on the wire: `count`, or function and field with a colon between.
  package var name: String { field.map { "\(function.rawValue):\($0.name)" } ?? function.rawValue }

  /// Rows of a group.
  package static let count = Metric(function: .count, field: nil)

  private init(function: Function, field: QueryField?) {
    self.function = function
    self.field = field
  }

  /// The metric of a field; nil when the field has no such metric.
  package init?(_ function: Function, of field: QueryField) {
    guard function != .count, Self.fields(of: function, in: field.table).contains(field) else { return nil }
    self.init(function: function, field: field)
  }

  /// The metric that clients call `name`.
  package static func named(_ name: String, in table: QueryTable) -> Metric? {
    if name == Function.count.rawValue { return count }
    let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let function = Function(rawValue: String(parts[0])),
      let field = QueryField.named(String(parts[1]), in: table)
    else { return nil }
    return Metric(function, of: field)
  }

  /// All metrics of a table, in a fixed order.
  package static func all(in table: QueryTable) -> [Metric] {
    [count]
      + Function.allCases.flatMap { function in
        fields(of: function, in: table).map { Metric(function: function, field: $0) }
      }
  }

  /// Amounts have every metric, the time of creation has the earliest and the latest.
  private static func fields(of function: Function, in table: QueryTable) -> [QueryField] {
    guard table == .balances || table == .transactions else { return [] }
    return QueryField.all(in: table).filter { field in
      switch function {
      case .count: false
      case .sum, .avg: field.type == .amount
      case .min, .max: field.type == .amount || field.source == .createdAt
      }
    }
  }

  /// What it is compared with in `having`.
  package var type: FieldType {
    switch function {
    case .count: .integer
    case .avg: .decimal
    case .sum, .min, .max: field?.type ?? .amount
    }
  }
}

/// The value of a metric.
package enum MetricValue: Sendable, Hashable {
  case count(Int)
  case amount(Amount)
  /// A sum over a number of rows, which is at least 1.
  case average(Amount, Int)
  /// Microseconds since 1970.
  case time(Int64)
  /// Of no rows.
  case null

  /// Negative, zero or positive as `left` is less than, equal to or greater than `right`; null is greatest.
  package static func order(_ left: MetricValue, _ right: MetricValue) -> Int {
    switch (left, right) {
    case (.null, .null): 0
    case (.null, _): 1
    case (_, .null): -1
    case (.count(let left), .count(let right)): left < right ? -1 : left == right ? 0 : 1
    case (.time(let left), .time(let right)): left < right ? -1 : left == right ? 0 : 1
    case (.amount(let left), .amount(let right)): left < right ? -1 : left == right ? 0 : 1
    case (.average(let left, let count), .average(let right, let other)):
      order(.amount(left * Amount(other)), .amount(right * Amount(count)))
    case (.count, _), (.time, _), (.amount, _), (.average, _):
      preconditionFailure("values of one metric are of one kind")
    }
  }
}

extension MetricValue {
  /// Digits of an average behind its point, at most.
  package static let averageDigits = 6

  /// `sum / count` times 10 to the power of `averageDigits`, rounded to the nearest integer, halves to the
  /// even one.
  package static func roundedAverage(_ sum: Amount, _ count: Int) -> Amount {
    precondition(count > 0, "an average of no rows")
    let scaled = sum * .power(of10: averageDigits)
    let (quotient, remainder) = scaled.quotientAndRemainder(dividingBy: Amount(count))
    let rest = remainder.magnitude
    let twice = rest + rest
    let isUp = twice > Amount(count) || (twice == Amount(count) && !quotient.isEven)
    if !isUp { return quotient }
    return sum.isNegative ? quotient - .one : quotient + .one
  }
}

extension Amount {
  fileprivate var isEven: Bool { quotientAndRemainder(dividingBy: Amount(2)).remainder.isZero }
}
