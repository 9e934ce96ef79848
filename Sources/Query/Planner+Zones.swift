// Plans that begin where zone maxima say that the greatest amounts lie.

import Amounts
import Columns
import Ledger

/// A lane of amounts whose zone maxima are kept.
struct ZoneLane: Sendable {
  let column: AmountColumn
  let table: BlockTable
  let maxima: ZoneMaxima
  let laneCount: Int
  let lane: Int

  /// Nil for amounts that are in no lane, and for balances, which have an order of their own.
  init?(_ column: AmountColumn, _ balances: BalanceTable) {
    self.column = column
    switch column {
    case .credit, .debit:
      (table, maxima) = (balances.totals, balances.totalsMaxima)
      laneCount = BalanceTable.Lane.count
      lane = column == .credit ? BalanceTable.Lane.credit : BalanceTable.Lane.debit
    case .inflightCredit, .inflightDebit:
      (table, maxima) = (balances.holds, balances.holdsMaxima)
      laneCount = BalanceTable.HoldLane.count
      lane = column == .inflightCredit ? BalanceTable.HoldLane.credit : BalanceTable.HoldLane.debit
    case .balance, .inflightBalance, .precise: return nil
    }
  }
}

extension Planner {
  func appendZones(_ options: inout [Option], _ question: Question, _ shares: Shares) {
    // Behind a cursor, most of the greatest amounts would be looked at for nothing; from the least on there
    // is nothing to begin with, as most balances have none.
    guard case .amounts(let column) = SortColumn(question.order.field), !question.order.ascending,
      question.request.cursor == nil, question.request.limit != nil,
      let lane = ZoneLane(column, reader.books.balances)
    else { return }
    let wanted = Double(self.wanted(question))
    let inTable = Double(question.rows.count) / Double(max(1, reader.rowCount))
    let rows = wanted / max(shares.walkShare * inTable, 1e-9)
    let chunkCount = Layout.chunkCount(rows: reader.rowCount)
    if forced == nil {
      // So many rows lie in nearly all chunks, and the maxima say little of how many there are.
      if rows > Double(chunkCount) * 1.5 { return }
      for case .amounts(column, let set) in question.tests where set.ranges.last?.high != nil { return }
    }
    let looked = Int(min(rows, Double(reader.rowCount)))
    let cost =
      1_000 + chunkCount / PlannerCosts.zonesPerNanosecond
      + ZoneWalk.chunks(ofRows: rows, chunkCount: chunkCount) * PlannerCosts.zone
      + looked * each(question.test) + Int(wanted) * PlannerCosts.bucketRow
    // What is only guessed is mostly guessed low, and a first band that is too narrow costs little.
    let first = shares.share == nil ? max(wanted, rows / 3) : rows * 1.1 + 4
    options.append(Option(route: .zones(lane, rows: first), rows: looked, nanoseconds: cost))
  }
}
