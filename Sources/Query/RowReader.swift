// Single values of single rows as a cut sees them: the slow and exact way to every column.

import Amounts
import Columns
import Ledger
import Platform

/// Columns of 64-bit integers that are never null.
enum IntegerColumn: Hashable, Sendable {
  case createdAt, currencyMultiplier, precision, version
}

/// Columns of amounts.
enum AmountColumn: Hashable, Sendable {
  case credit, debit, balance, inflightCredit, inflightDebit, inflightBalance
  /// Of transactions, in minor units.
  case precise
}

/// Columns of small numbers that stand for something else.
enum CodeColumn: Hashable, Sendable {
  /// Row of the ledger.
  case ledger
  /// Code of the currency.
  case currency
  /// Code of the indicator, 0 for none.
  case indicator
  /// Row of the identity plus one, 0 for none.
  case identity
  /// Row of the balance that is debited, credited.
  case source, destination
}

/// Texts that are kept row by row.
enum TextColumn: Hashable, Sendable {
  /// The row's own identifier.
  case identifier
  case reference, description
  /// Identifier of the batch.
  case parent
  /// A field of a ledger's or identity's record.
  case record(Int)
}

/// Reads one table through one cut. No locks; every access finds its block anew, so loops over many rows of a
/// column belong into `StripeScan`.
struct RowReader: Sendable {
  let cut: Cut
  let table: QueryTable
  /// What the engine keeps of texts; without it everything is read row by row.
  var texts: KeptTexts?

  var books: Books { cut.books }

  /// Rows that the cut sees, deleted ones included.
  var rowCount: Int {
    switch table {
    case .balances: cut.balanceCount
    case .transactions: cut.transactionCount
    case .ledgers: cut.ledgerCount
    case .identities: cut.identityCount
    }
  }

  var createdAt: SegmentedColumn<Int64> {
    switch table {
    case .balances: books.balances.createdAt
    case .transactions: books.transactions.createdAt
    case .ledgers: books.ledgers.createdAt
    case .identities: books.identities.createdAt
    }
  }

  var identifiers: IdentifierColumn {
    switch table {
    case .balances: books.balances.identifiers
    case .transactions: books.transactions.identifiers
    case .ledgers: books.ledgers.identifiers
    case .identities: books.identities.identifiers
    }
  }

  /// The records of ledgers or identities.
  var entities: EntityTable { table == .ledgers ? books.ledgers : books.identities }

  /// Rows of ledgers and identities may have been deleted.
  var mayBeDeleted: Bool { table == .ledgers || table == .identities }

  func exists(_ row: RowIndex) -> Bool {
    unsafe !mayBeDeleted || entities.record(row, cut: cut.epoch) != nil
  }

  func integer(_ column: IntegerColumn, _ row: RowIndex) -> Int64 {
    switch column {
    case .createdAt: return createdAt[row]
    case .currencyMultiplier: return books.balances.multipliers[row]
    case .precision: return books.transactions.precisions[row]
    case .version:
      guard let block = books.balances.totals.block(Layout.chunk(of: row), cut: cut.epoch) else { return 1 }
      let words = unsafe AmountBlock(block, laneCount: BalanceTable.Lane.count).words
      return Int64(unsafe words[Layout.slot(of: row)])
    }
  }

  func amount(_ column: AmountColumn, _ row: RowIndex) -> Amount {
    switch column {
    case .credit: total(BalanceTable.Lane.credit, row)
    case .debit: total(BalanceTable.Lane.debit, row)
    case .balance: total(BalanceTable.Lane.balance, row)
    case .inflightCredit: hold(BalanceTable.HoldLane.credit, row)
    case .inflightDebit: hold(BalanceTable.HoldLane.debit, row)
    case .inflightBalance:
      hold(BalanceTable.HoldLane.credit, row) - hold(BalanceTable.HoldLane.debit, row)
    case .precise: books.transactions.amount(row)
    }
  }

  private func total(_ lane: Int, _ row: RowIndex) -> Amount {
    guard let block = books.balances.totals.block(Layout.chunk(of: row), cut: cut.epoch) else { return .zero }
    return AmountBlock(block, laneCount: BalanceTable.Lane.count)
      .amount(lane: lane, slot: Layout.slot(of: row))
  }

  private func hold(_ lane: Int, _ row: RowIndex) -> Amount {
    guard let block = books.balances.holds.block(Layout.chunk(of: row), cut: cut.epoch) else { return .zero }
    return AmountBlock(block, laneCount: BalanceTable.HoldLane.count)
      .amount(lane: lane, slot: Layout.slot(of: row))
  }

  func code(_ column: CodeColumn, _ row: RowIndex) -> UInt32 {
    switch column {
    case .ledger: return books.balances.ledgers[row]
    case .currency: return books.balances.currencies[row]
    case .indicator: return books.balances.indicators[row]
    case .identity:
      guard let block = books.balances.cells.block(Layout.chunk(of: row), cut: cut.epoch) else { return 0 }
      return CellBlock(block)[lane: BalanceTable.Cell.identity, slot: Layout.slot(of: row)]
    case .source: return books.transactions.sources[row]
    case .destination: return books.transactions.destinations[row]
    }
  }

  /// Flags of a balance or a transaction.
  func flags(_ row: RowIndex) -> UInt8 {
    table == .balances ? books.balances.flags[row] : books.transactions.flags[row]
  }

  /// Minor units and precision of a transaction.
  func decimal(_ row: RowIndex) -> (precise: Amount, precision: Amount) {
    (books.transactions.amount(row), Amount(books.transactions.precisions[row]))
  }

  func effectiveDate(_ row: RowIndex) -> Int64? {
    unsafe TransactionDetail.effectiveDate(books.transactions.detailBytes(row))?.count
  }

  /// Calls `body` with the text's bytes; nil when the row has none.
  func withText<Result>(_ column: TextColumn, _ row: RowIndex, _ body: (Span<UInt8>) -> Result) -> Result? {
    switch column {
    case .identifier: return withIdentifier(identifiers, row, body)
    case .reference: return unsafe call(body, books.transactions.referenceBytes(row))
    case .description:
      let record = unsafe books.transactions.detailBytes(row)
      guard let bytes = unsafe TransactionDetail.descriptionBytes(record) else { return nil }
      return unsafe call(body, bytes)
    case .parent:
      let record = unsafe books.transactions.detailBytes(row)
      guard let batch = unsafe TransactionDetail.batch(record) else { return nil }
      return withIdentifier(.uuid(high: batch.high, low: batch.low), kind: .batch, body)
    case .record(let field):
      guard let record = unsafe entities.record(row, cut: cut.epoch),
        let bytes = unsafe EntityRecord.field(field, of: record)
      else { return nil }
      return unsafe call(body, bytes)
    }
  }

  /// Calls `body` with the text of a row's identifier in any column.
  @inline(__always)
  func withIdentifier<Result>(
    _ column: IdentifierColumn, _ row: RowIndex, _ body: (Span<UInt8>) -> Result
  ) -> Result {
    let stored = column.storedIdentifier(row)
    if stored.isUUID {
      return withIdentifier(.uuid(high: stored.high, low: stored.low), kind: column.kind, body)
    }
    return withIdentifier(column[row], kind: column.kind, body)
  }

  @inline(__always)
  private func withIdentifier<Result>(
    _ identifier: Identifier, kind: EntityKind, _ body: (Span<UInt8>) -> Result
  ) -> Result {
    unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Identifier.textByteLimit) { buffer in
      let count = unsafe identifier.write(kind: kind, at: buffer.baseAddress.unsafelyUnwrapped)
      return unsafe body(UnsafeBufferPointer(rebasing: buffer[..<count]).span)
    }
  }

  /// Calls `body` with a dictionary's text.
  func withText<Result>(
    _ dictionary: TextDictionary, _ code: TextCode, _ body: (Span<UInt8>) -> Result
  ) -> Result {
    unsafe call(body, dictionary.bytes(of: code))
  }

  /// Calls `body` with the row's metadata, a compact JSON object or nothing for `{}`.
  func withMetadata<Result>(_ row: RowIndex, _ body: (Span<UInt8>) -> Result) -> Result {
    switch table {
    case .balances, .transactions:
      let handle = metadataHandle(metadataBlock(Layout.chunk(of: row)), Layout.slot(of: row))
      return withMetadata(handle: handle, body)
    case .ledgers, .identities:
      guard let record = unsafe entities.record(row, cut: cut.epoch) else { break }
      return unsafe call(body, EntityRecord.metadata(of: record, fieldCount: entities.fieldCount))
    }
    let nothing: [UInt8] = []
    return body(nothing.span)
  }

  /// The block with the metadata of a chunk of balances or transactions.
  func metadataBlock(_ chunk: Int) -> Block? {
    (table == .balances ? books.balances.cells : books.transactions.cells).block(chunk, cut: cut.epoch)
  }

  /// What stands for a row's metadata in its block, 0 for `{}`.
  @inline(__always)
  func metadataHandle(_ block: Block?, _ slot: Int) -> RecordHandle {
    guard let block else { return 0 }
    return CellBlock(block)[lane: table == .balances ? BalanceTable.Cell.metadata : 0, slot: slot]
  }

  /// Calls `body` with a record of metadata.
  @inline(__always)
  func withMetadata<Result>(handle: RecordHandle, _ body: (Span<UInt8>) -> Result) -> Result {
    if handle != 0 { return unsafe call(body, books.records.bytes(handle)) }
    let nothing: [UInt8] = []
    return body(nothing.span)
  }

  @inline(__always)
  private func call<Result>(_ body: (Span<UInt8>) -> Result, _ bytes: UnsafeRawBufferPointer) -> Result {
    unsafe body(bytes.bindMemory(to: UInt8.self).span)
  }
}
