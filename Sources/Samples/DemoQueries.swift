// Every query of the API's pages on listing and filtering balances, as requests to the demo's books.

package struct DemoQuery: Sendable {
  package let title: String
  package let method: String
  /// The params as a person would type them.
  package let params: String
  /// Expected to be refused.
  package var isRefusal = false
}

package enum DemoQueries {
  /// The list page: conditions as members.
  package static func list(_ books: DemoBooks) -> [DemoQuery] {
    let ledgers = "\(books.ledgerID(0)),\(books.ledgerID(1))"
    let identity = books.identityID(books.identity(of: 0))
    func query(_ title: String, _ params: String) -> DemoQuery {
      DemoQuery(title: title, method: "balances.list", params: params)
    }
    return [
      query("Basic pagination", #"{"limit":20,"offset":0}"#),
      query("Filter by currency", #"{"currency_eq":"USD"}"#),
      query("Filter by several ledgers", #"{"ledger_id_in":"\#(ledgers)"}"#),
      query("Filter by identity", #"{"identity_id_eq":"\#(identity)"}"#),
      query("Filter by date range", #"{"created_at_gte":"2024-01-01","created_at_lte":"2024-12-31"}"#),
      query(
        "Combine filters",
        #"{"currency_eq":"EUR","ledger_id_in":"\#(ledgers)","created_at_gte":"2023-07-01"}"#),
      query("Page 1 of 50", #"{"limit":50,"offset":0}"#),
      query("Page 2 of 50", #"{"limit":50,"offset":50}"#),
      query("Page 3 of 50", #"{"limit":50,"offset":100}"#),
    ]
  }

  /// The filter page: conditions as a list.
  package static func filter(_ books: DemoBooks) -> [DemoQuery] {
    examples(books) + useCases(books) + operators(books) + pagesAndSorts() + refusals()
  }

  private static func query(_ title: String, _ filters: [String], _ more: String = "") -> DemoQuery {
    DemoQuery(
      title: title, method: "balances.filter",
      params: #"{"filters":["# + filters.joined(separator: ",") + "]" + more + "}")
  }

  private static func one(_ field: String, _ operation: String, _ value: String) -> String {
    #"{"field":"\#(field)","operator":"\#(operation)","value":"\#(value)"}"#
  }

  private static func any(_ field: String, _ values: [String]) -> String {
    let list = values.map { "\"\($0)\"" }.joined(separator: ",")
    return #"{"field":"\#(field)","operator":"in","values":[\#(list)]}"#
  }

  private static let counted = #","include_count":true"#
  private static let largestFirst = #","sort_by":"balance","sort_order":"desc""#

  private static func examples(_ books: DemoBooks) -> [DemoQuery] {
    [
      query("Filter by currency", [one("currency", "eq", "USD")], #","limit":50,"offset":0"#),
      query("Several ledgers", [any("ledger_id", (0..<3).map(books.ledgerID))], #","limit":100"#),
      query(
        "Date range with count",
        [one("created_at", "gte", "2024-01-01T00:00:00Z"), one("created_at", "lt", "2024-07-01T00:00:00Z")],
        counted),
      query(
        "Balance amount filter", [one("balance", "gt", "100000"), one("balance", "lt", "1000000")], counted),
      query(
        "Complex filters",
        [
          any("currency", ["USD", "EUR"]), one("ledger_id", "eq", books.ledgerID(0)),
          one("balance", "gte", "1000"), one("created_at", "gte", "2023-01-01"),
        ], largestFirst + #","limit":50"# + counted),
    ]
  }

  private static func useCases(_ books: DemoBooks) -> [DemoQuery] {
    [
      query("High-value balances", [one("balance", "gte", "1000000")], largestFirst + #","limit":100"#),
      query("Multi-currency reporting", [any("currency", ["USD", "EUR", "GBP"])], counted),
      query(
        "Ledger-specific analysis",
        [one("ledger_id", "eq", books.ledgerID(0)), one("balance", "gt", "0")], largestFirst),
      query(
        "Recent balances", [one("created_at", "gte", "2024-03-01T00:00:00Z")],
        #","sort_by":"created_at","sort_order":"desc","limit":50"#),
      query("Zero and negative balances", [one("balance", "lte", "0")], counted),
    ]
  }

  private static func operators(_ books: DemoBooks) -> [DemoQuery] {
    [
      query("Operator eq", [one("currency", "eq", "USD")], counted),
      query("Operator neq", [one("currency", "neq", "USD")], counted),
      query("Operator gt", [one("balance", "gt", "100000")], counted),
      query("Operator gte", [one("credit_balance", "gte", "100000")], counted),
      query("Operator lt", [one("balance", "lt", "100000")], counted),
      query("Operator lte", [one("debit_balance", "lte", "100000")], counted),
      query("Operator in", [any("ledger_id", (0..<3).map(books.ledgerID))], counted),
      query("Operator like", [one("indicator", "like", "%@example.com")], counted),
    ]
  }

  private static func pagesAndSorts() -> [DemoQuery] {
    [
      query("Page 1 with count", [], #","limit":100,"offset":0"# + counted),
      query("Page 2", [], #","limit":100,"offset":100"#),
      query("Page 3", [], #","limit":100,"offset":200"#),
      query("Sort by balance", [], largestFirst),
      query("Sort by creation date", [], #","sort_by":"created_at","sort_order":"desc""#),
      query("Sort by currency", [], #","sort_by":"currency","sort_order":"asc""#),
    ]
  }

  private static func refusals() -> [DemoQuery] {
    func refused(_ title: String, _ params: String) -> DemoQuery {
      DemoQuery(title: title, method: "balances.filter", params: params, isRefusal: true)
    }
    return [
      refused("Refused: unknown field", #"{"filters":[\#(one("invalid_field", "eq", "x"))]}"#),
      refused("Refused: unknown operator", #"{"filters":[\#(one("currency", "invalid_op", "x"))]}"#),
      refused("Refused: filters missing", "{}"),
    ]
  }
}
