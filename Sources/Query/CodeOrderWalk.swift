// A page sorted by ledger, currency, identity or indicator: codes in the order of their texts, the rows of
// each in turn.

import Columns
import Ledger

/// Walks the codes of one column of the balances.
struct CodeOrderWalk {
  let reader: RowReader
  let stop: StopFlag
  let column: CodeColumn
  let ranks: CodeRanks
  let ascending: Bool
  let tests: WalkTests
  /// What comes before it is on earlier pages: rank of the code (nil: the rows without a value), and the row.
  let start: (rank: Int?, row: RowIndex)?
  /// The number of matching rows of a code where it is known without looking at them.
  let knownCount: (UInt32) -> Int?

  /// Lists up to this length are gathered and sorted where they do not rise, or are wanted oldest first.
  private static let gatheredRows = 4_096

  /// Whether rows may have no value.
  private var hasNulls: Bool { column == .identity || column == .indicator }

  /// Feeds the page.
  /// - Returns: false when the budget was over first.
  func run(_ page: inout PageCollector, _ budget: inout WalkBudget) throws(QueryStopped) -> Bool {
    // Nulls come first when descending, last when ascending.
    if hasNulls && !ascending, start == nil || start?.rank == nil {
      if try !nulls(after: start?.row, &page, &budget) { return false }
    }
    let codeCount = ranks.count
    var place = ascending ? 0 : codeCount - 1
    var behind: RowIndex?
    if let start {
      if let rank = start.rank {
        place = rank
        behind = start.row
      } else if ascending {
        return try nulls(after: start.row, &page, &budget)
      }
    }
    while place >= 0 && place < codeCount && !page.isFull {
      if try !rows(of: ranks.code(at: place), after: behind, &page, &budget) { return false }
      behind = nil
      place += ascending ? 1 : -1
    }
    if hasNulls && ascending { return try nulls(after: nil, &page, &budget) }
    return true
  }

  private func nulls(
    after row: RowIndex?, _ page: inout PageCollector, _ budget: inout WalkBudget
  ) throws(QueryStopped) -> Bool {
    try walk(.codes(column, CodeSet([0])), range(after: row), &page, &budget)
  }

  private func range(after row: RowIndex?) -> Range<Int> {
    guard let row else { return 0..<reader.rowCount }
    return ascending ? min(row.index + 1, reader.rowCount)..<reader.rowCount : 0..<row.index
  }

  private func rows(
    of code: UInt32, after row: RowIndex?, _ page: inout PageCollector, _ budget: inout WalkBudget
  ) throws(QueryStopped) -> Bool {
    budget.spend(20)
    if row == nil, let count = knownCount(code), count == 0 || page.skip(count) { return true }
    let range = range(after: row)
    if let rows = gathered(code, &budget) {
      var batch = rows
      if range.count < reader.rowCount { batch.keep { range.contains($0.index) } }
      reader.narrow(&batch, tests.all)
      page.take(batch)
      return true
    }
    return try walk(.codes(column, CodeSet([code])), range, &page, &budget)
  }

  /// The rows of a code in the order of the page, if there are few and they can be named.
  private func gathered(_ code: UInt32, _ budget: inout WalkBudget) -> [RowIndex]? {
    let balances = reader.books.balances
    var rows: [RowIndex] = []
    switch column {
    case .ledger, .identity:
      let lists = column == .ledger ? balances.rowsByLedger : balances.rowsByIdentity
      let key = column == .ledger ? code : code - 1
      if lists.count(key) > Self.gatheredRows { return nil }
      rows = reader.gather(lists, key)
      if column == .identity { rows.keep { reader.code(.identity, $0) == code } }
    case .indicator:
      let currencyCount = reader.cut.currencyCount
      if currencyCount > 64 { return nil }
      for currency in 1..<UInt32(currencyCount + 1) {
        if let row = balances.row(indicator: code, currency: currency), row.index < reader.rowCount {
          rows.append(row)
        }
      }
      rows.sort()
      budget.spend(currencyCount * 40)
    case .currency, .source, .destination: return nil
    }
    if !ascending { rows.reverse() }
    budget.touch(rows.count)
    return rows
  }

  private func walk(
    _ code: RowTest, _ range: Range<Int>, _ page: inout PageCollector, _ budget: inout WalkBudget
  ) throws(QueryStopped) -> Bool {
    let tests = WalkTests(.conjunction(self.tests.fixed + [code, self.tests.rest]))
    return try RowWalk(reader: reader, stop: stop, tests: tests, ascending: ascending, share: nil)
      .run(range, &page, &budget)
  }
}

extension RowReader {
  /// The rows of a key that the cut sees, rising, none twice. O(rows · log rows).
  func gather(_ lists: RowLists, _ key: UInt32) -> [RowIndex] {
    var rows: [RowIndex] = []
    rows.reserveCapacity(lists.count(key))
    unsafe lists.forEachExtentReversed(key) { extent in
      for place in 0..<extent.count {
        let row = unsafe extent[place]
        if Int(row) < rowCount { rows.append(RowIndex(row)) }
      }
      return true
    }
    rows.sort()
    var last: RowIndex?
    rows.keep { row in
      defer { last = row }
      return row != last
    }
    return rows
  }
}

extension CodeRanks {
  /// Codes that have a text.
  var count: Int { table.base.count + table.added.count }

  /// The code at a place in the order of the texts. O(log added codes).
  func code(at place: Int) -> UInt32 {
    var (low, high) = (0, table.added.count)
    while low < high {
      let middle = (low + high) / 2
      if Int(table.addedPlaces[middle]) + middle < place { low = middle + 1 } else { high = middle }
    }
    if low < table.added.count, Int(table.addedPlaces[low]) + low == place { return table.added[low] }
    return table.base[place - low]
  }
}
