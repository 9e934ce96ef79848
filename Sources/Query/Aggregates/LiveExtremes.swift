// The least and the greatest balances of groups, found from the two ends of the order of balances.

import Amounts
import Columns
import Ledger

/// Extremes of `balance` by ledger, by currency, by both or of all, as they are at an instant.
///
/// Rows are met in the order of their balances, so the first row of a group has its extreme, but for the rows
/// of the part of the order in which it lies: these are compared. The walk ends when all groups were met.
struct LiveExtremes: Sendable {
  /// What the groups of the answer are, of those that have a ledger and a currency each.
  private enum Kind {
    case all, ledgers, currencies, both
  }

  private let kind: Kind
  /// By key; nil for groups without rows.
  private var least: [Amount?] = []
  private var greatest: [Amount?] = []
  /// Rows that were looked at.
  private(set) var rowsTouched = 0
  /// What it took.
  private(set) var nanoseconds = 0

  /// Rows of one walk at most; more are left to the scan.
  static let rowLimit = 4096
  /// Keys are places in arrays made while writers wait.
  private static let keyLimit = 4096
  /// Rows whose groups are asked for together, so that the waits for memory overlap.
  private static let windowRows = 32
  /// The key of rows that do not pass the filter.
  private static let leftOut = UInt32.max

  /// Whether a metric is one of these.
  static func has(_ metric: Metric) -> Bool {
    (metric.function == .min || metric.function == .max) && metric.field?.source == .balance
  }

  /// Looks for the extremes that a request wants.
  /// - Parameters:
  ///   - passes: whether the rows of a ledger in a currency are wanted.
  ///   - rowLimit: rows of each walk at most.
  /// - Returns: nil if that takes more rows.
  init?(
    _ request: AggregateRequest, instant cut: Cut, rowLimit: Int = Self.rowLimit,
    passes: (_ ledger: UInt32, _ currency: UInt32) -> Bool
  ) {
    let watch = Stopwatch()
    let columns = request.groupBy.map(\.source)
    kind = columns.isEmpty ? .all : columns.count > 1 ? .both : columns[0] == .ledger ? .ledgers : .currencies
    let groups = cut.groups
    var keys = [UInt32](repeating: Self.leftOut, count: groups.count)
    var keyCount = 0
    for group in 0..<UInt32(groups.count) where groups.balanceCount(group) > 0 {
      let (ledger, currency) = (groups.ledger(of: group).rawValue, groups.currency(of: group))
      if !passes(ledger, currency) { continue }
      let key = key(of: Int(group), ledger: ledger, currency: currency)
      keys[Int(group)] = key
      keyCount = max(keyCount, Int(key) + 1)
    }
    if keyCount > Self.keyLimit { return nil }
    let wanted = Set(request.metrics.filter(Self.has).map(\.function))
    for function in [Metric.Function.min, .max] where wanted.contains(function) {
      var walk = Walk(keys, keyCount, cut, rowLimit: rowLimit)
      guard let found = walk.run(descending: function == .max) else { return nil }
      rowsTouched += walk.rowsTouched
      if function == .min { least = found } else { greatest = found }
    }
    nanoseconds = watch.nanoseconds
  }

  /// Where the answer's group that a group belongs to stands here.
  func key(of group: Int, ledger: UInt32, currency: UInt32) -> UInt32 {
    switch kind {
    case .all: 0
    case .ledgers: ledger
    case .currencies: currency
    case .both: UInt32(group)
    }
  }

  /// A metric that `has` says is one of these.
  func value(_ function: Metric.Function, _ key: UInt32) -> MetricValue {
    let amounts = function == .min ? least : greatest
    guard Int(key) < amounts.count, let amount = amounts[Int(key)] else { return .null }
    return .amount(amount)
  }

  /// One way through the order.
  private struct Walk {
    /// By group.
    let keys: [UInt32]
    let cut: Cut
    let rowLimit: Int
    /// The extremes, by key.
    private var found: [Amount?]
    /// The part in which each key was first met, from 1 on; 0 for none yet.
    private var partOf: [UInt32]
    private var missing: Int
    private var rows: [(row: RowIndex, part: UInt32, isExact: Bool)] = []
    private(set) var rowsTouched = 0

    init(_ keys: [UInt32], _ keyCount: Int, _ cut: Cut, rowLimit: Int) {
      self.keys = keys
      self.cut = cut
      self.rowLimit = rowLimit
      found = Array(repeating: nil, count: keyCount)
      partOf = Array(repeating: 0, count: keyCount)
      var isMissing = [Bool](repeating: false, count: keyCount)
      for key in keys where key != LiveExtremes.leftOut { isMissing[Int(key)] = true }
      missing = isMissing.count { $0 }
    }

    /// Returns the extremes by key, nil if the limit was met first.
    mutating func run(descending: Bool) -> [Amount?]? {
      if missing == 0 { return found }
      // Each row shows one key.
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
        let key = keys[group]
        if key == LiveExtremes.leftOut { continue }
        if partOf[Int(key)] == 0 {
          partOf[Int(key)] = part
          missing -= 1
          found[Int(key)] = reader.amount(.balance, row)
        } else if partOf[Int(key)] == part, !isExact {
          let amount = reader.amount(.balance, row)
          if let other = found[Int(key)], isDescending ? amount > other : amount < other {
            found[Int(key)] = amount
          }
        }
      }
      rows.removeAll(keepingCapacity: true)
    }
  }
}
