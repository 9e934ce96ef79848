// Answers requests: a plan, the rows of the page by its path, the count.

import Columns
import Ledger

/// An answer to a request that came without a cut.
package enum QueryAnswer: Sendable {
  /// Found, and copied, while nobody wrote; the images are of the rows of the result.
  case shown(QueryResult, PageImages, position: UInt64)
  /// Found while nobody wrote; what the rows show is to be read through the cut, which is of that moment.
  case found(QueryResult, Cut)
  /// Takes longer: to be carried out on the cut with `run`.
  case planned(Plan, Cut)
}

/// Answers questions to one set of books. Any number of threads; keeps only what never goes stale (the
/// alphabetical order of distinct texts, which rows lie in time order).
package final class QueryEngine: Sendable {
  let texts = KeptTexts()
  private let timeRuns = TimeRuns()
  /// Shares out long scans; who has idle threads tells it.
  package let crew = ScanCrew()

  var ranks: RankCache { texts.ranks }

  /// An engine for one set of books; all cuts it is given are of those.
  package init() {}

  // MARK: Without a cut

  /// Answers a short request while writers are kept out, for some microseconds; makes a plan for any other.
  ///
  /// Nothing is rendered here and no cut is held for short requests, so that they cost writers neither copied
  /// blocks nor much of their time.
  /// - Throws: as `run`.
  /// - Complexity: O(page), and what the planner allows for a walk: some thousand rows.
  package func answer(
    _ request: QueryRequest, _ books: Books, stop: StopFlag
  ) throws(QueryStopped) -> QueryAnswer {
    if let cursor = request.cursor, !cursor.belongs(to: request) { throw .foreignCursor }
    try stop.check()
    return try books.withInstant { (cut: Cut) throws(QueryStopped) -> QueryAnswer in
      let watch = Stopwatch()
      let reader = RowReader(cut: cut, table: request.table, texts: texts)
      var plan = try planner(reader, stop).plan(request)
      if plan.fitsInstant,
        let result = try attempt(plan, reader, stop, limit: plan.instantLimit, watch)
      {
        return shown(result, reader, watch)
      }
      if !plan.isUnprepared, !plan.runsOnHeldCut || plan.fitsInstant {
        // Given up, or of no use outside: buckets and live counts are of this moment only.
        plan = try planner(reader, stop, forced: .scan).plan(request)
      }
      return .planned(plan, cut.held())
    }
  }

  private func shown(_ result: QueryResult, _ reader: RowReader, _ watch: Stopwatch) -> QueryAnswer {
    var result = result
    let found = watch.nanoseconds
    guard let images = PageImages(result.rows, reader) else { return .found(result, reader.cut.held()) }
    result.trace.isInstant = true
    result.trace.holding = watch.nanoseconds
    result.trace.copying = result.trace.holding - found
    return .shown(result, images, position: reader.cut.position)
  }

  // MARK: On a cut

  /// The rows of one page, and what else the request asks for.
  ///
  /// - Throws: `cancelled` or `deadlineExceeded` within about a millisecond of `stop` saying so;
  ///   `foreignCursor` when the request has the cursor of another one.
  /// - Complexity: by the path: O(page) for walks, O(rows) at worst, and O(page · log page) for sorting.
  package func run(_ request: QueryRequest, on cut: Cut, stop: StopFlag) throws(QueryStopped) -> QueryResult {
    try run(try plan(request, on: cut, stop: stop), on: cut, stop: stop)
  }

  /// What `run` would do.
  package func plan(_ request: QueryRequest, on cut: Cut, stop: StopFlag) throws(QueryStopped) -> Plan {
    try plan(request, on: cut, stop: stop, path: nil)
  }

  /// The plan with a path of the caller's choice, if the request can take it: for tests.
  package func plan(
    _ request: QueryRequest, on cut: Cut, stop: StopFlag, path: AccessPath?
  ) throws(QueryStopped) -> Plan {
    if let cursor = request.cursor, !cursor.belongs(to: request) { throw .foreignCursor }
    try stop.check()
    return try planner(RowReader(cut: cut, table: request.table, texts: texts), stop, forced: path).plan(
      request)
  }

  /// Carries a request out and says how. What `balances.explain` shows: the plan is made once and used.
  package func explain(
    _ request: QueryRequest, on cut: Cut, stop: StopFlag
  ) throws(QueryStopped) -> (plan: Plan, result: QueryResult) {
    let plan = try plan(request, on: cut, stop: stop)
    return (plan, try run(plan, on: cut, stop: stop))
  }

  /// Carries out a plan made for the same cut, or for an instant of the same moment.
  package func run(_ plan: Plan, on cut: Cut, stop: StopFlag) throws(QueryStopped) -> QueryResult {
    let reader = RowReader(cut: cut, table: plan.request.table, texts: texts)
    let watch = Stopwatch()
    var hasFallenThrough = false
    if !plan.isUnprepared || cut.isInstant {
      if let result = try attempt(plan, reader, stop, limit: .max, watch) { return result }
      hasFallenThrough = true
    }
    let path: AccessPath? = hasFallenThrough ? .scan : nil
    let again = try planner(reader, stop, forced: path).plan(plan.request)
    var result = try attempt(again, reader, stop, limit: .max, watch)
    if result == nil {
      hasFallenThrough = true
      result = try attempt(
        try planner(reader, stop, forced: .scan).plan(plan.request), reader, stop, limit: .max, watch)
    }
    guard var result else { preconditionFailure("a scan has no bound") }
    result.trace.hasFallenThrough = hasFallenThrough
    return result
  }

  /// Whether resolving the request's names may take long.
  package static func isLongToPlan(_ request: QueryRequest) -> Bool {
    request.predicates.contains(where: \.isLongToPlan)
  }

  /// Whether the rows of a table lie in the order of created_at, as far as a cut sees them.
  func rowsLieInTimeOrder(_ reader: RowReader, _ stop: StopFlag) throws(QueryStopped) -> Bool {
    try timeRuns.runs(of: reader, limit: nil, stop)?.liesInOrder ?? false
  }

  /// The order of a plan, for selecting from many rows.
  func order(_ plan: Plan, _ reader: RowReader, _ stop: StopFlag) throws(QueryStopped) -> RowOrder {
    try PlanRun(plan: plan, reader: reader, stop: stop).order(ofFewRows: false)
  }

  func planner(
    _ reader: RowReader, _ stop: StopFlag, forced: AccessPath? = nil, countsApart: Bool = false
  ) -> Planner {
    Planner(
      reader: reader, stop: stop, timeRuns: timeRuns, ranks: ranks, forced: forced, countsApart: countsApart)
  }

  func attempt(
    _ plan: Plan, _ reader: RowReader, _ stop: StopFlag, limit: Int, _ watch: Stopwatch
  ) throws(QueryStopped) -> QueryResult? {
    let run = PlanRun(plan: plan, reader: reader, stop: stop)
    return try run.result(limit: limit, watch: watch)
  }
}

extension Predicate {
  /// Whether every distinct value may have to be looked at before the first row is.
  package var isLongToPlan: Bool {
    switch op {
    case .like, .ilike: true
    case .isIn: if case .list(let values) = operand { values.count > 64 } else { false }
    default: field.type == .metadata
    }
  }
}
