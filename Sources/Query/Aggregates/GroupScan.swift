// Adds the selected rows of stripes to their groups.

import Amounts
import Columns
import Ledger

/// The totals of the groups of one request, filled stripe by stripe.
struct GroupScan {
  /// Rows that are worked on at once: their codes and values stay in the first cache, and a stop is noticed
  /// between two blocks.
  private static let blockRows = 4096

  let request: AggregateRequest
  let reader: RowReader
  private let times: [Int: TimeCodes]
  /// The one group column is a time, and rows lie in its order: groups are runs of rows.
  private let isRunOrdered: Bool
  private var numbering: GroupNumbering
  private var counts: [Int] = []
  /// Rows that were added.
  private(set) var rowCount = 0
  private let fields: [MeasuredField]
  private var totals: [GroupSums]

  private var places: [UInt16]
  private var numbers: [UInt32]
  private var scratch: [UInt32]
  private var words: [UInt64]
  private var values: [Int64]
  private var wide: [(Int, Amount)] = []

  /// - Parameters:
  ///   - timeBounds: of created_at of all rows that will be added; needed when it is grouped by.
  ///   - liesInTimeOrder: whether rows lie in the order of created_at.
  init(
    _ request: AggregateRequest, _ reader: RowReader, timeBounds: ClosedRange<Int64>, liesInTimeOrder: Bool
  ) {
    self.request = request
    self.reader = reader
    var times: [Int: TimeCodes] = [:]
    for (index, column) in request.groupBy.enumerated() {
      if case .created(let unit) = column.source { times[index] = TimeCodes(timeBounds, unit) }
    }
    self.times = times
    isRunOrdered = liesInTimeOrder && request.groupBy.count == 1 && times.count == 1
    numbering = GroupNumbering(
      bases: request.groupBy.enumerated().map { times[$0]?.count ?? reader.codeCount($1.source) })
    var needs: [(MeasuredField, GroupSums.Needs)] = []
    for metric in request.metrics {
      guard let field = metric.field.map(MeasuredField.init) else { continue }
      let need = GroupSums.Needs(metric.function)
      if let place = needs.firstIndex(where: { $0.0 == field }) {
        needs[place].1.formUnion(need)
      } else {
        needs.append((field, need))
      }
    }
    fields = needs.map(\.0)
    totals = needs.map { GroupSums($0.1) }
    places = Array(repeating: 0, count: Self.blockRows)
    numbers = Array(repeating: 0, count: Self.blockRows)
    scratch = Array(repeating: 0, count: Self.blockRows)
    words = Array(repeating: 0, count: numbering.denseCount == nil ? Self.blockRows : 0)
    values = Array(repeating: 0, count: Self.blockRows)
    if let dense = numbering.denseCount { grow(to: dense) }
  }

  private mutating func grow(to count: Int) {
    if counts.count < count { counts.append(contentsOf: repeatElement(0, count: count - counts.count)) }
    for index in totals.indices { totals[index].grow(to: count) }
  }

  /// Adds the selected rows of a stripe. O(selected rows).
  mutating func add(_ scan: borrowing StripeScan) throws(QueryStopped) {
    let columns = StripeColumns(reader: reader, stripe: scan.stripe, rowCount: scan.rowCount)
    var count = 0
    for word in 0..<Selection.wordCount {
      var rest = unsafe scan.selection.bits[word]
      if rest == 0 { continue }
      if count > Self.blockRows - 64 {
        try scan.stop.check()
        try addBlock(count, columns)
        count = 0
      }
      while rest != 0 {
        places[count] = UInt16(truncatingIfNeeded: word << 6 | rest.trailingZeroBitCount)
        count += 1
        rest &= rest &- 1
      }
    }
    if count > 0 { try addBlock(count, columns) }
  }

  private mutating func addBlock(_ count: Int, _ columns: StripeColumns) throws(QueryStopped) {
    rowCount += count
    if request.groupBy.isEmpty { return addRun(0..<count, to: 0, columns) }
    if isRunOrdered { return addRuns(count, columns) }
    try number(count, columns)
    grow(to: numbering.count)
    for place in 0..<count { counts[Int(numbers[place])] += 1 }
    for index in fields.indices {
      wide.removeAll(keepingCapacity: true)
      columns.values(fields[index], places, 0..<count, into: &values, wide: &wide)
      var kept = count
      if !wide.isEmpty {
        for (place, amount) in wide { totals[index].add(amount, to: Int(numbers[place])) }
        // The numbers are needed as they are by the next field.
        scratch.replaceSubrange(0..<count, with: numbers[0..<count])
        kept = Self.leaveOut(wide, count, &values, &scratch)
        totals[index].add(values, kept, to: scratch)
        continue
      }
      totals[index].add(values, kept, to: numbers)
    }
  }

  private mutating func number(_ count: Int, _ columns: StripeColumns) throws(QueryStopped) {
    let (places, times, groupBy) = (places, times, request.groupBy)
    let firstRow = UInt32(columns.stripe * Layout.stripeRows)
    try numbering.number(
      count, into: &numbers, words: &words, rows: { firstRow + UInt32(places[$0]) },
      codes: { column, codes in
        if let table = times[column] {
          columns.times(table, places, 0..<count, into: &codes)
        } else {
          columns.codes(groupBy[column].source, places, 0..<count, into: &codes)
        }
      }, scratch: &scratch)
  }

  /// Moves what is not in `wide` to the front.
  /// - Returns: how many that is.
  private static func leaveOut(
    _ wide: [(Int, Amount)], _ count: Int, _ values: inout [Int64], _ numbers: inout [UInt32]
  ) -> Int {
    var kept = 0
    var next = 0
    for place in 0..<count {
      if next < wide.count, wide[next].0 == place {
        next += 1
        continue
      }
      values[kept] = values[place]
      numbers[kept] = numbers[place]
      kept += 1
    }
    return kept
  }

  // MARK: Runs

  /// Rows lie in the order of their times: the end of each run is found by binary search.
  private mutating func addRuns(_ count: Int, _ columns: StripeColumns) {
    guard let table = times[0] else { preconditionFailure("runs are of times") }
    let firstRow = columns.stripe * Layout.stripeRows
    let createdAt = reader.createdAt
    var start = 0
    while start < count {
      let code = table.code(of: createdAt[RowIndex(firstRow + Int(places[start]))])
      var low = start + 1
      var high = count
      while low < high {
        let middle = (low + high) / 2
        if table.code(of: createdAt[RowIndex(firstRow + Int(places[middle]))]) == code {
          low = middle + 1
        } else {
          high = middle
        }
      }
      addRun(start..<low, to: Int(code), columns)
      start = low
    }
  }

  private mutating func addRun(_ range: Range<Int>, to number: Int, _ columns: StripeColumns) {
    // Times of many years have more codes than the numbering holds densely.
    grow(to: number + 1)
    counts[number] += range.count
    for index in fields.indices {
      wide.removeAll(keepingCapacity: true)
      columns.values(fields[index], places, range, into: &values, wide: &wide)
      var kept = range.count
      if !wide.isEmpty {
        for (_, amount) in wide { totals[index].add(amount, to: number) }
        kept = Self.leaveOut(wide, kept, &values, &scratch)
      }
      totals[index].add(values, kept, to: number)
    }
  }

  // MARK: The groups

  /// Groups that rows were added to, and the one group of a request without columns.
  /// - Throws: `tooManyGroups`.
  func groups() throws(QueryStopped) -> [FoundGroup] {
    if request.groupBy.isEmpty { return [FoundGroup(number: 0, codes: [])] }
    var groups: [FoundGroup] = []
    for number in counts.indices where counts[number] > 0 {
      if groups.count == AggregateRequest.groupLimit { throw .tooManyGroups }
      groups.append(FoundGroup(number: number, codes: codes(number)))
    }
    return groups
  }

  private func codes(_ number: Int) -> [UInt32] {
    if isRunOrdered { return [UInt32(number) + (times[0]?.first ?? 0)] }
    guard numbering.denseCount != nil else {
      let row = RowIndex(numbering.firstRow(number))
      return request.groupBy.map { reader.groupCode($0.source, row) }
    }
    var codes = numbering.codes(ofDense: number)
    for (column, table) in times { codes[column] += table.first }
    return codes
  }

  /// A metric of a group.
  func value(_ metric: Metric, _ number: Int) -> MetricValue {
    let count = counts.isEmpty ? 0 : counts[number]
    guard let field = metric.field.map(MeasuredField.init) else { return .count(count) }
    guard let place = fields.firstIndex(of: field) else { preconditionFailure("fields of the metrics") }
    let isTime = field == .createdAt
    func shown(_ amount: Amount?) -> MetricValue {
      guard let amount else { return .null }
      return isTime ? .time(amount.int64 ?? 0) : .amount(amount)
    }
    switch metric.function {
    case .count: return .count(count)
    case .sum: return .amount(counts.isEmpty ? .zero : totals[place].sum(number))
    case .avg: return count == 0 ? .null : .average(totals[place].sum(number), count)
    case .min: return count == 0 ? .null : shown(totals[place].least(number, rowCount: count))
    case .max: return count == 0 ? .null : shown(totals[place].greatest(number, rowCount: count))
    }
  }
}

/// A group with its codes.
struct FoundGroup {
  var number: Int
  var codes: [UInt32]
}

extension GroupSums.Needs {
  init(_ function: Metric.Function) {
    self =
      switch function {
      case .count: []
      case .sum, .avg: .sum
      case .min: .least
      case .max: .greatest
      }
  }
}

extension RowReader {
  /// How many codes a group column may have.
  func codeCount(_ source: GroupColumn.Source) -> Int {
    switch source {
    case .ledger: cut.ledgerCount
    case .currency: cut.currencyCount + 1
    case .indicator: cut.indicatorCount + 1
    case .identity: cut.identityCount + 1
    case .source, .destination: cut.balanceCount
    case .lineageFlag: 2
    case .strategy: 4
    case .status: 16
    case .created: preconditionFailure("times are counted by their table")
    }
  }

  /// The code of one row in a group column.
  func groupCode(_ source: GroupColumn.Source, _ row: RowIndex) -> UInt32 {
    switch source {
    case .ledger: code(.ledger, row)
    case .currency where table == .balances: code(.currency, row)
    case .currency: UInt32(books.balances.currencies[RowIndex(code(.source, row))])
    case .indicator: code(.indicator, row)
    case .identity: code(.identity, row)
    case .source: code(.source, row)
    case .destination: code(.destination, row)
    case .lineageFlag: UInt32(flags(row) & 1)
    case .strategy: UInt32(flags(row) >> 1 & 3)
    case .status: UInt32(flags(row) & 15)
    case .created(let unit): CalendarCodes.code(of: createdAt[row], unit)
    }
  }
}
