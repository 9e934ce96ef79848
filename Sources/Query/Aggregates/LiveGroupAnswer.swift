// Aggregates from the live totals of the (ledger, currency) groups: no row is looked at but for extremes.

import Amounts
import Columns
import Ledger

/// One request, ready to be answered from group images after the instant is over.
struct LiveGroupAnswer {
  let request: AggregateRequest
  /// Made of tests of ledgers and currencies only.
  let test: RowTest
  let alphabets: Alphabets
  let planning: Int
  /// When the least or the greatest balances are asked for.
  let extremes: LiveExtremes?

  /// More groups than this are not copied while writers wait: about 3 ns each.
  private static let groupLimit = 4096

  /// Whether filter, columns and metrics are such that groups can answer, and the filter is soon resolved.
  static func suits(_ request: AggregateRequest) -> Bool {
    guard request.table == .balances else { return false }
    let isGrouped = request.groupBy.allSatisfy { $0.source == .ledger || $0.source == .currency }
    let isMeasured = request.metrics.allSatisfy { metric in
      switch metric.function {
      case .count: true
      case .sum, .avg: [.balance, .credit, .debit].contains(metric.field?.source ?? .createdAt)
      case .min, .max: LiveExtremes.has(metric)
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

  /// Resolves a request that `suits` under an instant; nil when something would take long: the first time, or
  /// for extremes more than `limit` nanoseconds, about.
  init?(_ request: AggregateRequest, instant cut: Cut, _ ranks: RankCache, limit: Int) {
    let watch = Stopwatch()
    let reader = RowReader(cut: cut, table: .balances)
    guard cut.groups.count <= Self.groupLimit,
      let alphabets = Alphabets(kept: request.groupBy, reader, ranks),
      let test = try? Lowering(reader: reader, stop: StopFlag()).filter(request.filter)
    else { return nil }
    self.request = request
    self.test = test
    self.alphabets = alphabets
    planning = watch.nanoseconds
    guard request.metrics.contains(where: LiveExtremes.has) else {
      extremes = nil
      return
    }
    let rowLimit = min(LiveExtremes.rowLimit, limit / PlannerCosts.testedBucketRow)
    let found = LiveExtremes(request, instant: cut, rowLimit: rowLimit) { ledger, currency in
      test == .everything || Self.holds(test, ledger: ledger, currency: currency)
    }
    guard let found else { return nil }
    extremes = found
  }

  /// The answer.
  func result(_ images: GroupImages, _ stop: StopFlag) throws(QueryStopped) -> AggregateResult {
    let watch = Stopwatch()
    var sums = LiveSums(request, images)
    let isOpen = test == .everything
    /// Where the extremes of each group are.
    var keys: [UInt32] = request.groupBy.isEmpty ? [0] : []
    for group in images.cells.indices where images.cells[group].count > 0 {
      let (ledger, currency) = (images.ledger(of: group), images.currency(of: group))
      if isOpen || Self.holds(test, ledger: ledger, currency: currency) {
        sums.add(images, group, ledger: ledger, currency: currency)
        if let extremes, keys.count < sums.groups.numbers.count {
          keys.append(extremes.key(of: group, ledger: ledger, currency: currency))
        }
      }
    }
    let finding = watch.nanoseconds
    let answer = GroupAnswer(request: request, alphabets: alphabets, stop: stop)
    let metrics = request.metrics.map(LiveSums.Measure.init)
    var result = try answer.result(sums.groups) { metric, number in
      if let extremes, LiveExtremes.has(request.metrics[metric]) {
        return extremes.value(request.metrics[metric].function, keys[number])
      }
      return sums.value(metrics[metric], number)
    }
    result.trace.path = extremes == nil ? .groups : .bucket
    result.trace.isInstant = true
    result.trace.estimate = QueryEstimate(rows: 0, matches: nil, nanoseconds: images.cells.count * 20)
    result.trace.planning = planning
    result.trace.finding = finding + (extremes?.nanoseconds ?? 0)
    result.trace.rowsTouched = extremes?.rowsTouched ?? 0
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
}
