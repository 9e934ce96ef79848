// The shapes of the filter and list pages at a million balances, through the socket.

import Wire

extension SocketBenchmark {
  /// Name and params; balances were made in order within this run, so created_at is bounded by the server's
  /// answers.
  static let shapeParams: [(name: String, params: String)] = [
    (
      "currency eq, 50 newest",
      #"{"filters":[{"field":"currency","operator":"eq","value":"USD"}],"limit":50}"#
    ),
    (
      "ledger in 3, 50 newest",
      #"{"filters":[{"field":"ledger_id","operator":"in","values":["ldg_1","ldg_2","ldg_3"]}],"limit":50}"#
    ),
    (
      "currency in 3, count",
      #"{"filters":[{"field":"currency","operator":"in","values":["USD","EUR","GBP"]}],"include_count":true}"#
    ),
    (
      "created_at gte, count",
      #"{"filters":[{"field":"created_at","operator":"gte","value":"2024-01-01"}],"include_count":true,"limit":50}"#
    ),
    (
      "balance gte, top 100",
      #"{"filters":[{"field":"balance","operator":"gte","value":"1000"}],"sort_by":"balance","limit":100}"#
    ),
    (
      "ledger and balance > 0, by balance",
      #"{"filters":[{"field":"ledger_id","operator":"eq","value":"ldg_7"},{"field":"balance","operator":"gt","value":"0"}],"sort_by":"balance"}"#
    ),
    (
      "balance lte 0, count",
      #"{"filters":[{"field":"balance","operator":"lte","value":"0"}],"include_count":true}"#
    ),
    (
      "indicator like %@example.com",
      #"{"filters":[{"field":"indicator","operator":"like","value":"%@example.com"}],"include_count":true}"#
    ),
    ("sort by currency asc", #"{"filters":[],"sort_by":"currency","sort_order":"asc"}"#),
    ("deep offset 100,000 by balance", #"{"filters":[],"sort_by":"balance","offset":100000,"limit":100}"#),
    (
      "four-way conjunction, count",
      #"{"filters":[{"field":"ledger_id","operator":"in","values":["ldg_1","ldg_2","ldg_3","ldg_4","ldg_5"]},{"field":"currency","operator":"neq","value":"XAF"},{"field":"balance","operator":"between","values":["-100000","100000"]},{"field":"credit_balance","operator":"gt","value":"0"}],"include_count":true}"#
    ),
    (
      "debit_balance range, count",
      #"{"filters":[{"field":"debit_balance","operator":"between","values":["1000","50000"]}],"include_count":true,"limit":50}"#
    ),
  ]

  func shapes(_ client: inout SocketClient) throws {
    for shape in Self.shapeParams {
      var timings = Timings()
      let line = Array((#"{"id":1,"method":"balances.filter","params":\#(shape.params)}"# + "\n").utf8)
      for _ in 0..<scale(30) { try timings.time { try client.exchange(line, count: 1) } }
      print(
        pad("  " + shape.name, 36) + " p50 " + fixed(timings.quantile(0.5) / 1000) + " ms   p99 "
          + fixed(timings.quantile(0.99) / 1000) + " ms" + (client.errorCount > 0 ? "  ERRORS" : ""))
    }
  }
}

/// Text in columns, without Foundation.
func pad(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}

/// 1234567 as 1,234,567.
func grouped(_ value: Int) -> String {
  var digits = String(value.magnitude)
  var groups: [String] = []
  while digits.count > 3 {
    groups.insert(String(digits.suffix(3)), at: 0)
    digits.removeLast(3)
  }
  return (value < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
}

/// Two digits after the point.
func fixed(_ value: Double) -> String {
  let hundredths = Int((value * 100).rounded())
  let rest = String(hundredths.magnitude % 100)
  return "\(hundredths / 100)." + (rest.count == 1 ? "0" : "") + rest
}

extension String {
  /// Where the text after the first occurrence of `text` begins.
  func range(ofText text: String) -> Index? {
    var place = startIndex
    while place < endIndex {
      if self[place...].hasPrefix(text) { return index(place, offsetBy: text.count) }
      place = index(after: place)
    }
    return nil
  }
}
