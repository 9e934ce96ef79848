// Walks over rows that lie in the order asked for, until the page is full.

import Columns
import Ledger

/// The tests of a walk, those of fixed columns apart: they are applied to whole windows, the others to the
/// rows that are left.
struct WalkTests {
  let fixed: [RowTest]
  let rest: RowTest

  init(_ test: RowTest) {
    let tests: [RowTest] = if case .all(let tests) = test { tests } else { [test] }
    if tests.allSatisfy(\.isFixed) {
      fixed = tests
      rest = .everything
    } else {
      fixed = tests.filter(\.isFixed)
      rest = .conjunction(tests.filter { !$0.isFixed })
    }
  }

  var all: RowTest { .conjunction(fixed + [rest]) }
}

/// A walk from one end of a range of rows.
struct RowWalk {
  let reader: RowReader
  let stop: StopFlag
  let tests: WalkTests
  let ascending: Bool
  /// Part of the rows that is expected to pass; nil when nothing is known.
  let share: Double?

  /// Rows that are read one by one before whole stripes are tested in columns instead.
  private static let singleRowLimit = 1_024
  private static let leastWindow = 64
  private static let firstWindow = 512

  /// Feeds the page with the matching rows of the range.
  /// - Returns: false when the budget was over before the page was full or the rows were at an end.
  func run(
    _ rows: Range<Int>, _ page: inout PageCollector, _ budget: inout WalkBudget
  ) throws(QueryStopped) -> Bool {
    if rows.isEmpty || page.isFull || tests.all == .nothing { return true }
    if tests.fixed.isEmpty, tests.rest == .everything {
      everyRow(rows, &page, &budget)
      return true
    }
    let left = try windows(rows, &page, &budget)
    if left.isEmpty || page.isFull { return true }
    if budget.isOver { return false }
    return try stripes(left, &page, &budget)
  }

  /// Rows without a test: the page is a range.
  private func everyRow(_ rows: Range<Int>, _ page: inout PageCollector, _ budget: inout WalkBudget) {
    let skipped = min(page.toSkip, rows.count)
    _ = page.skip(skipped)
    let count = min(page.needed, rows.count - skipped)
    budget.scan(count)
    for step in skipped..<skipped + count {
      page.take(RowIndex(ascending ? rows.lowerBound + step : rows.upperBound - 1 - step))
    }
  }

  /// Takes windows that grow, and gives back the rows that were not reached.
  private func windows(
    _ rows: Range<Int>, _ page: inout PageCollector, _ budget: inout WalkBudget
  ) throws(QueryStopped) -> Range<Int> {
    var window = RowWindow(reader: reader)
    var left = rows
    var size = firstSize(page.needed)
    var batch: [RowIndex] = []
    var singleRows = 0
    while !left.isEmpty && !page.isFull && !budget.isOver && singleRows <= Self.singleRowLimit {
      try stop.check()
      let next = nextWindow(left, size)
      window.select(tests.fixed + [covering(next, left)], rows: next)
      budget.scan(next.count)
      if tests.rest != .everything || !page.skip(window.count) {
        batch.removeAll(keepingCapacity: true)
        window.append(
          to: &batch, ascending: ascending, limit: tests.rest == .everything ? page.needed : .max)
        if tests.rest != .everything {
          singleRows += batch.count
          budget.touch(batch.count)
          reader.narrow(&batch, tests.rest)
        }
        page.take(batch)
      }
      left =
        ascending
        ? min(next.upperBound, left.upperBound)..<left.upperBound
        : left.lowerBound..<max(next.lowerBound, left.lowerBound)
      size = min(size * 2, Layout.stripeRows)
    }
    return left
  }

  private func firstSize(_ needed: Int) -> Int {
    guard let share, share > 0 else { return Self.firstWindow }
    let rows = Double(needed) / share * 1.25
    let limit = Double(tests.rest == .everything ? Layout.stripeRows : Self.singleRowLimit)
    return (Int(min(max(rows, Double(Self.leastWindow)), limit)) + 63) & ~63
  }

  /// The next `size` rows or so, in one stripe and from a multiple of 64 on.
  private func nextWindow(_ left: Range<Int>, _ size: Int) -> Range<Int> {
    if ascending {
      let start = left.lowerBound & ~63
      let end = (left.lowerBound / Layout.stripeRows + 1) * Layout.stripeRows
      return start..<min(start + size + 64, end, reader.rowCount)
    }
    let end = left.upperBound
    let stripe = (end - 1) / Layout.stripeRows * Layout.stripeRows
    return max((end - 1 - size) & ~63, stripe)..<end
  }

  /// A test of the rows wanted, if the window has others.
  private func covering(_ window: Range<Int>, _ left: Range<Int>) -> RowTest {
    left.lowerBound <= window.lowerBound && window.upperBound <= left.upperBound
      ? .everything : .rowRange(left)
  }

  /// Tests whole stripes in columns.
  private func stripes(
    _ rows: Range<Int>, _ page: inout PageCollector, _ budget: inout WalkBudget
  ) throws(QueryStopped) -> Bool {
    var scan = StripeScan(reader: reader, stop: stop)
    let test = RowTest.conjunction([.rowRange(rows), tests.all])
    let numbers = rows.lowerBound / Layout.stripeRows..<Layout.stripeCount(rows: rows.upperBound)
    for step in 0..<numbers.count {
      if page.isFull { return true }
      if budget.isOver { return false }
      let stripe = ascending ? numbers.lowerBound + step : numbers.upperBound - 1 - step
      try scan.select(test, stripe: stripe)
      budget.scan(Layout.stripeRows)
      budget.spend(Int(Double(Layout.stripeRows) * test.scanCost / 1000))
      take(scan, &page)
    }
    return true
  }

  private func take(_ scan: borrowing StripeScan, _ page: inout PageCollector) {
    if page.toSkip > 0, page.skip(scan.selection.count) { return }
    scan.forEachRow(ascending: ascending) { row in
      page.take(row)
      return !page.isFull
    }
  }
}
