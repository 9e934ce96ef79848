// Answers to aggregates.

import Columns
import Ledger

extension QueryEngine {
  /// The groups of a request, in order.
  ///
  /// - Throws: `cancelled` or `deadlineExceeded` within about a millisecond of `stop` saying so;
  ///   `tooManyGroups`.
  /// - Complexity: O(rows) for the pass and O(groups · log groups) for the order.
  package func aggregate(
    _ request: AggregateRequest, on cut: Cut, stop: StopFlag
  ) throws(QueryStopped) -> AggregateResult {
    try run(try plan(request, on: cut, stop: stop), stop: stop)
  }

  /// How a request's groups will be found.
  package func plan(
    _ request: AggregateRequest, on cut: Cut, stop: StopFlag
  ) throws(QueryStopped) -> GroupPlan {
    let watch = Stopwatch()
    let reader = RowReader(cut: cut, table: request.table, texts: texts)
    let liesInTimeOrder = try rowsLieInTimeOrder(reader, stop)
    let rows = try FilteredRows(request.filter, reader, liesInTimeOrder: liesInTimeOrder, stop)
    return GroupPlan(
      request: request, reader: reader, rows: rows, liesInTimeOrder: liesInTimeOrder,
      planning: watch.nanoseconds)
  }

  /// Carries out a plan.
  package func run(_ plan: GroupPlan, stop: StopFlag) throws(QueryStopped) -> AggregateResult {
    let watch = Stopwatch()
    let groups = try plan.groupScan(plan.request, stop)
    let workers = try crew.run(
      0..<plan.rows.stripes.count, estimate: groups.isMergeable ? plan.estimate.nanoseconds : 0
    ) { GroupWorker(plan, groups, stop) }
    var sum = workers[0].groups
    for worker in workers.dropFirst() { sum.merge(worker.groups) }
    return try answer(plan, sum, finding: watch.nanoseconds, stop)
  }

  /// The answer to one plan out of groups that have all its metrics.
  func answer(
    _ plan: GroupPlan, _ groups: borrowing GroupScan, finding: Int, _ stop: StopFlag
  ) throws(QueryStopped) -> AggregateResult {
    let watch = Stopwatch()
    let alphabets = try Alphabets(plan.request.groupBy, plan.reader, ranks, stop)
    let answer = GroupAnswer(request: plan.request, alphabets: alphabets, stop: stop)
    let metrics = plan.request.metrics.map { ($0.function, groups.place(of: $0)) }
    var result = try answer.result(groups.groups()) { groups.value(metrics[$0].0, metrics[$0].1, $1) }
    result.trace.path = plan.path
    result.trace.estimate = plan.estimate
    result.trace.rowsScanned = plan.rows.scannedRowCount
    result.trace.rowsMatched = groups.rowCount
    result.trace.planning = plan.planning
    result.trace.finding = finding
    result.trace.grouping = watch.nanoseconds
    return result
  }
}

/// Adds up the groups of some stripes, on one thread.
private final class GroupWorker: ScanWorker {
  private let plan: GroupPlan
  private let test: RowTest
  private(set) var groups: GroupScan
  private var scan: StripeScan

  /// - Parameter groups: totals of no rows.
  init(_ plan: GroupPlan, _ groups: GroupScan, _ stop: StopFlag) {
    self.plan = plan
    self.groups = groups
    test = plan.rows.covering(plan.reader)
    scan = StripeScan(reader: plan.reader, stop: stop)
  }

  /// - Parameter stripe: a place among the plan's stripes.
  func take(_ stripe: Int) throws(QueryStopped) {
    try scan.select(test, stripe: plan.rows.stripes[stripe])
    try groups.add(scan)
  }
}

/// How the groups of a request will be found.
package struct GroupPlan: Sendable {
  let request: AggregateRequest
  let reader: RowReader
  let rows: FilteredRows
  let liesInTimeOrder: Bool
  /// Nanoseconds that making the plan took.
  let planning: Int

  package var path: AccessPath { rows.stripes.isEmpty ? .nothing : .scan }

  package var estimate: QueryEstimate {
    QueryEstimate(
      rows: rows.scannedRowCount, matches: nil,
      nanoseconds: rows.estimatedNanoseconds(
        perRow: 2 + request.groupBy.count * 2 + request.metrics.count * 2))
  }

  /// The tests of a row, each in a few words, in the order in which they are applied.
  package var tests: [String] { rows.test.parts }

  /// Empty totals for a request whose rows are these.
  func groupScan(_ request: AggregateRequest, _ stop: StopFlag) throws(QueryStopped) -> GroupScan {
    let isByTime = request.groupBy.contains { if case .created = $0.source { true } else { false } }
    let bounds =
      isByTime
      ? try reader.timeBounds(rows.rows, liesInTimeOrder: liesInTimeOrder, stop) : 0...0
    return GroupScan(request, reader, timeBounds: bounds, liesInTimeOrder: liesInTimeOrder)
  }
}
