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
  /// for extremes.
  /// - Parameter extremeRows: rows that may be looked at for extremes; becomes less by those that were.
  init?(_ request: AggregateRequest, instant cut: Cut, _ ranks: RankCache, _ extremeRows: inout Int) {
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
    let found = LiveExtremes(
      request, instant: cut, &extremeRows,
      passes: test == .everything ? nil : { Self.holds(test, ledger: $0, currency: $1) })
    guard let found else { return nil }
    extremes = found
  }

  /// Whether live totals are needed, and not only extremes.
  var needsImages: Bool { extremes == nil || !request.metrics.allSatisfy(LiveExtremes.has) }

  /// The answer.
  /// - Parameter images: of the moment; there are some if the answer `needsImages`.
  func result(_ images: GroupImages?, _ stop: StopFlag) throws(QueryStopped) -> AggregateResult {
    let watch = Stopwatch()
    let sums = needsImages ? images.map(self.sums) : nil
    guard let groups = sums?.groups ?? extremes?.groups else { preconditionFailure("groups were copied") }
    let finding = watch.nanoseconds
    let answer = GroupAnswer(request: request, alphabets: alphabets, stop: stop)
    let metrics = request.metrics.map { LiveExtremes.has($0) ? nil : LiveSums.Measure($0) }
    var result = try answer.result(groups) { metric, number in
      if let measure = metrics[metric], let sums { return sums.value(measure, number) }
      guard let extremes else { preconditionFailure("extremes were looked for") }
      return extremes.value(request.metrics[metric].function, number)
    }
    result.trace.path = extremes == nil ? .groups : .bucket
    result.trace.isInstant = true
    result.trace.estimate = QueryEstimate(rows: 0, matches: nil, nanoseconds: (images?.cells.count ?? 0) * 20)
    result.trace.planning = planning
    result.trace.finding = finding + (extremes?.nanoseconds ?? 0)
    result.trace.rowsTouched = extremes?.rowsTouched ?? 0
    result.trace.grouping = watch.nanoseconds - finding
    return result
  }

  private func sums(_ images: GroupImages) -> LiveSums {
    var sums = LiveSums(request, images)
    let isOpen = test == .everything
    for group in images.cells.indices where images.cells[group].count > 0 {
      let (ledger, currency) = (images.ledger(of: group), images.currency(of: group))
      if isOpen || Self.holds(test, ledger: ledger, currency: currency) {
        sums.add(images, group, ledger: ledger, currency: currency)
      }
    }
    return sums
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
