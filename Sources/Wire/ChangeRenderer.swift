// Facts as JSON: what has happened, with public ids, as everybody who follows the books is told it.

import Amounts
import Columns
import Ledger
import Platform

/// Renders facts as changes. What a change says comes from its fact and from what never changes of the rows
/// that it names, so it reads the same whenever it is rendered.
package struct ChangeRenderer {
  private let books: Books
  /// Memory for decimal texts.
  private var scratch: [UInt8] = []

  /// - Parameter books: have applied every fact that will be rendered.
  package init(_ books: Books) { self.books = books }

  /// Appends one change.
  /// - Parameters:
  ///   - position: of the fact; readers see it already.
  ///   - endsCommand: whether it is the last fact of its command.
  package mutating func append(
    _ fact: Fact, at position: UInt64, endsCommand: Bool, into writer: inout JSONWriter
  ) {
    writer.reserve(1024)
    writer.beginObject()
    writer.key("position")
    writer.integer(position)
    writer.key("time")
    writer.time(microseconds: fact.time.count)
    writer.key("type")
    writer.plainString(fact.changeType)
    writer.key("object")
    object(of: fact, position, into: &writer)
    writer.key("end_of_command")
    writer.bool(endsCommand)
    writer.endObject()
  }

  private mutating func object(of fact: Fact, _ position: UInt64, into writer: inout JSONWriter) {
    writer.beginObject()
    switch fact {
    case .transactionPosted(let fact): transaction(fact, position, into: &writer)
    case .balanceCreated(let fact): balance(fact, into: &writer)
    case .balanceIdentityChanged(let fact):
      writer.key("balance_id")
      writer.identifier(fact.balance, of: books.balances.identifiers)
      writer.key("identity_id")
      writer.identifier(fact.identity, of: books.identities.identifiers)
    case .ledgerCreated(let fact):
      writer.key("ledger_id")
      writer.identifier(fact.identifier, kind: .ledger)
      writer.key("name")
      writer.string(fact.name)
      ending(createdAt: fact.createdAt, fact.metadata, into: &writer)
    case .ledgerUpdated(let fact):
      writer.key("ledger_id")
      writer.identifier(fact.ledger, of: books.ledgers.identifiers)
      writer.key("name")
      writer.string(fact.name)
    case .identityCreated(let fact):
      writer.key("identity_id")
      writer.identifier(fact.identifier, kind: .identity)
      identityFields(fact.fields, into: &writer)
      ending(createdAt: fact.createdAt, fact.metadata, into: &writer)
    case .identityUpdated(let fact):
      writer.key("identity_id")
      writer.identifier(fact.identity, of: books.identities.identifiers)
      identityFields(fact.fields, into: &writer)
    case .identityDeleted(let fact):
      writer.key("identity_id")
      writer.identifier(fact.identity, of: books.identities.identifiers)
    case .metadataChanged(let fact):
      writer.key("id")
      identifier(fact.kind, fact.row, into: &writer)
      writer.key("meta_data")
      writer.metadata(fact.metadata)
    case .keyRemembered(let fact):
      writer.key("key")
      writer.string(fact.key.text)
      outcome(fact.outcome, into: &writer)
    }
    writer.endObject()
  }

  // MARK: Entities

  private func identityFields(_ fields: [String?], into writer: inout JSONWriter) {
    for (field, text) in zip(IdentityField.allCases, fields) {
      writer.key(field.name)
      writer.string(text)
    }
  }

  private func ending(createdAt: Microseconds, _ metadata: [UInt8], into writer: inout JSONWriter) {
    writer.key("created_at")
    writer.time(microseconds: createdAt.count)
    writer.key("meta_data")
    writer.metadata(metadata)
  }

  private func identifier(_ kind: EntityKind, _ row: RowIndex, into writer: inout JSONWriter) {
    switch kind {
    case .ledger: writer.identifier(row, of: books.ledgers.identifiers)
    case .balance: writer.identifier(row, of: books.balances.identifiers)
    case .transaction: writer.identifier(row, of: books.transactions.identifiers)
    case .identity: writer.identifier(row, of: books.identities.identifiers)
    case .batch: preconditionFailure("a batch has no row")
    }
  }

  /// A balance as it is when it has just been made.
  private func balance(_ fact: BalanceCreated, into writer: inout JSONWriter) {
    writer.key("balance_id")
    writer.identifier(fact.identifier, kind: .balance)
    writer.key("ledger_id")
    writer.identifier(fact.ledger, of: books.ledgers.identifiers)
    writer.key("identity_id")
    if let identity = fact.identity {
      writer.identifier(identity, of: books.identities.identifiers)
    } else {
      writer.null()
    }
    writer.key("indicator")
    writer.string(fact.indicator)
    writer.key("currency")
    writer.string(fact.currency)
    writer.raw(#","balance":"0","credit_balance":"0","debit_balance":"0","inflight_balance":"0""#)
    writer.raw(#","inflight_credit_balance":"0","inflight_debit_balance":"0""#)
    writer.key("currency_multiplier")
    writer.integer(fact.currencyMultiplier)
    writer.key("version")
    writer.integer(1)
    writer.key("track_fund_lineage")
    writer.bool(fact.tracksFundLineage)
    writer.key("allocation_strategy")
    writer.plainString(fact.allocationStrategy.name)
    ending(createdAt: fact.createdAt, fact.metadata, into: &writer)
  }

  // MARK: Transactions

  private mutating func transaction(
    _ fact: TransactionPosted, _ position: UInt64, into writer: inout JSONWriter
  ) {
    let detail = fact.detail
    writer.key("transaction_id")
    writer.identifier(fact.identifier, kind: .transaction)
    writer.key("parent_transaction")
    if let batch = detail.batch {
      writer.identifier(EntityKind.batch.prefix, high: batch.high, low: batch.low)
    } else {
      writer.null()
    }
    writer.key("source")
    writer.identifier(fact.source, of: books.balances.identifiers)
    writer.key("destination")
    writer.identifier(fact.destination, of: books.balances.identifiers)
    writer.key("reference")
    writer.string(detail.reference)
    writer.key("currency")
    writer.text(books.balances.currencies[fact.source], of: books.currencies)
    writer.key("precise_amount")
    writer.amount(fact.amount)
    writer.key("amount")
    decimal(fact.amount, fact.precision, into: &writer)
    writer.key("precision")
    writer.integer(fact.precision)
    writer.key("status")
    writer.plainString(fact.status.name)
    writer.key("inflight")
    writer.bool(fact.status == .inflight)
    terms(of: fact, into: &writer)
    writer.key("created_at")
    writer.time(microseconds: fact.time.count)
    // What a later version fills, as in `RowRenderer`.
    writer.raw(#","scheduled_for":null,"inflight_expiry_date":null"#)
    writer.key("position")
    writer.integer(position)
    writer.raw(#","hash":null"#)
    writer.key("meta_data")
    writer.metadata(fact.metadata)
  }

  private mutating func terms(of fact: TransactionPosted, into writer: inout JSONWriter) {
    writer.key("description")
    writer.string(fact.detail.description)
    writer.key("allow_overdraft")
    writer.bool(fact.allowOverdraft)
    writer.key("overdraft_limit")
    if let limit = fact.detail.overdraftLimit {
      decimal(limit, fact.precision, into: &writer)
    } else {
      writer.null()
    }
    writer.key("effective_date")
    writer.time(microseconds: fact.detail.effectiveDate?.count)
  }

  /// Appends minor units over precision as a decimal string.
  private mutating func decimal(_ amount: Amount, _ precision: Int64, into writer: inout JSONWriter) {
    if precision == 1 { return writer.amount(amount) }
    scratch.removeAll(keepingCapacity: true)
    DecimalAmount.appendDecimal(of: amount, precision: Amount(precision), to: &scratch)
    writer.string(scratch.span)
  }

  // MARK: Keys

  /// Appends the ids of what the command with a key has made or changed.
  private func outcome(_ outcome: Outcome, into writer: inout JSONWriter) {
    switch outcome {
    case .ledger(let row):
      writer.key("ledger_id")
      identifier(.ledger, row, into: &writer)
    case .identity(let row), .identityDeleted(let row):
      writer.key("identity_id")
      identifier(.identity, row, into: &writer)
    case .balance(let row):
      writer.key("balance_id")
      identifier(.balance, row, into: &writer)
    case .balances(let items):
      writer.key("balance_ids")
      identifiers(of: items, .balance, into: &writer)
    case .metadata(let kind, let row):
      writer.key("id")
      identifier(kind, row, into: &writer)
    case .transaction(let item):
      writer.key("transaction_id")
      identifier(.transaction, item.row, into: &writer)
    case .transactions(let batch, let items):
      writer.key("batch_id")
      writer.identifier(batch, kind: .batch)
      writer.key("transaction_ids")
      identifiers(of: items, .transaction, into: &writer)
    }
  }

  /// Appends one id for each item, null for those that were refused.
  private func identifiers(of items: [ItemOutcome], _ kind: EntityKind, into writer: inout JSONWriter) {
    writer.beginArray()
    for item in items {
      switch item {
      case .done(let item): identifier(kind, item.row, into: &writer)
      case .refused: writer.null()
      }
    }
    writer.endArray()
  }
}

extension Fact {
  /// The name of what has happened, as programs that follow the books know it.
  package var changeType: StaticString {
    switch self {
    case .ledgerCreated: "ledger.created"
    case .ledgerUpdated: "ledger.updated"
    case .identityCreated: "identity.created"
    case .identityUpdated: "identity.updated"
    case .identityDeleted: "identity.deleted"
    case .balanceCreated: "balance.created"
    case .balanceIdentityChanged: "balance.identity_updated"
    case .metadataChanged: "metadata.updated"
    case .keyRemembered: "key.remembered"
    case .transactionPosted(let fact):
      switch fact.status {
      case .applied: "transaction.applied"
      case .inflight: "transaction.inflight"
      case .scheduled: "transaction.scheduled"
      case .void: "transaction.void"
      case .rejected: "transaction.rejected"
      }
    }
  }
}

extension JSONWriter {
  /// Appends an identifier that a fact carries.
  fileprivate mutating func identifier(_ identifier: Identifier, kind: EntityKind) {
    switch identifier {
    case .uuid(let high, let low): self.identifier(kind.prefix, high: high, low: low)
    case .custom(let text): string(text)
    }
  }
}
