// Books are put together again from a snapshot: rows in order, no facts.

import Amounts
import Columns
import Platform

/// Why a snapshot's rows do not make books.
package enum RestoreFault: Error, Equatable, Sendable {
  /// A row refers to a row, a code or a value that does not exist; `row` is its number in its table.
  case badReference(table: EntityKind, row: Int, member: String)
  /// Two rows have one identifier, reference or indicator.
  case duplicate(table: EntityKind, row: Int, member: String)
  /// A key's record cannot be read, or its key comes twice.
  case badKey(number: Int)
  /// The first ledger is not the general ledger.
  case noGeneralLedger
}

/// Fills empty books: currencies, indicators, ledgers, identities, then balances, then transactions, and keys
/// at any time. Balances and transactions come by column, many rows at a time, and without their indexes,
/// which `indexes` fills beside it or afterwards. Bytes are taken as they were written: who reads them from a
/// disk has checked their checksums; what refers to other rows is checked here. One thread at a time, and one
/// for each index. Each row costs O(its bytes).
package struct BooksRestorer: ~Copyable {
  let books: Books
  private var keyCount = 0

  /// The indexes of the books that are being restored.
  package var indexes: RestoredIndexes { RestoredIndexes(books: books) }

  /// - Parameters:
  ///   - clock: as for new books.
  ///   - seed: as for new books.
  ///   - expected: rows to come, if known: the indexes are made for them at once.
  package init(clock: any TimeSource, seed: (UInt64, UInt64), expected: TableCounts = TableCounts()) {
    books = Books(emptyWith: clock, seed: seed, rowLimit: Layout.rowLimit)
    books.balances.identifiers.reserve(expected.balances)
    books.transactions.reserve(expected.transactions)
    books.ledgers.identifiers.reserve(expected.ledgers)
    books.identities.identifiers.reserve(expected.identities)
  }

  // MARK: Dictionaries

  /// The next currency in order of codes, the first being 1.
  package mutating func appendCurrency(_ text: String) throws(RestoreFault) {
    let count = books.currencies.count
    if Int(books.currencies.intern(text)) != count + 1 {
      throw .duplicate(table: .balance, row: count + 1, member: "currency")
    }
  }

  /// The next indicator in order of codes, the first being 1.
  package mutating func appendIndicator(_ text: String) throws(RestoreFault) {
    let count = books.indicators.count
    if Int(books.indicators.intern(text)) != count + 1 {
      throw .duplicate(table: .balance, row: count + 1, member: "indicator")
    }
  }

  // MARK: Entities

  /// The next ledger; the first is the general ledger.
  /// - Parameter record: as `EntityRecord` writes it.
  package mutating func appendLedger(
    _ identifier: Identifier, createdAt: Microseconds, record: UnsafeRawBufferPointer
  ) throws(RestoreFault) {
    let row = unsafe books.writer.pointee.counts.ledgers
    if row == 0, identifier != .generalLedger { throw .noGeneralLedger }
    try unsafe append(identifier, createdAt, record, row, .ledger, books.ledgers)
    unsafe books.writer.pointee.counts.ledgers += 1
  }

  /// The next identity.
  /// - Parameter record: as `EntityRecord` writes it, nil for a deleted one.
  package mutating func appendIdentity(
    _ identifier: Identifier, createdAt: Microseconds, record: UnsafeRawBufferPointer?
  ) throws(RestoreFault) {
    let row = unsafe books.writer.pointee.counts.identities
    try unsafe append(identifier, createdAt, record, row, .identity, books.identities)
    unsafe books.writer.pointee.counts.identities += 1
  }

  private func append(
    _ identifier: Identifier, _ createdAt: Microseconds, _ record: UnsafeRawBufferPointer?, _ index: Int,
    _ kind: EntityKind, _ table: EntityTable
  ) throws(RestoreFault) {
    if table.identifiers.writerRow(of: identifier) != nil {
      throw .duplicate(table: kind, row: index, member: "id")
    }
    if let record = unsafe record, unsafe !EntityRecord.isWellFormed(record, fieldCount: table.fieldCount) {
      throw .badReference(table: kind, row: index, member: "record")
    }
    let row = RowIndex(index)
    table.appendFixed(row, identifier: identifier, createdAt: createdAt)
    books.noteForeign(identifier)
    guard let record = unsafe record else { return }
    let block = CellBlock(table.cells.blockForWriting(Layout.chunk(of: row), position: 0))
    block[lane: 0, slot: Layout.slot(of: row)] = unsafe books.records.put(record)
  }

  // MARK: Keys, the end

  /// The next idempotency key, oldest first, as `RememberedKeys` gave it.
  package mutating func appendKey(_ record: UnsafeRawBufferPointer) throws(RestoreFault) {
    do throws(RecordFault) {
      try unsafe books.writer.pointee.keys.restore([UInt8](record))
      keyCount += 1
    } catch {
      throw .badKey(number: keyCount)
    }
  }

  /// The books, open for readers and writers; all indexes have been filled.
  /// - Parameters:
  ///   - position: journal position of the last fact in them.
  ///   - lastInstant: time of that fact.
  package consuming func finish(
    position: UInt64, lastInstant: Microseconds
  ) throws(RestoreFault) -> Books {
    unsafe books.writer.pointee.position = position
    unsafe books.writer.pointee.lastInstant = lastInstant
    if unsafe books.writer.pointee.counts.ledgers == 0 { throw .noGeneralLedger }
    books.publish()
    return books
  }
}
