// A page in the order of created_at where some rows are older than rows before them: the runs are merged.

import Columns
import Ledger

/// Merges the matching rows of the main run and the side runs of a table.
struct TimeWalk: ~Copyable {
  /// One run: matching rows that were found ahead, and where to go on.
  private struct Source {
    var found: [RowIndex] = []
    var place = 0
    /// Rows of the main run, or places of a side run, that were not looked at.
    var left: Range<Int>
    /// Nil for the main run.
    var run: SideRun?
    /// Rows looked at next.
    var size = 64
  }

  let reader: RowReader
  let stop: StopFlag
  let tests: WalkTests
  let index: TimeIndex
  let ascending: Bool
  private let all: RowTest
  private var window: RowWindow
  private var sources: [Source]

  init(
    _ tests: WalkTests, _ index: TimeIndex, _ span: TimeSpan, ascending: Bool, reader: RowReader,
    stop: StopFlag
  ) {
    self.reader = reader
    self.stop = stop
    self.tests = tests
    self.index = index
    self.ascending = ascending
    all = tests.all
    window = RowWindow(reader: reader)
    sources = [Source(left: span.rows, run: nil)]
    for (run, places) in zip(index.runs, span.sides) { sources.append(Source(left: places, run: run)) }
  }

  /// Feeds the page.
  /// - Returns: false when the budget was over first.
  mutating func run(_ page: inout PageCollector, _ budget: inout WalkBudget) throws(QueryStopped) -> Bool {
    while !page.isFull {
      var best: (row: RowIndex, time: Int64, source: Int)?
      for place in sources.indices {
        if sources[place].place == sources[place].found.count { try refill(place, &budget) }
        if budget.isOver { return false }
        guard sources[place].place < sources[place].found.count else { continue }
        let row = sources[place].found[sources[place].place]
        let time = index.createdAt[row]
        if let known = best, !precedes(time, row, known.time, known.row) { continue }
        best = (row, time, place)
      }
      guard let best else { return true }
      sources[best.source].place += 1
      page.take(best.row)
    }
    return true
  }

  private func precedes(_ time: Int64, _ row: RowIndex, _ other: Int64, _ otherRow: RowIndex) -> Bool {
    if time != other { return (time < other) == ascending }
    return (row < otherRow) == ascending
  }

  private mutating func refill(_ place: Int, _ budget: inout WalkBudget) throws(QueryStopped) {
    sources[place].found.removeAll(keepingCapacity: true)
    sources[place].place = 0
    while sources[place].found.isEmpty && !sources[place].left.isEmpty && !budget.isOver {
      try stop.check()
      if let run = sources[place].run {
        refillSide(place, run, &budget)
      } else {
        refillMain(place, &budget)
      }
      sources[place].size = min(sources[place].size * 2, 4096)
    }
  }

  private mutating func refillSide(_ place: Int, _ run: SideRun, _ budget: inout WalkBudget) {
    let left = sources[place].left
    let count = min(sources[place].size, left.count)
    for step in 0..<count {
      let next = ascending ? left.lowerBound + step : left.upperBound - 1 - step
      sources[place].found.append(RowIndex(run.rows[next]))
    }
    sources[place].left =
      ascending ? left.lowerBound + count..<left.upperBound : left.lowerBound..<left.upperBound - count
    budget.touch(count)
    reader.narrow(&sources[place].found, all)
  }

  private mutating func refillMain(_ place: Int, _ budget: inout WalkBudget) {
    let left = sources[place].left
    let next: Range<Int>
    if ascending {
      let start = left.lowerBound & ~63
      let end = (left.lowerBound / Layout.stripeRows + 1) * Layout.stripeRows
      next = start..<min(start + sources[place].size + 64, end, left.upperBound)
    } else {
      let stripe = (left.upperBound - 1) / Layout.stripeRows * Layout.stripeRows
      next = max((left.upperBound - 1 - sources[place].size) & ~63, stripe)..<left.upperBound
    }
    window.select(tests.fixed + [.rowRange(left)], rows: next)
    if let marks = index.marks { window.remove { marks.word($0) } }
    budget.scan(next.count)
    window.append(to: &sources[place].found, ascending: ascending, limit: .max)
    if tests.rest != .everything {
      budget.touch(sources[place].found.count)
      reader.narrow(&sources[place].found, tests.rest)
    }
    sources[place].left =
      ascending
      ? max(next.upperBound, left.lowerBound)..<left.upperBound
      : left.lowerBound..<max(next.lowerBound, left.lowerBound)
  }
}
