// Codes of the sort keys of a stripe's selected rows.

import Columns
import Ledger

extension StripeScan {
  /// Calls `body` with each selected row and the code of its key; those first, mostly, that come first where
  /// keys are equal. Columns of 64-bit numbers and ranks are read where they lie; any other key is asked for
  /// row by row.
  @inline(__always)
  func forEachCode(
    _ order: RowOrder, _ body: (UInt64, RowIndex) -> Void
  ) throws(QueryStopped) {
    if let member = order.member {
      guard let codes = try members.codes(member, stripe: stripe)?.lanes else {
        preconditionFailure("ranks were made of all codes of the cut")
      }
      return forEachRank(order, codes, body)
    }
    switch order.column {
    case .amounts(let column) where column != .precise && column != .inflightBalance:
      if selection.count <= Self.fewRows {
        forEachRow(ascending: order.ascending) { row in
          body(AmountCode.code(reader.amount(column, row)), row)
          return true
        }
        return
      }
      let (table, laneCount, lane) = lanes(column)
      let blocks = unsafe (0..<Layout.shardCount).map { shard in
        unsafe table.block(stripe * Layout.shardCount + shard, cut: reader.cut.epoch)
          .map { unsafe AmountBlock($0, laneCount: laneCount).lane(lane) }
      }
      forEachRow(ascending: order.ascending) { row in
        let value = unsafe blocks[Layout.shard(of: row)]?[Layout.slot(of: row)] ?? 0
        let isWide = value == AmountBlock.wideMark
        body(isWide ? AmountCode.code(reader.amount(column, row)) : AmountCode.code(value), row)
        return true
      }
    case .integers(.createdAt):
      let column = reader.createdAt
      forEachRow(ascending: order.ascending) { row in
        body(RowOrder.code(column[row]), row)
        return true
      }
    case .codes(let column) where order.ranks != nil && column != .identity:
      forEachRank(order, codeLanes(column), body)
    case .texts(.identifier):
      let identifiers = reader.identifiers
      try forEachSlowRow { row in body(RowOrder.code(identifiers, row.rawValue), row) }
    case .codes(.identity):
      let cells = reader.books.balances.cells
      let blocks = unsafe (0..<Layout.shardCount).map { shard in
        unsafe cells.block(stripe * Layout.shardCount + shard, cut: reader.cut.epoch)
          .map { unsafe CellBlock($0).lane(BalanceTable.Cell.identity) }
      }
      order.withRanks { ranks in
        forEachRow(ascending: order.ascending) { row in
          body(unsafe ranks[blocks[Layout.shard(of: row)]?[Layout.slot(of: row)] ?? 0], row)
          return true
        }
      }
    default: try forEachSlowRow { row in body(order.code(row), row) }
    }
  }

  @inline(__always)
  private func forEachRank(_ order: RowOrder, _ codes: CodeLanes, _ body: (UInt64, RowIndex) -> Void) {
    let first = firstRow
    order.withRanks { ranks in
      switch codes {
      case .bytes(let codes):
        forEachRow(ascending: order.ascending) { row in
          body(unsafe ranks[UInt32(codes[row.index - first])], row)
          return true
        }
      case .shorts(let codes):
        forEachRow(ascending: order.ascending) { row in
          body(unsafe ranks[UInt32(codes[row.index - first])], row)
          return true
        }
      case .words(let codes):
        forEachRow(ascending: order.ascending) { row in
          body(unsafe ranks[codes[row.index - first]], row)
          return true
        }
      }
    }
  }

  /// Calls `body` with each selected row, rising, where that takes long: looks at the stop flag at least
  /// every 64 rows.
  @inline(__always)
  private func forEachSlowRow(_ body: (RowIndex) -> Void) throws(QueryStopped) {
    for word in 0..<Selection.wordCount {
      var rest = unsafe selection.bits[word]
      if rest == 0 { continue }
      try stop.check()
      while rest != 0 {
        body(RowIndex(firstRow + (word << 6 | rest.trailingZeroBitCount)))
        rest &= rest &- 1
      }
    }
  }
}
