// Several questions on one cut.

import Columns
import Ledger

extension QueryEngine {
  /// The answers to several questions, all of the same moment.
  ///
  /// What has a short path takes it; all others go through their table in one pass.
  ///
  /// - Throws: as `run` and `aggregate`; a fault of one question is a fault of all.
  package func run(
    _ plans: [QuestionPlan], on cut: Cut, stop: StopFlag
  ) throws(QueryStopped) -> [Answer] {
    try run(plans, counting: [], on: cut, stop: stop).answers
  }

  /// - Parameter requests: whose rows are to be counted besides, their pages known already.
  /// - Returns: the answers to the plans, and the counts.
  func run(
    _ plans: [QuestionPlan], counting requests: [QueryRequest], on cut: Cut, stop: StopFlag
  ) throws(QueryStopped) -> (answers: [Answer], counts: [Int]) {
    var answers = [Answer?](repeating: nil, count: plans.count)
    var counts = [Int](repeating: 0, count: requests.count)
    for table in [QueryTable.balances, .transactions, .ledgers, .identities] {
      let places = plans.indices.filter { plans[$0].table == table }
      let counted = requests.indices.filter { requests[$0].table == table }
      if places.isEmpty && counted.isEmpty { continue }
      let reader = RowReader(cut: cut, table: table, texts: texts)
      var members: [CountMember] = []
      for place in counted {
        let inTimeOrder = try rowsLieInTimeOrder(reader, stop)
        members.append(
          CountMember(try FilteredRows(requests[place], reader, liesInTimeOrder: inTimeOrder, stop)))
      }
      try run(plans, places, members, reader, &answers, stop)
      for (place, member) in zip(counted, members) { counts[place] = member.count }
    }
    return (
      answers.map { answer in
        guard let answer else { preconditionFailure("every question is of a table") }
        return answer
      }, counts
    )
  }

  private func run(
    _ plans: [QuestionPlan], _ places: [Int], _ counts: [CountMember], _ reader: RowReader,
    _ answers: inout [Answer?], _ stop: StopFlag
  ) throws(QueryStopped) {
    let isAlone = places.count + counts.count == 1
    let watch = Stopwatch()
    var groups: [GroupCohort] = []
    var pages: [(place: Int, member: PageMember)] = []
    for place in places {
      switch plans[place] {
      case .groups(let plan):
        if plan.path != .scan || isAlone {
          answers[place] = .groups(try run(plan, stop: stop))
        } else if let index = groups.firstIndex(where: { $0.takes(plan) }) {
          groups[index].add(place, plan)
        } else {
          groups.append(GroupCohort(place, plan))
        }
      case .rows(let plan):
        guard plan.wantsWholePass, !isAlone else {
          answers[place] = .rows(try run(plan, on: reader.cut, stop: stop))
          continue
        }
        // Walks have the place of the cursor elsewhere.
        let plan =
          try plan.path == .scan ? plan : self.plan(plan.request, on: reader.cut, stop: stop, path: .scan)
        let inTimeOrder = try rowsLieInTimeOrder(reader, stop)
        let rows = try FilteredRows(plan.request, reader, liesInTimeOrder: inTimeOrder, stop)
        pages.append((place, PageMember(rows, plan, try order(plan, reader, stop), stop: stop)))
      }
    }
    if groups.isEmpty && pages.isEmpty && counts.isEmpty { return }
    var members: [any PassMember] = pages.map(\.member) + counts
    var totals: [GroupMember] = []
    for cohort in groups {
      totals.append(GroupMember(cohort.plans[0].plan.rows, try cohort.groupScan(stop)))
    }
    members += totals
    try SharedPass(reader: reader, stop: stop).run(members)
    let finding = watch.nanoseconds
    for (cohort, member) in zip(groups, totals) {
      for (place, plan) in cohort.plans {
        answers[place] = .groups(try answer(plan, member.groups, finding: finding, stop))
      }
    }
    for (place, member) in pages {
      var result = try member.result(reader)
      result.trace.path = .scan
      result.trace.countPath = member.plan.request.includeCount ? .scan : .none
      result.trace.estimate = member.plan.estimate
      result.trace.rowsScanned = member.rows.scannedRowCount
      result.trace.finding = finding
      answers[place] = .rows(result)
    }
  }
}

/// Aggregates of one filter and one set of group columns: their groups are the same.
private struct GroupCohort {
  private(set) var plans: [(place: Int, plan: GroupPlan)]
  private var metrics: [Metric]

  init(_ place: Int, _ plan: GroupPlan) {
    plans = [(place, plan)]
    metrics = plan.request.metrics
  }

  func takes(_ plan: GroupPlan) -> Bool {
    plan.request.groupBy == plans[0].plan.request.groupBy && plan.rows == plans[0].plan.rows
  }

  mutating func add(_ place: Int, _ plan: GroupPlan) {
    plans.append((place, plan))
    for metric in plan.request.metrics where !metrics.contains(metric) { metrics.append(metric) }
  }

  /// Empty totals with the metrics of all.
  func groupScan(_ stop: StopFlag) throws(QueryStopped) -> GroupScan {
    let plan = plans[0].plan
    return try plan.groupScan(
      AggregateRequest(table: plan.request.table, groupBy: plan.request.groupBy, metrics: metrics), stop)
  }
}

extension QuestionPlan {
  var table: QueryTable {
    switch self {
    case .rows(let plan): plan.request.table
    case .groups(let plan): plan.request.table
    }
  }
}

extension Plan {
  /// Whether the plan goes through the whole table, for the page or for the count.
  fileprivate var wantsWholePass: Bool { path == .scan || (path == .newest && countPath == .scan) }
}
