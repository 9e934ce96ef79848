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

  /// The changing part as a cut sees it, in plain numbers, without the metadata, whose handle stands beside
  /// it (0 for `{}`). What the handle stands for may be read as long as the cut is held, or the instant
  /// lasts. No lock.
  package func figures(_ row: RowIndex, cut epoch: UInt64) -> (
    figures: BalanceFigures, metadata: RecordHandle
  ) {
    let chunk = Layout.chunk(of: row)
    let slot = Layout.slot(of: row)
    var figures = BalanceFigures()
    if let totals = totals.block(chunk, cut: epoch) {
      let block = AmountBlock(totals, laneCount: Lane.count)
      unsafe figures.credit = block.lane(Lane.credit)[slot]
      unsafe figures.debit = block.lane(Lane.debit)[slot]
      unsafe figures.balance = block.lane(Lane.balance)[slot]
      unsafe figures.version = block.words[slot]
    }
    if let holds = holds.block(chunk, cut: epoch) {
      let block = AmountBlock(holds, laneCount: HoldLane.count)
      unsafe figures.inflightCredit = block.lane(HoldLane.credit)[slot]
      unsafe figures.inflightDebit = block.lane(HoldLane.debit)[slot]
    }
    var metadata: RecordHandle = 0
    if let cells = cells.block(chunk, cut: epoch) {
      let block = CellBlock(cells)
      figures.identity = block[lane: Cell.identity, slot: slot]
      metadata = block[lane: Cell.metadata, slot: slot]
    }
    return (figures, metadata)
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

/// The changing part of a balance without its metadata, as it lies in the blocks: no reference is counted
/// when it is copied.
package struct BalanceFigures: BitwiseCopyable, Sendable {
  package var credit: Int64 = 0
  package var debit: Int64 = 0
  package var balance: Int64 = 0
  package var inflightCredit: Int64 = 0
  package var inflightDebit: Int64 = 0
  package var version: UInt32 = 1
  /// The identity's row plus one, 0 for none.
  package var identity: UInt32 = 0

  /// Whether some amount needs more than 64 bits: then the figures are not the balance.
  package var isWide: Bool {
    credit == AmountBlock.wideMark || debit == AmountBlock.wideMark || balance == AmountBlock.wideMark
      || inflightCredit == AmountBlock.wideMark || inflightDebit == AmountBlock.wideMark
      || inflightCredit.subtractingReportingOverflow(inflightDebit).overflow
  }

  /// The same as an image, if nothing is wide; without metadata.
  package func image(of row: RowIndex) -> BalanceImage {
    BalanceImage(
      row: row, credit: Amount(credit), debit: Amount(debit), balance: Amount(balance),
      inflightCredit: Amount(inflightCredit), inflightDebit: Amount(inflightDebit), version: version,
      identity: identity == 0 ? nil : RowIndex(identity - 1), metadata: [])
  }
}
