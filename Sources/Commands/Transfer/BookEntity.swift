// The kinds of things that import and export move, and the members that creating one takes.

import LedgerlineClient

enum BookEntity: String, CaseIterable, Sendable {
  case balances, transactions, ledgers, identities

  /// How a value of a CSV column becomes JSON.
  enum ColumnType { case text, integer, boolean, json }

  /// The method that makes many at once; nil when there is none.
  var createMany: String? {
    switch self {
    case .balances: "balances.create_many"
    case .transactions: "transactions.create_many"
    case .ledgers, .identities: nil
    }
  }

  /// Members that the server computes: exported, and left out again when importing.
  private var computed: Set<String> {
    switch self {
    case .balances:
      [
        "balance", "credit_balance", "debit_balance", "inflight_balance", "inflight_credit_balance",
        "inflight_debit_balance", "version",
      ]
    case .transactions:
      ["parent_transaction", "status", "created_at", "position", "hash"]
    case .ledgers, .identities: []
    }
  }

  /// The members of an exported object that make it again, nulls left out.
  func creation(from members: [JSONNode.Member]) -> [JSONNode.Member] {
    let computed = computed
    let hasPreciseAmount = members.contains { $0.name == "precise_amount" && $0.value != .null }
    return members.filter { member in
      if member.value == .null || computed.contains(member.name) { return false }
      // Both amounts at once are refused. The precision stays: `overdraft_limit` is scaled by it.
      if self == .transactions, hasPreciseAmount, member.name == "amount" { return false }
      // What says no more than its absence, and methods of a version without holds would not know.
      if self == .transactions, member.name == "inflight", member.value == .bool(false) { return false }
      return true
    }
  }

  /// Whether every server has this object from its first start: the general ledger.
  func isAlwaysThere(_ members: [JSONNode.Member]) -> Bool {
    self == .ledgers && members.contains(JSONNode.Member("ledger_id", .string("general_ledger_id")))
  }

  static func columnType(_ name: String) -> ColumnType {
    switch name {
    case "currency_multiplier", "version", "precision", "position": .integer
    case "track_fund_lineage", "allow_overdraft", "inflight": .boolean
    case "meta_data", "sources", "destinations": .json
    default: .text
    }
  }

  /// The kind that an object with these members is; nil when it could be anything.
  static func detect(_ names: Set<String>) -> BookEntity? {
    if names.contains("source"), names.contains("destination") { return .transactions }
    if names.contains("currency"), names.contains("ledger_id") { return .balances }
    if names.contains("identity_id") { return .identities }
    if names.contains("name") { return .ledgers }
    return nil
  }
}
