// Random commands, a third of them wrong, answered by the books and by the naive books.

import Amounts
import Columns
import Ledger
import LedgerSupport
import Platform
import TestSupport
import Testing

@Suite struct NaiveTwinTests {
  @Test(arguments: Seed.sample(12))
  func everyAnswerIsTheTwinsAnswer(seed: Seed) throws {
    var random = CommandSource(seed)
    let clock = ManualClock()
    let books = Books(clock: clock, seed: (seed.value, 1))
    var twin = NaiveBooks()
    for step in 0..<400 {
      if Int.random(in: 0..<4, using: &random.generator) == 0 { clock.advance(by: .milliseconds(1)) }
      if Int.random(in: 0..<50, using: &random.generator) == 0 {
        clock.setWall(Microseconds(clock.wallTime().count - 5_000_000))
      }
      let (command, key) = random.command()
      let answer = result { () throws(Refusal) in try books.execute(command, key: key) }
      let batch = batchIdentifier(of: answer)
      let expected = result { () throws(Refusal) in
        try twin.execute(command, key: key, at: clock.wallTime(), batch: batch)
      }
      try #require(answer == expected, "\(seed) step \(step): \(command)")
      #expect(books.position == twin.position, "\(seed) step \(step)")
      if step % 40 == 39 {
        let cut = books.cut()
        #expect(books.checkInvariants(on: cut) == [], "\(seed) step \(step)")
        try compare(cut, twin, "\(seed) step \(step)")
      }
    }
    let cut = books.cut()
    let copy = try restoredCopy(of: cut, clock: clock)
    #expect(copy.cut().digest() == cut.digest(), "\(seed)")
    #expect(copy.checkInvariants(on: copy.cut()) == [], "\(seed)")
    // The copy goes on as the books do.
    for step in 0..<100 {
      let (command, key) = random.command()
      let answer = result { () throws(Refusal) in try copy.execute(command, key: key) }
      let batch = batchIdentifier(of: answer)
      let expected = result { () throws(Refusal) in
        try twin.execute(command, key: key, at: clock.wallTime(), batch: batch)
      }
      try #require(answer == expected, "\(seed) step \(step) of the copy: \(command)")
    }
    try compare(copy.cut(), twin, "\(seed) at the end")
  }

  private func result(_ body: () throws(Refusal) -> Execution) -> Result<Execution, Refusal> {
    do throws(Refusal) { return .success(try body()) } catch { return .failure(error) }
  }

  private func batchIdentifier(of answer: Result<Execution, Refusal>) -> Identifier? {
    guard case .success(let execution) = answer, case .transactions(let batch, _) = execution.outcome else {
      return nil
    }
    return batch
  }

  /// Every balance, transaction, ledger and identity.
  private func compare(_ cut: Cut, _ twin: NaiveBooks, _ place: String) throws {
    let books = cut.books
    try #require(cut.balanceCount == twin.balances.count, "\(place)")
    for (index, expected) in twin.balances.enumerated() {
      let row = RowIndex(index)
      let image = cut.balance(row)
      let found = NaiveBooks.Balance(
        ledger: Int(books.balances.ledgers[row]),
        currency: books.currencies.text(of: books.balances.currencies[row]) ?? "",
        indicator: books.indicators.text(of: books.balances.indicators[row]),
        identity: image.identity?.index, metadata: image.metadata,
        createdAt: Microseconds(books.balances.createdAt[row]), credit: image.credit, debit: image.debit,
        version: image.version)
      #expect(found == expected, "\(place): balance \(index)")
      #expect(image.balance == expected.balance, "\(place): balance \(index)")
    }
    try #require(cut.transactionCount == twin.transactions.count, "\(place)")
    for (index, expected) in twin.transactions.enumerated() {
      let row = RowIndex(index)
      let table = books.transactions
      let detail = table.detail(row)
      #expect(
        table.amount(row) == expected.request.amount && table.source(row).index == expected.source
          && table.destination(row).index == expected.destination
          && detail.reference == expected.request.reference
          && detail.description == expected.request.description
          && detail.effectiveDate == expected.request.effectiveDate
          && detail.overdraftLimit == expected.request.overdraftLimit
          && table.precisions[row] == expected.request.precision
          && table.allowsOverdraft(row) == expected.request.allowOverdraft
          && table.metadataBytes(row, cut: cut.epoch) == expected.metadata,
        "\(place): transaction \(index)")
    }
    #expect(cut.ledgerCount == twin.ledgers.count)
    for (index, expected) in twin.ledgers.enumerated() {
      let record = unsafe try #require(books.ledgers.record(RowIndex(index), cut: cut.epoch))
      #expect(
        unsafe EntityRecord(record, fieldCount: 1)
          == EntityRecord(fields: [expected.name], metadata: expected.metadata), "\(place)")
    }
    #expect(cut.identityCount == twin.identities.count)
    for (index, expected) in twin.identities.enumerated() {
      let record = unsafe books.identities.record(RowIndex(index), cut: cut.epoch)
      let found = unsafe record.map {
        unsafe EntityRecord($0, fieldCount: IdentityField.allCases.count)
      }
      let wanted =
        expected.isDeleted ? nil : EntityRecord(fields: expected.fields, metadata: expected.metadata)
      #expect(found == wanted, "\(place): identity \(index)")
    }
  }
}
