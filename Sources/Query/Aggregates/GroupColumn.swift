// What rows can be grouped by.

import Columns

/// A stretch of the UTC calendar.
package enum CalendarUnit: String, Sendable, Hashable, CaseIterable {
  case day, month, year
}

/// One entry of `group_by`: a column of codes, or a calendar unit of created_at.
package struct GroupColumn: Sendable, Hashable {
  /// What the codes of a group stand for.
  package enum Source: Sendable, Hashable {
    /// Row of the ledger.
    case ledger
    /// Code in the books' dictionary of currencies; of transactions that of their balances.
    case currency
    /// Row of the identity plus one, 0 for none.
    case identity
    /// Code in the books' dictionary of indicators, 0 for none.
    case indicator
    /// 0 or 1.
    case lineageFlag
    /// Raw value of the allocation strategy.
    case strategy
    /// Raw value of the transaction's status.
    case status
    /// Row of the balance.
    case source, destination
    /// Number of the unit, see `Calendar`.
    case created(CalendarUnit)
  }

  package let table: QueryTable
  /// Its name on the wire.
  package let name: String
  package let source: Source

  private init(_ table: QueryTable, _ name: String, _ source: Source) {
    self.table = table
    self.name = name
    self.source = source
  }

  /// The column that clients call `name`, nil if the table's rows cannot be grouped by it.
  package static func named(_ name: String, in table: QueryTable) -> GroupColumn? {
    all(in: table).first { $0.name == name }
  }

  /// All columns of a table, none for tables without aggregates.
  package static func all(in table: QueryTable) -> [GroupColumn] {
    switch table {
    case .balances: balances
    case .transactions: transactions
    case .ledgers, .identities: []
    }
  }

  private static let balances: [GroupColumn] =
    [
      GroupColumn(.balances, "ledger_id", .ledger), GroupColumn(.balances, "identity_id", .identity),
      GroupColumn(.balances, "indicator", .indicator), GroupColumn(.balances, "currency", .currency),
      GroupColumn(.balances, "track_fund_lineage", .lineageFlag),
      GroupColumn(.balances, "allocation_strategy", .strategy),
    ] + created(.balances)

  private static let transactions: [GroupColumn] =
    [
      GroupColumn(.transactions, "source", .source), GroupColumn(.transactions, "destination", .destination),
      GroupColumn(.transactions, "currency", .currency), GroupColumn(.transactions, "status", .status),
    ] + created(.transactions)

  private static func created(_ table: QueryTable) -> [GroupColumn] {
    CalendarUnit.allCases.map { GroupColumn(table, "created_at:\($0.rawValue)", .created($0)) }
  }
}
