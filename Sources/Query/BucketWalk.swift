// Pages by balance, and the rows of a range of balances, from the counted buckets.

import Amounts
import Columns
import Ledger

/// Places in the order of balances as a page sees it: descending ones are counted from the greatest.
struct BucketSpan: Sendable, Hashable {
  var places: Range<Int>

  /// The places of a range of balances, and of those of them that come after a cursor.
  init(
    _ order: LiveBalanceOrder, _ bounds: AmountRanges.Bounds?, ascending: Bool, after cursor: Cursor? = nil
  ) {
    let low = bounds?.low.map { order.rank(of: $0) } ?? 0
    let high = max(low, bounds?.high.map { order.rank(after: $0) } ?? order.count)
    places = ascending ? low..<high : order.count - high..<order.count - low
    guard let cursor, case .amount(let amount) = cursor.key else { return }
    let start =
      ascending
      ? order.rank(of: amount, row: RowIndex(cursor.row.rawValue + 1))
      : order.count - order.rank(of: amount, row: cursor.row)
    let clamped = min(max(start, places.lowerBound), places.upperBound)
    places = clamped..<places.upperBound
  }

  /// Leaves out the first places.
  mutating func skip(_ count: Int) {
    places = min(places.lowerBound + count, places.upperBound)..<places.upperBound
  }
}

extension LiveBalanceOrder {
  /// Calls `body` with the rows of the places, part by part, until it returns false. Parts follow one another
  /// in the order asked for; inside one, rows come in no order.
  func forEachPart(
    of span: BucketSpan, descending: Bool, _ body: (UnsafeBufferPointer<UInt32>) -> Bool
  ) {
    var left = span.places.count
    if left == 0 { return }
    forEachPart(descending: descending, skipping: span.places.lowerBound) { part in
      let count = unsafe part.rows.count - part.skipped
      let goesOn: Bool
      if part.skipped == 0 && count <= left {
        goesOn = unsafe body(part.rows)
      } else {
        // At the ends of the span, which rows belong to it is a matter of their order.
        let rows = sortedRows(of: part, descending: descending).prefix(left).map(\.rawValue)
        goesOn = unsafe rows.withUnsafeBufferPointer { unsafe body($0) }
      }
      left -= min(count, left)
      return goesOn && left > 0
    }
  }
}

extension PlanRun {
  /// Rows of many parts that are tested and sorted together: at the ends of the order, where balances lie far
  /// apart, a part has few rows.
  private static let orderBatchRows = 64...1024

  /// A page in the order of balances.
  /// - Returns: nil when the budget was over first.
  func bucketOrder(
    _ span: BucketSpan, _ page: inout PageCollector, _ budget: inout WalkBudget
  ) throws(QueryStopped) -> Found? {
    let order = reader.cut.balanceOrder
    let test = RowTest.conjunction([covering(plan.rows), plan.testBesideRoute])
    var span = span
    if test == .everything {
      // Every place is on the page or passed over.
      let skipped = min(page.toSkip, span.places.count)
      if !page.skip(skipped) { return nil }
      span.skip(skipped)
    }
    let tests = WalkTests(test).all
    // As many as the page is likely to need; a guess that is too low costs another round.
    let share = test == .everything ? 1 : max(plan.share ?? 0.1, 0.01)
    let expected = Double(page.needed) / share
    let least =
      test == .everything ? min(page.needed, Self.orderBatchRows.lowerBound) : Self.orderBatchRows.lowerBound
    let batchCount = max(least, Int(min(expected, Double(Self.orderBatchRows.upperBound))))
    var rows: [UInt32] = []
    rows.reserveCapacity(batchCount + 256)
    unsafe order.forEachPart(of: span, descending: descending) { part in
      unsafe rows.append(contentsOf: part)
      if rows.count < batchCount { return true }
      take(&rows, tests, order, &page, &budget)
      return !page.isFull && !budget.isOver
    }
    if !rows.isEmpty && !page.isFull && !budget.isOver { take(&rows, tests, order, &page, &budget) }
    try stop.check()
    return page.isFull || !budget.isOver ? Found(rows: page.rows) : nil
  }

  /// Takes the next rows of the order, which are in no order among themselves.
  private func take(
    _ rows: inout [UInt32], _ tests: RowTest, _ order: LiveBalanceOrder, _ page: inout PageCollector,
    _ budget: inout WalkBudget
  ) {
    defer { rows.removeAll(keepingCapacity: true) }
    // Rows that are passed over whatever their tests say need only be counted.
    if page.toSkip >= rows.count, let counted = reader.count(rows, tests) {
      budget.touch(rows.count, nanosecondsEach: PlannerCosts.countedBucketRow)
      _ = page.skip(counted)
      return
    }
    budget.touch(rows.count, nanosecondsEach: PlannerCosts.testedBucketRow)
    var passed = rows.map { RowIndex($0) }
    reader.narrow(&passed, tests)
    if page.skip(passed.count) { return }
    budget.touch(passed.count, nanosecondsEach: PlannerCosts.bucketRow)
    var numbers = passed.map(\.rawValue)
    order.sort(&numbers, first: page.needed, descending: descending)
    for number in numbers where !page.isFull { page.take(RowIndex(number)) }
  }

  private var descending: Bool { !plan.request.order.ascending }

  /// All rows of a range of balances, for a page in another order.
  func bucketRange(_ span: BucketSpan, _ budget: inout WalkBudget) throws(QueryStopped) -> Found? {
    var candidates: [RowIndex] = []
    unsafe reader.cut.balanceOrder.forEachPart(of: span, descending: descending) { part in
      for place in part.indices { unsafe candidates.append(RowIndex(part[place])) }
      budget.touch(part.count, nanosecondsEach: PlannerCosts.testedBucketRow)
      return !budget.isOver
    }
    return budget.isOver ? nil : try ranked(candidates)
  }
}
