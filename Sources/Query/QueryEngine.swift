// Answers requests: plan, selection of each stripe, order, page.

import Columns
import Ledger

/// Answers questions to one set of books, on cuts. Any number of threads; keeps only what never goes stale
/// (the alphabetical order of distinct texts, how far rows lie in time order).
package final class QueryEngine: Sendable {
  let texts = KeptTexts()
  let timeOrder = TimeOrder()

  var ranks: RankCache { texts.ranks }

  /// An engine for one set of books; all cuts it is given are of those.
  package init() {}

  /// The rows of one page, and what else the request asks for.
  ///
  /// - Throws: `cancelled` or `deadlineExceeded` within about a millisecond of `stop` saying so;
  /// `foreignCursor` when
  ///   the request has the cursor of another one.
  /// - Complexity: O(page) for the newest rows without a filter, O(rows) at worst, and O(page · log page) for
  ///   sorting.
  package func run(_ request: QueryRequest, on cut: Cut, stop: StopFlag) throws(QueryStopped) -> QueryResult {
    let plan = try plan(request, on: cut, stop: stop)
    let reader = RowReader(cut: cut, table: request.table, texts: texts)
    return try run(plan, reader, stop)
  }

  /// What `run` would do.
  package func plan(_ request: QueryRequest, on cut: Cut, stop: StopFlag) throws(QueryStopped) -> Plan {
    if let cursor = request.cursor, !cursor.belongs(to: request) { throw .foreignCursor }
    let reader = RowReader(cut: cut, table: request.table, texts: texts)
    return try Planner(reader: reader, stop: stop, timeOrder: timeOrder).plan(request)
  }

  /// Carries out a plan made for the same cut.
  package func run(_ plan: Plan, on cut: Cut, stop: StopFlag) throws(QueryStopped) -> QueryResult {
    try run(plan, RowReader(cut: cut, table: plan.request.table, texts: texts), stop)
  }

  private func run(_ plan: Plan, _ reader: RowReader, _ stop: StopFlag) throws(QueryStopped) -> QueryResult {
    var found: (rows: [RowIndex], count: Int)
    switch plan.ordering {
    case .rowOrder(let ascending):
      found =
        try plan.candidates == nil
        ? walk(plan, reader, stop, ascending: ascending) : named(plan, reader, stop)
    case .keys:
      found = try plan.candidates == nil ? ranked(plan, reader, stop) : named(plan, reader, stop)
    }
    var next: Cursor?
    if plan.request.wantsCursor, let limit = plan.request.limit, found.rows.count > limit {
      found.rows.removeLast()
      if let last = found.rows.last {
        let order = plan.request.order
        next = Cursor(
          digest: plan.request.digest, row: last, key: reader.sortKey(SortColumn(order.field), last))
      }
    }
    var trace = QueryTrace()
    trace.path = plan.path
    trace.countPath = plan.countPath
    trace.estimate = plan.estimate
    return QueryResult(
      rows: found.rows, totalCount: plan.request.includeCount ? plan.knownCount ?? found.count : nil,
      nextCursor: next, trace: trace)
  }

  /// Carries a request out and says how. What `balances.explain` shows: the plan is made once and used.
  package func explain(
    _ request: QueryRequest, on cut: Cut, stop: StopFlag
  ) throws(QueryStopped) -> (plan: Plan, result: QueryResult) {
    let plan = try plan(request, on: cut, stop: stop)
    return (plan, try run(plan, on: cut, stop: stop))
  }

  // MARK: Rows as they lie

  /// Walks the stripes in the order asked for, until the page is full; to the end if a count is needed.
  private func walk(
    _ plan: Plan, _ reader: RowReader, _ stop: StopFlag, ascending: Bool
  ) throws(QueryStopped) -> (rows: [RowIndex], count: Int) {
    let needsCount = plan.request.includeCount && plan.knownCount == nil
    let limit = plan.pageLimit
    var page: [RowIndex] = []
    page.reserveCapacity(min(limit ?? 0, plan.rows.count))
    var toSkip = plan.request.offset
    var count = 0
    var scan = StripeScan(reader: reader, stop: stop)
    let test = RowTest.conjunction([covering(plan, reader), plan.test])
    if test == .nothing { return ([], 0) }
    let stripes = stripes(plan.rows)
    for step in 0..<stripes.count {
      let isFull = limit.map { page.count >= $0 } ?? false
      if isFull && !needsCount { break }
      let stripe = ascending ? stripes.lowerBound + step : stripes.upperBound - 1 - step
      try scan.select(test, stripe: stripe)
      if needsCount { count += scan.selection.count }
      if isFull { continue }
      try scan.narrow(plan.afterCursor)
      if toSkip > 0 {
        let here = scan.selection.count
        if here <= toSkip {
          toSkip -= here
          continue
        }
      }
      scan.forEachRow(ascending: ascending) { row in
        if toSkip > 0 {
          toSkip -= 1
          return true
        }
        if let limit, page.count >= limit { return false }
        page.append(row)
        return true
      }
    }
    return (page, count)
  }

  private func stripes(_ rows: Range<Int>) -> Range<Int> {
    rows.isEmpty ? 0..<0 : rows.lowerBound / Layout.stripeRows..<Layout.stripeCount(rows: rows.upperBound)
  }

  /// A test of the plan's rows, if they are not all.
  private func covering(_ plan: Plan, _ reader: RowReader) -> RowTest {
    plan.rows == 0..<reader.rowCount ? .everything : .rowRange(plan.rows)
  }

  // MARK: Rows by their keys

  func order(_ plan: Plan, _ reader: RowReader, _ stop: StopFlag) throws(QueryStopped) -> RowOrder {
    try RowOrder(
      reader, SortColumn(plan.request.order.field), ascending: plan.request.order.ascending,
      ofFewRows: plan.candidates != nil, stop)
  }

  /// Collects the best rows of all stripes.
  private func ranked(
    _ plan: Plan, _ reader: RowReader, _ stop: StopFlag
  ) throws(QueryStopped) -> (rows: [RowIndex], count: Int) {
    let order = try order(plan, reader, stop)
    let needsCount = plan.request.includeCount && plan.knownCount == nil
    var best = TopRows(order: order, capacity: plan.wanted, stop: stop)
    var count = 0
    var scan = StripeScan(reader: reader, stop: stop)
    let test = RowTest.conjunction([covering(plan, reader), plan.test])
    if test == .nothing { return ([], 0) }
    for stripe in stripes(plan.rows) {
      try scan.select(test, stripe: stripe)
      if needsCount { count += scan.selection.count }
      if plan.wanted == 0 { continue }
      try scan.narrow(plan.afterCursor)
      if let threshold = best.threshold, let test = order.notBehind(threshold) { try scan.narrow(test) }
      try scan.forEachCode(order) { code, row in best.add(order.entry(code: code, row)) }
      try best.trim()
    }
    return (try best.page(offset: plan.request.offset, limit: plan.pageLimit), count)
  }

  /// Tests the rows that the filter names.
  private func named(
    _ plan: Plan, _ reader: RowReader, _ stop: StopFlag
  ) throws(QueryStopped) -> (rows: [RowIndex], count: Int) {
    let order = try order(plan, reader, stop)
    var best = TopRows(order: order, capacity: nil, stop: stop)
    var count = 0
    for row in plan.candidates ?? [] {
      if count & 255 == 0 { try stop.check() }
      guard plan.test.matches(row, reader) else { continue }
      count += 1
      if plan.afterCursor.matches(row, reader) { best.add(order.entry(code: order.code(row), row)) }
    }
    return (try best.page(offset: plan.request.offset, limit: plan.pageLimit), count)
  }
}
