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

  /// The changing part as a cut sees it, without the metadata, whose handle stands beside it (0 for `{}`).
  /// What the handle stands for may be read as long as the cut is held, or the instant lasts. No lock.
  package func imageBesideMetadata(
    _ row: RowIndex, cut epoch: UInt64
  ) -> (image: BalanceImage, metadata: RecordHandle) {
    let chunk = Layout.chunk(of: row)
    let slot = Layout.slot(of: row)
    var image = BalanceImage(
      row: row, credit: .zero, debit: .zero, balance: .zero, inflightCredit: .zero, inflightDebit: .zero,
      version: 1, identity: nil, metadata: [])
    if let totals = totals.block(chunk, cut: epoch) {
      let block = AmountBlock(totals, laneCount: Lane.count)
      image.credit = block.amount(lane: Lane.credit, slot: slot)
      image.debit = block.amount(lane: Lane.debit, slot: slot)
      image.balance = block.amount(lane: Lane.balance, slot: slot)
      image.version = unsafe block.words[slot]
    }
    if let holds = holds.block(chunk, cut: epoch) {
      let block = AmountBlock(holds, laneCount: HoldLane.count)
      image.inflightCredit = block.amount(lane: HoldLane.credit, slot: slot)
      image.inflightDebit = block.amount(lane: HoldLane.debit, slot: slot)
    }
    var metadata: RecordHandle = 0
    if let cells = cells.block(chunk, cut: epoch) {
      let block = CellBlock(cells)
      let identity = block[lane: Cell.identity, slot: slot]
      if identity != 0 { image.identity = RowIndex(identity - 1) }
      metadata = block[lane: Cell.metadata, slot: slot]
    }
    return (image, metadata)
  }

  /// Asks for the memory that an image is read from.
  package func prefetchImage(_ row: RowIndex, cut epoch: UInt64) {
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
