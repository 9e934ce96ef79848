// Commands one at a time: what they make, and what a reader sees afterwards.

import Amounts
import Columns
import Ledger
import Platform
import Testing

@Suite struct BooksExecuteTests {
  let clock = ManualClock()
  let books: Books

  init() { books = Books(clock: clock, seed: (1, 2)) }

  func makeBalance(_ currency: String = "USD") throws -> RowIndex {
    let made = try books.execute(
      .createBalance(NewBalance(ledger: .generalLedger, currency: currency)))
    guard case .balance(let row) = made.outcome else {
      Issue.record("a balance")
      return RowIndex(0)
    }
    return row
  }

  func party(_ row: RowIndex) -> Party { .balance(books.balances.identifiers[row]) }

  @Test func generalLedgerIsTheFirstFact() {
    #expect(books.position == 1)
    #expect(books.counts == TableCounts(balances: 0, transactions: 0, ledgers: 1, identities: 0))
    #expect(books.row(.ledger, .generalLedger) == RowIndex(0))
  }

  @Test func transactionMovesMoneyAndMakesItsIndicatorBalance() throws {
    let row = try makeBalance()
    let done = try books.execute(
      .postTransaction(
        NewTransaction(
          source: .indicator("@World"), destination: party(row), amount: Amount(500), currency: "USD",
          reference: "r1", allowOverdraft: true)))
    #expect(done.outcome == .transaction(PostedItem(row: RowIndex(0), replayed: false)))
    // The general ledger, the balance, the indicator balance, the transaction.
    #expect(done.position == 4)
    #expect(books.position == 4)
    let image = books.balance(row)
    #expect((image.credit, image.debit, image.balance) == (Amount(500), .zero, Amount(500)))
    #expect(image.version == 2)
    let world = try #require(books.balanceRow(indicator: "@World", currency: "USD"))
    #expect(books.balance(world).balance == Amount(-500))
    #expect(books.transactionRow(reference: "r1") == RowIndex(0))
  }

  @Test func refusedTransactionMakesNothing() throws {
    let row = try makeBalance()
    let position = books.position
    #expect(throws: Refusal.insufficientFunds(balance: "@new", available: .zero, requested: Amount(1))) {
      try books.execute(
        .postTransaction(
          NewTransaction(
            source: .indicator("@new"), destination: party(row), amount: Amount(1), currency: "USD",
            reference: "r")))
    }
    #expect(books.position == position)
    #expect(books.counts.balances == 1)
    #expect(books.balanceRow(indicator: "@new", currency: "USD") == nil)
  }
}
