// The least and the greatest balances of groups, found from the two ends of the order of balances.

import Amounts
import Columns
import Ledger

/// Extremes of `balance` by ledger, by currency, by both or of all, as they are at an instant.
///
/// Rows are met in the order of their balances, so the first row of a group has its extreme, but for the rows
/// of the part of the order in which it lies: these are compared. The walk ends when all groups were met.
struct LiveExtremes: Sendable {
  /// The groups of the answer, numbered in order of their first (ledger, currency), as `LiveSums` does.
  private(set) var groups: FoundGroups
  /// By number; nil for a group without rows.
  private var least: [Amount?] = []
  private var greatest: [Amount?] = []
  /// Rows that were looked at.
  private(set) var rowsTouched = 0
  /// What it took.
  private(set) var nanoseconds = 0

  /// Rows of one walk at most; more are left to the scan.
  static let rowLimit = 4096
  /// Rows of all walks of one moment at most.
  static let momentRows = 16_384
  /// Codes whose numbers are looked up in an array that is made while writers wait.
  private static let codeLimit = 1 << 16
  /// Rows whose groups are asked for together, so that the waits for memory overlap.
  private static let windowRows = 32
  /// Stands for the number of what does not pass the filter.
  private static let leftOut = UInt32.max

  /// Whether a metric is one of these.
  static func has(_ metric: Metric) -> Bool {
    (metric.function == .min || metric.function == .max) && metric.field?.source == .balance
  }

  /// Looks for the extremes that a request wants.
  /// - Parameters:
  ///   - passes: whether the rows of a ledger in a currency are wanted; nil when all are.
  ///   - rowsLeft: rows that may be looked at; becomes less by those that were.
  /// - Returns: nil if that takes more rows.
  init?(
    _ request: AggregateRequest, instant cut: Cut, _ rowsLeft: inout Int,
    passes: ((_ ledger: UInt32, _ currency: UInt32) -> Bool)?
  ) {
    let watch = Stopwatch()
    groups = FoundGroups(columns: request.groupBy.count)
    guard let numbers = number(cut, request.groupBy.map(\.source), passes) else { return nil }
    let wanted = Set(request.metrics.filter(Self.has).map(\.function))
    for function in [Metric.Function.min, .max] where wanted.contains(function) {
      var walk = Walk(numbers, groups.numbers.count, cut, rowLimit: min(Self.rowLimit, rowsLeft))
      let found = walk.run(descending: function == .max)
      rowsTouched += walk.rowsTouched
      rowsLeft -= walk.rowsTouched
      guard let found else { return nil }
      if function == .min { least = found } else { greatest = found }
    }
    nanoseconds = watch.nanoseconds
  }

  /// Numbers the groups of the answer.
  /// - Returns: the numbers by (ledger, currency); nil if there are too many codes.
  private mutating func number(
    _ cut: Cut, _ columns: [GroupColumn.Source], _ passes: ((UInt32, UInt32) -> Bool)?
  ) -> [UInt32]? {
    var numbers = [UInt32](repeating: Self.leftOut, count: cut.groups.count)
    var numberOf: [UInt32] = []
    if columns.count == 1 {
      let codeCount = columns[0] == .ledger ? cut.ledgerCount : cut.currencyCount + 1
      if codeCount > Self.codeLimit { return nil }
      numberOf = Array(repeating: Self.leftOut, count: codeCount)
    }
    var codes: [UInt32] = []
    var count = columns.isEmpty ? 1 : 0
    cut.groups.forEachInUse { group, ledger, currency in
      if let passes, !passes(ledger, currency) { return }
      switch columns.count {
      case 0: numbers[group] = 0
      case 1:
        let code = columns[0] == .ledger ? ledger : currency
        if numberOf[Int(code)] == Self.leftOut {
          numberOf[Int(code)] = UInt32(count)
          count += 1
          codes.append(code)
        }
        numbers[group] = numberOf[Int(code)]
      default:
        numbers[group] = UInt32(count)
        count += 1
        for column in columns { codes.append(column == .ledger ? ledger : currency) }
      }
    }
    groups.codes = codes
    groups.numbers = Array(0..<count)
    return numbers
  }

  /// A metric that `has` says is one of these.
  func value(_ function: Metric.Function, _ number: Int) -> MetricValue {
    (function == .min ? least : greatest)[number].map { .amount($0) } ?? .null
  }

  /// One way through the order.
  private struct Walk {
    /// The answer's groups, by (ledger, currency).
    let numbers: [UInt32]
    let cut: Cut
    let rowLimit: Int
    /// The extremes, by number.
    private var found: [Amount?]
    /// The part in which each group was first met, from 1 on; 0 for none yet.
    private var partOf: [UInt32]
    private var missing: Int
    private var rows: [(row: RowIndex, part: UInt32, isExact: Bool)] = []
    private(set) var rowsTouched = 0

    init(_ numbers: [UInt32], _ count: Int, _ cut: Cut, rowLimit: Int) {
      self.numbers = numbers
      self.cut = cut
      self.rowLimit = rowLimit
      found = Array(repeating: nil, count: count)
      partOf = Array(repeating: 0, count: count)
      // The one group of all rows may have none.
      missing = count == 1 && numbers.allSatisfy { $0 == LiveExtremes.leftOut } ? 0 : count
    }

    /// Returns the extremes by number, nil if the limit was met first.
    mutating func run(descending: Bool) -> [Amount?]? {
      if missing == 0 { return found }
      // Each row shows one group.
      if missing > rowLimit { return nil }
      rows.reserveCapacity(LiveExtremes.windowRows * 2)
      var part: UInt32 = 0
      cut.balanceOrder.forEachPart(descending: descending) { next in
        part += 1
        rowsTouched += unsafe next.rows.count
        if rowsTouched > rowLimit { return false }
        for place in unsafe next.rows.indices {
          let row = unsafe RowIndex(next.rows[place])
          cut.books.balances.groups.prefetch(row)
          rows.append((row, part, next.isExact))
        }
        if rows.count >= LiveExtremes.windowRows { meet(descending) }
        return missing > 0
      }
      if rowsTouched > rowLimit { return nil }
      meet(descending)
      return missing == 0 ? found : nil
    }

    /// Takes the rows that were gathered, of whole parts.
    private mutating func meet(_ isDescending: Bool) {
      let reader = RowReader(cut: cut, table: .balances)
      for (row, part, isExact) in rows {
        let group = Int(cut.books.balances.groups[row])
        if numbers[group] == LiveExtremes.leftOut { continue }
        let number = Int(numbers[group])
        if partOf[number] == 0 {
          partOf[number] = part
          missing -= 1
          found[number] = reader.amount(.balance, row)
        } else if partOf[number] == part, !isExact {
          let amount = reader.amount(.balance, row)
          if let other = found[number], isDescending ? amount > other : amount < other {
            found[number] = amount
          }
        }
      }
      rows.removeAll(keepingCapacity: true)
    }
  }
}
