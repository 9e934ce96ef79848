// Aggregates from the live totals of the (ledger, currency) groups: no row is looked at.

import Amounts
import Columns
import Ledger

/// The totals of all groups at one moment.
struct GroupImages {
  /// More groups than this are not copied while writers wait: about 10 ns each.
  static let groupLimit = 4096

  private(set) var ledgers: [UInt32] = []
  private(set) var currencies: [UInt32] = []
  private(set) var totals: [GroupTotals] = []

  /// - Parameter cut: an instant one.
  init(_ cut: Cut) {
    let groups = cut.groups
    let count = groups.count
    ledgers.reserveCapacity(count)
    currencies.reserveCapacity(count)
    totals.reserveCapacity(count)
    for group in 0..<UInt32(count) {
      ledgers.append(groups.ledger(of: group).rawValue)
      currencies.append(groups.currency(of: group))
      totals.append(groups.totals(group))
    }
  }
}

/// One request, ready to be answered from group images after the instant is over.
struct LiveGroupAnswer {
  let request: AggregateRequest
  /// Made of tests of ledgers and currencies only.
  let test: RowTest
  let alphabets: Alphabets
  let planning: Int

  /// Whether filter, columns and metrics are such that groups can answer, and the filter is soon resolved.
  static func suits(_ request: AggregateRequest) -> Bool {
    guard request.table == .balances else { return false }
    let isGrouped = request.groupBy.allSatisfy { $0.source == .ledger || $0.source == .currency }
    let isMeasured = request.metrics.allSatisfy { metric in
      switch metric.function {
      case .count: true
      case .sum, .avg: [.balance, .credit, .debit].contains(metric.field?.source ?? .createdAt)
      case .min, .max: false
      }
    }
    return isGrouped && isMeasured && request.predicates.count <= 16 && request.predicates.allSatisfy(suits)
  }

  /// Conditions whose codes are looked up one by one.
  private static func suits(_ predicate: Predicate) -> Bool {
    guard predicate.field.source == .ledger || predicate.field.source == .currency else { return false }
    switch predicate.op {
    case .equal, .notEqual, .isNull, .isNotNull: return true
    case .isIn:
      if case .list(let values) = predicate.operand { return values.count <= 64 } else { return true }
    case .greater, .greaterOrEqual, .less, .lessOrEqual, .between, .like, .ilike: return false
    }
  }

  /// Resolves a request that `suits` under an instant; nil when something would take long the first time.
  init?(_ request: AggregateRequest, instant cut: Cut, _ ranks: RankCache) {
    let watch = Stopwatch()
    let reader = RowReader(cut: cut, table: .balances)
    guard cut.groups.count <= GroupImages.groupLimit,
      let alphabets = Alphabets(kept: request.groupBy, reader, ranks),
      let test = try? Lowering(reader: reader, stop: StopFlag()).filter(request.filter)
    else { return nil }
    self.request = request
    self.test = test
    self.alphabets = alphabets
    planning = watch.nanoseconds
  }

  /// The answer.
  func result(_ images: GroupImages, _ stop: StopFlag) throws(QueryStopped) -> AggregateResult {
    let watch = Stopwatch()
    var sums = Sums(request, images)
    for group in images.totals.indices where images.totals[group].count > 0 {
      if Self.holds(test, ledger: images.ledgers[group], currency: images.currencies[group]) {
        sums.add(images, group)
      }
    }
    let finding = watch.nanoseconds
    let answer = GroupAnswer(request: request, alphabets: alphabets, stop: stop)
    var result = try answer.result(sums.groups) { sums.value(request.metrics[$0], $1) }
    result.trace.path = .groups
    result.trace.isInstant = true
    result.trace.estimate = QueryEstimate(rows: 0, matches: nil, nanoseconds: images.totals.count * 20)
    result.trace.planning = planning
    result.trace.finding = finding
    result.trace.grouping = watch.nanoseconds - finding
    return result
  }

  private static func holds(_ test: RowTest, ledger: UInt32, currency: UInt32) -> Bool {
    switch test {
    case .everything: true
    case .nothing: false
    case .codes(.ledger, let set): set.contains(ledger)
    case .codes(.currency, let set): set.contains(currency)
    case .all(let tests): tests.allSatisfy { holds($0, ledger: ledger, currency: currency) }
    case .any(let tests): tests.contains { holds($0, ledger: ledger, currency: currency) }
    case .integers, .amounts, .codes, .flags, .rows, .otherRows, .rowRange, .text, .metadata, .decimal,
      .effectiveDate, .exists, .after:
      preconditionFailure("conditions on ledgers and currencies")
    }
  }

  /// Totals added up by the columns asked for.
  private struct Sums {
    private(set) var groups: FoundGroups
    private var totals: [GroupTotals] = []
    private let columns: [GroupColumn.Source]
    /// Group numbers by code plus one, 0 for none; for requests with one column.
    private var numbers: [UInt32] = []

    init(_ request: AggregateRequest, _ images: GroupImages) {
      columns = request.groupBy.map(\.source)
      groups = FoundGroups(columns: columns.count)
      if columns.isEmpty {
        groups.numbers = [0]
        totals = [GroupTotals()]
      } else if columns.count == 1 {
        let codes = columns[0] == .ledger ? images.ledgers : images.currencies
        numbers = Array(repeating: 0, count: Int(codes.max() ?? 0) + 1)
      } else {
        groups.numbers.reserveCapacity(images.totals.count)
        groups.codes.reserveCapacity(images.totals.count * 2)
        totals.reserveCapacity(images.totals.count)
      }
    }

    mutating func add(_ images: GroupImages, _ group: Int) {
      switch columns.count {
      case 0: add(images.totals[group], to: 0)
      case 1:
        let code = columns[0] == .ledger ? images.ledgers[group] : images.currencies[group]
        if numbers[Int(code)] != 0 { return add(images.totals[group], to: Int(numbers[Int(code)]) - 1) }
        append(images.totals[group])
        groups.codes.append(code)
        numbers[Int(code)] = UInt32(totals.count)
      default:
        // Both, so each group is one of its own.
        append(images.totals[group])
        for column in columns {
          groups.codes.append(column == .ledger ? images.ledgers[group] : images.currencies[group])
        }
      }
    }

    private mutating func append(_ more: GroupTotals) {
      groups.numbers.append(totals.count)
      totals.append(more)
    }

    private mutating func add(_ more: GroupTotals, to number: Int) {
      totals[number].count += more.count
      totals[number].credit += more.credit
      totals[number].debit += more.debit
    }

    func value(_ metric: Metric, _ number: Int) -> MetricValue {
      let total = totals[number]
      if metric.function == .count { return .count(total.count) }
      let sum =
        switch metric.field?.source {
        case .credit: total.credit
        case .debit: total.debit
        default: total.balance
        }
      if metric.function == .sum { return .amount(sum) }
      return total.count == 0 ? .null : .average(sum, total.count)
    }
  }
}
