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

/// The fixed and changing columns of a balance as a snapshot keeps them.
package struct RestoredBalance: Sendable {
  package var identifier: Identifier
  package var ledger: RowIndex
  package var currency: TextCode
  /// 0 for none.
  package var indicator: TextCode
  package var identity: RowIndex?
  package var createdAt: Microseconds
  package var currencyMultiplier: Int64
  /// As in `BalanceTable.flags`.
  package var flags: UInt8
  package var version: UInt32
  package var credit: Amount
  package var debit: Amount
  package var balance: Amount
  package var inflightCredit: Amount
  package var inflightDebit: Amount

  package init(
    identifier: Identifier, ledger: RowIndex, currency: TextCode, indicator: TextCode, identity: RowIndex?,
    createdAt: Microseconds, currencyMultiplier: Int64, flags: UInt8, version: UInt32, credit: Amount,
    debit: Amount, balance: Amount, inflightCredit: Amount, inflightDebit: Amount
  ) {
    self.identifier = identifier
    self.ledger = ledger
    self.currency = currency
    self.indicator = indicator
    self.identity = identity
    self.createdAt = createdAt
    self.currencyMultiplier = currencyMultiplier
    self.flags = flags
    self.version = version
    self.credit = credit
    self.debit = debit
    self.balance = balance
    self.inflightCredit = inflightCredit
    self.inflightDebit = inflightDebit
  }
}

/// The columns of a transaction as a snapshot keeps them, but for its detail and metadata. The chains are
/// made anew.
package struct RestoredTransaction: Sendable {
  package var identifier: Identifier
  package var source: RowIndex
  package var destination: RowIndex
  package var amount: Amount
  package var precision: Int64
  package var createdAt: Microseconds
  package var position: UInt64
  /// As in `TransactionTable.flags`.
  package var flags: UInt8

  package init(
    identifier: Identifier, source: RowIndex, destination: RowIndex, amount: Amount, precision: Int64,
    createdAt: Microseconds, position: UInt64, flags: UInt8
  ) {
    self.identifier = identifier
    self.source = source
    self.destination = destination
    self.amount = amount
    self.precision = precision
    self.createdAt = createdAt
    self.position = position
    self.flags = flags
  }
}

/// Fills empty books row by row: currencies, indicators, ledgers, identities, then balances, then
/// transactions, and keys at any time. Bytes are taken as they were written: who reads them from a disk has
/// checked their checksums; what refers to other rows is checked here. One thread. Each row costs O(its
/// bytes).
package struct BooksRestorer: ~Copyable {
  private let books: Books
  private var keyCount = 0

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

  // MARK: Rows to come

  /// Asks for the memory that a balance to come will need.
  package func expectBalance(_ identifier: StoredIdentifier) {
    books.balances.identifiers.prefetch(hash: KeyHash.hash(identifier.high, identifier.low))
  }

  /// Asks for the memory that a transaction to come will need. Nothing of it has been checked.
  package func expectTransaction(
    _ identifier: StoredIdentifier?, source: RowIndex, destination: RowIndex, detail: UnsafeRawBufferPointer?
  ) {
    if let identifier {
      books.transactions.identifiers.prefetch(hash: KeyHash.hash(identifier.high, identifier.low))
    }
    let balanceCount = unsafe books.writer.pointee.counts.balances
    let newest = books.balances.newestTransactions
    if source.index < balanceCount { newest.prefetch(source) }
    if destination.index < balanceCount { newest.prefetch(destination) }
    if let detail = unsafe detail, unsafe TransactionDetail.isWellFormed(detail) {
      let reference = unsafe TransactionDetail.referenceBytes(detail)
      books.transactions.prefetch(referenceHash: unsafe KeyHash.hash(reference))
    }
  }

  // MARK: Balances

  /// The next balance.
  /// - Parameter metadata: a compact JSON object, empty for `{}`.
  package mutating func appendBalance(
    _ balance: RestoredBalance, metadata: UnsafeRawBufferPointer
  ) throws(RestoreFault) {
    let index = unsafe books.writer.pointee.counts.balances
    try check(balance, index)
    let row = RowIndex(index)
    books.balances.appendFixed(
      row,
      FixedBalance(
        identifier: balance.identifier, ledger: balance.ledger, currency: balance.currency,
        indicator: balance.indicator, createdAt: balance.createdAt,
        currencyMultiplier: balance.currencyMultiplier, flags: balance.flags), position: 0)
    books.noteForeign(balance.identifier)
    books.noteBalanceTime(balance.createdAt)
    books.ledgers.balanceCounts[balance.ledger] += 1
    restoreTotals(balance, row)
    if unsafe balance.identity != nil || !metadata.isEmpty {
      let block = CellBlock(books.balances.cells.blockForWriting(Layout.chunk(of: row), position: 0))
      let slot = Layout.slot(of: row)
      if let identity = balance.identity {
        block[lane: BalanceTable.Cell.identity, slot: slot] = identity.rawValue + 1
        books.identities.balanceCounts[identity] += 1
      }
      if unsafe !metadata.isEmpty {
        block[lane: BalanceTable.Cell.metadata, slot: slot] = unsafe books.records.put(metadata)
      }
    }
    unsafe books.writer.pointee.counts.balances += 1
  }

  private func check(_ balance: RestoredBalance, _ index: Int) throws(RestoreFault) {
    let counts = unsafe books.writer.pointee.counts
    let member: String? =
      if balance.ledger.index >= counts.ledgers {
        "ledger_id"
      } else if let identity = balance.identity, identity.index >= counts.identities {
        "identity_id"
      } else if balance.currency == 0 || Int(balance.currency) > books.currencies.count {
        "currency"
      } else if Int(balance.indicator) > books.indicators.count {
        "indicator"
      } else if balance.flags >> 3 != 0 || AllocationStrategy(rawValue: balance.flags >> 1) == nil {
        "flags"
      } else {
        nil
      }
    if let member { throw .badReference(table: .balance, row: index, member: member) }
    if books.balances.identifiers.writerRow(of: balance.identifier) != nil {
      throw .duplicate(table: .balance, row: index, member: "id")
    }
    if balance.indicator != 0,
      books.balances.writerRow(indicator: balance.indicator, currency: balance.currency) != nil
    {
      throw .duplicate(table: .balance, row: index, member: "indicator")
    }
  }

  private func restoreTotals(_ balance: RestoredBalance, _ row: RowIndex) {
    let chunk = Layout.chunk(of: row)
    let slot = Layout.slot(of: row)
    if balance.version != 1 || !balance.credit.isZero || !balance.debit.isZero || !balance.balance.isZero {
      let block = AmountBlock(
        books.balances.totals.blockForWriting(chunk, position: 0), laneCount: BalanceTable.Lane.count)
      block.set(balance.credit, lane: BalanceTable.Lane.credit, slot: slot)
      block.set(balance.debit, lane: BalanceTable.Lane.debit, slot: slot)
      block.set(balance.balance, lane: BalanceTable.Lane.balance, slot: slot)
      unsafe block.words[slot] = balance.version
    }
    if !balance.inflightCredit.isZero || !balance.inflightDebit.isZero {
      let block = AmountBlock(
        books.balances.holds.blockForWriting(chunk, position: 0), laneCount: BalanceTable.HoldLane.count)
      block.set(balance.inflightCredit, lane: BalanceTable.HoldLane.credit, slot: slot)
      block.set(balance.inflightDebit, lane: BalanceTable.HoldLane.debit, slot: slot)
    }
  }

  // MARK: Transactions

  /// The next transaction.
  /// - Parameters:
  ///   - detail: as `TransactionTable.detailBytes` gave it.
  ///   - metadata: a compact JSON object, empty for `{}`.
  package mutating func appendTransaction(
    _ transaction: RestoredTransaction, detail: UnsafeRawBufferPointer, metadata: UnsafeRawBufferPointer
  ) throws(RestoreFault) {
    let counts = unsafe books.writer.pointee.counts
    let row = RowIndex(counts.transactions)
    try unsafe check(transaction, detail, counts)
    let newest = books.balances.newestTransactions
    let fixed = FixedTransaction(
      source: transaction.source, destination: transaction.destination, precision: transaction.precision,
      createdAt: transaction.createdAt, position: transaction.position,
      previousOfSource: newest[transaction.source], previousOfDestination: newest[transaction.destination],
      flags: transaction.flags, detail: .none)
    newest[transaction.source] = row.rawValue + 1
    newest[transaction.destination] = row.rawValue + 1
    unsafe books.transactions.append(
      row, fixed, transaction.amount, transaction.identifier, detail: detail)
    books.noteForeign(transaction.identifier)
    if unsafe !metadata.isEmpty {
      let block = CellBlock(books.transactions.cells.blockForWriting(Layout.chunk(of: row), position: 0))
      block[lane: 0, slot: Layout.slot(of: row)] = unsafe books.records.put(metadata)
    }
    unsafe books.writer.pointee.counts.transactions += 1
  }

  private func check(
    _ transaction: RestoredTransaction, _ detail: UnsafeRawBufferPointer, _ counts: TableCounts
  ) throws(RestoreFault) {
    let index = counts.transactions
    let member: String? =
      if transaction.source.index >= counts.balances {
        "source"
      } else if transaction.destination.index >= counts.balances
        || transaction.destination == transaction.source
      {
        "destination"
      } else if transaction.amount.signum <= 0 {
        "precise_amount"
      } else if TransactionStatus(rawValue: transaction.flags & 15) == nil || transaction.flags >> 5 != 0 {
        "flags"
      } else if unsafe !TransactionDetail.isWellFormed(detail) {
        "detail"
      } else {
        nil
      }
    if let member { throw .badReference(table: .transaction, row: index, member: member) }
    if books.transactions.identifiers.writerRow(of: transaction.identifier) != nil {
      throw .duplicate(table: .transaction, row: index, member: "id")
    }
    if unsafe books.transactions.writerRow(reference: TransactionDetail.referenceBytes(detail)) != nil {
      throw .duplicate(table: .transaction, row: index, member: "reference")
    }
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

  /// The books, open for readers and writers.
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
