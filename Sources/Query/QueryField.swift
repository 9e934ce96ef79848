// The fields that can be filtered and sorted by, resolved once from their names.

import Ledger

/// The tables that can be asked.
package enum QueryTable: Sendable, Hashable, CaseIterable {
  case balances, transactions, ledgers, identities
}

/// A field of a table.
package struct QueryField: Hashable, Sendable {
  /// Where its values come from.
  enum Source: Hashable, Sendable {
    case identifier
    case createdAt
    /// One member of the metadata, by its unescaped name.
    case metadata(String)
    // Balances.
    case ledger, identity, indicator, currency
    case credit, debit, balance, inflightCredit, inflightDebit, inflightBalance
    case currencyMultiplier, version, tracksFundLineage, allocationStrategy
    // Transactions, which also have a currency.
    case parent, source, destination
    /// Source or destination.
    case eitherBalance
    /// The indicator of source or destination.
    case eitherIndicator
    case reference, description, status, preciseAmount, decimalAmount, precision, effectiveDate
    /// A text of a ledger's or identity's record, by number.
    case record(Int)
  }

  package let table: QueryTable
  /// Its name on the wire.
  package let name: String
  package let type: FieldType
  let source: Source

  private init(_ table: QueryTable, _ name: String, _ type: FieldType, _ source: Source) {
    self.table = table
    self.name = name
    self.type = type
    self.source = source
  }

  /// Fields that stand for two values of a row (`balance_id` and `indicator` of transactions) give no order.
  package var isSortable: Bool { source != .eitherBalance && source != .eitherIndicator }

  /// Bytes of a metadata member's name, at most.
  package static let metadataKeyByteLimit = 256
  /// What stands before the member's name in the field's name.
  package static let metadataPrefix = "meta_data."

  /// The field that clients call `name`, nil if the table has none. `meta_data.KEY` is a field of every
  /// table, for keys of 1 to `metadataKeyByteLimit` bytes; dots in a key are part of it, because there is one
  /// level only.
  package static func named(_ name: String, in table: QueryTable) -> QueryField? {
    if name.hasPrefix(metadataPrefix) {
      let key = name.dropFirst(metadataPrefix.count)
      guard (1...metadataKeyByteLimit).contains(key.utf8.count) else { return nil }
      return QueryField(table, name, .metadata, .metadata(String(key)))
    }
    return all(in: table).first { $0.name == name }
  }

  /// All fields with fixed names, in the order of the object on the wire.
  package static func all(in table: QueryTable) -> [QueryField] {
    switch table {
    case .balances: balances
    case .transactions: transactions
    case .ledgers: ledgers
    case .identities: identities
    }
  }

  /// What the default order sorts by.
  package static func createdAt(in table: QueryTable) -> QueryField {
    QueryField(table, "created_at", .time, .createdAt)
  }

  private static let balances: [QueryField] = {
    func field(_ name: String, _ type: FieldType, _ source: Source) -> QueryField {
      QueryField(.balances, name, type, source)
    }
    return [
      field("balance_id", .identifier, .identifier), field("ledger_id", .identifier, .ledger),
      field("identity_id", .identifier, .identity), field("indicator", .text, .indicator),
      field("currency", .text, .currency), field("balance", .amount, .balance),
      field("credit_balance", .amount, .credit), field("debit_balance", .amount, .debit),
      field("inflight_balance", .amount, .inflightBalance),
      field("inflight_credit_balance", .amount, .inflightCredit),
      field("inflight_debit_balance", .amount, .inflightDebit),
      field("currency_multiplier", .integer, .currencyMultiplier), field("version", .integer, .version),
      field("track_fund_lineage", .boolean, .tracksFundLineage),
      field("allocation_strategy", .text, .allocationStrategy), createdAt(in: .balances),
    ]
  }()

  private static let transactions: [QueryField] = {
    func field(_ name: String, _ type: FieldType, _ source: Source) -> QueryField {
      QueryField(.transactions, name, type, source)
    }
    return [
      field("transaction_id", .identifier, .identifier), field("parent_transaction", .identifier, .parent),
      field("source", .identifier, .source), field("destination", .identifier, .destination),
      field("balance_id", .identifier, .eitherBalance), field("indicator", .text, .eitherIndicator),
      field("reference", .text, .reference), field("currency", .text, .currency),
      field("precise_amount", .amount, .preciseAmount), field("amount", .decimal, .decimalAmount),
      field("precision", .integer, .precision), field("status", .text, .status),
      field("description", .text, .description), field("effective_date", .time, .effectiveDate),
      createdAt(in: .transactions),
    ]
  }()

  private static let ledgers: [QueryField] = [
    QueryField(.ledgers, "ledger_id", .identifier, .identifier),
    QueryField(.ledgers, "name", .text, .record(LedgerField.name.rawValue)), createdAt(in: .ledgers),
  ]

  private static let identities: [QueryField] =
    [QueryField(.identities, "identity_id", .identifier, .identifier)]
    + IdentityField.allCases.map {
      QueryField(.identities, $0.name.description, .text, .record($0.rawValue))
    } + [createdAt(in: .identities)]
}
