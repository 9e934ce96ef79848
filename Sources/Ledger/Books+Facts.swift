// Facts become true: the only code that changes tables.

import Amounts
import Columns
import Platform

extension Books {
  /// Gives the fact the next journal position, applies it and writes it into the log, if there is one. Every
  /// change comes through this or the functions below. The caller holds the creation lock and the locks of
  /// the shards concerned.
  func append(_ fact: Fact) {
    switch fact {
    case .transactionPosted(let fact):
      append(fact, referenceHash: TransactionTable.hash(reference: fact.detail.reference))
    case .keyRemembered(let fact): append(fact)
    case .ledgerCreated, .ledgerUpdated, .identityCreated, .identityUpdated, .identityDeleted,
      .balanceCreated,
      .balanceIdentityChanged, .metadataChanged:
      unsafe writer.pointee.position += 1
      apply(fact)
      unsafe writer.pointee.appender?.append(fact, position: writer.pointee.position)
    }
  }

  /// The same for the fact that there are most of, which is not copied into a `Fact` and out of it.
  /// - Parameter hash: of the transaction's reference.
  func append(_ fact: borrowing TransactionPosted, referenceHash hash: UInt64) {
    unsafe writer.pointee.position += 1
    let row = unsafe RowIndex(writer.pointee.counts.transactions)
    apply(fact, referenceHash: hash)
    guard let appender = unsafe writer.pointee.appender else { return }
    // The table has just encoded the detail.
    unsafe appender.append(fact, detail: transactions.detailBytes(row), position: writer.pointee.position)
  }

  /// The same for a key, whose record is made once for its memory and for the log.
  func append(_ fact: KeyRemembered) {
    unsafe writer.pointee.position += 1
    noteTime(fact.time)
    let record = KeyMemory.record(fact.key, fact.outcome)
    unsafe writer.pointee.keys.append(record: record, text: fact.key.text)
    unsafe writer.pointee.appender?.append(
      keyRecord: record, time: fact.time, position: writer.pointee.position)
  }

  /// Changes the tables as the fact says; decides nothing, so that the same facts make the same books.
  func apply(_ fact: Fact) {
    switch fact {
    case .balanceCreated(let fact): apply(fact)
    case .ledgerCreated(let fact): apply(fact)
    case .ledgerUpdated(let fact): apply(fact)
    case .identityCreated(let fact): apply(fact)
    case .identityUpdated(let fact): apply(fact)
    case .identityDeleted(let fact): apply(fact)
    case .balanceIdentityChanged(let fact): apply(fact)
    case .metadataChanged(let fact): apply(fact)
    case .transactionPosted, .keyRemembered: preconditionFailure("facts with functions of their own")
    }
  }

  // MARK: Transactions

  private func apply(_ fact: borrowing TransactionPosted, referenceHash: UInt64) {
    noteTime(fact.time)
    let position = unsafe writer.pointee.position
    let row = unsafe RowIndex(writer.pointee.counts.transactions)
    let previousOfSource = balances.newestTransactions[fact.source]
    let previousOfDestination = balances.newestTransactions[fact.destination]
    balances.newestTransactions[fact.source] = row.rawValue + 1
    balances.newestTransactions[fact.destination] = row.rawValue + 1
    transactions.append(
      row, fact, referenceHash: referenceHash, position: position, previousOfSource: previousOfSource,
      previousOfDestination: previousOfDestination)
    if !fact.metadata.isEmpty { setMetadata(fact.metadata, ofTransaction: row) }
    balances.debit(fact.source, fact.amount, position: position)
    balances.credit(fact.destination, fact.amount, position: position)
    groups.move(fact.amount, from: balances.groups[fact.source], to: balances.groups[fact.destination])
    unsafe writer.pointee.counts.transactions += 1
  }

  func setMetadata(_ metadata: [UInt8], ofTransaction row: RowIndex) {
    let block = unsafe CellBlock(
      transactions.cells.blockForWriting(Layout.chunk(of: row), position: writer.pointee.position))
    setRecord(metadata.isEmpty ? nil : metadata, block, lane: 0, slot: Layout.slot(of: row))
  }

  // MARK: Balances

  private func apply(_ fact: BalanceCreated) {
    noteTime(fact.time)
    let row = unsafe RowIndex(writer.pointee.counts.balances)
    let currency = currencies.intern(fact.currency)
    let group = groups.intern(ledger: fact.ledger, currency: currency)
    balances.appendFixed(
      row,
      FixedBalance(
        identifier: fact.identifier, ledger: fact.ledger, currency: currency, group: group,
        indicator: fact.indicator.map { indicators.intern($0) } ?? 0, createdAt: fact.createdAt,
        currencyMultiplier: fact.currencyMultiplier,
        flags: FixedBalance.flags(
          tracksFundLineage: fact.tracksFundLineage, strategy: fact.allocationStrategy)),
      position: unsafe writer.pointee.position)
    groups.count(1, in: group)
    noteBalanceTime(fact.createdAt)
    ledgers.balanceCounts[fact.ledger] += 1
    if fact.identity != nil || !fact.metadata.isEmpty {
      setIdentity(fact.identity, of: row)
      if !fact.metadata.isEmpty { setMetadata(fact.metadata, ofBalance: row) }
    }
    unsafe writer.pointee.counts.balances += 1
  }

  private func apply(_ fact: BalanceIdentityChanged) {
    noteTime(fact.time)
    setIdentity(fact.identity, of: fact.balance)
  }

  /// Keeps the counts of balances by identity right.
  private func setIdentity(_ identity: RowIndex?, of row: RowIndex) {
    let block = unsafe CellBlock(
      balances.cells.blockForWriting(Layout.chunk(of: row), position: writer.pointee.position))
    let slot = Layout.slot(of: row)
    let old = block[lane: BalanceTable.Cell.identity, slot: slot]
    if old != 0 { identities.balanceCounts[RowIndex(old - 1)] -= 1 }
    if let identity {
      identities.balanceCounts[identity] += 1
      balances.rowsByIdentity.append(row, to: identity.rawValue)
    }
    block[lane: BalanceTable.Cell.identity, slot: slot] = identity.map { $0.rawValue + 1 } ?? 0
  }

  private func setMetadata(_ metadata: [UInt8], ofBalance row: RowIndex) {
    let block = unsafe CellBlock(
      balances.cells.blockForWriting(Layout.chunk(of: row), position: writer.pointee.position))
    setRecord(
      metadata.isEmpty ? nil : metadata, block, lane: BalanceTable.Cell.metadata, slot: Layout.slot(of: row))
  }

  // MARK: Ledgers, identities

  private func apply(_ fact: LedgerCreated) {
    noteTime(fact.time)
    let row = unsafe RowIndex(writer.pointee.counts.ledgers)
    ledgers.appendFixed(row, identifier: fact.identifier, createdAt: fact.createdAt)
    setRecord(EntityRecord(fields: [fact.name], metadata: fact.metadata), of: row, in: ledgers)
    unsafe writer.pointee.counts.ledgers += 1
  }

  private func apply(_ fact: LedgerUpdated) {
    noteTime(fact.time)
    setFields([fact.name], of: fact.ledger, in: ledgers)
  }

  private func apply(_ fact: IdentityCreated) {
    noteTime(fact.time)
    let row = unsafe RowIndex(writer.pointee.counts.identities)
    identities.appendFixed(row, identifier: fact.identifier, createdAt: fact.createdAt)
    setRecord(EntityRecord(fields: fact.fields, metadata: fact.metadata), of: row, in: identities)
    unsafe writer.pointee.counts.identities += 1
  }

  private func apply(_ fact: IdentityUpdated) {
    noteTime(fact.time)
    setFields(fact.fields, of: fact.identity, in: identities)
  }

  private func apply(_ fact: IdentityDeleted) {
    noteTime(fact.time)
    setRecord(nil, of: fact.identity, in: identities)
  }

  private func setFields(_ fields: [String?], of row: RowIndex, in table: EntityTable) {
    var record = currentRecord(of: row, in: table)
    record.fields = fields
    setRecord(record, of: row, in: table)
  }

  /// The record of a row that is not deleted.
  func currentRecord(of row: RowIndex, in table: EntityTable) -> EntityRecord {
    guard let record = unsafe table.currentRecord(row) else { preconditionFailure("the row has a record") }
    return unsafe EntityRecord(record, fieldCount: table.fieldCount)
  }

  private func setRecord(_ record: EntityRecord?, of row: RowIndex, in table: EntityTable) {
    let block = unsafe CellBlock(
      table.cells.blockForWriting(Layout.chunk(of: row), position: writer.pointee.position))
    setRecord(record?.encoded(), block, lane: 0, slot: Layout.slot(of: row))
  }

  // MARK: Metadata

  private func apply(_ fact: MetadataChanged) {
    noteTime(fact.time)
    switch fact.kind {
    case .balance: setMetadata(fact.metadata, ofBalance: fact.row)
    case .transaction: setMetadata(fact.metadata, ofTransaction: fact.row)
    case .ledger, .identity:
      let table = fact.kind == .ledger ? ledgers : identities
      var record = currentRecord(of: fact.row, in: table)
      record.metadata = fact.metadata
      setRecord(record, of: fact.row, in: table)
    case .batch: preconditionFailure("a batch has no metadata")
    }
  }

  // MARK: Small parts

  /// Puts a record behind a cell in place of the one that is there, if any.
  private func setRecord(_ bytes: [UInt8]?, _ block: CellBlock, lane: Int, slot: Int) {
    let old = block[lane: lane, slot: slot]
    block[lane: lane, slot: slot] = bytes.map { records.put($0) } ?? 0
    records.retire(old)
  }

  func noteTime(_ time: Microseconds) {
    unsafe precondition(time >= writer.pointee.lastInstant, "time never runs backwards in the books")
    unsafe writer.pointee.lastInstant = time
  }

  /// Keeps `balancesLieInTimeOrder` right.
  func noteBalanceTime(_ time: Microseconds) {
    if unsafe time < writer.pointee.newestBalanceTime {
      noteBalanceOutOfTimeOrder()
    } else {
      unsafe writer.pointee.newestBalanceTime = time
    }
  }
}
