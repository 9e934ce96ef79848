// The demo's requests are JSON that names every row, and so are its queries.

import LedgerlineClient
import Samples
import Testing

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
