// The shapes of the filter and list pages on a million balances, in process: request in, JSON out, alone and
// beside a writer; with a digest of the rows.

import Amounts
import Columns
import Ledger
import Platform
import Query
import Synchronization
import Wire

/// One question, and what it stands for on the page.
private struct Shape {
  let name: String
  let request: QueryRequest
}

/// Fills the books and asks every shape. Digests depend only on the seed and the sizes.
enum FilterBenchmarks {
  static func run(_ scale: Scale) throws {
    // Some shapes ask for the 7,000th identity or the 12,345th row.
    let balanceCount = scale(1_000_000, least: 30_000)
    let clock = SystemClock()
    let start = clock.monotonicTime()
    let made = try FilterBooks(balanceCount: balanceCount)
    print(
      "filter: \(balanceCount) balances, \(made.books.counts.transactions) transactions made in "
        + "\(milliseconds(clock.monotonicTime() - start)) ms")
    let bench = FilterBench(books: made.books)
    let shapes = try made.shapes()
    print("alone")
    for shape in shapes { try bench.measure(shape, runs: scale(200), showsDigest: true) }
    let writer = try FilterWriter(made.books, transfersPerSecond: 200_000)
    print("beside 200,000 transfers a second")
    for shape in shapes { try bench.measure(shape, runs: scale(200), showsDigest: false) }
    print(writer.end())
  }
}

/// Asks as the server does, and renders as it does.
private struct FilterBench {
  let books: Books
  let engine = QueryEngine()
  let clock = SystemClock()
  private static let timeLimit = Duration.milliseconds(400)

  func measure(_ shape: Shape, runs: Int, showsDigest: Bool) throws {
    var output = JSONWriter()
    var times: [Duration] = []
    var holds: [Int] = []
    var result = QueryResult(rows: [])
    let end = clock.monotonicTime() + Self.timeLimit
    while times.count < min(runs, 7) || (times.count < runs && clock.monotonicTime() < end) {
      output.removeAll()
      let start = clock.monotonicTime()
      result = try ask(shape.request, &output)
      times.append(clock.monotonicTime() - start)
      holds.append(result.trace.holding)
    }
    let first = times[0]
    times.sort()
    holds.sort()
    let path = result.trace.path.name.description + (result.trace.isInstant ? "" : " (cut)")
    print(
      aligned(shape.name, 44), aligned("median \(milliseconds(times[times.count / 2]))", 15),
      aligned("p99 \(milliseconds(times[times.count * 99 / 100]))", 12),
      aligned("first \(milliseconds(first)) ms", 17),
      aligned("held p99 \(holds[holds.count * 99 / 100]) ns", 19),
      aligned("\(path), \(result.trace.countPath.name)", 26),
      aligned("\(result.rows.count) rows", 11), aligned(result.totalCount.map { "of \($0)" } ?? "", 12),
      aligned("\(output.count) bytes", 14), showsDigest ? "digest \(digest(result))" : "")
  }

  private func ask(_ request: QueryRequest, _ output: inout JSONWriter) throws -> QueryResult {
    let reply = QueryReply(shape: .object(count: request.includeCount, cursor: request.wantsCursor))
    let id = RequestID(json: "1")
    switch try engine.answer(request, books, stop: StopFlag()) {
    case .shown(let result, let images, _):
      AnswerWriter.page(result, images, reply, id, books: books, into: &output)
      return result
    case .found(let result, let cut):
      AnswerWriter.page(result, of: request.table, reply, id, cut: cut, into: &output)
      return result
    case .planned(let plan, let cut):
      let result = try engine.run(plan, on: cut, stop: StopFlag())
      AnswerWriter.page(result, of: request.table, reply, id, cut: cut, into: &output)
      return result
    }
  }
}

/// Transfers at a steady rate, in batches as a server takes them off its sockets.
private final class FilterWriter: Sendable {
  private static let batchCount = 50

  private let isOver = Atomic<Bool>(false)
  private let written = Atomic<Int>(0)
  private let startedAt: MonotonicTime
  private let thread: Guarded<Thread?>

  init(_ books: Books, transfersPerSecond rate: Int) throws {
    let clock = SystemClock()
    startedAt = clock.monotonicTime()
    thread = Guarded(nil)
    let begin = startedAt
    let made = try Thread(name: "writer") { [self] in
      var state: UInt64 = 7
      func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(bound))
      }
      let rowCount = books.counts.balances
      var number = 0
      while !isOver.load(ordering: .relaxed) {
        var items: [NewTransaction] = []
        for _ in 0..<Self.batchCount {
          let first = RowIndex(below(rowCount))
          var second = RowIndex(below(rowCount))
          while second == first || books.balances.currencies[first] != books.balances.currencies[second] {
            second = RowIndex(below(rowCount))
          }
          number += 1
          items.append(
            NewTransaction(
              source: .balance(books.balances.identifiers[first]),
              destination: .balance(books.balances.identifiers[second]),
              amount: Amount(Int64(1 + below(1000))),
              currency: books.currencies.text(of: books.balances.currencies[first]) ?? "",
              reference: "beside \(number)", allowOverdraft: true))
        }
        _ = try? books.execute(.postTransactions(items, atomic: false))
        let count = written.add(items.count, ordering: .relaxed).newValue
        let due = begin + .nanoseconds(Int64(count) * 1_000_000_000 / Int64(rate))
        while clock.monotonicTime() < due, !isOver.load(ordering: .relaxed) { Thread.yield() }
      }
    }
    thread.withLock { $0 = made }
  }

  /// Ends the writer and says how many transfers a second it did.
  func end() -> String {
    let time = SystemClock().monotonicTime() - startedAt
    let count = written.load(ordering: .relaxed)
    isOver.store(true, ordering: .relaxed)
    thread.withLock { $0.take() }?.join()
    return "\(Int64(count) * 1_000_000_000 / time.wholeNanoseconds) transfers a second meanwhile"
  }
}

private func milliseconds(_ duration: Duration) -> String {
  let microseconds = duration.wholeNanoseconds / 10_00
  return "\(microseconds / 1000).\(String(microseconds % 1000 + 1000).dropFirst())"
}

private func aligned(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}

private func digest(_ result: QueryResult) -> String {
  let rows = result.rows.flatMap { row in
    (0..<4).map { UInt8(truncatingIfNeeded: row.rawValue >> UInt32($0 * 8)) }
  }
  return String(Checksum.xxh3(rows, seed: UInt64(result.totalCount ?? 0)), radix: 16)
}

/// Books as the issue describes them: 100 ledgers, 12 currencies, 250,000 identities, some indicators,
/// amounts up to 10^30, three years of created_at.
private struct FilterBooks {
  static let currencies = [
    "USD", "EUR", "GBP", "JPY", "CHF", "NGN", "KES", "GHS", "ZAR", "CAD", "AUD", "INR",
  ]
  static let year: Int64 = 31_536_000_000_000

  let books: Books
  private var state: UInt64 = 42
  private var ledgers: [Identifier] = []
  private var identities: [Identifier] = []
  private let newest: Int64

  init(balanceCount: Int) throws {
    // Times and identifiers are the seed's, so that digests are the same on every run.
    let clock = ManualClock()
    books = Books(clock: clock, seed: (7, 7))
    newest = clock.wallTime().count
    for index in 0..<100 {
      let made = try books.execute(.createLedger(NewLedger(name: "ledger \(index)")))
      if case .ledger(let row) = made.outcome { ledgers.append(books.ledgers.identifiers[row]) }
    }
    for index in 0..<balanceCount / 4 {
      clock.advance(by: .microseconds(1))
      var fields = [String?](repeating: nil, count: IdentityField.allCases.count)
      fields[IdentityField.firstName.rawValue] = "first \(index)"
      let made = try books.execute(.createIdentity(NewIdentity(fields: fields)))
      if case .identity(let row) = made.outcome { identities.append(books.identities.identifiers[row]) }
    }
    try addBalances(balanceCount, clock)
    try addTransactions(balanceCount)
  }

  private mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  private mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  private mutating func addBalances(_ count: Int, _ clock: ManualClock) throws {
    let step = 3 * Self.year / Int64(count)
    for start in stride(from: 0, to: count, by: 8000) {
      var items: [NewBalance] = []
      for index in start..<min(start + 8000, count) {
        let isIndicator = index % 100 == 0
        items.append(
          NewBalance(
            ledger: isIndicator ? .generalLedger : ledgers[below(100)], currency: Self.currencies[below(12)],
            identity: below(4) == 0 ? nil : identities[below(identities.count)],
            indicator: isIndicator ? "@user\(index)@\(index % 1000 == 0 ? "example.com" : "mail.org")" : nil,
            createdAt: Microseconds(newest - 3 * Self.year + Int64(index) * step),
            metadata: below(2) == 0
              ? [] : Array("{\"tier\":\"\(["gold", "silver"][below(2)])\",\"score\":\(below(100))}".utf8)))
      }
      clock.advance(by: .milliseconds(1))
      _ = try books.execute(.createBalances(items, atomic: true))
    }
  }

  private mutating func addTransactions(_ count: Int) throws {
    for start in stride(from: 0, to: count, by: 8000) {
      var items: [NewTransaction] = []
      for index in start..<min(start + 8000, count) {
        let row = RowIndex(below(count))
        let currency = books.currencies.text(of: books.balances.currencies[row]) ?? ""
        let wide = below(1000) == 0
        let amount =
          wide ? Amount.power(of10: 20 + below(11)) : Amount(Int64(1 + below(1 << (4 + below(36)))))
        let party = Party.balance(books.balances.identifiers[row])
        let world = Party.indicator("@World")
        let isCredit = below(3) != 0
        items.append(
          NewTransaction(
            source: isCredit ? world : party, destination: isCredit ? party : world, amount: amount,
            currency: currency, reference: "ref \(index)", allowOverdraft: true))
      }
      _ = try books.execute(.postTransactions(items, atomic: true))
    }
  }

  // MARK: Questions

  private func field(_ name: String) -> QueryField {
    guard let field = QueryField.named(name, in: .balances) else { preconditionFailure("field \(name)") }
    return field
  }

  private func test(_ name: String, _ op: FilterOperator, _ operand: Operand) -> Predicate {
    Predicate(field: field(name), op: op, operand: operand)
  }

  private func sort(_ name: String, ascending: Bool = false) -> SortOrder {
    SortOrder(field: field(name), ascending: ascending)
  }

  private func day(_ daysAgo: Int64) -> Operand {
    let start = (newest / 86_400_000_000 - daysAgo) * 86_400_000_000
    return .time(TimeRange(start: start, end: start + 86_400_000_000))
  }

  private func ledger(_ index: Int) -> Operand { .text(ledgers[index].text(kind: .ledger)) }

  func shapes() throws -> [Shape] { pages() + amountPages() + sorts() + rest() }

  /// The examples of the pages.
  private func pages() -> [Shape] {
    func shape(_ name: String, _ request: QueryRequest) -> Shape { Shape(name: name, request: request) }
    let usd = test("currency", .equal, .text("USD"))
    return [
      shape("newest 20", QueryRequest(table: .balances)),
      shape("newest 20, count", QueryRequest(table: .balances, includeCount: true)),
      shape("currency eq, 50", QueryRequest(table: .balances, predicates: [usd], limit: 50)),
      shape(
        "currency eq, count", QueryRequest(table: .balances, predicates: [usd], limit: 50, includeCount: true)
      ),
      shape(
        "currency in 3, count",
        QueryRequest(
          table: .balances,
          predicates: [test("currency", .isIn, .list([.text("USD"), .text("EUR"), .text("GBP")]))],
          includeCount: true)),
      shape(
        "ledger_id in 3, 50",
        QueryRequest(
          table: .balances, predicates: [test("ledger_id", .isIn, .list([ledger(1), ledger(2), ledger(3)]))],
          limit: 50)),
      shape(
        "date range, count",
        QueryRequest(
          table: .balances,
          predicates: [
            test("created_at", .greaterOrEqual, day(400)), test("created_at", .lessOrEqual, day(100)),
          ],
          includeCount: true)),
      shape(
        "recent, 50",
        QueryRequest(
          table: .balances, predicates: [test("created_at", .greaterOrEqual, day(30))],
          sort: sort("created_at"), limit: 50)),
    ]
  }

  private func amountPages() -> [Shape] {
    func shape(_ name: String, _ request: QueryRequest) -> Shape { Shape(name: name, request: request) }
    let usd = test("currency", .equal, .text("USD"))
    return [
      shape(
        "balance gte, by balance desc, 100",
        QueryRequest(
          table: .balances, predicates: [test("balance", .greaterOrEqual, .amount(Amount(1_000_000)))],
          sort: sort("balance"), limit: 100)),
      shape(
        "ledger eq and balance gt 0, by balance desc",
        QueryRequest(
          table: .balances,
          predicates: [test("ledger_id", .equal, ledger(5)), test("balance", .greater, .amount(.zero))],
          sort: sort("balance"))),
      shape(
        "balance lte 0, count",
        QueryRequest(
          table: .balances, predicates: [test("balance", .lessOrEqual, .amount(.zero))], includeCount: true)),
      shape(
        "indicator like, 20",
        QueryRequest(
          table: .balances, predicates: [test("indicator", .like, .text("%@example.com"))])),
      shape(
        "indicator like, count",
        QueryRequest(
          table: .balances, predicates: [test("indicator", .like, .text("%@example.com"))], includeCount: true
        )),
      shape(
        "four conditions, by balance desc, count",
        QueryRequest(
          table: .balances,
          predicates: [
            usd, test("created_at", .greaterOrEqual, day(700)),
            test("balance", .greater, .amount(Amount(1000))),
            test("ledger_id", .isIn, .list([ledger(1), ledger(2), ledger(3), ledger(4)])),
          ], sort: sort("balance"), limit: 100, includeCount: true)),
      shape(
        "currency eq, page 3 of 100, count",
        QueryRequest(
          table: .balances, predicates: [usd], limit: 100, offset: 200, includeCount: true)),
    ]
  }

  private func sorts() -> [Shape] {
    func by(_ name: String, ascending: Bool = false, offset: Int = 0, limit: Int? = 20) -> Shape {
      Shape(
        name: "by \(name) \(ascending ? "asc" : "desc"), \(limit.map { "\($0)" } ?? "all") from \(offset)",
        request: QueryRequest(
          table: .balances, sort: sort(name, ascending: ascending), limit: limit, offset: offset))
    }
    return [
      by("balance"), by("balance", ascending: true, limit: 1000), by("balance", offset: 10_000),
      by("balance", offset: 500_000), by("balance", limit: nil), by("credit_balance"), by("version"),
      by("currency", ascending: true), by("ledger_id"), by("identity_id", ascending: true), by("indicator"),
      by("balance_id", ascending: true), by("created_at", ascending: true, offset: 900_000),
      by("meta_data.tier"),
    ]
  }

  private func rest() -> [Shape] {
    func count(_ name: String, _ predicates: [Predicate], _ combination: Combination = .all) -> Shape {
      Shape(
        name: name,
        request: QueryRequest(
          table: .balances, predicates: predicates, combination: combination, includeCount: true))
    }
    let million = Operand.amount(Amount(1_000_000))
    let row = RowIndex(12_345)
    return [
      count("balance neq 0", [test("balance", .notEqual, .amount(.zero))]),
      count("balance between", [test("balance", .between, .list([.amount(Amount(1000)), million]))]),
      count("balance gt 10^19", [test("balance", .greater, .amount(.power(of10: 19)))]),
      count("inflight_balance eq 0", [test("inflight_balance", .equal, .amount(.zero))]),
      count("version gt 2", [test("version", .greater, .amount(Amount(2)))]),
      count("identity_id eq", [test("identity_id", .equal, .text(identities[99].text(kind: .identity)))]),
      count("identity_id isnull", [test("identity_id", .isNull, .none)]),
      count(
        "identity_id in 1000",
        [
          test(
            "identity_id", .isIn, .list((0..<1000).map { .text(identities[$0 * 7].text(kind: .identity)) }))
        ]),
      count(
        "balance_id eq",
        [
          test("balance_id", .equal, .text(books.balances.identifiers[row].text(kind: .balance)))
        ]),
      count("balance_id like %abc%", [test("balance_id", .like, .text("%abc%"))]),
      count("balance_id like prefix", [test("balance_id", .like, .text("bln_0%7%"))]),
      count("balance_id like %-7%ab%", [test("balance_id", .like, .text("%-7%ab%"))]),
      count("indicator like prefix, count", [test("indicator", .like, .text("@user99%"))]),
      count("indicator like infix, count", [test("indicator", .like, .text("%77@m%"))]),
      count("indicator ilike infix, count", [test("indicator", .ilike, .text("%EXAMPLE%"))]),
      count("identity_id like %abc%", [test("identity_id", .like, .text("%abc%"))]),
      count("meta_data.tier like", [test("meta_data.tier", .like, .metadata(.text("%ol%")))]),
      count("meta_data.score isnull", [test("meta_data.score", .isNull, .none)]),
      count(
        "currency eq or balance gt",
        [
          test("currency", .equal, .text("USD")), test("balance", .greater, million),
        ], .any),
      count("meta_data.tier eq", [test("meta_data.tier", .equal, .metadata(.text("gold")))]),
      count("meta_data.score gte", [test("meta_data.score", .greaterOrEqual, .metadata(.number("90")))]),
      count(
        "currency eq and meta_data.score gte",
        [
          test("currency", .equal, .text("USD")),
          test("meta_data.score", .greaterOrEqual, .metadata(.number("90"))),
        ]),
    ]
  }
}
