// The books as anyone would write them first: dictionaries of plain values, rules in order. The oracle of the
// tests.

import Amounts
import Columns
import Ledger
import Platform

/// Answers as `Books` does, with rows counted from 0 in each table. Identifiers are always chosen by the
/// test, but for indicator balances, which are named by indicator.
package struct NaiveBooks {
  package struct Balance: Equatable {
    package var ledger: Int
    package var currency: String
    package var indicator: String?
    package var identity: Int?
    package var metadata: [UInt8]
    package var createdAt: Microseconds
    package var credit = Amount.zero
    package var debit = Amount.zero
    package var version: UInt32 = 1
    package var balance: Amount { credit - debit }

    package init(
      ledger: Int, currency: String, indicator: String?, identity: Int?, metadata: [UInt8],
      createdAt: Microseconds, credit: Amount = .zero, debit: Amount = .zero, version: UInt32 = 1
    ) {
      self.ledger = ledger
      self.currency = currency
      self.indicator = indicator
      self.identity = identity
      self.metadata = metadata
      self.createdAt = createdAt
      self.credit = credit
      self.debit = debit
      self.version = version
    }
  }

  package struct Transaction {
    package var request: NewTransaction
    package var source: Int
    package var destination: Int
    package var metadata: [UInt8]
    package var identifier: Identifier?
  }

  package struct Identity {
    package var fields: [String?]
    package var metadata: [UInt8]
    package var isDeleted = false
  }

  package var ledgers: [(name: String, metadata: [UInt8])] = [("General Ledger", [])]
  package var ledgerRows: [Identifier: Int] = [.generalLedger: 0]
  package var identities: [Identity] = []
  package var identityRows: [Identifier: Int] = [:]
  package var balances: [Balance] = []
  package var balanceRows: [Identifier: Int] = [:]
  package var transactions: [Transaction] = []
  package var transactionRows: [Identifier: Int] = [:]
  package var keys: [String: (digest: UInt64, outcome: Outcome)] = [:]
  package var position: UInt64 = 1
  package var time = Microseconds(0)

  /// What the books should answer; the batch identifier is the caller's to put in.
  package init() {}

  package mutating func execute(
    _ command: Command, key: IdempotencyKey?, at now: Microseconds, batch: Identifier?
  ) throws(Refusal) -> Execution {
    if let key, let known = keys[key.text] {
      if known.digest != key.contentDigest { throw .keyReused(key: key.text) }
      return Execution(outcome: known.outcome, position: position, replayed: true)
    }
    let before = self
    // A command that makes no fact leaves no time in the books.
    defer { if position == before.position { time = before.time } }
    time = max(time, now)
    do throws(Refusal) {
      let outcome = try carryOut(command, batch)
      if let key {
        keys[key.text] = (key.contentDigest, outcome)
        position += 1
      }
      return Execution(outcome: outcome, position: position, replayed: false)
    } catch {
      self = before
      throw error
    }
  }

  private mutating func carryOut(_ command: Command, _ batch: Identifier?) throws(Refusal) -> Outcome {
    switch command {
    case .postTransaction(let new): return .transaction(try post(new))
    case .postTransactions(let items, let atomic):
      return .transactions(
        batch: batch ?? .custom("none"),
        try each(items, atomic) { (books, item) throws(Refusal) in
          try books.post(item)
        })
    case .createBalance(let new): return .balance(RowIndex(try create(new)))
    case .createBalances(let items, let atomic):
      return .balances(
        try each(items, atomic) { (books, item) throws(Refusal) in
          PostedItem(row: RowIndex(try books.create(item)), replayed: false)
        })
    case .createLedger(let new):
      if let id = new.identifier, ledgerRows[id] != nil {
        throw .identifierTaken(.ledger, id.text(kind: .ledger))
      }
      try check(new.metadata)
      if let id = new.identifier { ledgerRows[id] = ledgers.count }
      ledgers.append((new.name, new.metadata))
      position += 1
      return .ledger(RowIndex(ledgers.count - 1))
    case .updateLedger(let id, let name):
      let row = try ledger(id)
      ledgers[row].name = name
      position += 1
      return .ledger(RowIndex(row))
    case .createIdentity(let new):
      if let id = new.identifier, identityRows[id] != nil {
        throw .identifierTaken(.identity, id.text(kind: .identity))
      }
      try check(new.metadata)
      if let id = new.identifier { identityRows[id] = identities.count }
      identities.append(Identity(fields: new.fields, metadata: new.metadata))
      position += 1
      return .identity(RowIndex(identities.count - 1))
    case .updateIdentity(let id, let fields):
      let row = try identity(id)
      for (field, text) in fields { identities[row].fields[field.rawValue] = text }
      position += 1
      return .identity(RowIndex(row))
    case .deleteIdentity(let id):
      let row = try identity(id)
      let count = balances.count { $0.identity == row }
      if count > 0 { throw .identityInUse(id.text(kind: .identity), balanceCount: count) }
      identities[row].isDeleted = true
      position += 1
      return .identityDeleted(RowIndex(row))
    case .setBalanceIdentity(let balance, let id):
      let row = try identity(id)
      guard let place = balanceRows[balance] else {
        throw .balanceNotFound(balance.text(kind: .balance), role: "balance_id")
      }
      balances[place].identity = row
      position += 1
      return .balance(RowIndex(place))
    case .updateMetadata(let kind, let id, let merge):
      let row = try updateMetadata(kind, id, merge)
      position += 1
      return .metadata(kind, RowIndex(row))
    }
  }

  private mutating func each<Item>(
    _ items: [Item], _ atomic: Bool, _ one: (inout NaiveBooks, Item) throws(Refusal) -> PostedItem
  ) throws(Refusal) -> [ItemOutcome] {
    var outcomes: [ItemOutcome] = []
    for (index, item) in items.enumerated() {
      let before = self
      do throws(Refusal) {
        outcomes.append(.done(try one(&self, item)))
      } catch {
        if atomic { throw .batchItem(index: index, error) }
        self = before
        outcomes.append(.refused(error))
      }
    }
    return outcomes
  }

  // MARK: Rules

  private func check(_ metadata: [UInt8]) throws(Refusal) {
    if metadata.count > 65536 { throw .metadataTooLong(byteCount: metadata.count, limit: 65536) }
  }

  private func ledger(_ id: Identifier) throws(Refusal) -> Int {
    guard let row = ledgerRows[id] else { throw .ledgerNotFound(id.text(kind: .ledger)) }
    return row
  }

  private func identity(_ id: Identifier) throws(Refusal) -> Int {
    guard let row = identityRows[id], !identities[row].isDeleted else {
      throw .identityNotFound(id.text(kind: .identity))
    }
    return row
  }

  private mutating func updateMetadata(
    _ kind: EntityKind, _ id: Identifier, _ merge: ([UInt8]) throws(Refusal) -> [UInt8]
  ) throws(Refusal) -> Int {
    switch kind {
    case .ledger:
      let row = try ledger(id)
      let new = try merge(ledgers[row].metadata)
      try check(new)
      ledgers[row].metadata = new
      return row
    case .identity:
      let row = try identity(id)
      let new = try merge(identities[row].metadata)
      try check(new)
      identities[row].metadata = new
      return row
    case .balance:
      guard let row = balanceRows[id] else { throw .balanceNotFound(id.text(kind: .balance), role: "id") }
      let new = try merge(balances[row].metadata)
      try check(new)
      balances[row].metadata = new
      return row
    case .transaction:
      guard let row = transactionRows[id] else { throw .transactionNotFound(id.text(kind: .transaction)) }
      let new = try merge(transactions[row].metadata)
      try check(new)
      transactions[row].metadata = new
      return row
    case .batch: fatalError("a batch has no metadata")
    }
  }

  private mutating func create(_ new: NewBalance) throws(Refusal) -> Int {
    if let id = new.identifier, balanceRows[id] != nil {
      throw .identifierTaken(.balance, id.text(kind: .balance))
    }
    let ledger = try ledger(new.ledger)
    var owner: Int?
    if let id = new.identity { owner = try identity(id) }
    if let indicator = new.indicator {
      if ledger != 0 { throw .indicatorOutsideGeneralLedger(ledger: new.ledger.text(kind: .ledger)) }
      if find(indicator, new.currency) != nil {
        throw .indicatorTaken(indicator: indicator, currency: new.currency)
      }
    }
    if new.tracksFundLineage, owner == nil { throw .lineageWithoutIdentity }
    try check(new.metadata)
    if let id = new.identifier { balanceRows[id] = balances.count }
    balances.append(
      Balance(
        ledger: ledger, currency: new.currency, indicator: new.indicator, identity: owner,
        metadata: new.metadata, createdAt: new.createdAt ?? time))
    position += 1
    return balances.count - 1
  }

  private func find(_ indicator: String, _ currency: String) -> Int? {
    balances.firstIndex { $0.indicator == indicator && $0.currency == currency }
  }

  private func find(_ party: Party, _ currency: String) -> Int? {
    switch party {
    case .balance(let id): balanceRows[id]
    case .indicator(let name): find(name, currency)
    }
  }

  static func text(_ party: Party) -> String {
    switch party {
    case .balance(let id): id.text(kind: .balance)
    case .indicator(let name): name
    }
  }

  private mutating func post(_ new: NewTransaction) throws(Refusal) -> PostedItem {
    let found = (source: find(new.source, new.currency), destination: find(new.destination, new.currency))
    let earlier = transactions.firstIndex { $0.request.reference == new.reference }
    if let earlier, differences(new, found, transactions[earlier]).isEmpty {
      return PostedItem(row: RowIndex(earlier), replayed: true)
    }
    if let id = new.identifier, let row = transactionRows[id], row != earlier {
      throw .identifierTaken(.transaction, id.text(kind: .transaction))
    }
    for (party, row, role) in [
      (new.source, found.source, "source"), (new.destination, found.destination, "destination"),
    ] {
      if case .balance(let id) = party, row == nil {
        throw .balanceNotFound(id.text(kind: .balance), role: role)
      }
    }
    try check(new.metadata)
    if let earlier {
      let identifier = transactions[earlier].identifier?.text(kind: .transaction) ?? ""
      throw .duplicateReference(
        new.reference, transaction: identifier, differences: differences(new, found, transactions[earlier]))
    }
    if new.source == new.destination || (found.source != nil && found.source == found.destination) {
      throw .sameBalance(Self.text(new.source))
    }
    for (party, row, role) in [
      (new.source, found.source, "source"), (new.destination, found.destination, "destination"),
    ] {
      if let row, balances[row].currency != new.currency {
        throw .currencyMismatch(
          balance: Self.text(party), balanceCurrency: balances[row].currency,
          transactionCurrency: new.currency, role: role)
      }
    }
    try checkFunds(new, found.source)
    let source = found.source ?? make(new.source, new.currency)
    let destination = found.destination ?? make(new.destination, new.currency)
    balances[source].debit += new.amount
    balances[source].version += 1
    balances[destination].credit += new.amount
    balances[destination].version += 1
    if let id = new.identifier { transactionRows[id] = transactions.count }
    transactions.append(
      Transaction(
        request: new, source: source, destination: destination, metadata: new.metadata,
        identifier: new.identifier))
    position += 1
    return PostedItem(row: RowIndex(transactions.count - 1), replayed: false)
  }

  private mutating func make(_ party: Party, _ currency: String) -> Int {
    guard case .indicator(let name) = party else { fatalError("only indicators are made") }
    balances.append(
      Balance(
        ledger: 0, currency: currency, indicator: name, identity: nil, metadata: [], createdAt: time))
    position += 1
    return balances.count - 1
  }

  private func checkFunds(_ new: NewTransaction, _ source: Int?) throws(Refusal) {
    let available = source.map { balances[$0].balance } ?? .zero
    switch (new.allowOverdraft, new.overdraftLimit) {
    case (true, nil): return
    case (false, nil):
      if available < new.amount {
        throw .insufficientFunds(
          balance: Self.text(new.source), available: available, requested: new.amount)
      }
    case (_, let limit?):
      if available < new.amount, available - new.amount < .zero - limit {
        throw .overdraftExceeded(
          balance: Self.text(new.source), available: available, requested: new.amount, limit: limit)
      }
    }
  }

  private func differences(
    _ new: NewTransaction, _ found: (source: Int?, destination: Int?), _ old: Transaction
  ) -> [String] {
    var names: [String] = []
    if let id = new.identifier, id != old.identifier { names.append("transaction_id") }
    if found.source != old.source { names.append("source") }
    if found.destination != old.destination { names.append("destination") }
    if new.currency != old.request.currency { names.append("currency") }
    if new.amount != old.request.amount { names.append("precise_amount") }
    if new.allowOverdraft != old.request.allowOverdraft { names.append("allow_overdraft") }
    if new.overdraftLimit != old.request.overdraftLimit { names.append("overdraft_limit") }
    if new.effectiveDate != old.request.effectiveDate { names.append("effective_date") }
    if new.description != old.request.description { names.append("description") }
    if new.metadata != old.request.metadata { names.append("meta_data") }
    return names
  }
}
