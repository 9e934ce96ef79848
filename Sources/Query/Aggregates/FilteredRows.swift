// What a filter comes down to when all rows that pass are wanted: a test, and the rows it is worth asking.

import Columns
import Ledger

/// The rows of a filter, for passes over all of them.
struct FilteredRows: Hashable {
  /// What a row must pass; what `rows` says already is not in it.
  var test: RowTest
  /// The rows that may pass.
  var rows: Range<Int>
  /// Stripes that hold a row that may pass.
  var stripes: [Int]

  init(_ filter: QueryRequest, _ reader: RowReader, liesInTimeOrder: Bool, _ stop: StopFlag)
    throws(QueryStopped)
  {
    let lowered = try Lowering(reader: reader, stop: stop).filter(filter)
    var tests: [RowTest] = if case .all(let tests) = lowered { tests } else { [lowered] }
    rows = 0..<reader.rowCount
    if liesInTimeOrder {
      var kept: [RowTest] = []
      for test in tests {
        guard case .integers(.createdAt, let set) = test, set.ranges.count == 1 else {
          kept.append(test)
          continue
        }
        let start = reader.firstRow(notBefore: set.ranges[0].lowerBound)
        let last = set.ranges[0].upperBound
        let end = last == .max ? reader.rowCount : reader.firstRow(notBefore: last + 1)
        rows = rows.clamped(to: start..<max(start, end))
      }
      tests = kept
    }
    test = .conjunction(tests)
    var named: [RowIndex]?
    for case .rows(let some) in tests { named = some }
    if test == .nothing || rows.isEmpty {
      stripes = []
    } else if let named {
      let all = Set(named.filter { [rows] in rows.contains($0.index) }.map { $0.index / Layout.stripeRows })
      stripes = all.sorted()
    } else {
      stripes = Array(rows.lowerBound / Layout.stripeRows..<Layout.stripeCount(rows: rows.upperBound))
    }
  }

  /// The test with that of the rows, if they are not all.
  func covering(_ reader: RowReader) -> RowTest {
    rows == 0..<reader.rowCount ? test : .conjunction([.rowRange(rows), test])
  }

  /// Rows that a pass looks at.
  var scannedRowCount: Int { min(stripes.count * Layout.stripeRows, rows.count) }

  /// About how long a pass takes, in nanoseconds, with so much for each row that passes.
  func estimatedNanoseconds(perRow: Int) -> Int {
    2000 + scannedRowCount * (test.cost + perRow * 10) / 10
  }
}

extension RowReader {
  /// The first row that was not created before `time`, when rows lie in time order. O(log rows).
  func firstRow(notBefore time: Int64) -> Int {
    let column = createdAt
    var low = 0
    var high = rowCount
    while low < high {
      let middle = (low + high) / 2
      if column[RowIndex(middle)] < time { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The earliest and the latest created_at of some rows; of none the same two times.
  /// - Complexity: O(1) when rows lie in time order, else O(rows).
  func timeBounds(
    _ rows: Range<Int>, liesInTimeOrder: Bool, _ stop: StopFlag
  ) throws(QueryStopped) -> ClosedRange<Int64> {
    guard let first = rows.first, let last = rows.last else { return 0...0 }
    let column = createdAt
    if liesInTimeOrder { return column[RowIndex(first)]...column[RowIndex(last)] }
    var least = Int64.max
    var greatest = Int64.min
    var start = first
    while start <= last {
      try stop.check()
      let end = min(start / Layout.stripeRows * Layout.stripeRows + Layout.stripeRows, last + 1)
      let values = unsafe column.values(from: RowIndex(start), count: end - start)
      for place in 0..<(end - start) {
        least = min(least, unsafe values[place])
        greatest = max(greatest, unsafe values[place])
      }
      start = end
    }
    return least...greatest
  }
}

extension RowReader {
  /// The codes of a stripe's rows in a column that never changes.
  func codeLanes(_ column: CodeColumn, from first: RowIndex, count: Int) -> CodeLanes {
    switch column {
    case .ledger: books.balances.ledgers.lanes(from: first, count: count)
    case .currency: books.balances.currencies.lanes(from: first, count: count)
    case .indicator: books.balances.indicators.lanes(from: first, count: count)
    case .source: unsafe Self.words(unsafe books.transactions.sources.values(from: first, count: count))
    case .destination:
      unsafe Self.words(unsafe books.transactions.destinations.values(from: first, count: count))
    case .identity: preconditionFailure("identities lie in blocks")
    }
  }

  private static func words(_ values: UnsafeBufferPointer<UInt32>) -> CodeLanes {
    guard let start = values.baseAddress else { preconditionFailure("a stripe has rows") }
    return unsafe .words(start)
  }

  /// Where the values of an amount column lie.
  func lanes(_ column: AmountColumn) -> (table: BlockTable, laneCount: Int, lane: Int) {
    let balances = books.balances
    return switch column {
    case .credit: (balances.totals, BalanceTable.Lane.count, BalanceTable.Lane.credit)
    case .debit: (balances.totals, BalanceTable.Lane.count, BalanceTable.Lane.debit)
    case .balance: (balances.totals, BalanceTable.Lane.count, BalanceTable.Lane.balance)
    case .inflightCredit: (balances.holds, BalanceTable.HoldLane.count, BalanceTable.HoldLane.credit)
    case .inflightDebit: (balances.holds, BalanceTable.HoldLane.count, BalanceTable.HoldLane.debit)
    case .inflightBalance, .precise: preconditionFailure("not a lane")
    }
  }
}
