// The rows of a query, found stripe by stripe as they are taken.

import Columns
import Ledger

/// What an answer tells beside its rows, once they are at an end.
package struct QueryTail: Sendable, Equatable {
  /// Rows that match in all, if asked for.
  package var totalCount: Int?
  /// Nil when nothing comes after, or no cursor was asked for.
  package var nextCursor: Cursor?

  package init(totalCount: Int? = nil, nextCursor: Cursor? = nil) {
    self.totalCount = totalCount
    self.nextCursor = nextCursor
  }
}

/// Gives the rows of one query in order, some at a time.
///
/// Where the rows lie in the order asked for, it keeps the plan and the rows of one stripe (128 KiB), however
/// many there are in all; the next stripe is tested when these are taken. In any other order all row numbers
/// are found first and kept, 4 bytes each. One thread at a time.
package struct RowStream: ~Copyable {
  /// What is left of a walk through the stripes.
  private struct Walk {
    let test: RowTest
    let afterCursor: RowTest
    let ascending: Bool
    let stripes: Range<Int>
    let needsCount: Bool
    let wantsCursor: Bool
    var step = 0
    var toSkip: Int
    /// Rows that may still be given.
    var left: Int
    /// Rows that passed the test.
    var matchCount = 0
    var lastRow: RowIndex?
    var hasMore = false
  }

  private let request: QueryRequest
  private let reader: RowReader
  private var scan: StripeScan
  private var walk: Walk?
  private var rows: [RowIndex]
  /// The first of `rows` that was not taken.
  private var place = 0
  private var lastTaken: RowIndex?
  /// For the answer that comes after the rows; complete at the end.
  package private(set) var tail = QueryTail()
  /// How the rows are found.
  package let path: AccessPath

  /// Rows that were all found.
  init(_ request: QueryRequest, _ result: QueryResult, _ reader: RowReader, _ stop: StopFlag) {
    self.request = request
    self.reader = reader
    scan = StripeScan(reader: reader, stop: stop)
    rows = result.rows
    tail = QueryTail(totalCount: result.totalCount, nextCursor: result.nextCursor)
    path = result.trace.path
  }

  /// Rows that lie in the order asked for, to be found among `rows`.
  /// - Parameter knownCount: how many pass `test`, if that is known.
  init(
    _ request: QueryRequest, _ test: RowTest, afterCursor: RowTest, among range: Range<Int>, knownCount: Int?,
    _ reader: RowReader, _ stop: StopFlag
  ) {
    self.request = request
    self.reader = reader
    scan = StripeScan(reader: reader, stop: stop)
    rows = []
    path = .newest
    let isAll = range == 0..<reader.rowCount
    let test = RowTest.conjunction([isAll ? .everything : .rowRange(range), test])
    let stripes =
      range.isEmpty || test == .nothing
      ? 0..<0 : range.lowerBound / Layout.stripeRows..<Layout.stripeCount(rows: range.upperBound)
    if request.includeCount { tail.totalCount = knownCount ?? 0 }
    walk = Walk(
      test: test, afterCursor: afterCursor, ascending: request.order.ascending, stripes: stripes,
      needsCount: request.includeCount && knownCount == nil, wantsCursor: request.wantsCursor,
      toSkip: request.offset, left: request.limit ?? .max)
  }

  /// Rows that were found and not taken.
  package var waiting: ArraySlice<RowIndex> { rows[place...] }

  /// Whether there may be more rows than those that wait.
  package var hasMore: Bool { walk != nil }

  /// Whether there are no more rows, neither here nor to be found.
  package var isAtEnd: Bool { place == rows.count && walk == nil }

  /// Takes away the first of those that wait.
  package mutating func take(_ count: Int) {
    precondition(count <= rows.count - place, "only what waits can be taken")
    place += count
    if count > 0 { lastTaken = rows[place - 1] }
  }

  /// Looks for more rows in one stripe; there may be none in it.
  /// - Complexity: O(rows of a stripe) column tests; a pattern or metadata is read row by row: up to some
  ///   milliseconds.
  package mutating func findMore() throws(QueryStopped) {
    guard var walk = walk.take() else { return }
    rows.removeSubrange(..<place)
    place = 0
    let isFull = walk.left == 0 && (!walk.wantsCursor || walk.hasMore)
    guard walk.step < walk.stripes.count, !isFull || walk.needsCount else { return end(walk) }
    let stripe =
      walk.ascending ? walk.stripes.lowerBound + walk.step : walk.stripes.upperBound - 1 - walk.step
    walk.step += 1
    try scan.select(walk.test, stripe: stripe)
    if walk.needsCount { walk.matchCount += scan.selection.count }
    if !isFull {
      try scan.narrow(walk.afterCursor)
      collect(&walk)
    }
    self.walk = consume walk
  }

  private mutating func collect(_ walk: inout Walk) {
    let here = walk.toSkip > 0 ? scan.selection.count : 0
    if walk.toSkip > 0, here <= walk.toSkip {
      walk.toSkip -= here
      return
    }
    var (toSkip, left, hasMore) = (walk.toSkip, walk.left, walk.hasMore)
    var found: [RowIndex] = []
    swap(&found, &rows)
    scan.forEachRow(ascending: walk.ascending) { row in
      if toSkip > 0 {
        toSkip -= 1
        return true
      }
      if left == 0 {
        hasMore = true
        return false
      }
      found.append(row)
      left -= 1
      return true
    }
    swap(&found, &rows)
    walk.lastRow = rows.last ?? walk.lastRow
    (walk.toSkip, walk.left, walk.hasMore) = (toSkip, left, hasMore)
  }

  private mutating func end(_ walk: consuming Walk) {
    if walk.needsCount { tail.totalCount = walk.matchCount }
    if walk.wantsCursor, walk.hasMore, let last = walk.lastRow { tail.nextCursor = cursor(after: last) }
  }

  private func cursor(after row: RowIndex) -> Cursor {
    Cursor(
      digest: request.digest, row: row, key: reader.sortKey(SortColumn(request.order.field), row))
  }

  /// The cursor that goes on after the last row that was taken, whether one was asked for or not.
  package var cursorAfterTaken: Cursor? { lastTaken.map { cursor(after: $0) } }
}

extension QueryEngine {
  /// The rows of a request as they are taken. All of them are found here unless they lie in the order asked
  /// for; so call it where time does not matter.
  /// - Throws: as `run`.
  package func stream(
    _ request: QueryRequest, on cut: Cut, stop: StopFlag
  ) throws(QueryStopped) -> RowStream {
    let plan = try plan(request, on: cut, stop: stop)
    let reader = RowReader(cut: cut, table: request.table, texts: texts)
    let isShort =
      switch plan.path {
      case .nothing, .names: true
      case .list, .chain: plan.estimate.rows <= Self.collectedRows
      default: false
      }
    if !isShort, request.order.field.source == .createdAt, try rowsLieInTimeOrder(reader, stop) {
      let walk = try self.plan(request, on: cut, stop: stop, path: .newest)
      if walk.path == .newest {
        let known: Int? = if case .known(let count, _) = walk.counting { count } else { nil }
        let behind: RowTest = walk.walkRows == walk.rows ? .everything : .rowRange(walk.walkRows)
        return RowStream(
          request, walk.test, afterCursor: .conjunction([walk.afterCursor, behind]), among: walk.rows,
          knownCount: known, reader, stop)
      }
    }
    return RowStream(request, try run(plan, on: cut, stop: stop), reader, stop)
  }

  /// Rows of lists that are collected rather than looked for among all rows.
  private static let collectedRows = 65_536
}
