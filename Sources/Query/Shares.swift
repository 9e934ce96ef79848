// Which part of the rows a filter keeps: from exact counts where the books have them, else a guess.

import Amounts
import Columns
import Ledger

/// What the planner reckons with.
struct Shares {
  /// The part of the rows that passes; nil when it is only guessed.
  private(set) var share: Double?
  /// The same, guessed where nothing is known. Never 0.
  private(set) var walkShare: Double
  /// The part that passes the tests of fixed columns.
  private(set) var fixedShare: Double
  /// The part whose balance can pass, if the order of balances was asked.
  private(set) var balanceShare: Double?
  /// Rows that pass, when that is known to a few percent.
  var matches: Int? { share.map { Int($0 * Double(rowCount)) } }

  private let rowCount: Int

  /// - Parameter groupCount: balances that pass all tests of ledger and currency, if that is known.
  init(reader: RowReader, question: Planner.Question, groupCount: Int? = nil) {
    rowCount = question.rows.count
    var known = true
    var product = 1.0
    var fixed = 1.0
    if let order = question.balanceOrder, let bounds = question.balanceBounds {
      let count = order.count(from: bounds.low, through: bounds.high)
      balanceShare = max(1e-7, Double(count) / Double(max(1, order.count)))
      product *= balanceShare ?? 1
    }
    if let groupCount {
      let value = max(Double(groupCount) / Double(max(1, reader.rowCount)), 1e-7)
      product *= value
      fixed *= value
    }
    for test in question.tests where balanceShare == nil || !test.isOneBalanceRange {
      if groupCount != nil, test.isOfGroup { continue }
      let part = Self.share(of: test, reader, question)
      if part == nil { known = false }
      let value = max(part ?? Self.guess(test), 1e-7)
      product *= value
      if test.isFixed { fixed *= value }
    }
    share = known ? product : nil
    walkShare = product
    fixedShare = fixed
  }

  private static func share(of test: RowTest, _ reader: RowReader, _ question: Planner.Question) -> Double? {
    let rowCount = Double(max(1, reader.rowCount))
    switch test {
    case .everything: return 1
    case .nothing: return 0
    case .codes(let column, let set):
      let part: Double
      switch column {
      case .ledger:
        let codes = set.someMembers(limit: 64, below: reader.cut.ledgerCount)
        guard let codes else { return nil }
        part = Double(codes.reduce(0) { $0 + reader.books.balances.rowsByLedger.count($1) }) / rowCount
      case .identity:
        guard let codes = set.someMembers(limit: 64, below: .max), !codes.contains(0) else { return nil }
        part = Double(codes.reduce(0) { $0 + reader.books.balances.rowsByIdentity.count($1 - 1) }) / rowCount
      case .indicator:
        guard let codes = set.someMembers(limit: 1, below: .max), codes == [0] else { return nil }
        part = 1 - Double(reader.books.balances.rowsWithIndicator.count(0)) / rowCount
      case .currency, .source, .destination: return nil
      }
      return min(1, max(0, set.isComplement ? 1 - part : part))
    case .integers(.createdAt, let set):
      guard let index = question.index else { return nil }
      let count = set.ranges.reduce(0) { $0 + index.count(index.span($1)) }
      return Double(count) / rowCount
    default: return nil
    }
  }

  /// What a test may keep if nothing is known of it.
  private static func guess(_ test: RowTest) -> Double {
    switch test {
    case .everything: 1
    case .nothing: 0
    case .codes(let column, let set):
      switch set.members {
      case .few(let codes) where codes.contains(0) && column != .ledger: 0.4
      case .few(let codes): set.isComplement ? 0.9 : column == .currency ? 0.1 * Double(codes.count) : 0.01
      case .bits: column == .indicator ? 0.01 : 0.5
      }
    case .integers(_, let set), .effectiveDate(let set, _):
      set.ranges.first.map { $0.lowerBound == $0.upperBound } ?? true ? 0.05 : 0.3
    case .amounts(_, let set):
      set.ranges.count == 1 && set.ranges[0].low != nil && set.ranges[0].low == set.ranges[0].high
        ? 0.05 : 0.3
    case .flags: 0.3
    case .rows(let rows): Double(rows.count) * 1e-6
    case .otherRows, .exists: 1
    case .rowRange: 0.5
    case .text: 0.05
    case .metadata: 0.1
    case .decimal: 0.2
    case .after: 0.5
    case .all(let tests): tests.reduce(1) { $0 * guess($1) }
    case .any(let tests): min(1, tests.reduce(0) { $0 + guess($1) })
    }
  }
}

extension CodeSet {
  /// The members (of the set that this may be the complement of), if they are few; those below `bound` alone.
  func someMembers(limit: Int, below bound: Int) -> [UInt32]? {
    switch members {
    case .few(let codes): return codes.count <= limit ? codes.filter { Int($0) < bound } : nil
    case .bits(let words):
      if words.count > 1024 { return nil }
      var codes: [UInt32] = []
      for (place, word) in words.enumerated() {
        var rest = word
        while rest != 0 {
          let code = place * 64 + rest.trailingZeroBitCount
          rest &= rest &- 1
          if code >= bound { continue }
          if codes.count == limit { return nil }
          codes.append(UInt32(code))
        }
      }
      return codes
    }
  }
}
