// The questions of the comparison as requests: every shape that a report, a page or a look-up takes.

import Samples

/// One question, the same for every engine.
struct QueryShape {
  let name: String
  let title: String
  let method: String
  /// A JSON object.
  let params: String

  /// The request as a client sends it.
  var line: String { #"{"id":1,"method":"\#(method)","params":\#(params)}"# }
}

/// Makes the shapes for one size of the demo's books.
struct QueryShapes {
  let books: DemoBooks
  /// Rows that are passed over by the shapes with a deep offset.
  private var deepOffset: Int { min(100_000, books.balanceCount / 2) }

  init(_ books: DemoBooks) { self.books = books }

  func all() -> [QueryShape] {
    pages() + matches() + sorts() + sums() + more() + examples() + [batch(), singles()]
  }

  // MARK: Parts of a request

  private func one(_ field: String, _ operation: String, _ value: String) -> String {
    #"{"field":"\#(field)","operator":"\#(operation)","value":"\#(value)"}"#
  }

  private func any(_ field: String, _ values: [String]) -> String {
    #"{"field":"\#(field)","operator":"in","values":["# + values.map { "\"\($0)\"" }.joined(separator: ",")
      + "]}"
  }

  private func ledgers(_ ranks: Range<Int>) -> String { any("ledger_id", ranks.map(books.ledgerID)) }

  private func filter(
    _ name: String, _ title: String, _ filters: [String], sort: String? = nil, ascending: Bool = false,
    limit: Int = 50, offset: Int = 0, count: Bool = false, or: Bool = false
  ) -> QueryShape {
    var params = #"{"filters":["# + filters.joined(separator: ",") + "]"
    if or { params += #","logical_operator":"or""# }
    if let sort { params += #","sort_by":"\#(sort)","sort_order":"\#(ascending ? "asc" : "desc")""# }
    params += #","limit":\#(limit)"#
    if offset > 0 { params += #","offset":\#(offset)"# }
    if count { params += #","include_count":true"# }
    return QueryShape(name: name, title: title, method: "balances.filter", params: params + "}")
  }

  private func sum(
    _ name: String, _ title: String, by groups: [String], _ metrics: [String], filters: [String] = [],
    more: String = ""
  ) -> QueryShape {
    func list(_ items: [String]) -> String { items.map { "\"\($0)\"" }.joined(separator: ",") }
    let conditions = filters.isEmpty ? "" : #""filters":["# + filters.joined(separator: ",") + "],"
    return QueryShape(
      name: name, title: title, method: "balances.aggregate",
      params: "{" + conditions + #""group_by":[\#(list(groups))],"metrics":[\#(list(metrics))]\#(more)}"#)
  }

  // MARK: The mix of 23

  private func pages() -> [QueryShape] {
    let usd = one("currency", "eq", "USD")
    return [
      filter("q01", "currency eq", [usd]),
      filter("q02", "ledger in 3", [ledgers(0..<3)]),
      filter("q03", "ledger in 50", [ledgers(0..<50)]),
      filter("q04", "currency in 3, count", [any("currency", ["USD", "EUR", "GBP"])], count: true),
      filter(
        "q05", "created between, count",
        [one("created_at", "gte", "2024-01-01T00:00:00Z"), one("created_at", "lt", "2024-07-01T00:00:00Z")],
        count: true),
      filter(
        "q06", "balance gte, top 100", [one("balance", "gte", "1000000")], sort: "balance", limit: 100),
      filter(
        "q07", "ledger eq, balance gt 0, top 100",
        [one("ledger_id", "eq", books.ledgerID(9)), one("balance", "gt", "0")], sort: "balance", limit: 100),
      filter(
        "q08", "created since, newest", [one("created_at", "gte", "2024-03-01T00:00:00Z")],
        sort: "created_at"),
      filter("q09", "balance lte 0, count", [one("balance", "lte", "0")], count: true),
      filter("q12", "identity eq", [one("identity_id", "eq", identity)]),
      filter("q13", "currency neq, count", [one("currency", "neq", "USD")], count: true),
    ]
  }

  private var identity: String { books.identityID(books.identity(of: books.balanceCount / 3)) }
  private var balance: String {
    var row = books.balanceCount / 2 + 1
    while books.hasIndicator(row) { row += 1 }
    return books.balanceID(row)
  }

  private func matches() -> [QueryShape] {
    [
      filter("q10", "indicator like suffix", [one("indicator", "like", "%@example.com")]),
      filter("q11", "indicator like prefix", [one("indicator", "like", "@user77%")]),
      filter("q22", "like suffix, count", [one("indicator", "like", "%7@example.com")], count: true),
    ]
  }

  private func sorts() -> [QueryShape] {
    let conjunction = [
      any("currency", ["USD", "EUR"]), ledgers(2..<7), one("balance", "gte", "1000"),
      one("created_at", "gte", "2023-01-01"),
    ]
    return [
      filter("q14", "by currency, first 20", [], sort: "currency", ascending: true, limit: 20),
      filter("q15", "by balance, deep offset", [], sort: "balance", limit: 100, offset: deepOffset),
      filter("q16", "four conditions, by balance, count", conjunction, sort: "balance", count: true),
      filter(
        "q17", "debit between, count",
        [one("debit_balance", "gte", "100000"), one("debit_balance", "lte", "5000000")], count: true),
      filter("q18", "balance_id eq", [one("balance_id", "eq", balance)]),
      filter("q23", "rare ledger, page 3", [one("ledger_id", "eq", books.ledgerID(99))], offset: 100),
    ]
  }

  private func sums() -> [QueryShape] {
    let metrics = ["count", "sum:balance", "sum:credit_balance", "sum:debit_balance"]
    return [
      sum("q19", "sums by currency", by: ["currency"], metrics),
      sum("q20", "sums by ledger and currency", by: ["ledger_id", "currency"], metrics),
      sum(
        "q21", "top ten ledgers", by: ["ledger_id"], ["count", "sum:balance"],
        more: #","sort_by":"sum:balance","sort_order":"desc","limit":10"#),
    ]
  }

  // MARK: Beyond the mix

  private func more() -> [QueryShape] {
    let usd = one("currency", "eq", "USD")
    let three = [usd, one("balance", "gt", "100000"), one("created_at", "gte", "2023-01-01")]
    return [
      filter("x01", "ledger in 50, count", [ledgers(0..<50)], count: true),
      filter("x02", "three conditions, count", three, count: true),
      filter("x03", "three conditions, by debit", three, sort: "debit_balance", limit: 20),
      filter(
        "x04", "currency neq, by balance, count", [one("currency", "neq", "USD")], sort: "balance",
        count: true),
      filter("x05", "newest, deep offset", [], limit: 100, offset: deepOffset),
      filter("x06", "currency eq, by balance, offset", [usd], sort: "balance", offset: deepOffset / 5),
      filter("x07", "like prefix, count", [one("indicator", "like", "@user77%")], count: true),
      filter("x08", "like rare suffix, count", [one("indicator", "like", "%777@example.com")], count: true),
      filter("x09", "like infix, count", [one("indicator", "like", "%777%")], count: true),
      filter("x10", "identity eq, count", [one("identity_id", "eq", identity)], count: true),
      QueryShape(
        name: "x11", title: "get by id", method: "balances.get", params: #"{"balance_id":"\#(balance)"}"#),
      filter("x12", "by credit, top 100", [], sort: "credit_balance", limit: 100),
      filter(
        "x13", "either of two, count",
        [one("currency", "eq", "BTC"), one("balance", "gte", "1000000000000000000000000")], count: true,
        or: true),
      filter("x14", "by balance, lowest 20", [], sort: "balance", ascending: true, limit: 20),
      filter(
        "x15", "balance beyond 64 bits, count", [one("balance", "gt", "10000000000000000000")], count: true),
      sum(
        "x16", "sums of rich balances by currency", by: ["currency"], ["count", "sum:balance"],
        filters: [one("balance", "gte", "1000000")]),
      sum("x17", "created by month", by: ["created_at:month"], ["count", "sum:credit_balance"]),
      sum("x18", "extremes by currency", by: ["currency"], ["min:balance", "max:balance"]),
    ]
  }

  /// Those of the pages on listing and filtering.
  private func examples() -> [QueryShape] {
    func named(_ letter: String, _ queries: [DemoQuery]) -> [QueryShape] {
      queries.filter { !$0.isRefusal }.enumerated().map { index, query in
        QueryShape(
          name: letter + (index < 9 ? "0" : "") + "\(index + 1)", title: query.title, method: query.method,
          params: query.params)
      }
    }
    return named("l", DemoQueries.list(books)) + named("f", DemoQueries.filter(books))
  }

  // MARK: A report

  /// Fifty questions of a report: for each currency, for the large ledgers, by amount, by time, and sums.
  private func report() -> [QueryShape] {
    let byCurrency = DemoBooks.currencies.map { currency in
      filter("", "", [one("currency", "eq", currency)], sort: "balance", limit: 10, count: true)
    }
    let byLedger = (0..<10).map { ledger in
      filter(
        "", "", [one("ledger_id", "eq", books.ledgerID(ledger)), one("balance", "gt", "0")], sort: "balance",
        limit: 10, count: true)
    }
    let byAmount = (3..<13).map { digits in
      let bound = "1" + String(repeating: "0", count: digits - 1)
      return filter(
        "", "", [one("balance", "gte", bound), one("balance", "lt", bound + "0")], limit: 1, count: true)
    }
    let byMonth = (1...12).map { month in
      let text = month < 10 ? "0\(month)" : "\(month)"
      let next = month == 12 ? "2025-01" : month < 9 ? "2024-0\(month + 1)" : "2024-\(month + 1)"
      return filter(
        "", "",
        [
          one("created_at", "gte", "2024-\(text)-01"), one("created_at", "lt", "\(next)-01"),
          one("balance", "gt", "0"),
        ], limit: 1, count: true)
    }
    let sums = [
      sum("", "", by: ["currency"], ["count", "sum:balance"]),
      sum("", "", by: ["ledger_id"], ["count", "sum:balance"]),
      sum("", "", by: ["ledger_id", "currency"], ["count", "sum:balance"]),
      sum("", "", by: ["currency"], ["sum:credit_balance", "sum:debit_balance"]),
      sum("", "", by: ["currency"], ["count", "sum:balance"], filters: [one("balance", "gt", "0")]),
      sum("", "", by: ["created_at:year"], ["count", "sum:balance"]),
    ]
    return byCurrency + byLedger + byAmount + byMonth + sums
  }

  /// The report in one request.
  private func batch() -> QueryShape {
    QueryShape(
      name: "b50", title: "a report of 50 in one request", method: "balances.query",
      params: #"{"queries":["# + report().map(\.params).joined(separator: ",") + "]}")
  }

  /// The same questions as requests of their own, one after another: what the batch saves.
  private func singles() -> QueryShape {
    let requests = report().map { #"{"method":"\#($0.method)","params":\#($0.params)}"# }
    return QueryShape(
      name: "s50", title: "the same 50 one by one", method: QueryShapes.oneByOne,
      params: #"{"requests":["# + requests.joined(separator: ",") + "]}")
  }

  /// Each question of the report by itself, r01 to r50: not part of the comparison.
  func parts() -> [QueryShape] {
    report().enumerated().map { index, part in
      QueryShape(
        name: "r" + (index < 9 ? "0" : "") + "\(index + 1)", title: "question \(index + 1) of the report",
        method: part.method, params: part.params)
    }
  }

  /// Stands for several requests one after another; no method of the server's.
  static let oneByOne = "one by one"
}
