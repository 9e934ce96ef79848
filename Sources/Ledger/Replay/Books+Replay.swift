// Facts of a journal become true again, each checked against the tables first.

import Amounts
import Columns
import Platform

extension Books {
  /// Position that the next fact must have.
  var nextReplayPosition: UInt64 { unsafe writer.pointee.position + 1 }

  func expectNoLog() { unsafe precondition(writer.pointee.log == nil, "what is replayed was logged before") }

  // MARK: Transactions

  /// Asks for what a transaction reads and writes. Nothing of it has been checked.
  @inline(__always)
  func prefetchReplay(_ record: TransactionRecord, identifierHash: UInt64, referenceHash: UInt64) {
    transactions.identifiers.prefetch(hash: identifierHash)
    transactions.prefetch(referenceHash: referenceHash)
    let balanceCount = unsafe writer.pointee.counts.balances
    if record.source.index < balanceCount { balances.prefetchPosting(record.source, isDebit: true) }
    if record.destination.index < balanceCount {
      balances.prefetchPosting(record.destination, isDebit: false)
    }
  }

  /// Applies a transaction.
  func replay(
    _ record: TransactionRecord, identifierHash: UInt64, referenceHash: UInt64
  ) throws(ReplayFault.Reason) {
    let identifier = record.identifier.identifier
    try check(record, identifier, identifierHash: identifierHash, referenceHash: referenceHash)
    unsafe writer.pointee.position += 1
    let position = unsafe writer.pointee.position
    let row = unsafe RowIndex(writer.pointee.counts.transactions)
    let (source, destination, amount) = (record.source, record.destination, record.amount.amount)
    noteTime(record.time)
    let newest = balances.newestTransactions
    let fixed = FixedTransaction(
      source: source, destination: destination, precision: record.precision, createdAt: record.time,
      position: position, previousOfSource: newest[source], previousOfDestination: newest[destination],
      flags: record.flags, detail: .none)
    newest[source] = row.rawValue + 1
    newest[destination] = row.rawValue + 1
    unsafe transactions.append(
      row, fixed, amount, identifier, detail: record.detail, referenceHash: referenceHash)
    if unsafe !record.metadata.isEmpty { setMetadata(unsafe [UInt8](record.metadata), ofTransaction: row) }
    balances.debit(source, amount, position: position)
    balances.credit(destination, amount, position: position)
    groups.move(amount, from: balances.groups[source], to: balances.groups[destination])
    noteForeign(identifier)
    unsafe writer.pointee.counts.transactions += 1
  }

  private func check(
    _ record: TransactionRecord, _ identifier: Identifier, identifierHash: UInt64, referenceHash: UInt64
  ) throws(ReplayFault.Reason) {
    let counts = unsafe writer.pointee.counts
    if unsafe record.time < writer.pointee.lastInstant { throw .timeRunsBack }
    if counts.transactions >= rowLimit { throw .tableFull(.transaction) }
    if record.source.index >= counts.balances { throw .noSuchRow(member: "source") }
    if record.destination.index >= counts.balances { throw .noSuchRow(member: "destination") }
    if record.source == record.destination { throw .badValue(member: "destination") }
    if currency(of: record.source) != currency(of: record.destination) {
      throw .badValue(member: "currency")
    }
    if transactions.identifiers.writerRow(of: identifier, hash: identifierHash) != nil {
      throw .taken(member: "id")
    }
    let reference = unsafe TransactionDetail.referenceBytes(record.detail)
    if unsafe transactions.writerRow(reference: reference, hash: referenceHash) != nil {
      throw .taken(member: "reference")
    }
  }

  // MARK: Other facts

  /// Asks for the index's slot of a balance to be made. Nothing of the payload has been checked.
  func prefetchReplay(balance payload: UnsafeRawBufferPointer) {
    guard payload.count > 33 else { return }
    let high = unsafe UInt64(littleEndian: payload.loadUnaligned(fromByteOffset: 17, as: UInt64.self))
    let low = unsafe UInt64(littleEndian: payload.loadUnaligned(fromByteOffset: 25, as: UInt64.self))
    balances.identifiers.prefetch(hash: KeyHash.hash(high, low))
  }

  /// Applies a fact that is not a transaction's.
  func replay(_ fact: Fact) throws(ReplayFault.Reason) {
    if unsafe fact.time < writer.pointee.lastInstant { throw .timeRunsBack }
    try check(fact)
    unsafe writer.pointee.position += 1
    switch fact {
    case .ledgerCreated(let made):
      apply(fact)
      noteForeign(made.identifier)
    case .identityCreated(let made):
      apply(fact)
      noteForeign(made.identifier)
    case .balanceCreated(let made):
      apply(fact)
      noteForeign(made.identifier)
    case .keyRemembered(let key):
      noteTime(key.time)
      unsafe writer.pointee.keys.append(key.key, key.outcome)
    case .ledgerUpdated, .identityUpdated, .identityDeleted, .balanceIdentityChanged, .metadataChanged:
      apply(fact)
    case .transactionPosted: preconditionFailure("a transaction has a function of its own")
    }
  }

  private func check(_ fact: Fact) throws(ReplayFault.Reason) {
    let counts = unsafe writer.pointee.counts
    switch fact {
    case .ledgerCreated(let fact):
      try checkNew(.ledger, fact.identifier, ledgers.identifiers, count: counts.ledgers)
      if (counts.ledgers == 0) != (fact.identifier == .generalLedger) { throw .badValue(member: "id") }
    case .ledgerUpdated(let fact): try checkLedger(fact.ledger, "ledger")
    case .identityCreated(let fact):
      try checkNew(.identity, fact.identifier, identities.identifiers, count: counts.identities)
    case .identityUpdated(let fact): try checkIdentity(fact.identity)
    case .identityDeleted(let fact):
      try checkIdentity(fact.identity)
      if identities.balanceCounts[fact.identity] > 0 { throw .badValue(member: "identity") }
    case .balanceCreated(let fact): try check(fact)
    case .balanceIdentityChanged(let fact):
      if fact.balance.index >= counts.balances { throw .noSuchRow(member: "balance") }
      try checkIdentity(fact.identity)
    case .metadataChanged(let fact): try check(fact)
    case .keyRemembered(let fact):
      if !fact.outcome.isWithin(counts) { throw .noSuchRow(member: "outcome") }
      if unsafe writer.pointee.keys.find(fact.key.text) != nil { throw .taken(member: "key") }
    case .transactionPosted: preconditionFailure("a transaction has a function of its own")
    }
  }

  private func check(_ fact: BalanceCreated) throws(ReplayFault.Reason) {
    try checkNew(
      .balance, fact.identifier, balances.identifiers, count: unsafe writer.pointee.counts.balances)
    try checkLedger(fact.ledger, "ledger")
    if let identity = fact.identity { try checkIdentity(identity) }
    guard let indicator = fact.indicator else { return }
    if fact.ledger != RowIndex(0) { throw .badValue(member: "indicator") }
    guard let indicator = indicators.code(of: indicator), let currency = currencies.code(of: fact.currency)
    else { return }
    if balances.writerRow(indicator: indicator, currency: currency) != nil {
      throw .taken(member: "indicator")
    }
  }

  private func check(_ fact: MetadataChanged) throws(ReplayFault.Reason) {
    let counts = unsafe writer.pointee.counts
    switch fact.kind {
    case .ledger: try checkLedger(fact.row, "row")
    case .identity: try checkIdentity(fact.row)
    case .balance: if fact.row.index >= counts.balances { throw .noSuchRow(member: "row") }
    case .transaction: if fact.row.index >= counts.transactions { throw .noSuchRow(member: "row") }
    case .batch: throw .badValue(member: "kind")
    }
  }

  private func checkNew(
    _ kind: EntityKind, _ identifier: Identifier, _ column: IdentifierColumn, count: Int
  ) throws(ReplayFault.Reason) {
    if count >= rowLimit { throw .tableFull(kind) }
    if column.writerRow(of: identifier) != nil { throw .taken(member: "id") }
  }

  private func checkLedger(_ row: RowIndex, _ member: String) throws(ReplayFault.Reason) {
    if unsafe row.index >= writer.pointee.counts.ledgers { throw .noSuchRow(member: member) }
  }

  /// The identity exists and is not deleted.
  private func checkIdentity(_ row: RowIndex) throws(ReplayFault.Reason) {
    if unsafe row.index >= writer.pointee.counts.identities || identities.currentRecord(row) == nil {
      throw .noSuchRow(member: "identity")
    }
  }
}

extension Outcome {
  /// Whether every row that the outcome names exists.
  fileprivate func isWithin(_ counts: TableCounts) -> Bool {
    switch self {
    case .ledger(let row): row.index < counts.ledgers
    case .identity(let row), .identityDeleted(let row): row.index < counts.identities
    case .balance(let row): row.index < counts.balances
    case .balances(let items): Self.areWithin(items, counts.balances)
    case .transaction(let item): item.row.index < counts.transactions
    case .transactions(_, let items): Self.areWithin(items, counts.transactions)
    case .metadata(let kind, let row):
      switch kind {
      case .ledger: row.index < counts.ledgers
      case .identity: row.index < counts.identities
      case .balance: row.index < counts.balances
      case .transaction: row.index < counts.transactions
      case .batch: false
      }
    }
  }

  private static func areWithin(_ items: [ItemOutcome], _ count: Int) -> Bool {
    items.allSatisfy { item in
      if case .done(let posted) = item { posted.row.index < count } else { true }
    }
  }
}
