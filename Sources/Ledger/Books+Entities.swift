// Ledgers and identities are made, changed and deleted; metadata of anything is merged.

import Columns
import Platform

extension Books {
  // MARK: Ledgers

  func create(_ new: NewLedger, _ moment: CommandMoment) throws(Refusal) -> Execution {
    let row = try nextRow(.ledger, new.identifier)
    try checkLength(new.metadata)
    let fact = LedgerCreated(
      identifier: identifier(.ledger, new.identifier, moment), name: new.name, metadata: new.metadata,
      createdAt: new.createdAt ?? moment.time, time: moment.time)
    return carryOut(.ledgerCreated(fact), touching: row, .ledger(row), moment)
  }

  func updateLedger(
    _ identifier: Identifier, name: String, _ moment: CommandMoment
  ) throws(Refusal) -> Execution {
    let row = try ledgerRow(identifier)
    return carryOut(
      .ledgerUpdated(LedgerUpdated(ledger: row, name: name, time: moment.time)), touching: row, .ledger(row),
      moment)
  }

  func ledgerRow(_ identifier: Identifier) throws(Refusal) -> RowIndex {
    guard let row = ledgers.identifiers.writerRow(of: identifier) else {
      throw .ledgerNotFound(identifier.text(kind: .ledger))
    }
    return row
  }

  // MARK: Identities

  func create(_ new: NewIdentity, _ moment: CommandMoment) throws(Refusal) -> Execution {
    let row = try nextRow(.identity, new.identifier)
    try checkLength(new.metadata)
    let fact = IdentityCreated(
      identifier: identifier(.identity, new.identifier, moment), fields: new.fields, metadata: new.metadata,
      createdAt: new.createdAt ?? moment.time, time: moment.time)
    return carryOut(.identityCreated(fact), touching: row, .identity(row), moment)
  }

  func updateIdentity(
    _ identifier: Identifier, fields: [(IdentityField, String?)], _ moment: CommandMoment
  ) throws(Refusal) -> Execution {
    let row = try identityRow(identifier)
    var all = currentRecord(of: row, in: identities).fields
    for (field, text) in fields { all[field.rawValue] = text }
    return carryOut(
      .identityUpdated(IdentityUpdated(identity: row, fields: all, time: moment.time)), touching: row,
      .identity(row), moment)
  }

  func deleteIdentity(_ identifier: Identifier, _ moment: CommandMoment) throws(Refusal) -> Execution {
    let row = try identityRow(identifier)
    let balanceCount = Int(identities.balanceCounts[row])
    if balanceCount > 0 {
      throw .identityInUse(identifier.text(kind: .identity), balanceCount: balanceCount)
    }
    return carryOut(
      .identityDeleted(IdentityDeleted(identity: row, time: moment.time)), touching: row,
      .identityDeleted(row), moment)
  }

  /// The row of an identity that is not deleted.
  func identityRow(_ identifier: Identifier) throws(Refusal) -> RowIndex {
    guard let row = identities.identifiers.writerRow(of: identifier),
      unsafe identities.currentRecord(row) != nil
    else { throw .identityNotFound(identifier.text(kind: .identity)) }
    return row
  }

  // MARK: Metadata

  func updateMetadata(
    _ kind: EntityKind, _ identifier: Identifier, merge: ([UInt8]) throws(Refusal) -> [UInt8],
    _ moment: CommandMoment
  ) throws(Refusal) -> Execution {
    let row: RowIndex
    let old: [UInt8]
    switch kind {
    case .ledger:
      row = try ledgerRow(identifier)
      old = currentRecord(of: row, in: ledgers).metadata
    case .identity:
      row = try identityRow(identifier)
      old = currentRecord(of: row, in: identities).metadata
    case .balance:
      row = try balanceRow(identifier, role: "id")
      old = balances.currentImage(row).metadata
    case .transaction:
      guard let found = transactions.identifiers.writerRow(of: identifier) else {
        throw .transactionNotFound(identifier.text(kind: .transaction))
      }
      row = found
      old = transactions.currentMetadata(row)
    case .batch: preconditionFailure("a batch has no metadata")
    }
    let new = try merge(old)
    try checkLength(new)
    return carryOut(
      .metadataChanged(MetadataChanged(kind: kind, row: row, metadata: new, time: moment.time)),
      touching: row, .metadata(kind, row), moment)
  }

  func checkLength(_ metadata: [UInt8]) throws(Refusal) {
    if metadata.count > Metadata.byteLimit {
      throw .metadataTooLong(byteCount: metadata.count, limit: Metadata.byteLimit)
    }
  }

  // MARK: Parts

  /// Makes one fact and what goes with it.
  func carryOut(
    _ fact: Fact, touching row: RowIndex, _ outcome: Outcome, _ moment: CommandMoment
  ) -> Execution {
    var shards = ShardSet()
    shards.insert(row)
    change(shards) {
      append(fact)
      rememberKey(moment, outcome)
    }
    return execution(outcome)
  }

  /// The row that the next entity of a kind gets, if there is room and the chosen identifier is free.
  private func nextRow(_ kind: EntityKind, _ chosen: Identifier?) throws(Refusal) -> RowIndex {
    let count = unsafe kind == .ledger ? writer.pointee.counts.ledgers : writer.pointee.counts.identities
    if count >= rowLimit { throw .tableFull(kind) }
    if let chosen, table(kind).identifiers.writerRow(of: chosen) != nil {
      throw .identifierTaken(kind, chosen.text(kind: kind))
    }
    return RowIndex(count)
  }

  private func table(_ kind: EntityKind) -> EntityTable { kind == .ledger ? ledgers : identities }

  /// The chosen identifier, or a new one.
  private func identifier(_ kind: EntityKind, _ chosen: Identifier?, _ moment: CommandMoment) -> Identifier {
    if let chosen {
      noteForeign(chosen)
      return chosen
    }
    let table = table(kind)
    return newIdentifier(at: moment.time) { table.identifiers.writerRow(of: $0) != nil }
  }
}
