// Books copied row by row through the restorer, as a snapshot does.

import Amounts
import Columns
import Ledger
import Platform

/// New books with everything that a cut sees.
func restoredCopy(of cut: Cut, clock: any TimeSource) throws -> Books {
  let books = cut.books
  var restorer = BooksRestorer(clock: clock, seed: (9, 9))
  for code in 0..<cut.currencyCount {
    try restorer.appendCurrency(books.currencies.text(of: TextCode(code + 1)) ?? "")
  }
  for code in 0..<cut.indicatorCount {
    try restorer.appendIndicator(books.indicators.text(of: TextCode(code + 1)) ?? "")
  }
  for row in (0..<cut.ledgerCount).map({ RowIndex($0) }) {
    let record =
      unsafe books.ledgers.record(row, cut: cut.epoch) ?? UnsafeRawBufferPointer(start: nil, count: 0)
    unsafe try restorer.appendLedger(
      books.ledgers.identifiers[row], createdAt: Microseconds(books.ledgers.createdAt[row]), record: record)
  }
  for row in (0..<cut.identityCount).map({ RowIndex($0) }) {
    unsafe try restorer.appendIdentity(
      books.identities.identifiers[row], createdAt: Microseconds(books.identities.createdAt[row]),
      record: books.identities.record(row, cut: cut.epoch))
  }
  for row in (0..<cut.balanceCount).map({ RowIndex($0) }) {
    let image = cut.balance(row)
    let table = books.balances
    let restored = RestoredBalance(
      identifier: table.identifiers[row], ledger: RowIndex(table.ledgers[row]),
      currency: table.currencies[row], indicator: table.indicators[row], identity: image.identity,
      createdAt: Microseconds(table.createdAt[row]), currencyMultiplier: table.multipliers[row],
      flags: table.flags[row], version: image.version, credit: image.credit, debit: image.debit,
      balance: image.balance, inflightCredit: image.inflightCredit, inflightDebit: image.inflightDebit)
    unsafe try image.metadata.withUnsafeBytes { unsafe try restorer.appendBalance(restored, metadata: $0) }
  }
  for row in (0..<cut.transactionCount).map({ RowIndex($0) }) {
    let table = books.transactions
    let restored = RestoredTransaction(
      identifier: table.identifiers[row], source: table.source(row), destination: table.destination(row),
      amount: table.amount(row), precision: table.precisions[row],
      createdAt: Microseconds(table.createdAt[row]), position: table.positions[row], flags: table.flags[row])
    unsafe try table.metadataBytes(row, cut: cut.epoch).withUnsafeBytes {
      unsafe try restorer.appendTransaction(restored, detail: table.detailBytes(row), metadata: $0)
    }
  }
  unsafe try cut.keys.forEachRecord { unsafe try restorer.appendKey($0) }
  return try restorer.finish(position: cut.position, lastInstant: cut.lastInstant)
}
