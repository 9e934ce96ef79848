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
  /// Calls `body` with the rows of the places, part by part, until it returns false. Parts that lie in the
  /// span as a whole come in no order if `needsOrder` is false, so that they can be tested first.
  func forEachPart(
    of span: BucketSpan, descending: Bool, _ body: (_ rows: [RowIndex], _ isSorted: Bool, BucketPart) -> Bool
  ) {
    var left = span.places.count
    if left == 0 { return }
    forEachPart(descending: descending, skipping: span.places.lowerBound) { part in
      let count = unsafe part.rows.count - part.skipped
      let goesOn: Bool
      if part.skipped == 0 && count <= left {
        var rows: [RowIndex] = []
        rows.reserveCapacity(count)
        for place in 0..<count { unsafe rows.append(RowIndex(part.rows[place])) }
        goesOn = body(rows, false, part)
      } else {
        goesOn = body(
          Array(sortedRows(of: part, descending: descending).prefix(left)), true, part)
      }
      left -= min(count, left)
      return goesOn && left > 0
    }
  }
}

extension PlanRun {
  /// A page in the order of balances.
  /// - Returns: nil when the budget was over first.
  func bucketOrder(
    _ span: BucketSpan, _ page: inout PageCollector, _ budget: inout WalkBudget
  ) throws(QueryStopped) -> Found? {
    let order = reader.cut.balanceOrder
    let descending = !plan.request.order.ascending
    let test = RowTest.conjunction([covering(plan.rows), plan.testBesideRoute])
    var span = span
    if test == .everything {
      // Every place is on the page or passed over.
      let skipped = min(page.toSkip, span.places.count)
      if !page.skip(skipped) { return nil }
      span.skip(skipped)
    }
    let tests = WalkTests(test)
    order.forEachPart(of: span, descending: descending) { rows, isSorted, part in
      if page.isFull || budget.isOver { return false }
      budget.touch(rows.count, nanosecondsEach: PlannerCosts.testedBucketRow)
      var rows = rows
      reader.narrow(&rows, tests.all)
      if !isSorted && !rows.isEmpty && !page.skip(rows.count) {
        budget.touch(rows.count, nanosecondsEach: PlannerCosts.bucketRow)
        var numbers = rows.map(\.rawValue)
        order.sort(&numbers, descending: descending, isExact: part.isExact)
        rows = numbers.map { RowIndex($0) }
        page.take(rows)
      } else if isSorted {
        page.take(rows)
      }
      return !page.isFull
    }
    try stop.check()
    return page.isFull || !budget.isOver ? Found(rows: page.rows) : nil
  }

  /// All rows of a range of balances, for a page in another order.
  func bucketRange(_ span: BucketSpan, _ budget: inout WalkBudget) throws(QueryStopped) -> Found? {
    var candidates: [RowIndex] = []
    reader.cut.balanceOrder.forEachPart(of: span, descending: !plan.request.order.ascending) { rows, _, _ in
      candidates += rows
      budget.touch(rows.count, nanosecondsEach: PlannerCosts.testedBucketRow)
      return !budget.isOver
    }
    return budget.isOver ? nil : try ranked(candidates)
  }
}
