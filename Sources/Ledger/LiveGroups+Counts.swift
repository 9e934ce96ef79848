// Counts of balances by ledger and currency, from the groups alone.

import Columns

extension LiveGroups {
  /// Balances whose ledger and currency are both wanted. About 1.5 ns a group.
  /// - Parameters:
  ///   - ledgers: by the ledger's row; nil for all.
  ///   - currencies: by the currency's code; nil for all.
  package func balanceCount(ledgers: [Bool]?, currencies: [Bool]?) -> Int {
    groups.balanceCount(ledgers: ledgers, currencies: currencies)
  }

  /// Balances of one group. About 1 ns.
  package func balanceCount(_ group: UInt32) -> Int { groups.cell(group).count }
}
