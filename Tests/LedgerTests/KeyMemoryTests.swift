// Idempotency keys: what is remembered, for how long, and through a restart.

import Amounts
import Columns
import Platform
import TestSupport
import Testing

@testable import Ledger

@Suite struct KeyMemoryTests {
  @Test func repeatedKeyAnswersWithTheFirstOutcome() throws {
    let books = Books(clock: ManualClock(), seed: (1, 2))
    let command = Command.createBalance(NewBalance(ledger: .generalLedger, currency: "USD"))
    let key = IdempotencyKey(text: "k", contentDigest: 7)
    let first = try books.execute(command, key: key)
    _ = try books.execute(command)
    let again = try books.execute(command, key: key)
    #expect(again == Execution(outcome: first.outcome, position: books.position, replayed: true))
    #expect(books.counts.balances == 2)
    #expect(throws: Refusal.keyReused(key: "k")) {
      try books.execute(command, key: IdempotencyKey(text: "k", contentDigest: 8))
    }
  }

  @Test func refusalIsNotRemembered() throws {
    let books = Books(clock: ManualClock(), seed: (1, 2))
    let key = IdempotencyKey(text: "k", contentDigest: 7)
    let command = Command.createBalance(
      NewBalance(identifier: .custom("bln_1"), ledger: .custom("ldg_1"), currency: "USD"))
    #expect(throws: Refusal.ledgerNotFound("ldg_1")) { try books.execute(command, key: key) }
    _ = try books.execute(.createLedger(NewLedger(identifier: .custom("ldg_1"), name: "later")))
    #expect(try !books.execute(command, key: key).replayed)
    #expect(try books.execute(command, key: key).replayed)
  }

  @Test func refusedItemsOfABatchAreRemembered() throws {
    let books = Books(clock: ManualClock(), seed: (1, 2))
    let items = (0..<6).map { number in
      NewTransaction(
        source: .indicator("@a"), destination: .indicator("@b"), amount: .power(of10: 30), currency: "USD",
        reference: "r\(number)", allowOverdraft: number != 3)
    }
    let key = IdempotencyKey(text: "k", contentDigest: 7)
    let first = try books.execute(.postTransactions(items, atomic: false), key: key)
    let again = try books.execute(.postTransactions(items, atomic: false), key: key)
    #expect(again.outcome == first.outcome)
    guard case .transactions(_, let outcomes) = first.outcome else {
      Issue.record("a batch")
      return
    }
    #expect(
      outcomes[3]
        == .refused(
          .insufficientFunds(
            balance: "@a", available: -Amount.power(of10: 30) * Amount(3), requested: .power(of10: 30))))
    #expect(outcomes[4] == .done(PostedItem(row: RowIndex(3), replayed: false)))
  }

  /// A dictionary and a list of the latest keys are the twin.
  @Test(arguments: Seed.sample(8))
  func latestKeysAreRememberedAndOlderOnesAreNot(seed: Seed) throws {
    var generator = seed.generator
    let limit = Int.random(in: 1...3000, using: &generator)
    var memory = KeyMemory(limit: limit)
    var order: [String] = []
    var outcomes: [String: (UInt64, Outcome)] = [:]
    for step in 0..<9000 {
      let text = "key\(Int.random(in: 0..<limit * 2, using: &generator))"
      let found = memory.find(text)
      #expect(found?.contentDigest == outcomes[text]?.0, "\(seed) step \(step)")
      #expect(found?.outcome == outcomes[text]?.1, "\(seed) step \(step)")
      if found != nil { continue }
      let key = IdempotencyKey(text: text, contentDigest: UInt64(step))
      let outcome = Outcome.metadata(.balance, RowIndex(step))
      memory.append(key, outcome)
      order.append(text)
      outcomes[text] = (key.contentDigest, outcome)
      if order.count > limit { outcomes[order.removeFirst()] = nil }
      #expect(memory.count == order.count)
    }
    var copy = KeyMemory(limit: limit)
    unsafe try memory.remembered.forEachRecord { unsafe try copy.restore([UInt8]($0)) }
    for text in order { #expect(copy.find(text)?.outcome == outcomes[text]?.1, "\(seed)") }
  }

  @Test func everyOutcomeAndRefusalSurvivesItsBytes() throws {
    let refusals: [Refusal] = [
      .keyReused(key: "k"), .batchItem(index: 300, .lineageWithoutIdentity), .tableFull(.identity),
      .identifierTaken(.ledger, "ldg_1"), .ledgerNotFound("l"), .identityNotFound("i"),
      .balanceNotFound("b", role: "source"), .transactionNotFound("t"),
      .indicatorOutsideGeneralLedger(ledger: "l"), .indicatorTaken(indicator: "@i", currency: "USD"),
      .lineageWithoutIdentity, .identityInUse("i", balanceCount: 70_000),
      .metadataTooLong(byteCount: 70_000, limit: 65_536),
      .duplicateReference("r", transaction: "t", differences: ["source", "amount"]), .sameBalance("b"),
      .currencyMismatch(balance: "b", balanceCurrency: "€", transactionCurrency: "USD", role: "source"),
      .insufficientFunds(balance: "b", available: -.power(of10: 999), requested: .one),
      .overdraftExceeded(balance: "b", available: .zero, requested: .power(of10: 30), limit: .one),
    ]
    let items = (0..<5).map { ItemOutcome.done(PostedItem(row: RowIndex($0 * 7 / 4), replayed: $0 == 3)) }
    let outcomes: [Outcome] = [
      .ledger(RowIndex(1)), .identity(RowIndex(2)), .identityDeleted(RowIndex(3)),
      .balance(RowIndex(Int(UInt32.max) - 1)), .balances(items + refusals.map { .refused($0) } + items),
      .metadata(.transaction, RowIndex(4)), .transaction(PostedItem(row: RowIndex(5), replayed: true)),
      .transactions(batch: .uuid(high: 1, low: 2 << 62), items), .transactions(batch: .custom("bulk_x"), []),
    ]
    for outcome in outcomes {
      var writer = RecordWriter()
      outcome.append(to: &writer)
      let bytes = writer.bytes
      #expect(try decoded(bytes) == outcome)
      for count in 0..<bytes.count {
        #expect(throws: RecordFault.self) { try decoded(Array(bytes.prefix(count))) }
      }
    }
  }

  private func decoded(_ bytes: [UInt8]) throws -> Outcome {
    var reader = RecordReader(bytes.span)
    let outcome = try Outcome(&reader)
    let isAtEnd = reader.isAtEnd
    #expect(isAtEnd)
    return outcome
  }
}
