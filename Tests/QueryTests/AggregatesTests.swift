// Aggregates against their naive twin, by every way that can answer them; batches against single questions.

import Amounts
import Columns
import Ledger
import Platform
import TestSupport
import Testing

@testable import Query

@Suite struct AggregatesTests {
  /// The groups of an answer with their codes as text.
  private func shown(_ result: AggregateResult, _ request: AggregateRequest, _ books: Books) -> [TwinGroup] {
    let (columns, metrics) = (request.groupBy.count, request.metrics.count)
    return (0..<result.count).map { group in
      TwinGroup(
        keys: request.groupBy.enumerated().map {
          Self.text(result.codes[group * columns + $0], $1.source, books)
        },
        values: Array(result.values[group * metrics..<group * metrics + metrics]))
    }
  }

  private static func text(_ code: UInt32, _ source: GroupColumn.Source, _ books: Books) -> String? {
    switch source {
    case .ledger: return books.ledgers.identifiers[RowIndex(code)].text(kind: .ledger)
    case .currency: return books.currencies.text(of: code)
    case .indicator: return books.indicators.text(of: code)
    case .identity:
      return code == 0 ? nil : books.identities.identifiers[RowIndex(code - 1)].text(kind: .identity)
    case .source, .destination: return books.balances.identifiers[RowIndex(code)].text(kind: .balance)
    case .lineageFlag: return code == 0 ? "false" : "true"
    case .strategy: return AllocationStrategy(rawValue: UInt8(code)).map { "\($0.name)" }
    case .status: return TransactionStatus(rawValue: UInt8(code)).map { "\($0.name)" }
    case .created(let unit):
      let date = CalendarCodes.date(of: code, unit)
      func digits(_ value: Int, _ count: Int) -> String { String(String(value + 100_000).suffix(count)) }
      let parts = [digits(date.year, 4), digits(date.month, 2), digits(date.day, 2)]
      return parts.prefix(unit == .day ? 3 : unit == .month ? 2 : 1).joined(separator: "-")
    }
  }

  private func compare(_ books: Books, _ count: Int, _ seed: Seed) throws {
    let cut = books.cut()
    var requests = RandomRequests(twin: NaiveQuery(cut), generator: seed.generator)
    let engine = QueryEngine()
    for _ in 0..<count {
      let table = [QueryTable.balances, .transactions].randomElement(using: &requests.generator)!
      let (request, having) =
        requests.chance(1, in: 3) ? requests.commonAggregate() : requests.aggregate(table)
      let expected = requests.twin.groups(request, having: having)
      let result = try engine.aggregate(request, on: cut, stop: StopFlag())
      #expect(shown(result, request, books) == expected, "\(seed) on a cut: \(request)")
      for prefersCodes in [false, true] {
        let masked = try self.masked(request, cut, engine, prefersCodes: prefersCodes)
        #expect(
          shown(masked, request, books) == expected,
          "\(seed) by \(prefersCodes ? "codes" : "masks"): \(request)")
      }
      // Holds that a test writes past the books are not in the groups, which do not have them.
      let moment = engine.moment([.groups(request)], of: books)
      let found = try engine.answer(moment, stop: StopFlag())
      guard case .groups(let now) = found.answers[0] else { preconditionFailure("groups were asked for") }
      #expect(shown(now, request, books) == expected, "\(seed) at a moment: \(request)")
    }
  }

  /// The answer by loops over whole chunks, however few rows they have.
  private func masked(
    _ request: AggregateRequest, _ cut: Cut, _ engine: QueryEngine, prefersCodes: Bool
  ) throws -> AggregateResult {
    let stop = StopFlag()
    let plan = try engine.plan(request, on: cut, stop: stop)
    var groups = try plan.groupScan(request, stop)
    groups.leastMaskedRows = 1
    groups.prefersCodes = prefersCodes
    var scan = StripeScan(reader: plan.reader, stop: stop)
    for stripe in plan.rows.stripes {
      try scan.select(plan.rows.covering(plan.reader), stripe: stripe)
      try groups.add(scan)
    }
    return try engine.answer(plan, groups, finding: 0, stop)
  }

  @Test(arguments: Seed.sample(24))
  func aggregatesAgreeWithTheNaiveTwin(seed: Seed) throws {
    var shape = BooksShape()
    shape.hasOldTimes = seed.value % 2 == 0
    shape.wideChance = Int(seed.value % 5)
    var books = try RandomBooks(seed: seed, shape: shape)
    if seed.value % 3 != 0 { books.addHolds(shape) }
    try compare(books.books, 40, seed)
  }

  @Test(arguments: Seed.sample(2))
  func aggregatesAgreeOverSeveralStripes(seed: Seed) throws {
    var shape = BooksShape()
    shape.balanceCount = 70_001
    shape.hasOldTimes = seed.value % 2 == 0
    shape.transactionCount = 300
    let books = try RandomBooks(seed: seed, shape: shape)
    try compare(books.books, 12, seed)
  }

  @Test func emptyBooksHaveOneGroupWithoutColumnsAndNoneWithThem() throws {
    let books = Books(clock: ManualClock(), seed: (1, 1))
    let engine = QueryEngine()
    for table in [QueryTable.balances, .transactions] {
      var request = AggregateRequest(table: table, metrics: Metric.all(in: table))
      let all = try engine.aggregate(request, on: books.cut(), stop: StopFlag())
      #expect(all.count == 1)
      for (metric, value) in zip(request.metrics, all.values) {
        switch metric.function {
        case .count: #expect(value == .count(0))
        case .sum: #expect(value == .amount(.zero))
        case .min, .max, .avg: #expect(value == .null)
        }
      }
      for column in GroupColumn.all(in: table) {
        request.groupBy = [column]
        #expect(try engine.aggregate(request, on: books.cut(), stop: StopFlag()).count == 0)
      }
    }
  }

  @Test func sumsLeave128BitsAndStayExact() throws {
    let books = Books(clock: ManualClock(), seed: (1, 1))
    var expected = Amount.zero
    for index in 0..<40 {
      let amount = Amount.power(of10: index % 2 == 0 ? 38 : 60) - Amount(index)
      expected += amount
      _ = try books.execute(
        .postTransaction(
          NewTransaction(
            source: .indicator("@a"), destination: .indicator("@b\(index % 3)"), amount: amount,
            currency: "USD",
            reference: "\(index)", allowOverdraft: true)))
    }
    let engine = QueryEngine()
    let debit = try #require(Metric.named("sum:debit_balance", in: .balances))
    let credit = try #require(Metric.named("sum:credit_balance", in: .balances))
    let balance = try #require(Metric.named("sum:balance", in: .balances))
    let request = AggregateRequest(table: .balances, metrics: [debit, credit, balance])
    let values: [MetricValue] = [.amount(expected), .amount(expected), .amount(.zero)]
    #expect(try engine.aggregate(request, on: books.cut(), stop: StopFlag()).values == values)
    let found = try engine.answer(engine.moment([.groups(request)], of: books), stop: StopFlag())
    guard case .groups(let live) = found.answers[0] else { preconditionFailure("groups were asked for") }
    #expect(live.values == values)
    #expect(live.trace.path == .groups)
    let precise = try #require(Metric.named("sum:precise_amount", in: .transactions))
    let moved = AggregateRequest(table: .transactions, metrics: [precise])
    #expect(try engine.aggregate(moved, on: books.cut(), stop: StopFlag()).values == [.amount(expected)])
  }

  @Test func averagesAreRoundedHalfToEven() {
    let cases: [(Int, Int, Int)] = [
      (1, 2, 500_000), (1, 3, 333_333), (2, 3, 666_667), (-2, 3, -666_667), (1, 2_000_000, 0),
      (3, 2_000_000, 2), (5, 2_000_000, 2), (-1, 2_000_000, 0), (-3, 2_000_000, -2), (7, 1, 7_000_000),
    ]
    for (sum, count, rounded) in cases {
      #expect(MetricValue.roundedAverage(Amount(sum), count) == Amount(rounded), "\(sum)/\(count)")
    }
  }

  @Test func stoppedAggregatesEnd() throws {
    let books = try RandomBooks(seed: Seed(1), shape: BooksShape())
    let request = AggregateRequest(table: .balances, metrics: [.count])
    let cancelled = StopFlag()
    cancelled.cancel()
    #expect(throws: QueryStopped.cancelled) {
      try QueryEngine().aggregate(request, on: books.books.cut(), stop: cancelled)
    }
  }

  // MARK: Extremes

  /// Requests for extremes of the books, all of which the order of balances answers, and for more.
  private func compareExtremes(_ books: Books, _ count: Int, _ seed: Seed) throws {
    let cut = books.cut()
    var requests = RandomRequests(twin: NaiveQuery(cut), generator: seed.generator)
    let engine = QueryEngine()
    for _ in 0..<count {
      let (request, having) = requests.extremes()
      let expected = requests.twin.groups(request, having: having)
      let moment = engine.moment([.groups(request)], of: books)
      let found = try engine.answer(moment, stop: StopFlag())
      guard case .groups(let now) = found.answers[0] else { preconditionFailure("groups were asked for") }
      #expect(shown(now, request, books) == expected, "\(seed): \(request)")
      #expect(now.trace.path == .bucket && now.trace.isInstant, "\(seed): \(request)")
    }
  }

  @Test(arguments: Seed.sample(24))
  func extremesAgreeWithTheNaiveTwin(seed: Seed) throws {
    var shape = BooksShape()
    shape.wideChance = Int(seed.value % 9)
    shape.balanceCount = [0, 1, 30, 120, 900][Int(seed.value % 5)]
    // Without transactions all balances are zero.
    shape.transactionCount = shape.balanceCount == 0 ? 0 : [0, 3, 120, 600][Int(seed.value / 5 % 4)]
    try compareExtremes(try RandomBooks(seed: seed, shape: shape).books, 30, seed)
  }

  @Test func extremesOfManyEqualBalancesAreLeftToTheScan() throws {
    let books = Books(clock: ManualClock(), seed: (1, 1))
    let currencies = Array(repeating: "USD", count: 5000) + ["EUR"]
    for start in stride(from: 0, to: currencies.count, by: 1000) {
      _ = try books.execute(
        .createBalances(
          currencies[start..<min(start + 1000, currencies.count)].map {
            NewBalance(ledger: .generalLedger, currency: $0)
          }, atomic: true))
    }
    let engine = QueryEngine()
    let metrics = try ["count", "min:balance", "max:balance"].map {
      try #require(Metric.named($0, in: .balances))
    }
    let currency = try #require(GroupColumn.named("currency", in: .balances))
    // Euros are the last of equal balances: the first from the top, and too many rows from the bottom.
    for (function, path) in [("min", AccessPath.scan), ("max", .bucket)] {
      let request = AggregateRequest(
        table: .balances, groupBy: [currency],
        metrics: metrics.filter { $0.name != "\(function == "min" ? "max" : "min"):balance" })
      let found = try engine.answer(engine.moment([.groups(request)], of: books), stop: StopFlag())
      guard case .groups(let result) = found.answers[0] else { preconditionFailure("groups were asked for") }
      let values: [MetricValue] = [.count(1), .amount(.zero), .count(5000), .amount(.zero)]
      #expect(result.values == values)
      #expect(result.trace.path == path, "\(function)")
    }
  }

  // MARK: Batches

  @Test(arguments: Seed.sample(12))
  func aBatchAnswersAsItsQuestionsDoAlone(seed: Seed) throws {
    var shape = BooksShape()
    shape.hasOldTimes = seed.value % 2 == 0
    shape.wideChance = Int(seed.value % 5)
    let books = try RandomBooks(seed: seed, shape: shape)
    let cut = books.books.cut()
    var requests = RandomRequests(twin: NaiveQuery(cut), generator: seed.generator)
    let engine = QueryEngine()
    for _ in 0..<8 {
      let questions = questions(&requests)
      let plans = try questions.map { try engine.plan($0, on: cut, stop: StopFlag()) }
      let together = try engine.run(plans, on: cut, stop: StopFlag())
      let found = try engine.answer(engine.moment(questions, of: books.books), stop: StopFlag()).answers
      #expect(together.count == questions.count && found.count == questions.count)
      for (place, question) in questions.enumerated() {
        let alone: Answer =
          switch question {
          case .rows(let request): .rows(try engine.run(request, on: cut, stop: StopFlag()))
          case .groups(let request): .groups(try engine.aggregate(request, on: cut, stop: StopFlag()))
          }
        #expect(together[place] == alone, "\(seed) \(question)")
        #expect(found[place] == alone, "\(seed) at a moment: \(question)")
      }
    }
  }

  /// Questions that share filters, parts of filters and group columns.
  private func questions(_ requests: inout RandomRequests) -> [Question] {
    var questions: [Question] = []
    let filters = [QueryTable.balances, .transactions].map { table in
      (table, (0..<4).map { _ in requests.predicate(table) })
    }
    for _ in 0..<20 {
      let (table, shared) = filters.randomElement(using: &requests.generator)!
      let predicates = shared.filter { _ in requests.chance(1, in: 2) }
      if requests.chance(1, in: 2) {
        var request = requests.request(
          requests.chance(1, in: 8)
            ? [.ledgers, .identities].randomElement(using: &requests.generator)! : table)
        if request.table == table { request.predicates = predicates }
        questions.append(.rows(request))
      } else {
        var (request, _) = requests.aggregate(table)
        request.predicates = predicates
        questions.append(.groups(request))
      }
    }
    return questions
  }
}
