// Codes of the sort keys of a stripe's selected rows.

import Columns
import Ledger

extension StripeScan {
  /// Calls `body` with each selected row, rising, and the code of its key. Columns of 64-bit numbers and
  /// ranks are read where they lie; any other key is asked for row by row.
  @inline(__always)
  func forEachCode(
    _ order: RowOrder, _ body: (UInt64, RowIndex) -> Void
  ) throws(QueryStopped) {
    switch order.column {
    case _ where order.member != nil:
      guard let member = order.member, let codes = try members.codes(member, stripe: stripe) else {
        preconditionFailure("ranks were made of all codes of the cut")
      }
      let first = firstRow
      forEachRow(ascending: true) { row in
        body(order.rank(codes[row.index - first]), row)
        return true
      }
    case .amounts(let column) where column != .precise && column != .inflightBalance:
      let (table, laneCount, lane) = lanes(column)
      let blocks = unsafe (0..<Layout.shardCount).map { shard in
        unsafe table.block(stripe * Layout.shardCount + shard, cut: reader.cut.epoch)
          .map { unsafe AmountBlock($0, laneCount: laneCount).lane(lane) }
      }
      forEachRow(ascending: true) { row in
        let value = unsafe blocks[Layout.shard(of: row)]?[Layout.slot(of: row)] ?? 0
        let isWide = value == AmountBlock.wideMark
        body(isWide ? RowOrder.code(reader.amount(column, row)) : RowOrder.code(value), row)
        return true
      }
    case .integers(.createdAt):
      let column = reader.createdAt
      forEachRow(ascending: true) { row in
        body(RowOrder.code(column[row]), row)
        return true
      }
    case .codes(let column) where order.ranks != nil && column != .identity:
      forEachFixedCode(column) { code, row in body(order.rank(code), row) }
    case .texts(.identifier):
      let identifiers = reader.identifiers
      forEachRow(ascending: true) { row in
        body(RowOrder.code(identifiers, row.rawValue), row)
        return true
      }
    case .codes(.identity):
      let cells = reader.books.balances.cells
      let blocks = unsafe (0..<Layout.shardCount).map { shard in
        unsafe cells.block(stripe * Layout.shardCount + shard, cut: reader.cut.epoch)
          .map { unsafe CellBlock($0).lane(BalanceTable.Cell.identity) }
      }
      forEachRow(ascending: true) { row in
        body(unsafe order.rank(blocks[Layout.shard(of: row)]?[Layout.slot(of: row)] ?? 0), row)
        return true
      }
    default:
      forEachRow(ascending: true) { row in
        body(order.code(row), row)
        return true
      }
    }
  }

  /// Calls `body` with each selected row, rising, and its code in a column that never changes.
  @inline(__always)
  private func forEachFixedCode(_ column: CodeColumn, _ body: (UInt32, RowIndex) -> Void) {
    switch codeLanes(column) {
    case .bytes(let codes):
      forEachRow(ascending: true) { row in
        body(UInt32(unsafe codes[row.index - firstRow]), row)
        return true
      }
    case .shorts(let codes):
      forEachRow(ascending: true) { row in
        body(UInt32(unsafe codes[row.index - firstRow]), row)
        return true
      }
    case .words(let codes):
      forEachRow(ascending: true) { row in
        body(unsafe codes[row.index - firstRow], row)
        return true
      }
    }
  }
}
