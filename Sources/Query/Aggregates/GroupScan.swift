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

  /// The one group column, when it has few codes.
  private let smallCodes: SmallCodes?
  /// The group columns, when their rows are best added to their groups as they lie.
  private var coded: CodedGroups?
  /// Whether there are loops over lanes for all fields.
  private let isMaskable: Bool
  /// With fewer rows of a stripe, gathering them one by one is faster than going through all its chunks.
  var leastMaskedRows = 1536
  /// Whether `coded` is used where masks of `smallCodes` would do too; by the rows for nil.
  var prefersCodes: Bool?
  private var mask = StripeMask()
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
    smallCodes = request.groupBy.count == 1 ? SmallCodes(request.groupBy[0].source, reader) : nil
    coded = CodedGroups(request.groupBy, fields, numbering, reader)
    isMaskable = !fields.contains(.amount(.inflightBalance))
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
    let selected = scan.selection.count
    if selected == 0 { return }
    if isMaskable, selected >= leastMaskedRows {
      if request.groupBy.isEmpty {
        mask.take(scan.selection)
        return addMask(selected, to: 0, columns)
      }
      if isRunOrdered { return try addRunMasks(scan, columns) }
      if coded != nil, isFasterCoded(selected) { return try addCoded(selected, scan, columns) }
      if let smallCodes { return try addCodeMasks(smallCodes, scan, columns) }
    }
    mask.take(scan.selection)
    try addPlaces(columns, scan.stop)
  }

  // MARK: Masks

  /// Adds all rows of the mask to one group.
  private mutating func addMask(_ count: Int, to number: Int, _ columns: StripeColumns) {
    grow(to: number + 1)
    rowCount += count
    counts[number] += count
    for index in fields.indices { columns.add(fields[index], &mask, to: &totals[index], number) }
  }

  /// Adds all selected rows, each to the group that its codes say.
  private mutating func addCoded(
    _ selected: Int, _ scan: borrowing StripeScan, _ columns: StripeColumns
  ) throws(QueryStopped) {
    rowCount += selected
    mask.take(scan.selection)
    var counts: [Int] = []
    swap(&counts, &self.counts)
    defer { swap(&counts, &self.counts) }
    try coded?.add(&mask, columns, fields, to: &totals, scan.stop) { counts[$0] += $1 }
  }

  /// Whether rows are added one by one faster than by a mask for each code: a row costs five times as much,
  /// but is met once, and only if it is selected.
  private func isFasterCoded(_ selected: Int) -> Bool {
    guard let smallCodes else { return true }
    return prefersCodes ?? (!fields.isEmpty && selected * 5 < smallCodes.count * Layout.stripeRows)
  }

  private mutating func addCodeMasks(
    _ codes: SmallCodes, _ scan: borrowing StripeScan, _ columns: StripeColumns
  ) throws(QueryStopped) {
    for code in 0..<codes.count {
      mask.take(scan.selection, columns, codes, UInt32(code))
      let count = mask.count
      if count >= leastMaskedRows || fields.isEmpty {
        if count > 0 { addMask(count, to: code, columns) }
      } else if count > 0 {
        try addPlaces(columns, scan.stop)
      }
      try scan.stop.check()
    }
  }

  /// Rows lie in the order of their times: the end of each run is found by binary search.
  private mutating func addRunMasks(
    _ scan: borrowing StripeScan, _ columns: StripeColumns
  ) throws(QueryStopped) {
    guard let table = times[0] else { preconditionFailure("runs are of times") }
    let createdAt = reader.createdAt
    let firstRow = columns.firstRow
    var start = 0
    scan.selection.forEachPlace { place in
      start = place
      return false
    }
    while start < columns.rowCount {
      let code = table.code(of: createdAt[RowIndex(firstRow + start)])
      var low = start + 1
      var high = columns.rowCount
      while low < high {
        let middle = (low + high) / 2
        if table.holds(createdAt[RowIndex(firstRow + middle)], code) {
          low = middle + 1
        } else {
          high = middle
        }
      }
      mask.take(scan.selection, in: start..<low)
      let count = mask.count
      if count >= leastMaskedRows || fields.isEmpty {
        if count > 0 { addMask(count, to: Int(code), columns) }
      } else if count > 0 {
        try addPlaces(columns, scan.stop)
      }
      start = low
      // Rows behind the last selected one may have times that no row of the request has.
      if start < columns.rowCount, !table.covers(createdAt[RowIndex(firstRow + start)]) { return }
    }
  }

  // MARK: Places

  /// Adds the rows of the mask one by one.
  private mutating func addPlaces(_ columns: StripeColumns, _ stop: StopFlag) throws(QueryStopped) {
    var count = 0
    for word in 0..<Selection.wordCount {
      var rest = mask.words[word]
      if rest == 0 { continue }
      if count > Self.blockRows - 64 {
        try stop.check()
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

  /// The runs of a block, each found by binary search.
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

  // MARK: Several threads

  /// Whether groups have the same numbers wherever they are found, so that the totals of several passes can
  /// be added up.
  var isMergeable: Bool { request.groupBy.isEmpty || isRunOrdered || numbering.denseCount != nil }

  /// Adds the groups of a pass over other rows of the same request, which is mergeable.
  mutating func merge(_ other: GroupScan) {
    precondition(isMergeable, "groups have numbers of their own")
    grow(to: other.counts.count)
    rowCount += other.rowCount
    for number in other.counts.indices { counts[number] += other.counts[number] }
    for index in totals.indices { totals[index].merge(other.totals[index]) }
  }

  // MARK: The groups

  /// Groups that rows were added to, and the one group of a request without columns.
  /// - Throws: `tooManyGroups`.
  func groups() throws(QueryStopped) -> FoundGroups {
    var groups = FoundGroups(columns: request.groupBy.count)
    if request.groupBy.isEmpty {
      groups.numbers = [0]
      return groups
    }
    groups.numbers.reserveCapacity(numbering.denseCount == nil ? counts.count : 16)
    for number in counts.indices where counts[number] > 0 {
      if groups.numbers.count == AggregateRequest.groupLimit { throw .tooManyGroups }
      groups.numbers.append(number)
      appendCodes(number, to: &groups.codes)
    }
    return groups
  }

  private func appendCodes(_ number: Int, to codes: inout [UInt32]) {
    if isRunOrdered {
      codes.append(UInt32(number) + (times[0]?.first ?? 0))
    } else if numbering.denseCount == nil {
      let row = RowIndex(numbering.firstRow(number))
      for column in request.groupBy { codes.append(reader.groupCode(column.source, row)) }
    } else {
      let first = codes.count
      codes += numbering.codes(ofDense: number)
      for (column, table) in times { codes[first + column] += table.first }
    }
  }

  /// Where a metric's field stands among the totals; nil for counts.
  func place(of metric: Metric) -> Int? {
    metric.field.flatMap { fields.firstIndex(of: MeasuredField($0)) }
  }

  /// A metric of a group, with its `place`.
  func value(_ function: Metric.Function, _ place: Int?, _ number: Int) -> MetricValue {
    let count = counts.isEmpty ? 0 : counts[number]
    guard let place else { return .count(count) }
    func shown(_ amount: Amount?) -> MetricValue {
      guard let amount else { return .null }
      return fields[place] == .createdAt ? .time(amount.int64 ?? 0) : .amount(amount)
    }
    switch function {
    case .count: return .count(count)
    case .sum: return .amount(counts.isEmpty ? .zero : totals[place].sum(number))
    case .avg: return count == 0 ? .null : .average(totals[place].sum(number), count)
    case .min: return count == 0 ? .null : shown(totals[place].least(number, rowCount: count))
    case .max: return count == 0 ? .null : shown(totals[place].greatest(number, rowCount: count))
    }
  }
}

/// Groups with their codes.
struct FoundGroups {
  /// Codes of each group.
  let columns: Int
  /// What the groups are called by whoever knows their values.
  var numbers: [Int] = []
  /// The codes of all groups, one after the other.
  var codes: [UInt32] = []

  init(columns: Int) { self.columns = columns }
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
