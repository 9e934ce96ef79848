// All balances: fixed columns in row order, changing columns in blocks.

import Amounts
import Columns
import Platform

/// The columns of the balances. What every posting changes lies in `totals` blocks, what changes rarely in
/// `cells`, holds in blocks of their own that exist only in chunks that have had one; everything else is
/// written once.
///
/// Writing is the books' business: one writer at a time, under the creation lock and the shard's lock.
package final class BalanceTable: Sendable {
  /// Lanes of a totals block; its words are the versions.
  package enum Lane {
    package static let credit = 0
    package static let debit = 1
    package static let balance = 2
    package static let count = 3
  }

  /// Lanes of a holds block; its words are not used.
  package enum HoldLane {
    package static let credit = 0
    package static let debit = 1
    package static let count = 2
  }

  /// Lanes of a cells block: the identity's row plus one, the metadata's handle.
  package enum Cell {
    package static let identity = 0
    package static let metadata = 1
    package static let count = 2
  }

  package let identifiers = IdentifierColumn(kind: .balance)
  /// Row of the ledger in the ledgers' table.
  package let ledgers = CodedColumn()
  /// Code in the books' dictionary of currencies.
  package let currencies = CodedColumn()
  /// Code in the books' dictionary of indicators, 0 for none.
  package let indicators = CodedColumn()
  /// Number of the balance's group in the books' groups.
  package let groups = CodedColumn()
  /// Microseconds since 1970.
  package let createdAt = SegmentedColumn<Int64>()
  package let multipliers = SegmentedColumn<Int64>()
  /// Bit 0: fund lineage is tracked; bits 1 and 2: the allocation strategy.
  package let flags = SegmentedColumn<UInt8>()
  package let totals: BlockTable
  package let holds: BlockTable
  /// By chunk: the greatest credits and debits that its balances ever had, in the lanes of `totals`. Whoever
  /// writes there keeps them.
  package let totalsMaxima = ZoneMaxima(laneCount: Lane.balance)
  /// The same of inflight credits and debits.
  package let holdsMaxima = ZoneMaxima(laneCount: HoldLane.count)
  package let cells: BlockTable
  package let metadata: RecordStore
  /// The rows by balance. Under the creation lock; read through `Cut.balanceOrder`.
  let order: BalanceOrder
  /// The newest transaction of each balance, its row plus one. Under the shard's lock; not part of cuts (a
  /// reader on a cut skips what is newer than the cut).
  package let newestTransactions = SegmentedColumn<UInt32>()
  /// By chunk: journal position of the fact that made its newest row, 0 for a restored one. Under the shard's
  /// lock.
  let newestCreations = SegmentedColumn<UInt64>()
  let indicatorIndex = StripedIndex()
  /// By the ledger's row: its balances, rising.
  package let rowsByLedger = RowLists()
  /// By the identity's row: every balance that ever had that identity, in the order in which it was given to
  /// them, perhaps more than once. A reader looks at the row's identity on its cut.
  package let rowsByIdentity = RowLists()
  /// One list, of key 0: the balances with an indicator, rising.
  package let rowsWithIndicator = RowLists()

  init(epochs: Epochs, metadata: RecordStore) {
    totals = BlockTable(epochs: epochs, kind: AmountBlock.kind(laneCount: Lane.count, word: 1))
    holds = BlockTable(epochs: epochs, kind: AmountBlock.kind(laneCount: HoldLane.count, word: 0))
    cells = BlockTable(epochs: epochs, kind: CellBlock.kind(laneCount: Cell.count))
    self.metadata = metadata
    order = BalanceOrder(totals: totals)
  }

  // MARK: Fixed columns

  package func tracksFundLineage(_ row: RowIndex) -> Bool { flags[row] & 1 != 0 }

  package func allocationStrategy(_ row: RowIndex) -> AllocationStrategy {
    AllocationStrategy(rawValue: flags[row] >> 1 & 3).unsafelyUnwrappedStrategy
  }

  /// The same for the writer, who needs no lock.
  func writerRow(indicator: TextCode, currency: TextCode) -> RowIndex? {
    indicatorIndex.writerRow(hash: KeyHash.hash(UInt64(indicator), UInt64(currency))) { row in
      indicators[row] == indicator && currencies[row] == currency
    }
  }

  /// The balance with that indicator and currency. O(1) expected.
  package func row(indicator: TextCode, currency: TextCode) -> RowIndex? {
    indicatorIndex.row(hash: KeyHash.hash(UInt64(indicator), UInt64(currency))) { row in
      indicators[row] == indicator && currencies[row] == currency
    }
  }

  /// Appends the fixed columns of a row. Writer only; the row is published by the books afterwards.
  /// - Parameter position: of the fact that makes it, 0 for a restored one.
  func appendFixed(_ row: RowIndex, _ fixed: FixedBalance, position: UInt64) {
    let chunk = RowIndex(Layout.chunk(of: row))
    if Layout.slot(of: row) == 0 { newestCreations.append(position, at: chunk) }
    newestCreations[chunk] = position
    ledgers.append(fixed.ledger.rawValue, at: row)
    currencies.append(fixed.currency, at: row)
    groups.append(fixed.group, at: row)
    rowsByLedger.append(row, to: fixed.ledger.rawValue)
    indicators.append(fixed.indicator, at: row)
    createdAt.append(fixed.createdAt.count, at: row)
    multipliers.append(fixed.currencyMultiplier, at: row)
    flags.append(fixed.flags, at: row)
    newestTransactions.append(0, at: row)
    identifiers.append(fixed.identifier, at: row)
    if fixed.indicator != 0 {
      rowsWithIndicator.append(row, to: 0)
      indicatorIndex.insert(
        hash: KeyHash.hash(UInt64(fixed.indicator), UInt64(fixed.currency)), row: row)
    }
    order.append(row)
  }

  /// Puts restored rows into the lists that they belong to, in rising order from call to call.
  func fillLists(_ rows: Range<Int>) {
    for index in rows {
      let row = RowIndex(index)
      rowsByLedger.append(row, to: ledgers[row])
      if indicators[row] != 0 { rowsWithIndicator.append(row, to: 0) }
      guard let block = cells.currentBlock(Layout.chunk(of: row)) else { continue }
      let identity = CellBlock(block)[lane: Cell.identity, slot: Layout.slot(of: row)]
      if identity != 0 { rowsByIdentity.append(row, to: identity - 1) }
    }
  }

  // MARK: Changing columns

  /// The changing part as a held cut sees it. No lock.
  package func image(_ row: RowIndex, cut epoch: UInt64) -> BalanceImage {
    let chunk = Layout.chunk(of: row)
    return image(
      row, totals: totals.block(chunk, cut: epoch), holds: holds.block(chunk, cut: epoch),
      cells: cells.block(chunk, cut: epoch))
  }

  /// The changing part now. The caller holds the row's shard lock or keeps writers out.
  package func currentImage(_ row: RowIndex) -> BalanceImage {
    let chunk = Layout.chunk(of: row)
    return image(
      row, totals: totals.currentBlock(chunk), holds: holds.currentBlock(chunk),
      cells: cells.currentBlock(chunk))
  }

  /// The identity's row as a held cut sees it, without the rest of the image.
  package func identity(_ row: RowIndex, cut epoch: UInt64) -> RowIndex? {
    guard let block = cells.block(Layout.chunk(of: row), cut: epoch) else { return nil }
    let identity = CellBlock(block)[lane: Cell.identity, slot: Layout.slot(of: row)]
    return identity == 0 ? nil : RowIndex(identity - 1)
  }

  /// Asks for the memory of a row that exists, all columns at once: reading them one after another waits for
  /// each.
  package func prefetch(_ row: RowIndex) {
    if let totals = totals.currentBlock(Layout.chunk(of: row)) {
      let block = AmountBlock(totals, laneCount: Lane.count)
      let slot = Layout.slot(of: row)
      block.prefetch(lane: Lane.balance, slot: slot)
      block.prefetch(lane: Lane.credit, slot: slot)
      block.prefetch(lane: Lane.debit, slot: slot)
      block.prefetchWord(slot: slot)
    }
    ledgers.prefetch(row)
    currencies.prefetch(row)
    indicators.prefetch(row)
    createdAt.prefetch(row)
    multipliers.prefetch(row)
    flags.prefetch(row)
  }

  private func image(_ row: RowIndex, totals: Block?, holds: Block?, cells: Block?) -> BalanceImage {
    let slot = Layout.slot(of: row)
    var image = BalanceImage(
      row: row, credit: .zero, debit: .zero, balance: .zero, inflightCredit: .zero, inflightDebit: .zero,
      version: 1, identity: nil, metadata: [])
    if let totals {
      let block = AmountBlock(totals, laneCount: Lane.count)
      image.credit = block.amount(lane: Lane.credit, slot: slot)
      image.debit = block.amount(lane: Lane.debit, slot: slot)
      image.balance = block.amount(lane: Lane.balance, slot: slot)
      image.version = unsafe block.words[slot]
    }
    if let holds {
      let block = AmountBlock(holds, laneCount: HoldLane.count)
      image.inflightCredit = block.amount(lane: HoldLane.credit, slot: slot)
      image.inflightDebit = block.amount(lane: HoldLane.debit, slot: slot)
    }
    if let cells {
      let block = CellBlock(cells)
      let identity = block[lane: Cell.identity, slot: slot]
      if identity != 0 { image.identity = RowIndex(identity - 1) }
      let handle = block[lane: Cell.metadata, slot: slot]
      if handle != 0 { unsafe image.metadata = [UInt8](metadata.bytes(handle)) }
    }
    return image
  }

  /// Journal position of the last fact that a reader of the row can have seen, or a later one of its chunk.
  /// The caller holds the row's shard lock or keeps writers out.
  func latestChange(_ row: RowIndex) -> UInt64 {
    let chunk = Layout.chunk(of: row)
    return max(
      max(newestCreations[RowIndex(chunk)], totals.lastChange(chunk)),
      max(holds.lastChange(chunk), cells.lastChange(chunk)))
  }

  // MARK: Postings

  /// Takes an amount from a balance. Writer only, under the shard's lock.
  func debit(_ row: RowIndex, _ amount: Amount, position: UInt64) {
    let chunk = Layout.chunk(of: row)
    let block = AmountBlock(totals.blockForWriting(chunk, position: position), laneCount: Lane.count)
    let slot = Layout.slot(of: row)
    block.add(amount, lane: Lane.debit, slot: slot)
    unsafe totalsMaxima.raise(chunk, lane: Lane.debit, to: block.sketches(Lane.debit)[slot])
    block.subtract(amount, lane: Lane.balance, slot: slot)
    unsafe block.words[slot] += 1
    order.note(row)
  }

  /// Gives an amount to a balance. Writer only, under the shard's lock.
  func credit(_ row: RowIndex, _ amount: Amount, position: UInt64) {
    let chunk = Layout.chunk(of: row)
    let block = AmountBlock(totals.blockForWriting(chunk, position: position), laneCount: Lane.count)
    let slot = Layout.slot(of: row)
    block.add(amount, lane: Lane.credit, slot: slot)
    unsafe totalsMaxima.raise(chunk, lane: Lane.credit, to: block.sketches(Lane.credit)[slot])
    block.add(amount, lane: Lane.balance, slot: slot)
    unsafe block.words[slot] += 1
    order.note(row)
  }

  /// Sets what is held of a balance. Writer only, under the shard's lock.
  /// - Parameter lane: of `HoldLane`.
  package func setHold(_ row: RowIndex, lane: Int, _ amount: Amount, position: UInt64) {
    let chunk = Layout.chunk(of: row)
    let block = AmountBlock(holds.blockForWriting(chunk, position: position), laneCount: HoldLane.count)
    let slot = Layout.slot(of: row)
    block.set(amount, lane: lane, slot: slot)
    unsafe holdsMaxima.raise(chunk, lane: lane, to: block.sketches(lane)[slot])
  }

  /// Asks for what a posting reads and writes of a balance. Writer only.
  func prefetchPosting(_ row: RowIndex, isDebit: Bool) {
    newestTransactions.prefetch(row)
    groups.prefetch(row)
    order.prefetchNote(row)
    let side = isDebit ? Lane.debit : Lane.credit
    totalsMaxima.prefetch(Layout.chunk(of: row), lane: side)
    guard let totals = totals.currentBlock(Layout.chunk(of: row)) else { return }
    let block = AmountBlock(totals, laneCount: Lane.count)
    let slot = Layout.slot(of: row)
    block.prefetch(lane: side, slot: slot)
    block.prefetch(lane: Lane.balance, slot: slot)
    block.prefetchWord(slot: slot)
    block.prefetchSketch(lane: side, slot: slot)
    block.prefetchSketch(lane: Lane.balance, slot: slot)
  }

  /// What a posting may take from a balance now: its balance less its inflight debits. The caller is the
  /// writer.
  func available(_ row: RowIndex) -> Amount {
    let chunk = Layout.chunk(of: row)
    let slot = Layout.slot(of: row)
    guard let totals = totals.currentBlock(chunk) else { return .zero }
    let balance = AmountBlock(totals, laneCount: Lane.count).amount(lane: Lane.balance, slot: slot)
    guard let holds = holds.currentBlock(chunk) else { return balance }
    return balance - AmountBlock(holds, laneCount: HoldLane.count).amount(lane: HoldLane.debit, slot: slot)
  }

  /// Bytes of the order of balances.
  package var orderByteCount: Int { order.byteCount }

  /// Bytes of all columns, indexes and metadata, for `rowCount` rows.
  package func byteCount(rowCount: Int) -> Int {
    rowCount * (16 + 8 + 8 + 1 + 4) + identifiers.byteCount + indicatorIndex.byteCount
      + ledgers.byteCount + currencies.byteCount + indicators.byteCount + groups.byteCount
      + rowsByLedger.byteCount + rowsByIdentity.byteCount + rowsWithIndicator.byteCount
      + totals.reservedByteCount + holds.reservedByteCount + cells.reservedByteCount
      + totalsMaxima.byteCount + holdsMaxima.byteCount + order.byteCount
  }
}

/// The fixed columns of one balance.
struct FixedBalance {
  var identifier: Identifier
  var ledger: RowIndex
  var currency: TextCode
  /// Of that ledger and currency.
  var group: UInt32
  var indicator: TextCode
  var createdAt: Microseconds
  var currencyMultiplier: Int64
  var flags: UInt8

  static func flags(tracksFundLineage: Bool, strategy: AllocationStrategy) -> UInt8 {
    (tracksFundLineage ? 1 : 0) | strategy.rawValue << 1
  }
}

extension AllocationStrategy? {
  /// Flags are only ever made from a strategy, so one is always there.
  fileprivate var unsafelyUnwrappedStrategy: AllocationStrategy {
    guard let self else { preconditionFailure("flags hold a strategy") }
    return self
  }
}
