// What is kept beside the rows for fast answers, checked against the rows.

import Amounts
import Columns

extension Books {
  /// What the first group holds otherwise than its balances say, nil when all are right. Keeps writers out
  /// meanwhile. O(balances).
  func faultOfGroups() -> String? {
    withInstant { cut in
      let live = cut.groups
      var sums = [GroupTotals](repeating: GroupTotals(), count: live.count)
      for index in 0..<cut.balanceCount {
        let row = RowIndex(index)
        let group = balances.groups[row]
        guard group < UInt32(live.count), live.ledger(of: group).rawValue == balances.ledgers[row],
          live.currency(of: group) == balances.currencies[row]
        else { return "balance row \(index) is in group \(group), of another ledger or currency" }
        let image = cut.balance(row)
        sums[Int(group)].count += 1
        sums[Int(group)].credit += image.credit
        sums[Int(group)].debit += image.debit
      }
      for group in 0..<UInt32(live.count) {
        if live.totals(group) != sums[Int(group)] {
          return "group \(group) holds \(live.totals(group)), its balances \(sums[Int(group)])"
        }
        if live.group(ledger: live.ledger(of: group), currency: live.currency(of: group)) != group {
          return "group \(group) is not found by its ledger and currency"
        }
        if sums[Int(group)].count == 0 { return "group \(group) has no balance" }
      }
      return nil
    }
  }

  /// What is wrong in the first list that is wrong, nil when all are right. Keeps writers out meanwhile.
  /// O(balances).
  func faultOfLists() -> String? {
    withInstant { cut in
      var byLedger = [[UInt32]](repeating: [], count: cut.ledgerCount)
      var byIdentity = [Set<UInt32>](repeating: [], count: cut.identityCount)
      var withIndicator: [UInt32] = []
      for index in 0..<cut.balanceCount {
        let row = RowIndex(index)
        byLedger[Int(balances.ledgers[row])].append(row.rawValue)
        if balances.indicators[row] != 0 { withIndicator.append(row.rawValue) }
        if let identity = cut.balance(row).identity { byIdentity[identity.index].insert(row.rawValue) }
      }
      for (ledger, rows) in byLedger.enumerated() {
        if let fault = balances.rowsByLedger.fault(of: UInt32(ledger), rows) {
          return "the list of ledger row \(ledger) \(fault)"
        }
      }
      if let fault = balances.rowsWithIndicator.fault(of: 0, withIndicator) {
        return "the list of balances with an indicator \(fault)"
      }
      for (identity, rows) in byIdentity.enumerated() {
        let listed = balances.rowsByIdentity.rows(of: UInt32(identity))
        if !rows.isSubset(of: listed) { return "the list of identity row \(identity) lacks a balance" }
        let rises = zip(listed, listed.dropFirst()).allSatisfy { $0 < $1 }
        if rises != balances.rowsByIdentity.isRising(UInt32(identity)) {
          return "the list of identity row \(identity) says wrongly whether it rises"
        }
      }
      return nil
    }
  }

  /// What is wrong in the first zone maximum that is wrong, nil when all are right. Keeps writers out
  /// meanwhile. O(balances).
  package func faultOfMaxima() -> String? {
    withInstant { cut in
      for chunk in 0..<Layout.chunkCount(rows: cut.balanceCount) {
        let totals = balances.totals.currentBlock(chunk)
        for lane in [BalanceTable.Lane.credit, BalanceTable.Lane.debit] {
          let greatest = Self.greatestSketch(totals, lane, laneCount: BalanceTable.Lane.count)
          let kept = balances.totalsMaxima.greatest(chunk, lane: lane)
          // What only grows is known exactly.
          if kept != greatest { return "lane \(lane) of chunk \(chunk) reaches \(greatest), not \(kept)" }
        }
        let holds = balances.holds.currentBlock(chunk)
        for lane in 0..<BalanceTable.HoldLane.count {
          let greatest = Self.greatestSketch(holds, lane, laneCount: BalanceTable.HoldLane.count)
          let kept = balances.holdsMaxima.greatest(chunk, lane: lane)
          if kept < greatest { return "holds \(lane) of chunk \(chunk) reach \(greatest), not only \(kept)" }
        }
      }
      return nil
    }
  }

  /// The greatest sketch of a lane, zero's if it has none above.
  private static func greatestSketch(_ block: Block?, _ lane: Int, laneCount: Int) -> UInt16 {
    var greatest = Sketch.zero
    guard let block else { return greatest }
    let sketches = unsafe AmountBlock(block, laneCount: laneCount).sketches(lane)
    for slot in 0..<Layout.chunkRows { unsafe greatest = max(greatest, sketches[slot]) }
    return greatest
  }
}

extension RowLists {
  /// What is wrong with the list of a key, which has `expected` rows and rises.
  fileprivate func fault(of key: UInt32, _ expected: [UInt32]) -> String? {
    if rows(of: key) != expected { return "has other rows than it should" }
    if count(key) != expected.count { return "counts \(count(key)) rows of \(expected.count)" }
    return isRising(key) ? nil : "does not rise"
  }
}
