// Takes matching rows in the order of the page: some are left out first, then the page fills.

import Columns

/// The rows of a page as a walk finds them.
struct PageCollector {
  /// Rows still to be left out.
  private(set) var toSkip: Int
  /// Rows of the page at most.
  let limit: Int
  private(set) var rows: [RowIndex] = []

  init(_ plan: Plan) {
    toSkip = plan.request.offset
    limit = plan.pageLimit ?? .max
    rows.reserveCapacity(min(limit, 1024))
  }

  var isFull: Bool { rows.count >= limit }

  /// Matching rows that are still needed; never overflows.
  var needed: Int {
    let (sum, overflow) = toSkip.addingReportingOverflow(limit - rows.count)
    return overflow ? .max : sum
  }

  /// Takes the next row. Call it only while the page is not full.
  @inline(__always)
  mutating func take(_ row: RowIndex) {
    if toSkip > 0 {
      toSkip -= 1
    } else {
      rows.append(row)
    }
  }

  /// Leaves out `count` rows at once if all of them are to be left out.
  mutating func skip(_ count: Int) -> Bool {
    if count > toSkip { return false }
    toSkip -= count
    return true
  }

  /// Takes rows in order, until the page is full.
  mutating func take(_ batch: [RowIndex]) {
    if skip(batch.count) { return }
    for row in batch {
      if isFull { return }
      take(row)
    }
  }
}
