// Carries a plan out.

import Columns
import Ledger

/// One plan on one cut.
struct PlanRun {
  let plan: Plan
  let reader: RowReader
  let stop: StopFlag

  /// Rows found, and what was learned on the way.
  struct Found {
    var rows: [RowIndex]
    /// Rows that pass, where all were looked at.
    var count: Int?
  }

  /// Rows that are looked at together.
  private static let batchRows = 64

  /// - Parameter limit: nanoseconds after which to give up, if the plan's budget is not smaller.
  /// - Returns: nil when the path was given up.
  func result(limit: Int, watch: Stopwatch) throws(QueryStopped) -> QueryResult? {
    var budget = WalkBudget(nanoseconds: min(plan.budget, limit))
    let planned = watch.nanoseconds
    guard var found = try find(&budget) else { return nil }
    let foundAt = watch.nanoseconds
    var total: Int?
    var trace = QueryTrace()
    switch plan.counting {
    case .none, .apart: break
    case .known(let count, _): total = count
    case .page: total = found.count
    case .scan:
      total = found.count
      if total == nil {
        let pass = try ScanPath(plan: plan, reader: reader, order: nil, stop: stop).count()
        total = pass.count
        budget.note(pass)
        trace.counting = watch.nanoseconds - foundAt
      }
    }
    var next: Cursor?
    if plan.request.wantsCursor, let limit = plan.request.limit, found.rows.count > limit {
      found.rows.removeLast()
      if let last = found.rows.last {
        let column = SortColumn(plan.request.order.field)
        next = Cursor(digest: plan.request.digest, row: last, key: reader.sortKey(column, last))
      }
    }
    trace.path = plan.path
    trace.countPath = plan.countPath
    trace.estimate = plan.estimate
    trace.rowsScanned = budget.rowsScanned
    trace.rowsTouched = budget.rowsTouched
    trace.chunksPruned = budget.chunksPruned
    trace.rowsMatched = total ?? found.rows.count
    trace.isInstant = reader.cut.isInstant
    trace.planning = planned
    trace.finding = foundAt - planned
    return QueryResult(rows: found.rows, totalCount: total, nextCursor: next, trace: trace)
  }

  private func find(_ budget: inout WalkBudget) throws(QueryStopped) -> Found? {
    var page = PageCollector(plan)
    let ascending = plan.request.order.ascending
    let isWhole: Bool
    switch plan.route {
    case .nothing: return Found(rows: [], count: 0)
    case .newest:
      if case .scan = plan.counting {
        let pass = try ScanPath(plan: plan, reader: reader, order: nil, stop: stop)
          .newestPage(&page)
        budget.note(pass)
        return Found(rows: page.rows, count: pass.count)
      }
      let walk = RowWalk(
        reader: reader, stop: stop, tests: WalkTests(plan.test), ascending: ascending, share: plan.share)
      isWhole = try walk.run(plan.walkRows, &page, &budget)
    case .timeRuns(let index, let span):
      var walk = TimeWalk(
        WalkTests(plan.testBesideRoute), index, span, ascending: ascending, reader: reader, stop: stop)
      isWhole = try walk.run(&page, &budget)
    case .newestOfList(let key): isWhole = try newest(of: key, &page, &budget)
    case .newestOfChains(let balances):
      var walk = ChainWalk(balances, reader: reader, stop: stop)
      let test = RowTest.conjunction([covering(plan.rows), plan.test])
      isWhole = try walk.run(test, below: plan.walkRows.upperBound, &page, &budget)
    case .codeOrder(let column, let ranks, let start):
      let walk = CodeOrderWalk(
        reader: reader, stop: stop, column: column, ranks: ranks, ascending: ascending,
        tests: WalkTests(plan.test), start: start, knownCount: knownCounts(column))
      isWhole = try walk.run(&page, &budget)
    case .bucketOrder(let span): return try bucketOrder(span, &page, &budget)
    case .bucketRange(let span): return try bucketRange(span, &budget)
    case .zones(let lane, let rows):
      let walk = ZoneWalk(plan: plan, reader: reader, stop: stop, zone: lane)
      guard let found = try walk.run(expected: rows, &budget) else { return nil }
      return Found(rows: try first(of: found))
    case .names(let rows):
      budget.touch(rows.count)
      return try ranked(rows)
    case .lists(let keys): return try ranked(rows(of: keys, &budget))
    case .chains(let balances):
      var walk = ChainWalk(balances, reader: reader, stop: stop)
      let rows = try walk.rows(&budget)
      return budget.isOver ? nil : try ranked(rows)
    case .scan:
      let counts: Bool =
        if case .scan = plan.counting { true } else if case .page = plan.counting { true } else { false }
      let pass = try ScanPath(plan: plan, reader: reader, order: try order(ofFewRows: false), stop: stop)
        .page(counts: counts)
      budget.note(pass)
      return Found(rows: pass.rows, count: counts ? pass.count : nil)
    }
    return isWhole ? Found(rows: page.rows) : nil
  }

  // MARK: Rows that are known one by one

  /// Tests the rows and puts those that pass in order.
  func ranked(_ candidates: [RowIndex]) throws(QueryStopped) -> Found {
    var rows = candidates
    if plan.rows.count < reader.rowCount { rows.keep { plan.rows.contains($0.index) } }
    var passed: [RowIndex] = []
    // In parts, because some tests take long.
    for start in stride(from: 0, to: rows.count, by: 1024) {
      try stop.check()
      var part = Array(rows[start..<min(start + 1024, rows.count)])
      reader.narrow(&part, plan.test)
      if passed.isEmpty { passed = part } else { passed += part }
    }
    let count = passed.count
    reader.narrow(&passed, plan.afterCursor)
    return Found(rows: try first(of: passed), count: count)
  }

  /// The page of rows that all pass.
  private func first(of rows: [RowIndex]) throws(QueryStopped) -> [RowIndex] {
    if rows.count <= 1 && plan.request.offset == 0 && plan.request.limit != 0 { return rows }
    let order = try order(ofFewRows: true)
    var best = TopRows(order: order, capacity: nil, stop: stop)
    for row in rows { best.add(order.entry(code: order.code(row), row)) }
    return try best.page(offset: plan.request.offset, limit: plan.pageLimit)
  }

  private func rows(of keys: [ListKey], _ budget: inout WalkBudget) throws(QueryStopped) -> [RowIndex] {
    var rows: [RowIndex] = []
    for key in keys {
      try stop.check()
      let (lists, number) = key.list(reader.books)
      rows += reader.gather(lists, number)
    }
    if keys.count > 1 {
      rows.sort()
      var last: RowIndex?
      rows.keep { row in
        defer { last = row }
        return row != last
      }
    }
    budget.touch(rows.count)
    return rows
  }

  private func newest(
    of key: ListKey, _ page: inout PageCollector, _ budget: inout WalkBudget
  ) throws(QueryStopped) -> Bool {
    let (lists, number) = key.list(reader.books)
    let test = RowTest.conjunction([covering(plan.walkRows), plan.test])
    var batch: [RowIndex] = []
    var isStopped: QueryStopped?
    unsafe lists.forEachExtentReversed(number) { extent in
      var end = extent.count
      while end > 0 && !page.isFull && !budget.isOver {
        do throws(QueryStopped) { try stop.check() } catch {
          isStopped = error
          return false
        }
        let start = max(0, end - Self.batchRows)
        batch.removeAll(keepingCapacity: true)
        for place in stride(from: end - 1, through: start, by: -1) {
          let row = unsafe RowIndex(extent[place])
          if row.index < reader.rowCount { batch.append(row) }
        }
        budget.touch(batch.count)
        reader.narrow(&batch, test)
        page.take(batch)
        end = start
      }
      return !page.isFull && !budget.isOver
    }
    if let isStopped { throw isStopped }
    return page.isFull || !budget.isOver
  }

  /// A test of rows, if they are not all.
  func covering(_ rows: Range<Int>) -> RowTest {
    rows == 0..<reader.rowCount ? .everything : .rowRange(rows)
  }

  // MARK: Order

  func order(ofFewRows: Bool) throws(QueryStopped) -> RowOrder {
    let order = plan.request.order
    return try RowOrder(
      reader, SortColumn(order.field), ascending: order.ascending, ofFewRows: ofFewRows, stop)
  }

  /// How many rows of a code match, where the books know it.
  private func knownCounts(_ column: CodeColumn) -> (UInt32) -> Int? {
    let balances = reader.books.balances
    let end = RowIndex(reader.rowCount)
    if plan.test == .everything, column == .ledger {
      return { balances.rowsByLedger.count($0, below: end) }
    }
    guard reader.cut.isInstant, column == .currency, plan.test == .everything else { return { _ in nil } }
    let groups = reader.cut.groups
    let count = reader.cut.currencyCount + 1
    return { code in
      var currencies = [Bool](repeating: false, count: count)
      currencies[Int(code)] = true
      return groups.balanceCount(ledgers: nil, currencies: currencies)
    }
  }
}
