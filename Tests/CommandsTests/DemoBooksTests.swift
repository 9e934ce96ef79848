// The demo's books keep the promises that its transfers rely on.

import LedgerlineClient
import Testing

@testable import Commands

@Test func noTransferOverdrawsWhoMayNotBeOverdrawn() {
  let books = DemoBooks(balanceCount: 500, transferCount: 4000)
  var balances: [String: Int128] = [:]
  var currencies: [String: String] = [:]
  for row in 0..<books.balanceCount {
    currencies[books.balanceID(row)] = DemoBooks.currencies[books.currency(of: row)]
  }
  var largest: Int128 = 0
  for index in 0..<books.transferCount {
    let transfer = books.transfer(index)
    #expect(transfer.amount > 0 && transfer.source != transfer.destination)
    if transfer.allowsOverdraft {
      #expect(transfer.source == "@world")
    } else {
      #expect(balances[transfer.source, default: 0] >= transfer.amount, "transfer \(index)")
      #expect(currencies[transfer.source] == transfer.currency)
    }
    #expect(currencies[transfer.destination] == transfer.currency)
    balances[transfer.source, default: 0] -= transfer.amount
    balances[transfer.destination, default: 0] += transfer.amount
    largest = max(largest, transfer.amount)
  }
  #expect(largest >= 1_000_000_000_000_000_000_000_000)
}

@Test func identifiersAreDistinctUUIDsThatRiseWithTime() {
  let books = DemoBooks(balanceCount: 5000, transferCount: 0)
  var seen: Set<String> = []
  var last = ""
  for row in 0..<books.balanceCount {
    let id = books.balanceID(row)
    #expect(id.utf8.count == 40 && id.hasPrefix("bln_01") && id.split(separator: "-").count == 5)
    #expect(seen.insert(id).inserted)
    #expect(id.prefix(17) >= last)
    last = String(id.prefix(17))
  }
  #expect(
    DemoBooks.identifier("x_", milliseconds: 0x0123_4567_89ab, 0).hasPrefix("x_01234567-89ab-7000-8000-"))
}

@Test(arguments: [
  (0, "1970-01-01T00:00:00Z"), (1_640_995_200_000, "2022-01-01T00:00:00Z"),
  (1_709_164_799_999, "2024-02-28T23:59:59Z"), (1_709_164_800_007, "2024-02-29T00:00:00Z"),
  (1_735_689_599_050, "2024-12-31T23:59:59Z"),
])
func timesAreRFC3339(milliseconds: Int, text: String) {
  #expect(DemoTime.text(milliseconds) == text)
}

@Test func requestsAreJSONWithEveryRow() throws {
  let requests = DemoRequests(books: DemoBooks(balanceCount: 300, transferCount: 300))
  #expect(try JSONNode.parse(requests.balances(0..<300).params)["balances"]?.array?.count == 300)
  #expect(try JSONNode.parse(requests.transfers(10..<20).params)["transactions"]?.array?.count == 10)
  let identity = try JSONNode.parse(requests.identity(4).params)
  #expect(identity["first_name"]?.string == "Lucía")
  for query in DemoQueries.list(requests.books) + DemoQueries.filter(requests.books) {
    #expect(throws: Never.self) { try JSONNode.parse(query.params) }
  }
}
