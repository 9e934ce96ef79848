// The demo's books as requests: bytes written straight into params, because a million of them are made.

import LedgerlineClient

struct DemoRequests: Sendable {
  let books: DemoBooks

  private static func append(_ text: String, _ bytes: inout [UInt8]) { bytes.append(contentsOf: text.utf8) }

  func ledger(_ ledger: Int) -> PipelinedRequest {
    let params = "{\"ledger_id\":\"\(books.ledgerID(ledger))\",\"name\":\"\(DemoBooks.ledgerName(ledger))\"}"
    return PipelinedRequest("ledgers.create", params: Array(params.utf8))
  }

  func identity(_ identity: Int) -> PipelinedRequest {
    let first = ["Ada", "Kofi", "Mei", "Ravi", "Lucía", "Tunde", "Yuki", "Zola"][identity % 8]
    let last = ["Okafor", "Mensah", "Chen", "Patel", "Silva", "Adeyemi", "Tanaka", "Dlamini"][
      identity / 8 % 8]
    let params =
      "{\"identity_id\":\"\(books.identityID(identity))\",\"identity_type\":\"individual\","
      + "\"first_name\":\"\(first)\",\"last_name\":\"\(last)\"}"
    return PipelinedRequest("identities.create", params: Array(params.utf8))
  }

  /// `balances.create_many` of these rows, all or none.
  func balances(_ rows: Range<Int>) -> PipelinedRequest {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(rows.count * 260 + 64)
    Self.append("{\"balances\":[", &bytes)
    for row in rows {
      Self.append(row > rows.lowerBound ? ",{\"balance_id\":\"" : "{\"balance_id\":\"", &bytes)
      Self.append(books.balanceID(row), &bytes)
      Self.append("\",\"currency\":\"", &bytes)
      Self.append(DemoBooks.currencies[books.currency(of: row)], &bytes)
      Self.append("\",\"created_at\":\"", &bytes)
      Self.append(DemoTime.text(books.createdAt(row)), &bytes)
      Self.append("\",\"ledger_id\":\"", &bytes)
      if books.hasIndicator(row) {
        Self.append(DemoBooks.generalLedger, &bytes)
        Self.append("\",\"indicator\":\"@user\(row)@example.com\"}", &bytes)
      } else {
        Self.append(books.ledgerID(books.ledger(of: row)), &bytes)
        Self.append("\",\"identity_id\":\"", &bytes)
        Self.append(books.identityID(books.identity(of: row)), &bytes)
        Self.append("\"}", &bytes)
      }
    }
    Self.append("]}", &bytes)
    return PipelinedRequest("balances.create_many", params: bytes)
  }

  /// `transactions.create_many` of these transfers, each by itself.
  func transfers(_ indices: Range<Int>) -> PipelinedRequest {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(indices.count * 230 + 64)
    Self.append("{\"atomic\":false,\"return\":\"none\",\"transactions\":[", &bytes)
    for index in indices {
      let transfer = books.transfer(index)
      Self.append(index > indices.lowerBound ? ",{\"reference\":\"demo-" : "{\"reference\":\"demo-", &bytes)
      Self.append(String(index), &bytes)
      Self.append("\",\"source\":\"", &bytes)
      Self.append(transfer.source, &bytes)
      Self.append("\",\"destination\":\"", &bytes)
      Self.append(transfer.destination, &bytes)
      Self.append("\",\"currency\":\"", &bytes)
      Self.append(transfer.currency, &bytes)
      Self.append("\",\"precise_amount\":\"", &bytes)
      Self.append(Self.text(transfer.amount), &bytes)
      Self.append(transfer.allowsOverdraft ? "\",\"allow_overdraft\":true}" : "\"}", &bytes)
    }
    Self.append("]}", &bytes)
    return PipelinedRequest("transactions.create_many", params: bytes)
  }

  /// The general conversion of 128 bits is slow, and most amounts are small.
  private static func text(_ amount: Int128) -> String {
    if let small = Int(exactly: amount) { return String(small) }
    return String(amount)
  }
}

/// Times of the demo's rows as text.
enum DemoTime {
  /// RFC 3339 in UTC, whole seconds. Days to date by Howard Hinnant's `civil_from_days`.
  static func text(_ milliseconds: Int) -> String {
    let days = milliseconds / 86_400_000
    let rest = milliseconds % 86_400_000
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return "\(year)-\(two(month))-\(two(day))T\(two(rest / 3_600_000)):\(two(rest / 60_000 % 60)):"
      + "\(two(rest / 1000 % 60))Z"
  }

  private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
