// Groups hold what their balances hold, at any size, through postings, restoring and replaying.

import Amounts
import Columns
import Ledger
import LedgerSupport
import Platform
import TestSupport
import Testing

@Suite struct BalanceGroupsTests {
  private func books(ledgerCount: Int = 2, currencies: [String] = ["USD", "EUR"]) throws -> Books {
    let books = Books(clock: ManualClock(), seed: (1, 2))
    for ledger in 0..<ledgerCount {
      _ = try books.execute(
        .createLedger(NewLedger(identifier: .custom("ldg_\(ledger)"), name: "n", metadata: [])))
      for currency in currencies {
        for place in 0..<3 {
          _ = try books.execute(
            .createBalance(
              NewBalance(
                identifier: .custom("bln_\(ledger)\(currency)\(place)"),
                ledger: .custom("ldg_\(ledger)"), currency: currency)))
        }
      }
    }
    return books
  }

  private func transfer(_ source: String, _ destination: String, _ amount: Amount, _ number: Int) -> Command {
    .postTransaction(
      NewTransaction(
        source: .balance(.custom("bln_\(source)")), destination: .balance(.custom("bln_\(destination)")),
        amount: amount, currency: String(source.dropFirst().prefix(3)), reference: "r\(number)",
        allowOverdraft: true))
  }

  @Test func aGroupIsTheBalancesOfOneLedgerInOneCurrency() throws {
    let books = try books()
    _ = try books.execute(transfer("0USD0", "1USD2", Amount(70), 1))
    _ = try books.execute(transfer("1USD1", "1USD2", Amount(5), 2))
    try books.withInstant { cut throws in
      #expect(cut.groups.count == 4)
      let dollars = try #require(books.currencies.code(of: "USD"))
      let first = try #require(cut.groups.group(ledger: RowIndex(1), currency: dollars))
      let second = try #require(cut.groups.group(ledger: RowIndex(2), currency: dollars))
      #expect(cut.groups.totals(first) == GroupTotals(count: 3, credit: .zero, debit: Amount(70)))
      #expect(cut.groups.totals(second) == GroupTotals(count: 3, credit: Amount(75), debit: Amount(5)))
      #expect(cut.groups.totals(second).balance == Amount(70))
      #expect(cut.groups.ledger(of: second) == RowIndex(2) && cut.groups.currency(of: second) == dollars)
      #expect(cut.groups.group(ledger: RowIndex(0), currency: dollars) == nil)
    }
  }

  /// Around what 128 bits can hold, and far beyond it.
  @Test(arguments: Seed.sample(6))
  func totalsAreExactAtAnySize(seed: Seed) throws {
    var generator = seed.generator
    let books = try books(ledgerCount: 2, currencies: ["USD"])
    for number in 0..<300 {
      let amount =
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: Amount(Int128.max) - Amount(Int.random(in: 0..<3, using: &generator))
        case 1: Amount.power(of10: Int.random(in: 0..<200, using: &generator))
        case 2: Amount(Int128.max) + Amount(Int.random(in: 1..<3, using: &generator))
        default: Amount(Int.random(in: 1...Int.max, using: &generator))
        }
      let source = Int.random(in: 0..<6, using: &generator)
      let destination = (source + Int.random(in: 1..<6, using: &generator)) % 6
      _ = try books.execute(
        transfer(
          "\(source / 3)USD\(source % 3)", "\(destination / 3)USD\(destination % 3)", amount, number))
    }
    #expect(books.checkInvariants(on: books.cut()) == [], "\(seed)")
    let copy = try restoredCopy(of: books.cut(), clock: ManualClock())
    #expect(copy.checkInvariants(on: copy.cut()) == [], "\(seed)")
    #expect(totals(copy) == totals(books), "\(seed)")
  }

  private func totals(_ books: Books) -> [GroupTotals] {
    books.withInstant { cut in (0..<UInt32(cut.groups.count)).map { cut.groups.totals($0) } }
  }

  @Test func aHeldCutShowsNoTotals() async {
    await #expect(processExitsWith: .failure) {
      let books = Books(clock: ManualClock(), seed: (1, 2))
      _ = books.cut().groups
    }
  }
}
