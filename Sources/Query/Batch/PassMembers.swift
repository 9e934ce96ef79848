// What the questions of a shared pass keep: the totals of groups, or the best rows of a page.

import Columns
import Ledger

/// Groups of one or more aggregates that have filter and group columns in common.
final class GroupMember: PassMember {
  let rows: FilteredRows
  private(set) var groups: GroupScan

  init(_ rows: FilteredRows, _ groups: GroupScan) {
    self.rows = rows
    self.groups = groups
  }

  func add(_ scan: borrowing StripeScan) throws(QueryStopped) { try groups.add(scan) }
}

/// The number of rows of a query whose page has been found already.
final class CountMember: PassMember {
  let rows: FilteredRows
  private(set) var count = 0

  init(_ rows: FilteredRows) { self.rows = rows }

  func add(_ scan: borrowing StripeScan) { count += scan.selection.count }
}

/// The page of one query.
final class PageMember: PassMember {
  let rows: FilteredRows
  let plan: Plan
  private let order: RowOrder
  private let needsCount: Bool
  private var best: TopRows
  private var count = 0

  init(_ rows: FilteredRows, _ plan: Plan, _ order: RowOrder, stop: StopFlag) {
    self.rows = rows
    self.plan = plan
    self.order = order
    needsCount = plan.request.includeCount && plan.knownCount == nil
    best = TopRows(order: order, capacity: plan.wanted, stop: stop)
  }

  func add(_ scan: borrowing StripeScan) throws(QueryStopped) {
    if needsCount { count += scan.selection.count }
    if plan.wanted == 0 { return }
    try scan.narrow(plan.afterCursor)
    // Stripes come falling.
    if let threshold = best.threshold,
      let test = order.ascending ? order.notBehind(threshold) : order.ahead(of: threshold)
    {
      try scan.narrow(test)
    }
    try scan.forEachCode(order) { code, row in best.add(order.entry(code: code, row)) }
    try best.trim()
  }

  /// The page, when all stripes have been seen.
  func result(_ reader: RowReader) throws(QueryStopped) -> QueryResult {
    var page = try best.page(offset: plan.request.offset, limit: plan.pageLimit)
    var next: Cursor?
    if plan.request.wantsCursor, let limit = plan.request.limit, page.count > limit {
      page.removeLast()
      if let last = page.last {
        let key = reader.sortKey(SortColumn(plan.request.order.field), last)
        next = Cursor(digest: plan.request.digest, row: last, key: key)
      }
    }
    return QueryResult(
      rows: page, totalCount: plan.request.includeCount ? plan.knownCount ?? count : nil, nextCursor: next)
  }
}
