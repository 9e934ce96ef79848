// The demo's books as requests: bytes written straight into params, because a million of them are made.

/// One request of the demo's.
package struct DemoRequest: Sendable {
  package let method: String
  /// A JSON object.
  package let params: [UInt8]

  init(_ method: String, params: [UInt8]) {
    self.method = method
    self.params = params
  }
}

/// Makes requests for one set of books.
package struct DemoRequests: Sendable {
  package let books: DemoBooks

  package init(books: DemoBooks) { self.books = books }

  private static func append(_ text: String, _ bytes: inout [UInt8]) { bytes.append(contentsOf: text.utf8) }

  package func ledger(_ ledger: Int) -> DemoRequest {
    let params = "{\"ledger_id\":\"\(books.ledgerID(ledger))\",\"name\":\"\(DemoBooks.ledgerName(ledger))\"}"
    return DemoRequest("ledgers.create", params: Array(params.utf8))
  }

  package func identity(_ identity: Int) -> DemoRequest {
    let (first, last) = DemoBooks.personName(identity)
    let params =
      "{\"identity_id\":\"\(books.identityID(identity))\",\"identity_type\":\"individual\","
      + "\"first_name\":\"\(first)\",\"last_name\":\"\(last)\"}"
    return DemoRequest("identities.create", params: Array(params.utf8))
  }

  /// `balances.create_many` of these rows, all or none.
  package func balances(_ rows: Range<Int>) -> DemoRequest {
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
        Self.append("\",\"indicator\":\"\(DemoBooks.indicator(of: row))\"}", &bytes)
      } else {
        Self.append(books.ledgerID(books.ledger(of: row)), &bytes)
        Self.append("\",\"identity_id\":\"", &bytes)
        Self.append(books.identityID(books.identity(of: row)), &bytes)
        Self.append("\"}", &bytes)
      }
    }
    Self.append("]}", &bytes)
    return DemoRequest("balances.create_many", params: bytes)
  }

  /// `transactions.create_many` of these transfers, each by itself.
  package func transfers(_ indices: Range<Int>) -> DemoRequest {
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
    return DemoRequest("transactions.create_many", params: bytes)
  }

  /// The general conversion of 128 bits is slow, and most amounts are small.
  private static func text(_ amount: Int128) -> String {
    if let small = Int(exactly: amount) { return String(small) }
    return String(amount)
  }
}
