// Counts that are known without looking at the rows.

import Amounts
import Columns
import Ledger

extension Planner {
  /// More groups than these are not added up while writers wait.
  private static let groupLimit = 8_192

  /// The number of matching rows, if the books know it; nil if rows must be looked at.
  func known(_ question: Question) -> Plan.Counting? {
    if question.names != nil { return nil }
    let tests = question.tests
    if tests.isEmpty { return .known(question.rows.count, .rows) }
    if let count = timeCount(question) { return .known(count, .rows) }
    guard question.rows.count == reader.rowCount else { return nil }
    if tests.count == 1, let count = listCount(tests[0]) { return .known(count, .list) }
    if reader.table == .transactions { return versionCount(tests) }
    guard reader.table == .balances, reader.cut.isInstant else { return nil }
    if let count = groupCount(tests) { return .known(count, .groups) }
    return bucketCount(question)
  }

  /// Rows of ranges of time, where some rows are out of order.
  private func timeCount(_ question: Question) -> Int? {
    guard let index = question.index, !index.liesInOrder, question.tests.allSatisfy(\.isOneTimeRange) else {
      return nil
    }
    var span = TimeSpan(rows: question.rows, sides: index.runs.map { 0..<$0.rows.count })
    for case .integers(.createdAt, let set) in question.tests {
      if let times = set.ranges.first { span = span.intersection(index.span(times)) }
    }
    return index.count(span)
  }

  /// Rows of one test that lists answer.
  private func listCount(_ test: RowTest) -> Int? {
    guard reader.table == .balances, case .codes(let column, let set) = test else { return nil }
    let end = RowIndex(reader.rowCount)
    let balances = reader.books.balances
    switch column {
    case .ledger:
      guard let codes = set.someMembers(limit: 64, below: reader.cut.ledgerCount) else { return nil }
      let count = codes.reduce(0) { $0 + balances.rowsByLedger.count($1, below: end) }
      return set.isComplement ? reader.rowCount - count : count
    case .indicator:
      guard set.someMembers(limit: 1, below: .max) == [0] else { return nil }
      let count = balances.rowsWithIndicator.count(0, below: end)
      return set.isComplement ? count : reader.rowCount - count
    case .currency, .identity, .source, .destination: return nil
    }
  }

  /// Transactions of one balance: each made its version one greater.
  private func versionCount(_ tests: [RowTest]) -> Plan.Counting? {
    guard tests.count == 1, case .any(let sides) = tests[0], sides.count == 2,
      case .codes(.source, let source) = sides[0], case .codes(.destination, let destination) = sides[1],
      source == destination, case .few(let codes) = source.members, codes.count == 1, !source.isComplement
    else { return nil }
    let balances = RowReader(cut: reader.cut, table: .balances)
    return .known(Int(balances.integer(.version, RowIndex(codes[0]))) - 1, .version)
  }

  /// Balances that pass tests of ledger and currency alone.
  private func groupCount(_ tests: [RowTest]) -> Int? {
    let groups = reader.cut.groups
    guard groups.count <= Self.groupLimit else { return nil }
    var ledgers: [Bool]?
    var currencies: [Bool]?
    for test in tests {
      guard case .codes(let column, let set) = test else { return nil }
      switch column {
      case .ledger: ledgers = Self.passing(set, count: reader.cut.ledgerCount, ledgers)
      case .currency: currencies = Self.passing(set, count: reader.cut.currencyCount + 1, currencies)
      case .indicator, .identity, .source, .destination: return nil
      }
    }
    return groups.balanceCount(ledgers: ledgers, currencies: currencies)
  }

  /// Balances that pass those of the tests that are of ledger and currency, where a walk in the order of
  /// balances has to know how far it goes; nil when there is no such test.
  func groupCount(forWalk question: Question) -> Int? {
    guard question.balanceOrder != nil else { return nil }
    let tests = question.tests.filter(\.isOfGroup)
    return tests.isEmpty ? nil : groupCount(tests)
  }

  /// By code: whether it passes this test, and those before it.
  private static func passing(_ set: CodeSet, count: Int, _ before: [Bool]?) -> [Bool] {
    var passing = [Bool](repeating: set.isComplement, count: count)
    switch set.members {
    case .few(let codes):
      for code in codes where Int(code) < count { passing[Int(code)] = !set.isComplement }
    case .bits:
      for code in 0..<count { passing[code] = set.contains(UInt32(code)) }
    }
    guard let before else { return passing }
    return zip(passing, before).map { $0 && $1 }
  }
}

extension RowTest {
  /// A test of ledger or currency: what the groups of balances answer together.
  var isOfGroup: Bool {
    if case .codes(let column, _) = self { column == .ledger || column == .currency } else { false }
  }
}
