// The members of answers' objects, in their fixed order.

import Ledger
import Query

/// Names and numbers of the members of each entity's object.
enum EntityMembers {
  enum Balance: Int, CaseIterable {
    case balanceID, ledgerID, identityID, indicator, currency, balance, credit, debit, inflightBalance,
      inflightCredit, inflightDebit, currencyMultiplier, version, tracksFundLineage, allocationStrategy,
      createdAt, metadata
  }

  enum Transaction: Int, CaseIterable {
    case transactionID, parent, source, destination, reference, currency, preciseAmount, amount, precision,
      status, inflight, description, allowOverdraft, overdraftLimit, effectiveDate, createdAt, scheduledFor,
      inflightExpiryDate, position, hash, metadata
  }

  /// The names of a table's object, in order; a `MemberSelection` numbers them so.
  static func names(of table: QueryTable) -> [String] {
    switch table {
    case .balances: balances
    case .transactions: transactions
    case .ledgers: ledgers
    case .identities: identities
    }
  }

  static let balances = [
    "balance_id", "ledger_id", "identity_id", "indicator", "currency", "balance", "credit_balance",
    "debit_balance", "inflight_balance", "inflight_credit_balance", "inflight_debit_balance",
    "currency_multiplier", "version", "track_fund_lineage", "allocation_strategy", "created_at", "meta_data",
  ]

  static let transactions = [
    "transaction_id", "parent_transaction", "source", "destination", "reference", "currency",
    "precise_amount", "amount", "precision", "status", "inflight", "description", "allow_overdraft",
    "overdraft_limit", "effective_date", "created_at", "scheduled_for", "inflight_expiry_date", "position",
    "hash", "meta_data",
  ]

  static let ledgers = ["ledger_id", "name", "created_at", "meta_data"]

  static let identities =
    ["identity_id"] + IdentityField.allCases.map { "\($0.name)" } + ["created_at", "meta_data"]
}
