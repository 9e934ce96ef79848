// The changing parts of many balances at once, with their memory asked for ahead.

import Amounts
import Columns

extension BalanceTable {
  /// The changing parts of `rows` in their order; nil when their metadata has more than `metadataLimit` bytes
  /// together. Each row lies in some ten lines of memory; a page waits for all of them together rather than
  /// for one after the other.
  func images(of rows: [RowIndex], cut epoch: UInt64, metadataLimit: Int) -> [BalanceImage]? {
    for row in rows { prefetchImage(row, cut: epoch) }
    let handles = metadataHandles(rows, cut: epoch)
    for handle in handles { metadata.prefetchAddress(handle) }
    for handle in handles { metadata.prefetchBytes(handle) }
    var byteCount = 0
    for handle in handles {
      byteCount += metadata.byteCount(of: handle)
      if byteCount > metadataLimit { return nil }
    }
    return rows.map { image($0, cut: epoch) }
  }

  private func prefetchImage(_ row: RowIndex, cut epoch: UInt64) {
    let chunk = Layout.chunk(of: row)
    let slot = Layout.slot(of: row)
    if let totals = totals.block(chunk, cut: epoch) {
      let block = AmountBlock(totals, laneCount: Lane.count)
      block.prefetch(lane: Lane.credit, slot: slot)
      block.prefetch(lane: Lane.debit, slot: slot)
      block.prefetch(lane: Lane.balance, slot: slot)
      block.prefetchWord(slot: slot)
    }
    if let holds = holds.block(chunk, cut: epoch) {
      let block = AmountBlock(holds, laneCount: HoldLane.count)
      block.prefetch(lane: HoldLane.credit, slot: slot)
      block.prefetch(lane: HoldLane.debit, slot: slot)
    }
    if let cells = cells.block(chunk, cut: epoch) {
      CellBlock(cells).prefetch(lane: Cell.identity, slot: slot)
      CellBlock(cells).prefetch(lane: Cell.metadata, slot: slot)
    }
  }

  /// Those of the rows that have metadata.
  private func metadataHandles(_ rows: [RowIndex], cut epoch: UInt64) -> [RecordHandle] {
    var handles: [RecordHandle] = []
    for row in rows {
      guard let block = cells.block(Layout.chunk(of: row), cut: epoch) else { continue }
      let handle = CellBlock(block)[lane: Cell.metadata, slot: Layout.slot(of: row)]
      if handle != 0 { handles.append(handle) }
    }
    return handles
  }
}
