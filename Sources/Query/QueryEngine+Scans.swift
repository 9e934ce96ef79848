// Counts by a pass over the columns, whatever the planner would do: an oracle for cleverer ways, and what is
// measured when scans are.

import Columns
import Ledger

extension QueryEngine {
  /// Number of rows that match a request's filter, found by a scan of the whole table.
  /// - Complexity: O(rows).
  package func scannedCount(
    _ request: QueryRequest, on cut: Cut, stop: StopFlag
  ) throws(QueryStopped) -> Int {
    let reader = RowReader(cut: cut, table: request.table)
    let test = try Lowering(reader: reader, stop: stop).filter(request)
    let stripes = 0..<Layout.stripeCount(rows: reader.rowCount)
    // As long as the dearest tests take, so that threads that are free are asked.
    return try crew.count(test, reader, stripes: stripes, estimate: reader.rowCount, stop)
  }
}
