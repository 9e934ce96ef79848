// Books copied column by column through the restorer, as a snapshot does.

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
  let memory = ColumnMemory()
  try appendBalances(of: cut, &restorer, memory)
  try appendTransactions(of: cut, &restorer, memory)
  for name in RestoredIndexes.Name.allCases {
    let count =
      switch name {
      case .balanceIdentifiers, .balanceLists: cut.balanceCount
      case .transactionIdentifiers, .transactionReferences: cut.transactionCount
      }
    // In two parts, as a loader may.
    try restorer.indexes.fill(name, 0..<count / 2)
    try restorer.indexes.fill(name, count / 2..<count)
  }
  unsafe try cut.keys.forEachRecord { unsafe try restorer.appendKey($0) }
  return try restorer.finish(position: cut.position, lastInstant: cut.lastInstant)
}

private func appendBalances(
  of cut: Cut, _ restorer: inout BooksRestorer, _ memory: ColumnMemory
) throws(RestoreFault) {
  let table = cut.books.balances
  let rows = (0..<cut.balanceCount).map { RowIndex($0) }
  let images = rows.map { cut.balance($0) }
  unsafe try restorer.appendBalances(
    RestoredBalances(
      rowCount: rows.count, identifiers: memory.identifiers(rows.map { table.identifiers[$0] }),
      ledgers: memory.keep(rows.map { table.ledgers[$0] }),
      currencies: memory.keep(rows.map { table.currencies[$0] }),
      indicators: memory.keep(rows.map { table.indicators[$0] }),
      identities: memory.keep(images.map { $0.identity.map { $0.rawValue + 1 } ?? 0 }),
      createdAt: memory.keep(rows.map { table.createdAt[$0] }),
      multipliers: memory.keep(rows.map { table.multipliers[$0] }),
      flags: memory.keep(rows.map { table.flags[$0] }), versions: memory.keep(images.map(\.version)),
      credits: memory.amounts(images.map(\.credit)), debits: memory.amounts(images.map(\.debit)),
      inflightCredits: memory.amounts(images.map(\.inflightCredit)),
      inflightDebits: memory.amounts(images.map(\.inflightDebit)),
      metadata: memory.records(images.map(\.metadata))))
}

private func appendTransactions(
  of cut: Cut, _ restorer: inout BooksRestorer, _ memory: ColumnMemory
) throws(RestoreFault) {
  let table = cut.books.transactions
  let rows = (0..<cut.transactionCount).map { RowIndex($0) }
  unsafe try restorer.appendTransactions(
    RestoredTransactions(
      rowCount: rows.count, identifiers: memory.identifiers(rows.map { table.identifiers[$0] }),
      sources: memory.keep(rows.map { table.sources[$0] }),
      destinations: memory.keep(rows.map { table.destinations[$0] }),
      amounts: memory.amounts(rows.map { table.amount($0) }),
      precisions: memory.keep(rows.map { table.precisions[$0] }),
      createdAt: memory.keep(rows.map { table.createdAt[$0] }),
      positions: memory.keep(rows.map { table.positions[$0] }),
      flags: memory.keep(rows.map { table.flags[$0] }),
      details: memory.records(rows.map { unsafe [UInt8](table.detailBytes($0)) }),
      metadata: memory.records(rows.map { table.metadataBytes($0, cut: cut.epoch) })))
}

/// Holds the columns until the copy is made.
@safe private final class ColumnMemory {
  private var kept: [UnsafeMutableRawBufferPointer] = unsafe []

  deinit {
    for place in unsafe kept.indices { unsafe kept[place].deallocate() }
  }

  func keep<Value: BitwiseCopyable>(_ values: [Value]) -> UnsafeBufferPointer<Value> {
    let bytes = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(values.count * MemoryLayout<Value>.stride, 1), alignment: 16)
    unsafe kept.append(bytes)
    let typed = unsafe bytes.bindMemory(to: Value.self)
    _ = unsafe typed.initialize(fromContentsOf: values)
    return unsafe UnsafeBufferPointer(rebasing: typed[..<values.count])
  }

  func identifiers(_ identifiers: [Identifier]) -> RestoredIdentifiers {
    var (highs, lows, chosen): ([UInt64], [UInt64], [Identifier]) = ([], [], [])
    for identifier in identifiers {
      if case .uuid(let high, let low) = identifier {
        highs.append(high)
        lows.append(low)
      } else {
        highs.append(0)
        lows.append(0)
        chosen.append(identifier)
      }
    }
    return unsafe RestoredIdentifiers(highs: keep(highs), lows: keep(lows), chosen: chosen)
  }

  func amounts(_ amounts: [Amount]) -> RestoredAmounts {
    let narrow = amounts.map { $0.int64 ?? AmountBlock.wideMark }
    let wide = zip(amounts, narrow).filter { $0.1 == AmountBlock.wideMark }.map(\.0)
    return unsafe RestoredAmounts(narrow: keep(narrow), wide: wide)
  }

  func records(_ records: [[UInt8]]) -> RestoredRecords {
    unsafe RestoredRecords(
      lengths: keep(records.map { UInt32($0.count) }),
      bytes: UnsafeRawBufferPointer(keep(records.flatMap { $0 })))
  }
}
