// The transactions of a few balances, newest first: each row names the one before it on either side.

import Columns
import Ledger

/// Chains of previous transactions, merged by row.
struct ChainWalk {
  /// The next transaction of one balance.
  private struct Head {
    let balance: UInt32
    /// Its row plus one, 0 at the end.
    var next: UInt32
  }

  let reader: RowReader
  let stop: StopFlag
  private var heads: [Head]

  /// More balances than these are not worth it.
  static let balanceLimit = 12
  /// Rows that are tested together.
  private static let batchRows = 32

  /// - Parameter balances: distinct rows of balances that the cut sees.
  init(_ balances: [RowIndex], reader: RowReader, stop: StopFlag) {
    self.reader = reader
    self.stop = stop
    let newest = reader.books.balances.newestTransactions
    let isInstant = reader.cut.isInstant
    let books = reader.books
    heads = balances.map { row in
      // An instant reader keeps writers out; for any other it changes under the shard's lock.
      let next = isInstant ? newest[row] : books.withShard(of: row) { newest[row] }
      return Head(balance: row.rawValue, next: next)
    }
  }

  /// Feeds the page with the transactions that pass, newest first.
  /// - Parameter bound: rows from here on are not looked at: the cut does not see them, or they stand before
  ///   the cursor.
  /// - Returns: false when the budget was over first.
  mutating func run(
    _ test: RowTest, below bound: Int, _ page: inout PageCollector, _ budget: inout WalkBudget
  ) throws(QueryStopped) -> Bool {
    var batch: [RowIndex] = []
    while !page.isFull {
      try stop.check()
      batch.removeAll(keepingCapacity: true)
      let wanted = min(page.needed, Self.batchRows)
      fill(&batch, wanted, below: bound, &budget)
      if batch.isEmpty { return !budget.isOver }
      reader.narrow(&batch, test)
      page.take(batch)
      if budget.isOver { return page.isFull }
    }
    return true
  }

  /// All rows of the chains, newest first.
  mutating func rows(_ budget: inout WalkBudget) throws(QueryStopped) -> [RowIndex] {
    var rows: [RowIndex] = []
    while true {
      try stop.check()
      let count = rows.count
      fill(&rows, 1024, below: reader.rowCount, &budget)
      if rows.count == count { return rows }
    }
  }

  private mutating func fill(
    _ rows: inout [RowIndex], _ count: Int, below bound: Int, _ budget: inout WalkBudget
  ) {
    let end = rows.count + count
    while rows.count < end && !budget.isOver {
      var newest: UInt32 = 0
      for head in heads { newest = max(newest, head.next) }
      if newest == 0 { return }
      let row = RowIndex(newest - 1)
      for place in heads.indices where heads[place].next == newest {
        heads[place].next = previous(of: heads[place].balance, before: row)
      }
      budget.touch(1, nanosecondsEach: PlannerCosts.chainRow)
      if row.index < bound { rows.append(row) }
    }
  }

  private func previous(of balance: UInt32, before row: RowIndex) -> UInt32 {
    let table = reader.books.transactions
    return table.sources[row] == balance ? table.previousOfSource[row] : table.previousOfDestination[row]
  }
}

extension RowTest {
  /// The few balances of which a transaction that passes must have one, if the test says so.
  var fewBalances: [UInt32]? {
    switch self {
    case .codes(.source, let set), .codes(.destination, let set):
      guard case .few(let codes) = set.members, !set.isComplement else { return nil }
      return codes
    case .any(let tests):
      var union: [UInt32] = []
      for test in tests {
        guard let codes = test.fewBalances else { return nil }
        for code in codes where !union.contains(code) { union.append(code) }
      }
      return union.count <= ChainWalk.balanceLimit ? union : nil
    case .all(let tests):
      return tests.lazy.compactMap(\.fewBalances).min { $0.count < $1.count }
    default: return nil
    }
  }
}
