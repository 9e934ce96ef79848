// How many bytes a command can put into the log, known before it is carried out.

import Amounts

extension Books {
  /// Never less than what `execute` writes into the log for the command, heads of records included. Fields of
  /// identities are taken to have at most 1,024 bytes and currencies 64; clients may not send more.
  /// - Complexity: O(items), without a lock.
  package static func encodedByteBound(of command: Command, key: IdempotencyKey?) -> Int {
    switch command {
    case .postTransaction(let new):
      return CommandBound.bound(of: new) + CommandBound.bound(of: key)
    case .postTransactions(let items, let atomic):
      return CommandBound.batch(items, key, atomic, CommandBound.bound, CommandBound.refusal)
    case .createBalance(let new):
      return CommandBound.bound(of: new) + CommandBound.bound(of: key)
    case .createBalances(let items, let atomic):
      return CommandBound.batch(items, key, atomic, CommandBound.bound, CommandBound.refusal)
    case .createLedger(let new):
      return CommandBound.entity([new.name], new.metadata, new.identifier) + CommandBound.bound(of: key)
    case .createIdentity(let new):
      return CommandBound.entity(new.fields, new.metadata, new.identifier) + CommandBound.bound(of: key)
    case .updateLedger(_, let name):
      return CommandBound.entity([name], [], nil) + CommandBound.bound(of: key)
    case .updateIdentity(_, let fields):
      return CommandBound.identityUpdate(fields) + CommandBound.bound(of: key)
    case .deleteIdentity, .setBalanceIdentity:
      return CommandBound.smallRecord + CommandBound.bound(of: key)
    case .updateMetadata:
      return CommandBound.smallRecord + Metadata.byteLimit + CommandBound.bound(of: key)
    }
  }
}

/// The parts of a bound. Each is the most that its record can need: the layouts stand in FactEncoding.swift.
private enum CommandBound {
  /// A record whose payload has a time, a kind and two rows.
  static let smallRecord = RecordHead.byteCount + 20
  /// Bytes of a field of an identity, at most.
  static let fieldByteLimit = 1024
  /// Bytes of a currency that another balance may have, at most.
  static let currencyByteLimit = 64
  /// Bytes of an amount in the books: a thousand digits are 416 bytes, and sums grow by a bit at most with
  /// each doubling of the number of transactions.
  static let bookAmount = 5 + 416 + 8
  /// An identifier as text, its length included.
  static let identifierText = 2 + Identifier.textByteLimit

  static func text(_ text: String) -> Int { 2 + text.utf8.count + (text.utf8.count >> 14) }

  static func identifier(_ identifier: Identifier?) -> Int {
    guard case .custom(let chosen) = identifier else { return 16 }
    return 16 + text(chosen)
  }

  static func party(_ party: Party) -> Int {
    switch party {
    case .balance: identifierText
    case .indicator(let name): text(name)
    }
  }

  // MARK: Records

  static func bound(of new: NewTransaction) -> Int {
    var bound = RecordHead.byteCount + 17 + identifier(new.identifier) + new.amount.encodedByteCount + 10 + 3
    // The detail: flags, reference, batch, and what else there is.
    bound += 3 + new.reference.utf8.count + 16 + new.metadata.count
    if let description = new.description { bound += 2 + description.utf8.count }
    if new.effectiveDate != nil { bound += 8 }
    if let limit = new.overdraftLimit { bound += limit.encodedByteCount }
    if !new.metadata.isEmpty { bound += 8 }
    for party in [new.source, new.destination] {
      if case .indicator(let name) = party { bound += indicatorBalance(name, new.currency) }
    }
    return bound
  }

  /// A balance that a transaction may find missing.
  private static func indicatorBalance(_ name: String, _ currency: String) -> Int {
    RecordHead.byteCount + 17 + 16 + 1 + text(currency) + text(name)
  }

  static func bound(of new: NewBalance) -> Int {
    RecordHead.byteCount + 17 + identifier(new.identifier) + 10 + text(new.currency)
      + (new.indicator.map { text($0) } ?? 0) + 8 + new.metadata.count
  }

  static func entity(_ fields: [String?], _ metadata: [UInt8], _ chosen: Identifier?) -> Int {
    RecordHead.byteCount + 16 + identifier(chosen) + metadata.count
      + fields.reduce(0) { $0 + 2 + ($1?.utf8.count ?? 0) }
  }

  static func identityUpdate(_ fields: [(IdentityField, String?)]) -> Int {
    let longest = fields.reduce(fieldByteLimit) { max($0, $1.1?.utf8.count ?? 0) }
    return smallRecord + IdentityField.allCases.count * (2 + longest)
  }

  /// The record of a key with the outcome of one item.
  static func bound(of key: IdempotencyKey?) -> Int {
    guard let key else { return 0 }
    return RecordHead.byteCount + 8 + 8 + text(key.text) + 8
  }

  // MARK: Batches

  /// A batch and the key that remembers what became of each item.
  static func batch<Item>(
    _ items: [Item], _ key: IdempotencyKey?, _ atomic: Bool, _ bound: (Item) -> Int,
    _ refusal: (Item) -> Int
  ) -> Int {
    let facts = items.reduce(0) { $0 + bound($1) }
    if key == nil { return facts }
    // A run of one item: a mark, a row, a count.
    let head = self.bound(of: key) + 17 + 10 + items.count * 7
    if atomic { return facts + head }
    // An item has its fact or its refusal.
    return items.reduce(head) { $0 + max(bound($1), refusal($1)) }
  }

  /// The longest refusal of a transaction.
  static func refusal(_ new: NewTransaction) -> Int {
    let funds =
      max(party(new.source), party(new.destination)) + bookAmount + new.amount.encodedByteCount
      + (new.overdraftLimit?.encodedByteCount ?? 0)
    let currencies = identifierText + currencyByteLimit + text(new.currency) + 13
    let reference = text(new.reference) + identifierText + 128
    return 1 + max(funds, currencies, reference, 20 + identifierText)
  }

  /// The longest refusal of a balance.
  static func refusal(_ new: NewBalance) -> Int {
    1 + max((new.indicator.map { text($0) } ?? 0) + text(new.currency), 20 + identifierText)
  }
}
