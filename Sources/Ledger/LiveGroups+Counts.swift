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

  /// Calls `body` with each group that has balances, in order of their numbers. About 2 ns a group.
  package func forEachInUse(_ body: (_ group: Int, _ ledger: UInt32, _ currency: UInt32) -> Void) {
    groups.forEachInUse(body)
  }
}
