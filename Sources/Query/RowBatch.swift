// Tests applied to a few rows at a time, wherever they lie: each test is looked at once, not once a row.

import Amounts
import Columns
import Ledger

extension RowReader {
  /// Keeps those of the rows that pass, in their order. The same as `RowTest.matches` says of each; about 5
  /// ns a row and test for codes and amounts, because the loads of many rows are under way together.
  func narrow(_ rows: inout [RowIndex], _ test: RowTest) {
    switch test {
    case .everything: return
    case .nothing: rows.removeAll(keepingCapacity: true)
    case .all(let tests):
      for test in tests {
        if rows.isEmpty { return }
        narrow(&rows, test)
      }
    case .codes(let column, let set): narrow(&rows, column, set)
    case .amounts(let column, let set) where column != .precise && column != .inflightBalance:
      narrow(&rows, column, set)
    case .integers(.createdAt, let set):
      let column = createdAt
      if set.ranges.count == 1, let bounds = set.ranges.first {
        rows.keep { bounds.contains(column[$0]) }
      } else {
        rows.keep { set.contains(column[$0]) }
      }
    case .rowRange(let range): rows.keep { range.contains($0.index) }
    case .text(let column, let test, let matchesNull):
      rows.keep { row in withText(column, row) { test.matches($0) } ?? matchesNull }
    case .metadata(let test): rows.keep { row in withMetadata(row) { test.matches($0) } }
    case .after(let boundary): rows.keep { boundary.isBefore($0, self) }
    case .integers, .amounts, .flags, .rows, .otherRows, .decimal, .effectiveDate, .exists, .any:
      rows.keep { test.matches($0, self) }
    }
  }

  private func narrow(_ rows: inout [RowIndex], _ column: CodeColumn, _ set: CodeSet) {
    switch column {
    case .ledger: rows.keep(set) { books.balances.ledgers[$0] }
    case .currency: rows.keep(set) { books.balances.currencies[$0] }
    case .indicator: rows.keep(set) { books.balances.indicators[$0] }
    case .source: rows.keep(set) { books.transactions.sources[$0] }
    case .destination: rows.keep(set) { books.transactions.destinations[$0] }
    case .identity: rows.keep(set) { code(.identity, $0) }
    }
  }

  private func narrow(_ rows: inout [RowIndex], _ column: AmountColumn, _ set: AmountRanges) {
    let narrow = set.integers(in: (.min + 1) ... .max)
    let (table, laneCount, lane) = lanes(column)
    let acceptsZero = set.contains(.zero)
    rows.keep { row in
      guard let block = table.block(Layout.chunk(of: row), cut: cut.epoch) else { return acceptsZero }
      let slot = Layout.slot(of: row)
      let lanes = AmountBlock(block, laneCount: laneCount)
      let value = unsafe lanes.lane(lane)[slot]
      if value == AmountBlock.wideMark { return set.contains(lanes.amount(lane: lane, slot: slot)) }
      return narrow.contains(value)
    }
  }
}

extension [RowIndex] {
  /// Keeps the rows that pass, in their order.
  @inline(__always)
  mutating func keep(_ isKept: (RowIndex) -> Bool) {
    var kept = 0
    for place in indices {
      let row = self[place]
      self[kept] = row
      if isKept(row) { kept += 1 }
    }
    removeLast(count - kept)
  }

  /// Keeps the rows whose code is in the set.
  @inline(__always)
  fileprivate mutating func keep(_ set: CodeSet, _ code: (RowIndex) -> UInt32) {
    let isComplement = set.isComplement
    switch set.members {
    case .few(let codes) where codes.count == 1:
      let member = codes[0]
      keep { (code($0) == member) != isComplement }
    case .few(let codes):
      keep { row in
        let code = code(row)
        var isMember = false
        for member in codes where member == code { isMember = true }
        return isMember != isComplement
      }
    case .bits(let words):
      let words = words.span
      keep { row in
        let code = code(row)
        let word = Int(code >> 6)
        return (word < words.count && words[word] >> UInt64(code & 63) & 1 != 0) != isComplement
      }
    }
  }
}
