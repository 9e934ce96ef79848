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
    // Taken once: a reference that is found anew for each row is counted for each.
    let (balances, sources) = (books.balances, books.transactions.sources)
    let destinations = books.transactions.destinations
    switch column {
    case .ledger: rows.keep(set, balances.ledgers)
    case .currency: rows.keep(set, balances.currencies)
    case .indicator: rows.keep(set, balances.indicators)
    case .source: rows.keep(set) { sources[$0] }
    case .destination: rows.keep(set) { destinations[$0] }
    case .identity: rows.keep(set) { code(.identity, $0) }
    }
  }

  /// How many of the rows pass, for the tests that need no list of them; nil for others. 1 to 4 ns a row.
  func count(_ rows: [UInt32], _ test: RowTest) -> Int? {
    guard case .codes(let column, let set) = test else { return nil }
    switch column {
    case .ledger: return rows.count(set, books.balances.ledgers)
    case .currency: return rows.count(set, books.balances.currencies)
    case .indicator: return rows.count(set, books.balances.indicators)
    case .source, .destination, .identity: return nil
    }
  }

  private func narrow(_ rows: inout [RowIndex], _ column: AmountColumn, _ set: AmountRanges) {
    let narrow = set.integers(in: (.min + 1) ... .max)
    let (table, laneCount, lane) = lanes(column)
    let acceptsZero = set.contains(.zero)
    // One range is compared with in place; more are looked through.
    let only = narrow.ranges.count == 1 ? narrow.ranges[0] : nil
    rows.keep { row in
      guard let block = table.block(Layout.chunk(of: row), cut: cut.epoch) else { return acceptsZero }
      let slot = Layout.slot(of: row)
      let lanes = AmountBlock(block, laneCount: laneCount)
      let value = unsafe lanes.lane(lane)[slot]
      if value == AmountBlock.wideMark { return set.contains(lanes.amount(lane: lane, slot: slot)) }
      return only.map { $0.contains(value) } ?? narrow.contains(value)
    }
  }
}

extension [UInt32] {
  /// How many rows have a code of the set.
  fileprivate func count(_ set: CodeSet, _ column: CodedColumn) -> Int {
    var count = 0
    switch set.members {
    case .few(let codes) where codes.count == 1:
      let member = codes[0]
      for row in self { count += column[RowIndex(row)] == member ? 1 : 0 }
    case .few(let codes):
      for row in self {
        let code = column[RowIndex(row)]
        var isMember = false
        for member in codes where member == code { isMember = true }
        count += isMember ? 1 : 0
      }
    case .bits(let words):
      let words = words.span
      for row in self {
        let code = column[RowIndex(row)]
        let word = Int(code >> 6)
        if word < words.count, words[word] >> UInt64(code & 63) & 1 != 0 { count += 1 }
      }
    }
    return set.isComplement ? self.count - count : count
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

  /// Keeps the rows whose code is in the set. The column is one reference for all rows.
  fileprivate mutating func keep(_ set: CodeSet, _ column: CodedColumn) {
    keep(set) { column[$0] }
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
