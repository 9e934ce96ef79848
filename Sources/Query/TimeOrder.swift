// Whether the rows of a table lie in the order of their creation times, so that a walk is a sort.

import Columns
import Platform

/// Remembers how far created_at was found to rise. The column is written once, so what was found stays true.
final class TimeOrder: Sendable {
  /// Rows found to be in order, and whether the row after them is known not to be.
  private struct Found {
    var rowCount = 0
    var isBroken = false
  }

  private let tables = Guarded<[QueryTable: Found]>([:])

  /// Whether all rows of the cut are in order.
  /// - Complexity: O(rows that were created since the last question).
  func holds(for reader: RowReader, _ stop: StopFlag) throws(QueryStopped) -> Bool {
    let rowCount = reader.rowCount
    var found = tables.withLock { $0[reader.table] ?? Found() }
    if rowCount <= found.rowCount { return true }
    if found.isBroken { return false }
    let column = reader.createdAt
    var last = found.rowCount == 0 ? Int64.min : column[RowIndex(found.rowCount - 1)]
    while found.rowCount < rowCount {
      if found.rowCount & 0xFFFF == 0 { try stop.check() }
      let time = column[RowIndex(found.rowCount)]
      if time < last {
        found.isBroken = true
        break
      }
      last = time
      found.rowCount += 1
    }
    let result = found
    tables.withLock { tables in
      if tables[reader.table]?.rowCount ?? -1 <= result.rowCount { tables[reader.table] = result }
    }
    return rowCount <= result.rowCount
  }
}
