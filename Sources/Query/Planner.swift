// Makes plans: which rows to look at, with which tests, and how they come into order.

import Amounts
import Columns
import Ledger

/// Makes the plan of one request on one cut.
struct Planner {
  let reader: RowReader
  let stop: StopFlag
  let timeOrder: TimeOrder

  func plan(_ request: QueryRequest) throws(QueryStopped) -> Plan {
    let lowering = Lowering(reader: reader, stop: stop)
    let filter = try lowering.filter(request)
    let order = request.order
    let liesInTimeOrder = try rowsLieInTimeOrder()
    let byCreation = order.field.source == .createdAt && liesInTimeOrder
    var tests: [RowTest] = if case .all(let tests) = filter { tests } else { [filter] }
    var rows = 0..<reader.rowCount
    if liesInTimeOrder { rows = bounds(of: &tests) }
    var candidates: [RowIndex]?
    if let place = tests.firstIndex(where: { if case .rows = $0 { true } else { false } }),
      case .rows(let named) = tests[place]
    {
      candidates = named.filter { rows.contains($0.index) }
      tests.remove(at: place)
    }
    let after = try request.cursor.map { cursor throws(QueryStopped) in
      try lowering.after(cursor, order, liesInRowOrder: byCreation)
    }
    let test = RowTest.conjunction(tests)
    return Plan(
      request: request, test: test, afterCursor: after ?? .everything, rows: rows, candidates: candidates,
      ordering: byCreation
        ? .rowOrder(ascending: order.ascending)
        : .keys(SortColumn(order.field), ascending: order.ascending),
      share: share(test))
  }

  /// The part of the rows that passes, if all distinct values were equally frequent; nil where nothing is
  /// known.
  private func share(_ test: RowTest) -> Double? {
    switch test {
    case .everything: return 1
    case .codes(let column, let set):
      guard case .few(let codes) = set.members, !set.isComplement else { return nil }
      switch column {
      case .ledger: return Double(codes.count) / Double(max(reader.cut.ledgerCount, codes.count))
      case .currency: return Double(codes.count) / Double(max(reader.books.currencies.count, codes.count))
      case .indicator, .identity, .source, .destination: return nil
      }
    case .all(let tests):
      var share = 1.0
      for test in tests {
        guard let part = self.share(test) else { return nil }
        share *= part
      }
      return share
    default: return nil
    }
  }

  /// The books know it of balances; of other tables it is found out. The books' flag only ever falls, so
  /// reading it after the cut was taken is right: when it still stands, it stood for every row of the cut.
  private func rowsLieInTimeOrder() throws(QueryStopped) -> Bool {
    if reader.table == .balances && reader.books.balancesLieInTimeOrder { return true }
    return try timeOrder.holds(for: reader, stop)
  }

  /// Takes the tests of created_at out and gives the rows that they leave, which lie in time order. A test of
  /// several ranges stays, and the rows are those between its ends.
  private func bounds(of tests: inout [RowTest]) -> Range<Int> {
    var rows = 0..<reader.rowCount
    var kept: [RowTest] = []
    for test in tests {
      guard case .integers(.createdAt, let set) = test, let first = set.ranges.first,
        let last = set.ranges.last
      else {
        kept.append(test)
        continue
      }
      let start = firstRow(notBefore: first.lowerBound)
      let end = last.upperBound == .max ? reader.rowCount : firstRow(notBefore: last.upperBound + 1)
      rows = rows.clamped(to: start..<max(start, end))
      if set.ranges.count > 1 { kept.append(test) }
    }
    tests = kept
    return rows
  }

  /// O(log rows).
  private func firstRow(notBefore time: Int64) -> Int {
    let column = reader.createdAt
    var low = 0
    var high = reader.rowCount
    while low < high {
      let middle = (low + high) / 2
      if column[RowIndex(middle)] < time { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension Lowering {
  /// What comes after a cursor in the order of a member's text: a greater text, or the same and a row behind.
  private func after(_ cursor: Cursor, _ key: [UInt8], _ ascending: Bool, _ behind: RowTest) -> RowTest {
    let text: [UInt8]? = if case .text(let text) = cursor.key { text } else { nil }
    let same: MetadataTest.Condition = if let text { .sameText(text) } else { .isNull }
    return .disjunction([
      .metadata(MetadataTest(key: key, .beyond(text, ascending: ascending))),
      .conjunction([.metadata(MetadataTest(key: key, same)), behind]),
    ])
  }

  /// What comes after a cursor in the order asked for.
  func after(_ cursor: Cursor, _ order: SortOrder, liesInRowOrder: Bool) throws(QueryStopped) -> RowTest {
    let behind: RowTest = .rowRange(
      order.ascending ? cursor.row.index + 1..<Layout.rowLimit + 1 : 0..<cursor.row.index)
    if liesInRowOrder { return behind }
    let field = order.field
    if case .metadata(let key) = field.source {
      return after(cursor, Array(key.utf8), order.ascending, behind)
    }
    let operand: Operand
    switch cursor.key {
    case .null: operand = .null
    case .integer(let value):
      switch field.type {
      case .time where value < .max: operand = .time(TimeRange(start: value, end: value + 1))
      case .integer: operand = .amount(Amount(value))
      default: operand = .none
      }
    case .amount(let amount): operand = .amount(amount)
    case .text(let bytes):
      operand = field.type == .metadata ? .none : .text(String(decoding: bytes, as: UTF8.self))
    case .quotient: operand = .none
    }
    if operand == .none || (operand == .null && field.type == .metadata) {
      return .after(
        SortBoundary(
          column: SortColumn(field), ascending: order.ascending, key: cursor.key, row: cursor.row))
    }
    let nulls = try test(Predicate(field: field, op: .isNull, operand: .none))
    if operand == .null {
      let rest = try test(Predicate(field: field, op: .isNotNull, operand: .none))
      let same = RowTest.conjunction([nulls, behind])
      return order.ascending ? same : .disjunction([rest, same])
    }
    let beyond = try test(Predicate(field: field, op: order.ascending ? .greater : .less, operand: operand))
    let equal = try test(Predicate(field: field, op: .equal, operand: operand))
    return .disjunction([beyond, .conjunction([equal, behind])] + (order.ascending ? [nulls] : []))
  }
}
