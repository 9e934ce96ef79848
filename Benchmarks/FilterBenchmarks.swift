// The shapes of the filter and list pages on a million balances, in process: time of each, with a digest of
// its rows.

import Amounts
import Columns
import Ledger
import Platform
import Query

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
    let engine = QueryEngine()
    for shape in try made.shapes() {
      let cut = made.books.cut()
      var times: [Duration] = []
      var result = QueryResult(rows: [])
      for _ in 0..<scale(15) {
        let start = clock.monotonicTime()
        result = try engine.run(shape.request, on: cut, stop: StopFlag())
        times.append(clock.monotonicTime() - start)
      }
      let first = times[0]
      times.sort()
      print(
        aligned(shape.name, 46), aligned("best \(milliseconds(times[0]))", 14),
        aligned("median \(milliseconds(times[times.count / 2]))", 16),
        aligned("first \(milliseconds(first)) ms", 18), aligned("rows \(result.rows.count)", 13),
        aligned(result.totalCount.map { "of \($0)" } ?? "", 12), "digest \(digest(result))")
    }
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
