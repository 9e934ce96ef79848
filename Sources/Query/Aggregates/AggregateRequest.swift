// A question for groups of rows, decoded, and its answer as codes and values.

import Amounts

/// A condition that a group must meet to be in the answer.
package struct HavingCondition: Sendable, Hashable {
  /// Index into the request's metrics.
  package let metric: Int
  let test: HavingTest

  /// - Precondition: the metric's type allows the operator, and the operand is of its kind.
  package init(metric index: Int, _ metric: Metric, _ op: FilterOperator, _ operand: Operand) {
    precondition(metric.type.allows(op), "\(op.name) is not for \(metric.name)")
    self.metric = index
    test = HavingTest(metric.type, op, operand)
  }
}

/// A condition with its operand resolved.
enum HavingTest: Sendable, Hashable {
  case isNull, isNotNull
  case amounts(AmountRanges)
  /// Compared exactly with sum over count, not with the rounded average.
  case averages(DecimalRanges)
  case times(IntegerRanges)

  init(_ type: FieldType, _ op: FilterOperator, _ operand: Operand) {
    switch op {
    case .isNull: self = .isNull
    case .isNotNull: self = .isNotNull
    default:
      switch type {
      case .decimal: self = .averages(DecimalRanges(op, operand))
      case .time: self = .times(IntegerRanges(op, times: operand))
      default: self = .amounts(AmountRanges(op, operand))
      }
    }
  }

  func holds(_ value: MetricValue) -> Bool {
    switch (self, value) {
    case (.isNull, _): value == .null
    case (.isNotNull, _): value != .null
    case (_, .null): false
    case (.amounts(let set), .count(let count)): set.contains(Amount(count))
    case (.amounts(let set), .amount(let amount)): set.contains(amount)
    case (.averages(let set), .average(let sum, let count)):
      set.contains((precise: sum, precision: Amount(count)))
    case (.times(let set), .time(let time)): set.contains(time)
    case (.amounts, _), (.averages, _), (.times, _): preconditionFailure("conditions fit their metrics")
    }
  }
}

/// The order of the groups. Ties are in the order of the group columns, ascending.
package enum GroupOrder: Sendable, Hashable {
  /// By all group columns, one after the other.
  case columns(ascending: Bool)
  /// By one of them, an index into the request's `groupBy`.
  case column(Int, ascending: Bool)
  /// By a metric, an index into the request's metrics.
  case metric(Int, ascending: Bool)
}

/// Groups of the rows that a filter leaves, and what is computed of each.
package struct AggregateRequest: Sendable, Hashable {
  package var table: QueryTable
  package var predicates: [Predicate]
  package var combination: Combination
  /// Empty: all rows are one group, which is there even without rows.
  package var groupBy: [GroupColumn]
  package var metrics: [Metric]
  /// All must hold.
  package var having: [HavingCondition]
  package var order: GroupOrder
  /// Groups at most; nil for all.
  package var limit: Int?

  /// Columns of `group_by` at most.
  package static let groupColumnLimit = 6
  /// Groups that are kept while a request is answered; beyond it ends with `QueryStopped.tooManyGroups`.
  package static let groupLimit = 1_000_000

  package init(
    table: QueryTable, predicates: [Predicate] = [], combination: Combination = .all,
    groupBy: [GroupColumn] = [], metrics: [Metric], having: [HavingCondition] = [],
    order: GroupOrder = .columns(ascending: true), limit: Int? = nil
  ) {
    precondition(predicates.allSatisfy { $0.field.table == table }, "fields of the table that is asked")
    precondition(groupBy.allSatisfy { $0.table == table }, "columns of the table that is asked")
    precondition(metrics.allSatisfy { $0.field?.table ?? table == table }, "metrics of that table")
    precondition(having.allSatisfy { metrics.indices.contains($0.metric) }, "conditions on its metrics")
    precondition(groupBy.count <= Self.groupColumnLimit && limit ?? 1 > 0, "within the bounds")
    self.table = table
    self.predicates = predicates
    self.combination = combination
    self.groupBy = groupBy
    self.metrics = metrics
    self.having = having
    self.order = order
    self.limit = limit
  }

  /// The filter alone, as a query for rows.
  var filter: QueryRequest {
    QueryRequest(table: table, predicates: predicates, combination: combination, limit: 0)
  }
}

/// The groups of an answer, in order. Equal results have equal groups, however they were found.
package struct AggregateResult: Sendable, Equatable {
  /// Number of groups.
  package var count: Int
  /// The codes of each group, as many as `group_by` has columns, one group after the other.
  package var codes: [UInt32]
  /// The metrics of each group, one group after the other.
  package var values: [MetricValue]
  /// How they were found.
  package var trace = QueryTrace()

  package init(count: Int, codes: [UInt32], values: [MetricValue]) {
    self.count = count
    self.codes = codes
    self.values = values
  }

  package static func == (left: AggregateResult, right: AggregateResult) -> Bool {
    left.count == right.count && left.codes == right.codes && left.values == right.values
  }
}
