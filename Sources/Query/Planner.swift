// Makes plans by arithmetic: what each way to the page would cost, and the cheapest is taken.

import Amounts
import Columns
import Ledger

/// Makes the plan of one request on one cut. What only shows "now" (groups, buckets) is used when the cut is
/// instant.
struct Planner {
  let reader: RowReader
  let stop: StopFlag
  let timeRuns: TimeRuns
  let ranks: RankCache
  /// Only this path, if it is possible at all, instead of the cheapest: for tests, and for the net.
  var forced: AccessPath?
  /// Whether what has to be counted by a scan is counted elsewhere, so that only the page need be found.
  var countsApart = false

  /// One way to the page.
  struct Option {
    var route: Plan.Route
    /// Rows that will be looked at.
    var rows: Int
    var nanoseconds: Int
    /// Every row that matches will be seen, so that the count comes with the page.
    var seesAll = false
    /// It reads lists that nobody changes under it, and stops at nothing but the end.
    var isBounded = false
  }

  /// What all options need to know of a request.
  struct Question {
    let request: QueryRequest
    /// All tests that a row must pass, but for times that `rows` says already.
    var tests: [RowTest]
    var rows: Range<Int>
    var index: TimeIndex?
    /// Rows by name, if the filter gives them.
    var names: [RowIndex]?
    /// The order of balances, on an instant cut, where it can be of use.
    var balanceOrder: LiveBalanceOrder?
    /// The balances that can pass.
    var balanceBounds: AmountRanges.Bounds?

    var order: SortOrder { request.order }
    var test: RowTest { .conjunction(tests) }
  }

  func plan(_ request: QueryRequest) throws(QueryStopped) -> Plan {
    let lowering = Lowering(reader: reader, stop: stop)
    let filter = try lowering.filter(request)
    let tests: [RowTest] =
      switch filter {
      case .everything: []
      case .all(let tests): tests
      default: [filter]
      }
    var question = Question(request: request, tests: tests, rows: 0..<reader.rowCount)
    if filter == .nothing { return empty(question) }
    var isUnprepared = false
    if request.order.field.source == .createdAt || tests.contains(where: \.isOfTime) {
      let limit = reader.cut.isInstant ? TimeRuns.instantRows : nil
      question.index = try timeRuns.runs(of: reader, limit: limit, stop)
      isUnprepared = question.index == nil && reader.cut.isInstant
    }
    if let index = question.index, index.liesInOrder { takeBounds(&question, index) }
    takeNames(&question)
    if question.rows.isEmpty || question.names?.isEmpty == true { return empty(question) }

    takeBalances(&question)

    let counting = request.includeCount ? known(question) ?? (countsApart ? .apart : nil) : Plan.Counting.none
    let shares = Shares(reader: reader, question: question, groupCount: groupCount(forWalk: question))
    let options = try self.options(question, shares, counting)
    let option = choose(options, question, counting)
    var plan = Plan(
      request: request, test: question.test, testBesideRoute: question.test, afterCursor: .everything,
      rows: question.rows, walkRows: question.rows, share: shares.share,
      route: option.route, counting: Self.counting(counting, option),
      estimate: QueryEstimate(
        rows: option.rows, matches: shares.matches, nanoseconds: PlannerCosts.planning + option.nanoseconds),
      budget: option.isBounded ? .max : PlannerCosts.net * max(option.nanoseconds, 5_000),
      isUnprepared: isUnprepared)
    if let cursor = request.cursor { try apply(cursor, to: &plan, lowering) }
    switch plan.route {
    case .timeRuns: plan.testBesideRoute = .conjunction(question.tests.filter { !$0.isOneTimeRange })
    case .bucketOrder: plan.testBesideRoute = .conjunction(question.tests.filter { !$0.isOneBalanceRange })
    default: break
    }
    return plan
  }

  private static func counting(_ known: Plan.Counting?, _ option: Option) -> Plan.Counting {
    switch known {
    case nil: option.seesAll ? .page : .scan
    case .apart where option.seesAll: .page
    case .some(let counting): counting
    }
  }

  private func empty(_ question: Question) -> Plan {
    Plan(
      request: question.request, test: .nothing, testBesideRoute: .nothing, afterCursor: .everything,
      rows: 0..<0,
      walkRows: 0..<0, share: 0, route: .nothing,
      counting: question.request.includeCount ? .known(0, .rows) : .none,
      estimate: QueryEstimate(rows: 0, matches: 0, nanoseconds: PlannerCosts.planning), budget: .max)
  }

  // MARK: Rows known beforehand

  /// Takes the tests of created_at out and keeps the rows that they leave, which lie in time order. A test of
  /// several ranges stays, and the rows are those between its ends.
  private func takeBounds(_ question: inout Question, _ index: TimeIndex) {
    if !question.tests.contains(where: \.isOfTime) { return }
    var kept: [RowTest] = []
    for test in question.tests {
      guard case .integers(.createdAt, let set) = test, let first = set.ranges.first,
        let last = set.ranges.last
      else {
        kept.append(test)
        continue
      }
      question.rows = question.rows.clamped(to: index.span(first.lowerBound...last.upperBound).rows)
      if set.ranges.count > 1 { kept.append(test) }
    }
    question.tests = kept
  }

  private func takeNames(_ question: inout Question) {
    // Another path tests names as any other test.
    if let forced, forced != .names { return }
    guard let place = question.tests.firstIndex(where: { if case .rows = $0 { true } else { false } }),
      case .rows(let named) = question.tests[place]
    else { return }
    let rows = question.rows
    question.names = named.filter { rows.contains($0.index) }
    question.tests.remove(at: place)
  }

  /// Looks at the order of balances if the request is about them.
  private func takeBalances(_ question: inout Question) {
    guard reader.table == .balances, reader.cut.isInstant, question.names == nil else { return }
    if let forced, forced != .bucket { return }
    question.balanceBounds = Self.balanceBounds(question.tests)
    let hasTest = question.tests.contains { if case .amounts(.balance, _) = $0 { true } else { false } }
    if hasTest || question.order.field.source == .balance {
      question.balanceOrder = reader.cut.balanceOrder
    }
  }

  // MARK: Cursors

  /// Makes the plan begin behind a cursor.
  private func apply(
    _ cursor: Cursor, to plan: inout Plan, _ lowering: Lowering
  ) throws(QueryStopped) {
    let ascending = plan.request.order.ascending
    let behind = ascending ? cursor.row.index + 1..<Layout.rowLimit + 1 : 0..<cursor.row.index
    switch plan.route {
    case .newest:
      plan.walkRows = plan.rows.clamped(to: behind)
      plan.afterCursor = .rowRange(behind)
    case .timeRuns(let index, let span):
      guard case .integer(let time) = cursor.key else { break }
      let after = index.span(after: time, cursor.row.index, ascending: ascending)
      plan.route = .timeRuns(index, span.intersection(after))
      return
    case .newestOfList, .newestOfChains: plan.walkRows = plan.rows.clamped(to: behind)
    // There are no zones behind a cursor.
    case .bucketOrder, .codeOrder, .nothing, .zones: break
    case .names, .lists, .chains, .bucketRange, .scan:
      plan.afterCursor = try lowering.after(cursor, plan.request.order, liesInRowOrder: false)
    }
  }
}

extension RowTest {
  var isOfTime: Bool { if case .integers(.createdAt, _) = self { true } else { false } }

  /// One range of created_at: what a time index answers without looking at rows.
  var isOneTimeRange: Bool {
    if case .integers(.createdAt, let set) = self { set.ranges.count == 1 } else { false }
  }
}
