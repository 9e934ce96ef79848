// The demo's books keep the promises that its transfers rely on.

import Testing

@testable import Samples

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
