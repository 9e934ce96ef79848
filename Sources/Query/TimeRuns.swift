// Which rows lie in the order of their creation times, and the others as runs sorted by time.

import Columns
import Ledger
import Platform

/// The main run of a table is every row that is no older than any row before it: rows that the clock stamped,
/// and imports in order. The other rows, imported with old stamps, are listed in side runs, each sorted by
/// (time, row). So a range of created_at is two binary searches in every run, and a page merges them.
///
/// The column is written once, so what was found stays true. Runs are merged when a new one has grown to a
/// quarter of the one before it: a row takes part in O(log rows) merges, and there are at most some dozen
/// runs.
///
/// Memory: nothing while all rows are in order; then 4 bytes for each row of a side run, and 1.5 bits a row.
final class TimeRuns: Sendable {
  /// Rows whose greatest time is noted together.
  static let blockRows = 512
  /// Rows that may be caught up with while writers wait.
  static let instantRows = 4_096
  /// Rows looked at between two looks at the stop flag.
  private static let sliceRows = 8_192

  /// What is known of one table.
  private struct Found {
    /// Rows looked at.
    var rowCount = 0
    /// The greatest time among them.
    var latest = Int64.min
    /// The first row that is not of the main run; nil while there is none.
    var firstSide: Int?
    var sideCount = 0
    var runs: [SideRun] = []
    var marks: SideMarks?
  }

  private let tables = Guarded<[QueryTable: Found]>([:])

  /// The runs of a cut's table.
  /// - Parameter limit: rows created since the last question that may be looked at now; nil for all.
  /// - Returns: nil when there are more than `limit`, or when another thread has looked at rows that the cut
  ///   does not see and they are not in order.
  /// - Complexity: O(rows created since the last question), and the merges that they cause.
  func runs(of reader: RowReader, limit: Int?, _ stop: StopFlag) throws(QueryStopped) -> TimeIndex? {
    let rowCount = reader.rowCount
    let column = reader.createdAt
    // The books' flag only ever falls: if it stands now, it stood for every row of the cut.
    if reader.table == .balances && reader.books.balancesLieInTimeOrder {
      return TimeIndex(createdAt: column, rowCount: rowCount, firstSide: rowCount, sideCount: 0, runs: [])
    }
    return try tables.withLock { tables throws(QueryStopped) -> TimeIndex? in
      var found = tables[reader.table] ?? Found()
      if found.rowCount < rowCount {
        if let limit, rowCount - found.rowCount > limit { return nil }
        // Taken out meanwhile, so that its arrays are not copied.
        tables[reader.table] = nil
        defer { tables[reader.table] = found }
        try Self.extend(&found, to: rowCount, column, stop)
      }
      guard let firstSide = found.firstSide, firstSide < rowCount else {
        return TimeIndex(createdAt: column, rowCount: rowCount, firstSide: rowCount, sideCount: 0, runs: [])
      }
      if found.rowCount > rowCount { return nil }
      return TimeIndex(
        createdAt: column, rowCount: rowCount, firstSide: firstSide, sideCount: found.sideCount,
        runs: found.runs, marks: found.marks)
    }
  }

  private static func extend(
    _ found: inout Found, to rowCount: Int, _ column: SegmentedColumn<Int64>, _ stop: StopFlag
  ) throws(QueryStopped) {
    while found.rowCount < rowCount {
      try stop.check()
      extend(&found, to: min(rowCount, found.rowCount + sliceRows), column)
      try mergeRuns(&found.runs, column, stop)
    }
  }

  private static func extend(_ found: inout Found, to end: Int, _ column: SegmentedColumn<Int64>) {
    var added: [UInt32] = []
    for row in found.rowCount..<end {
      let time = column[RowIndex(row)]
      let isSide = time < found.latest
      if isSide, found.marks == nil {
        found.firstSide = row
        found.marks = SideMarks(from: row)
      }
      if let marks = found.marks {
        let side = found.sideCount + added.count
        marks.append(row, isSide: isSide, latestBefore: found.latest, sideBefore: side)
      }
      if isSide { added.append(UInt32(row)) } else { found.latest = time }
    }
    found.rowCount = end
    if added.isEmpty { return }
    found.sideCount += added.count
    found.runs.append(SideRun(added, column))
  }

  /// A stop leaves the runs as they are, to be merged at the next question.
  private static func mergeRuns(
    _ runs: inout [SideRun], _ column: SegmentedColumn<Int64>, _ stop: StopFlag
  ) throws(QueryStopped) {
    while let place = runs.indices.dropLast().last(where: {
      runs[$0].rows.count < runs[$0 + 1].rows.count * 4
    }) {
      runs[place] = try SideRun(merging: runs[place], runs[place + 1], column, stop)
      runs.remove(at: place + 1)
    }
  }
}

/// Rows sorted by (time, row).
final class SideRun: Sendable {
  let rows: [UInt32]

  init(_ rising: [UInt32], _ column: SegmentedColumn<Int64>) {
    rows = rising.sorted { left, right in
      let times = (column[RowIndex(left)], column[RowIndex(right)])
      return times.0 == times.1 ? left < right : times.0 < times.1
    }
  }

  init(
    merging left: SideRun, _ right: SideRun, _ column: SegmentedColumn<Int64>, _ stop: StopFlag
  ) throws(QueryStopped) {
    var merged: [UInt32] = []
    merged.reserveCapacity(left.rows.count + right.rows.count)
    var (first, second) = (0, 0)
    while first < left.rows.count && second < right.rows.count {
      if merged.count & 0x3FFF == 0 { try stop.check() }
      let rows = (left.rows[first], right.rows[second])
      let times = (column[RowIndex(rows.0)], column[RowIndex(rows.1)])
      if times.0 < times.1 || (times.0 == times.1 && rows.0 < rows.1) {
        merged.append(rows.0)
        first += 1
      } else {
        merged.append(rows.1)
        second += 1
      }
    }
    merged += left.rows[first...]
    merged += right.rows[second...]
    rows = merged
  }

  /// Rows of the run that come before (time, row). O(log rows).
  func count(before time: Int64, _ row: Int, _ column: SegmentedColumn<Int64>) -> Int {
    var low = 0
    var high = rows.count
    while low < high {
      let middle = (low + high) / 2
      let other = column[RowIndex(rows[middle])]
      if other < time || (other == time && Int(rows[middle]) < row) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }
}

/// Which rows are not of the main run, as bits, and the greatest time before each block of rows. One writer
/// at a time, under the lock of `TimeRuns`; readers look at rows that they learned of there.
final class SideMarks: Sendable {
  /// The first block that is noted; what lies before it is all in order.
  let firstBlock: Int
  private let bits = SegmentedColumn<UInt64>()
  private let latestBefore = SegmentedColumn<Int64>()
  private let sideBefore = SegmentedColumn<UInt32>()

  init(from row: Int) {
    firstBlock = row / TimeRuns.blockRows + 1
    for block in [firstBlock] {
      latestBefore.reserve(RowIndex(block))
      sideBefore.reserve(RowIndex(block))
    }
    bits.reserve(RowIndex(row / 64))
    bits[RowIndex(row / 64)] = 0
    firstWord = row / 64
  }

  private let firstWord: Int

  func append(_ row: Int, isSide: Bool, latestBefore latest: Int64, sideBefore side: Int) {
    let word = RowIndex(row / 64)
    if row & 63 == 0 {
      bits.reserve(word)
      bits[word] = 0
    }
    if isSide { bits[word] |= 1 << UInt64(row & 63) }
    if row % TimeRuns.blockRows == 0 {
      let block = RowIndex(row / TimeRuns.blockRows)
      latestBefore.reserve(block)
      latestBefore[block] = latest
      sideBefore.reserve(block)
      sideBefore[block] = UInt32(side)
    }
  }

  /// The bits of rows `64 * place` and the 63 after it.
  func word(_ place: Int) -> UInt64 { place < firstWord ? 0 : bits[RowIndex(place)] }

  func latest(beforeBlock block: Int) -> Int64 { latestBefore[RowIndex(block)] }

  func side(beforeBlock block: Int) -> Int { Int(sideBefore[RowIndex(block)]) }
}

/// The runs of one table as a cut sees them.
struct TimeIndex: Sendable {
  let createdAt: SegmentedColumn<Int64>
  let rowCount: Int
  /// The first row of a side run; `rowCount` when all rows are in order.
  let firstSide: Int
  let sideCount: Int
  let runs: [SideRun]
  var marks: SideMarks?

  var liesInOrder: Bool { sideCount == 0 }

  /// The first row from which on all rows of the main run are at `time` or later, those before it being
  /// earlier. O(log rows, and the rows of a block).
  func firstRow(notBefore time: Int64) -> Int {
    guard let marks, rowCount > firstSide else { return search(time, 0, rowCount) }
    // The first block before which a row of that time was seen; the row lies in the block before it.
    var low = marks.firstBlock
    var high = (rowCount - 1) / TimeRuns.blockRows + 1
    while low < high {
      let middle = (low + high) / 2
      if marks.latest(beforeBlock: middle) < time { low = middle + 1 } else { high = middle }
    }
    var row: Int
    var latest: Int64
    if low == marks.firstBlock {
      // Up to the first side row all is in order.
      let found = search(time, 0, min(firstSide, rowCount))
      if found < firstSide { return found }
      row = firstSide
      latest = firstSide == 0 ? .min : createdAt[RowIndex(firstSide - 1)]
    } else {
      row = (low - 1) * TimeRuns.blockRows
      latest = marks.latest(beforeBlock: low - 1)
    }
    while row < rowCount {
      latest = max(latest, createdAt[RowIndex(row)])
      if latest >= time { return row }
      row += 1
    }
    return rowCount
  }

  private func search(_ time: Int64, _ from: Int, _ to: Int) -> Int {
    var (low, high) = (from, to)
    while low < high {
      let middle = (low + high) / 2
      if createdAt[RowIndex(middle)] < time { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Rows of side runs among the first `row` rows. O(rows of a block / 64).
  func sideCount(before row: Int) -> Int {
    guard let marks, row > firstSide else { return 0 }
    let block = row / TimeRuns.blockRows
    var count = 0
    var word = firstSide / 64
    if block >= marks.firstBlock, block * TimeRuns.blockRows < rowCount {
      count = marks.side(beforeBlock: block)
      word = block * TimeRuns.blockRows / 64
    } else if block > marks.firstBlock {
      // The block of a row past the last one is not noted.
      count = marks.side(beforeBlock: block - 1)
      word = (block - 1) * TimeRuns.blockRows / 64
    }
    while word * 64 < row {
      var bits = marks.word(word)
      if row - word * 64 < 64 { bits &= (1 << UInt64(row - word * 64)) - 1 }
      count += bits.nonzeroBitCount
      word += 1
    }
    return count
  }

  /// The rows of all runs whose time lies in `times`: rows of the main run as a range that holds others too,
  /// and the places in each side run.
  func span(_ times: ClosedRange<Int64>) -> TimeSpan {
    let start = times.lowerBound == .min ? 0 : firstRow(notBefore: times.lowerBound)
    let end = times.upperBound == .max ? rowCount : firstRow(notBefore: times.upperBound + 1)
    let sides = runs.map { run in
      let low = run.count(before: times.lowerBound, 0, createdAt)
      let high =
        times.upperBound == .max ? run.rows.count : run.count(before: times.upperBound + 1, 0, createdAt)
      return low..<max(low, high)
    }
    return TimeSpan(rows: start..<max(start, end), sides: sides)
  }

  /// Rows in a span. O(runs).
  func count(_ span: TimeSpan) -> Int {
    let side = sideCount(before: span.rows.upperBound) - sideCount(before: span.rows.lowerBound)
    return span.rows.count - side + span.sides.reduce(0) { $0 + $1.count }
  }

  /// What comes after a place in the order by time.
  func span(after time: Int64, _ row: Int, ascending: Bool) -> TimeSpan {
    // Rows of the main run with that time lie together, in row order.
    if ascending {
      let start = max(firstRow(notBefore: time), min(row + 1, endOfTime(time)))
      let sides = runs.map { $0.count(before: time, row + 1, createdAt)..<$0.rows.count }
      return TimeSpan(rows: start..<max(start, rowCount), sides: sides)
    }
    let end = min(endOfTime(time), max(firstRow(notBefore: time), row))
    return TimeSpan(rows: 0..<end, sides: runs.map { 0..<$0.count(before: time, row, createdAt) })
  }

  private func endOfTime(_ time: Int64) -> Int { time == .max ? rowCount : firstRow(notBefore: time + 1) }
}

/// Rows of a range of times, run by run.
struct TimeSpan: Sendable, Hashable {
  /// Rows of the main run are those of the range that are in no side run.
  var rows: Range<Int>
  /// Places in each side run.
  var sides: [Range<Int>]

  func intersection(_ other: TimeSpan) -> TimeSpan {
    let low = max(rows.lowerBound, other.rows.lowerBound)
    return TimeSpan(
      rows: low..<max(low, min(rows.upperBound, other.rows.upperBound)),
      sides: zip(sides, other.sides).map { left, right in
        let low = max(left.lowerBound, right.lowerBound)
        return low..<max(low, min(left.upperBound, right.upperBound))
      })
  }
}
