// The ways to a page, each with what it costs.

import Amounts
import Columns
import Ledger

extension Planner {
  /// All ways that answer the request; the scan is always among them.
  func options(
    _ question: Question, _ shares: Shares, _ counting: Plan.Counting?
  ) throws(QueryStopped) -> [Option] {
    let rowCount = question.rows.count
    var options: [Option] = []
    if let names = question.names {
      options.append(
        Option(
          route: .names(names), rows: names.count, nanoseconds: names.count * each(question.test),
          seesAll: true,
          isBounded: true))
      // Names are so few that no other way need be looked at.
      if forced == nil { return options }
    }
    appendOrdered(&options, question, shares)
    if reader.table == .balances {
      appendLists(&options, question, shares)
      try appendCodeOrder(&options, question, shares)
      appendBuckets(&options, question, shares)
      appendZones(&options, question, shares)
    }
    if reader.table == .transactions { appendChains(&options, question, shares) }
    if question.names == nil {
      let sorting = question.order.field.source == .createdAt ? 1 : PlannerCosts.sortedRow
      options.append(
        Option(
          route: .scan, rows: rowCount,
          nanoseconds: 2_000 + scanned(question)
            + Int(Double(rowCount) * shares.walkShare) * sorting,
          seesAll: true, isBounded: true))
    }
    return options
  }

  /// The cheapest, with what counting costs beside it; or the one that is asked for.
  func choose(_ options: [Option], _ question: Question, _ counting: Plan.Counting?) -> Option {
    if let forced, let option = options.first(where: { Self.path($0.route) == forced }) { return option }
    let counts = question.request.includeCount && counting == nil
    let countCost = counts ? 2_000 + scanned(question) : 0
    var best = options[options.count - 1]
    var bestCost = Int.max
    for option in options {
      // Rows as they lie are counted by the pass that finds them.
      let isOnePass: Bool = if case .newest = option.route { counts } else { false }
      let cost = isOnePass ? countCost : option.nanoseconds + (option.seesAll ? 0 : countCost)
      if cost < bestCost { (best, bestCost) = (option, cost) }
    }
    if !best.seesAll { best.nanoseconds += countCost }
    return best
  }

  private static func path(_ route: Plan.Route) -> AccessPath {
    switch route {
    case .nothing: .nothing
    case .newest: .newest
    case .timeRuns: .timeRuns
    case .names: .names
    case .newestOfList, .lists: .list
    case .newestOfChains, .chains: .chain
    case .bucketOrder, .bucketRange: .bucket
    case .codeOrder: .codeOrder
    case .zones: .zones
    case .scan: .scan
    }
  }

  /// Nanoseconds for testing all rows in columns.
  private func scanned(_ question: Question) -> Int {
    Int(Double(question.rows.count) * question.test.scanCost / 1000)
  }

  /// Nanoseconds for a row that is looked at by itself.
  func each(_ test: RowTest) -> Int { PlannerCosts.touchedRow + test.cost / 10 }

  /// Rows needed for the page of a walk.
  func wanted(_ question: Question) -> Int {
    let rowCount = question.rows.count
    let page = question.request.limit.map { min($0, rowCount) } ?? rowCount
    return min(rowCount, min(question.request.offset, rowCount) + page)
  }

  private func walked(_ question: Question, _ share: Double) -> Int {
    let rows = Double(wanted(question)) / max(share, 1e-9)
    return Int(min(rows, Double(question.rows.count)))
  }

  // MARK: Walks by time

  private func appendOrdered(_ options: inout [Option], _ question: Question, _ shares: Shares) {
    guard question.order.field.source == .createdAt, let index = question.index else { return }
    let rows = walked(question, shares.walkShare)
    let tests = WalkTests(question.test)
    var cost = rows / PlannerCosts.windowRowsPerNanosecond
    if tests.rest != .everything { cost += Int(Double(rows) * shares.fixedShare) * each(tests.rest) }
    // Where single rows would cost more, whole stripes are tested instead.
    cost = min(cost, Int(Double(rows) * question.test.scanCost / 1000) + 10_000)
    if index.liesInOrder {
      options.append(Option(route: .newest, rows: rows, nanoseconds: cost, isBounded: true))
    } else {
      var span = TimeSpan(rows: question.rows, sides: index.runs.map { 0..<$0.rows.count })
      for case .integers(.createdAt, let set) in question.tests {
        guard set.ranges.count == 1, let times = set.ranges.first else { continue }
        span = span.intersection(index.span(times))
      }
      options.append(
        Option(route: .timeRuns(index, span), rows: rows, nanoseconds: cost + rows * 10, isBounded: false))
    }
  }

  // MARK: Lists

  private func appendLists(_ options: inout [Option], _ question: Question, _ shares: Shares) {
    for test in question.tests {
      guard case .codes(let column, let set) = test, !set.isComplement || column == .indicator else {
        continue
      }
      var keys: [ListKey] = []
      if case .few(let codes) = set.members {
        switch column {
        case .ledger: keys = codes.map { .ledger($0) }
        case .identity where !codes.contains(0): keys = codes.map { .identity($0 - 1) }
        case .indicator where !set.contains(0): keys = [.indicator]
        default: break
        }
      } else if column == .identity, let codes = set.someMembers(limit: 1024, below: .max), !codes.contains(0)
      {
        keys = codes.map { .identity($0 - 1) }
      } else if column == .indicator, !set.contains(0) {
        keys = [.indicator]
      }
      if keys.isEmpty { continue }
      var rows = 0
      for key in keys {
        let (lists, key) = key.list(reader.books)
        rows += lists.count(key)
      }
      let rest = question.tests.count == 1 ? RowTest.everything : question.test
      let cost = rows * (each(rest) + 10) + keys.count * 100
      options.append(
        Option(route: .lists(keys), rows: rows, nanoseconds: cost, seesAll: true, isBounded: true))
      let isRising = keys.count == 1 && column != .identity
      guard isRising, !question.order.ascending, question.order.field.source == .createdAt,
        question.index?.liesInOrder == true
      else { continue }
      let inList = Double(rows) / Double(max(1, reader.rowCount))
      let walked = min(
        rows, Int(Double(wanted(question)) / min(1, max(1e-9, shares.walkShare / max(inList, 1e-9)))))
      options.append(
        Option(
          route: .newestOfList(keys[0]), rows: walked, nanoseconds: 50 + walked * each(question.test),
          isBounded: false))
    }
  }

  // MARK: Codes in the order of their texts

  private func appendCodeOrder(
    _ options: inout [Option], _ question: Question, _ shares: Shares
  ) throws(QueryStopped) {
    guard case .codes(let column) = SortColumn(question.order.field), question.rows.count == reader.rowCount,
      let codes = reader.allCodes(column)
    else { return }
    let ranks: CodeRanks
    if reader.cut.isInstant {
      guard let kept = self.ranks.kept(column, codes: codes) else { return }
      ranks = kept
    } else {
      ranks = try self.ranks.ranks(column, reader, stop)
    }
    var start: (rank: Int?, row: RowIndex)?
    if let cursor = question.request.cursor {
      switch cursor.key {
      case .null: start = (nil, cursor.row)
      case .text(let bytes):
        let lowering = Lowering(reader: reader, stop: stop)
        guard let code = lowering.code(bytes, column), let place = ranks.place(code) else { return }
        start = (place, cursor.row)
      case .integer, .amount, .quotient: return
      }
    }
    let rows = walked(question, shares.walkShare)
    let each: Int
    switch column {
    case .indicator: each = 40 * max(1, reader.cut.currencyCount)
    case .identity, .ledger: each = self.each(question.test) + 20
    default: each = self.each(WalkTests(question.test).rest)
    }
    // A code of which no row passes costs a look at all of its rows.
    let scanned = column == .currency || column == .ledger ? reader.rowCount / codes.count / 64 : 0
    options.append(
      Option(route: .codeOrder(column, ranks, start: start), rows: rows, nanoseconds: rows * each + scanned))
  }

  // MARK: Chains of transactions

  private func appendChains(_ options: inout [Option], _ question: Question, _ shares: Shares) {
    guard let balances = question.test.fewBalances, !balances.isEmpty else { return }
    let balanceReader = RowReader(cut: reader.cut, table: .balances)
    let rows = balances.map { RowIndex($0) }
    var count = 0
    for row in rows { count += max(0, Int(balanceReader.integer(.version, row)) - 1) }
    let each = PlannerCosts.chainRow + question.test.cost / 10
    options.append(
      Option(route: .chains(rows), rows: count, nanoseconds: count * each, seesAll: true, isBounded: false))
    guard !question.order.ascending, question.order.field.source == .createdAt,
      question.index?.liesInOrder == true
    else { return }
    // Every row of the chain passes a test of its own balances, about every second one of only one side.
    let share = question.tests.count == 1 ? 0.5 : 0.1
    let walked = min(count, Int(Double(wanted(question)) / share))
    options.append(Option(route: .newestOfChains(rows), rows: walked, nanoseconds: walked * each))
  }
}

extension RowReader {
  /// The codes that a column may have in rows of the cut, for columns that can be walked in the order of
  /// their texts.
  func allCodes(_ column: CodeColumn) -> Range<UInt32>? {
    switch column {
    case .ledger: 0..<UInt32(cut.ledgerCount)
    case .identity: 1..<UInt32(cut.identityCount + 1)
    case .indicator: 1..<UInt32(cut.indicatorCount + 1)
    case .currency: 1..<UInt32(cut.currencyCount + 1)
    case .source, .destination: nil
    }
  }
}

extension RowTest {
  /// About what a row costs in a scan, in thousandths of a nanosecond: loops over columns in memory, each
  /// test on what the ones before it leave.
  var scanCost: Double {
    switch self {
    case .nothing, .everything, .rowRange, .rows, .otherRows: 5
    case .codes(.identity, _): 60
    case .codes(_, let set):
      switch set.members {
      case .few: 25
      case .bits: 80
      }
    case .integers(_, let set): 80 * Double(max(1, set.ranges.count))
    case .amounts(.inflightBalance, _): 400
    case .amounts(_, let set): 60 * Double(max(1, set.ranges.count))
    case .flags, .exists: 30
    case .decimal, .effectiveDate: 15_000
    case .text(_, let test, _): if case .like = test { 100_000 } else { 50_000 }
    case .metadata: 500
    case .after: 150_000
    case .all(let tests):
      // Expensive tests come last and see few rows.
      tests.enumerated().reduce(0) { $0 + $1.element.scanCost / Double($1.offset < 2 ? 1 : 2) }
    case .any(let tests): tests.reduce(0) { $0 + $1.scanCost }
    }
  }
}
