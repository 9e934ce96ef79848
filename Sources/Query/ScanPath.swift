// The way that always works: every stripe in columns, the rows of the page selected from all that pass.

import Columns
import Ledger

/// Passes over the stripes of a plan.
struct ScanPath {
  let plan: Plan
  let reader: RowReader
  /// For `page`.
  let order: RowOrder?
  let stop: StopFlag

  /// What a pass needs of each stripe.
  struct Found {
    var rows: [RowIndex] = []
    var count = 0
    var stripeCount = 0
    var chunksPruned = 0
  }

  private var stripes: Range<Int> {
    plan.rows.isEmpty
      ? 0..<0 : plan.rows.lowerBound / Layout.stripeRows..<Layout.stripeCount(rows: plan.rows.upperBound)
  }

  /// The plan's test, and that of its rows, if they are not all.
  private var test: RowTest {
    .conjunction([plan.rows == 0..<reader.rowCount ? .everything : .rowRange(plan.rows), plan.test])
  }

  /// The page, and the number of all that pass if `counts`.
  func page(counts: Bool) throws(QueryStopped) -> Found {
    var found = Found()
    guard let order else { preconditionFailure("a page has an order") }
    var best = TopRows(order: order, capacity: plan.wanted, stop: stop)
    var scan = StripeScan(reader: reader, stop: stop)
    let test = test
    if test == .nothing { return found }
    // In the direction of the order: rows of later stripes come after those of earlier ones with equal keys.
    for step in 0..<stripes.count {
      let stripe = order.ascending ? stripes.lowerBound + step : stripes.upperBound - 1 - step
      try scan.select(test, stripe: stripe)
      found.stripeCount += 1
      if counts { found.count += scan.selection.count }
      if plan.wanted == 0 { continue }
      try scan.narrow(plan.afterCursor)
      if let threshold = best.threshold, let test = order.ahead(of: threshold) { try scan.narrow(test) }
      try scan.forEachCode(order) { code, row in best.add(order.entry(code: code, row)) }
      try best.trim()
    }
    found.chunksPruned = scan.chunksPruned
    found.rows = try best.page(offset: plan.request.offset, limit: plan.pageLimit)
    return found
  }

  /// A page of rows that lie in the order asked for, counting all that pass on the way.
  func newestPage(_ page: inout PageCollector) throws(QueryStopped) -> Found {
    var found = Found()
    let ascending = plan.request.order.ascending
    var scan = StripeScan(reader: reader, stop: stop)
    let test = test
    if test == .nothing { return found }
    let stripes = stripes
    for step in 0..<stripes.count {
      if page.isFull {
        // What is left is only counted.
        let rest =
          ascending
          ? stripes.lowerBound + step..<stripes.upperBound : stripes.lowerBound..<stripes.upperBound - step
        found.count += try scan.count(test, stripes: rest)
        found.stripeCount += rest.count
        break
      }
      let stripe = ascending ? stripes.lowerBound + step : stripes.upperBound - 1 - step
      try scan.select(test, stripe: stripe)
      found.stripeCount += 1
      found.count += scan.selection.count
      if plan.walkRows != plan.rows { try scan.narrow(.rowRange(plan.walkRows)) }
      if page.toSkip > 0, page.skip(scan.selection.count) { continue }
      scan.forEachRow(ascending: ascending) { row in
        page.take(row)
        return !page.isFull
      }
    }
    found.chunksPruned = scan.chunksPruned
    return found
  }

  /// Only the number of all that pass.
  func count() throws(QueryStopped) -> Found {
    var found = Found()
    var scan = StripeScan(reader: reader, stop: stop)
    let test = test
    if test == .nothing { return found }
    found.count = try scan.count(test, stripes: stripes)
    found.stripeCount = stripes.count
    found.chunksPruned = scan.chunksPruned
    return found
  }
}
