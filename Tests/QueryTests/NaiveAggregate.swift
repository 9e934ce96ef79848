// The naive twin of aggregates: rows in dictionaries by the texts that they are grouped by.

import Amounts
import Columns
import Ledger
import Query
import TestSupport

/// A group as the twin sees it: its keys as text, and its values.
struct TwinGroup: Equatable, CustomStringConvertible {
  var keys: [String?]
  var values: [MetricValue]

  var description: String { "\(keys) \(values)" }
}

extension NaiveQuery {
  /// The groups of a request, in order, by looking at every row.
  func groups(_ request: AggregateRequest, having: [TwinHaving]) -> [TwinGroup] {
    let rows = Set(
      rows(
        QueryRequest(
          table: request.table, predicates: request.predicates, combination: request.combination, limit: nil))
    )
    var members: [[String?]: [TwinRow]] = [:]
    if request.groupBy.isEmpty { members[[]] = [] }
    for row in tables[request.table]! where rows.contains(row.row) {
      members[request.groupBy.map { Self.key(row, $0) }, default: []].append(row)
    }
    var groups = members.map { keys, rows in
      TwinGroup(keys: keys, values: request.metrics.map { Self.value($0, rows) })
    }
    groups.removeAll { group in !having.allSatisfy { $0.holds(group.values[$0.metric]) } }
    groups.sort { left, right in Self.precedes(left, right, request) }
    return Array(groups.prefix(request.limit ?? .max))
  }

  private static func key(_ row: TwinRow, _ column: GroupColumn) -> String? {
    if column.name.hasPrefix("created_at:"), case .time(let time)? = row.values["created_at"] {
      return date(time, column.name)
    }
    switch row.values[column.name]! {
    case .text(let text): return text
    case .boolean(let flag): return flag ? "true" : "false"
    case .null: return nil
    default: preconditionFailure("no value to group by")
    }
  }

  /// Counts the days of years and months one after the other.
  private static func date(_ time: Int64, _ column: String) -> String {
    let perDay: Int64 = 86_400_000_000
    var day = time >= 0 ? time / perDay : -((-time + perDay - 1) / perDay)
    var year = 1970
    func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }
    func length(_ year: Int) -> Int64 { isLeap(year) ? 366 : 365 }
    while day < 0 {
      year -= 1
      day += length(year)
    }
    while day >= length(year) {
      day -= length(year)
      year += 1
    }
    var month = 1
    let lengths: [Int64] = [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    while day >= lengths[month - 1] {
      day -= lengths[month - 1]
      month += 1
    }
    func digits(_ value: Int, _ count: Int) -> String { String(String(value + 100_000).suffix(count)) }
    let parts = [digits(year, 4), digits(month, 2), digits(Int(day) + 1, 2)]
    return parts.prefix(column.hasSuffix("day") ? 3 : column.hasSuffix("month") ? 2 : 1)
      .joined(separator: "-")
  }

  private static func value(_ metric: Metric, _ rows: [TwinRow]) -> MetricValue {
    guard let field = metric.field else { return .count(rows.count) }
    if field.name == "created_at" {
      let times: [Int64] = rows.map { if case .time(let time)? = $0.values["created_at"] { time } else { 0 } }
      let found = metric.function == .min ? times.min() : times.max()
      return found.map { .time($0) } ?? .null
    }
    let amounts: [Amount] = rows.map {
      if case .number(let amount)? = $0.values[field.name] { amount } else { .zero }
    }
    let sum = amounts.reduce(.zero, +)
    switch metric.function {
    case .count: return .count(rows.count)
    case .sum: return .amount(sum)
    case .avg: return rows.isEmpty ? .null : .average(sum, rows.count)
    case .min: return amounts.min().map { .amount($0) } ?? .null
    case .max: return amounts.max().map { .amount($0) } ?? .null
    }
  }

  // MARK: Order

  private static func precedes(_ left: TwinGroup, _ right: TwinGroup, _ request: AggregateRequest) -> Bool {
    func keys(_ ascending: Bool) -> Bool {
      for (one, other) in zip(left.keys, right.keys) {
        let order = order(one, other)
        if order != 0 { return (order < 0) == ascending }
      }
      return false
    }
    switch request.order {
    case .columns(let ascending): return keys(ascending)
    case .column(let index, let ascending):
      let order = order(left.keys[index], right.keys[index])
      return order == 0 ? keys(true) : (order < 0) == ascending
    case .metric(let index, let ascending):
      let order = order(left.values[index], right.values[index])
      return order == 0 ? keys(true) : (order < 0) == ascending
    }
  }

  private static func order(_ left: String?, _ right: String?) -> Int {
    guard let left else { return right == nil ? 0 : 1 }
    guard let right else { return -1 }
    return textOrder(left, right)
  }

  static func order(_ left: MetricValue, _ right: MetricValue) -> Int {
    func order<Value: Comparable>(_ left: Value, _ right: Value) -> Int {
      left < right ? -1 : left == right ? 0 : 1
    }
    switch (left, right) {
    case (.count(let left), .count(let right)): return order(left, right)
    case (.amount(let left), .amount(let right)): return order(left, right)
    case (.time(let left), .time(let right)): return order(left, right)
    case (.average(let left, let count), .average(let right, let other)):
      return order(left * Amount(other), right * Amount(count))
    case (.null, .null): return 0
    case (.null, _): return 1
    case (_, .null): return -1
    default: preconditionFailure("values of one metric")
    }
  }
}

/// A condition on groups as the twin checks it: against values of the metric itself.
struct TwinHaving {
  var metric: Int
  var op: FilterOperator
  var bounds: [MetricValue]

  func holds(_ value: MetricValue) -> Bool {
    if op == .isNull { return value == .null }
    if value == .null { return false }
    let orders = bounds.map { NaiveQuery.order(value, $0) }
    switch op {
    case .equal: return orders[0] == 0
    case .notEqual: return orders[0] != 0
    case .greater: return orders[0] > 0
    case .greaterOrEqual: return orders[0] >= 0
    case .less: return orders[0] < 0
    case .lessOrEqual: return orders[0] <= 0
    case .between: return orders[0] >= 0 && orders[1] <= 0
    case .isIn: return orders.contains(0)
    case .isNotNull: return true
    case .like, .ilike, .isNull: return false
    }
  }
}

extension RandomRequests {
  /// A random aggregate, with its conditions on groups as the twin needs them.
  /// Sums and bounds of balances by small codes, of all rows or those of a range: what loops over lanes take.
  mutating func commonAggregate() -> (AggregateRequest, [TwinHaving]) {
    let names = ["balance", "credit_balance", "debit_balance", "inflight_credit_balance"]
    let columns = ["currency", "ledger_id", "indicator", "track_fund_lineage", "allocation_strategy"]
    let metrics = Metric.all(in: .balances).filter { metric in
      names.contains(metric.field?.name ?? "balance")
    }.shuffled(using: &generator)
    var predicates: [Predicate] = []
    if chance(2, in: 3),
      let field = QueryField.named(chance(2, in: 3) ? "balance" : "currency", in: .balances)
    {
      predicates.append(commonPredicate(field))
    }
    return ordered(
      AggregateRequest(
        table: .balances, predicates: predicates,
        groupBy: columns.shuffled(using: &generator).prefix(Int.random(in: 1...3, using: &generator))
          .compactMap { GroupColumn.named($0, in: .balances) },
        metrics: Array(metrics.prefix(Int.random(in: 1...4, using: &generator)))))
  }

  /// Least and greatest balances by ledger and currency, of all or some of these.
  mutating func extremes() -> (AggregateRequest, [TwinHaving]) {
    let extreme = Metric.named(chance(1, in: 2) ? "min:balance" : "max:balance", in: .balances)
    let others = ["count", "sum:balance", "avg:credit_balance", "min:balance", "max:balance"]
      .compactMap { Metric.named($0, in: .balances) }.filter { $0 != extreme }.shuffled(using: &generator)
    let metrics = [extreme].compactMap { $0 } + others.prefix(Int.random(in: 0...3, using: &generator))
    var predicates: [Predicate] = []
    for name in ["currency", "ledger_id"] where chance(1, in: 4) {
      guard let field = QueryField.named(name, in: .balances) else { continue }
      let wasNamed = twin.tables[.balances]?.randomElement(using: &generator)?.values[name] ?? .null
      guard case .text(let text) = wasNamed else { continue }
      predicates.append(
        Predicate(field: field, op: chance(1, in: 2) ? .equal : .notEqual, operand: .text(text)))
    }
    return ordered(
      AggregateRequest(
        table: .balances, predicates: predicates, combination: chance(2, in: 3) ? .all : .any,
        groupBy: ["currency", "ledger_id"].shuffled(using: &generator)
          .prefix(Int.random(in: 0...2, using: &generator))
          .compactMap { GroupColumn.named($0, in: .balances) },
        metrics: metrics.shuffled(using: &generator)))
  }

  mutating func aggregate(_ table: QueryTable) -> (AggregateRequest, [TwinHaving]) {
    let predicates = (0..<[0, 0, 1, 2].randomElement(using: &generator)!).map { _ in predicate(table) }
    let columns = GroupColumn.all(in: table).shuffled(using: &generator)
    let columnCount = [0, 1, 1, 2, 2, 3, 6].randomElement(using: &generator)!
    let metrics = Metric.all(in: table).shuffled(using: &generator)
    return ordered(
      AggregateRequest(
        table: table, predicates: predicates, combination: chance(2, in: 3) ? .all : .any,
        groupBy: Array(columns.prefix(columnCount)),
        metrics: Array(metrics.prefix(Int.random(in: 1...5, using: &generator)))))
  }

  /// The request with conditions on its groups, an order and a limit.
  private mutating func ordered(_ request: AggregateRequest) -> (AggregateRequest, [TwinHaving]) {
    var request = request
    var having: [TwinHaving] = []
    let found = twin.groups(request, having: [])
    while chance(1, in: 3), having.count < 3, !found.isEmpty {
      having.append(self.having(request, found))
    }
    request.having = having.map { condition in
      HavingCondition(
        metric: condition.metric, request.metrics[condition.metric], condition.op,
        Self.operand(condition))
    }
    switch Int.random(in: 0..<4, using: &generator) {
    case 0 where !request.groupBy.isEmpty:
      request.order = .column(
        request.groupBy.indices.randomElement(using: &generator)!, ascending: chance(1, in: 2))
    case 1, 2:
      request.order = .metric(
        request.metrics.indices.randomElement(using: &generator)!, ascending: chance(1, in: 2))
    default: request.order = .columns(ascending: chance(2, in: 3))
    }
    if chance(1, in: 3) { request.limit = Int.random(in: 1...10, using: &generator) }
    return (request, having)
  }

  /// A condition whose operands are mostly values that groups have. Averages are compared with wholes.
  private mutating func having(_ request: AggregateRequest, _ found: [TwinGroup]) -> TwinHaving {
    let metric = request.metrics.indices.randomElement(using: &generator)!
    let ops = request.metrics[metric].type.allowedOperators.filter { $0 != .like && $0 != .ilike }
    let op = ops.randomElement(using: &generator)!
    let count =
      switch op.arity {
      case .none: 0
      case .one: 1
      case .pair: 2
      case .list: 3
      }
    let bounds = (0..<count).map { _ -> MetricValue in
      switch found.randomElement(using: &generator)!.values[metric] {
      case .average(let sum, let count):
        return .average(sum.quotientAndRemainder(dividingBy: Amount(count)).quotient, 1)
      case .null: return Self.zero(request.metrics[metric])
      case let value: return value
      }
    }
    return TwinHaving(metric: metric, op: op, bounds: bounds)
  }

  private static func zero(_ metric: Metric) -> MetricValue {
    switch metric.type {
    case .time: .time(0)
    case .decimal: .average(.zero, 1)
    default: metric.function == .count ? .count(0) : .amount(.zero)
    }
  }

  private static func operand(_ condition: TwinHaving) -> Operand {
    let operands = condition.bounds.map { bound -> Operand in
      switch bound {
      case .count(let count): .amount(Amount(count))
      case .amount(let amount): .amount(amount)
      case .time(let time): .time(TimeRange(start: time, end: time + 1))
      case .average(let sum, _): .decimal(try! DecimalAmount("\(sum)"))
      case .null: .null
      }
    }
    switch condition.op.arity {
    case .none: return .none
    case .one: return operands[0]
    case .pair, .list: return .list(operands)
    }
  }
}
