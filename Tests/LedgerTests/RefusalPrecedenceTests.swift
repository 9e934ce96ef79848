// The most urgent refusal comes first: each row repairs one fault and expects the next one.

import Amounts
import Columns
import Ledger
import Platform
import Testing

@Suite struct RefusalPrecedenceTests {
  let books = Books(clock: ManualClock(), seed: (1, 2), rowLimit: 4)
  let huge = [UInt8](repeating: 32, count: Metadata.byteLimit + 1)

  func refusal(_ command: Command, key: IdempotencyKey? = nil) -> Refusal? {
    do throws(Refusal) {
      _ = try books.execute(command, key: key)
      return nil
    } catch {
      return error
    }
  }

  func make(_ name: String, _ currency: String) {
    #expect(
      refusal(
        .createBalance(NewBalance(identifier: .custom(name), ledger: .generalLedger, currency: currency)))
        == nil)
  }

  /// Three balances and a transaction between two of them, under the key k.
  private func postFirst() {
    make("bln_a", "USD")
    make("bln_b", "USD")
    make("bln_e", "EUR")
    let first = NewTransaction(
      identifier: .custom("txn_1"), source: .balance(.custom("bln_a")),
      destination: .balance(.custom("bln_b")), amount: Amount(5), currency: "USD", reference: "r1",
      overdraftLimit: Amount(5))
    #expect(refusal(.postTransaction(first), key: IdempotencyKey(text: "k", contentDigest: 1)) == nil)
  }

  @Test func transactionsRefusalsComeInTheOrderOfTheirCases() throws {
    postFirst()
    var new = NewTransaction(
      identifier: .custom("txn_1"), source: .balance(.custom("bln_x")),
      destination: .balance(.custom("bln_y")), amount: Amount(5), currency: "EUR", reference: "r1",
      overdraftLimit: Amount(4), metadata: huge)
    let steps: [(repair: (inout NewTransaction) -> Void, expected: Refusal)] = [
      ({ $0.reference = "r2" }, .identifierTaken(.transaction, "txn_1")),
      ({ $0.identifier = nil }, .balanceNotFound("bln_x", role: "source")),
      ({ $0.source = .balance(.custom("bln_a")) }, .balanceNotFound("bln_y", role: "destination")),
      (
        { $0.destination = .balance(.custom("bln_a")) },
        .metadataTooLong(byteCount: huge.count, limit: Metadata.byteLimit)
      ),
      (
        {
          $0.metadata = []
          $0.reference = "r1"
        },
        .duplicateReference(
          "r1", transaction: "txn_1", differences: ["destination", "currency", "overdraft_limit"])
      ),
      ({ $0.reference = "r2" }, .sameBalance("bln_a")),
      (
        { $0.destination = .balance(.custom("bln_b")) },
        .currencyMismatch(
          balance: "bln_a", balanceCurrency: "USD", transactionCurrency: "EUR", role: "source")
      ),
      (
        {
          $0.currency = "USD"
          $0.destination = .balance(.custom("bln_e"))
        },
        .currencyMismatch(
          balance: "bln_e", balanceCurrency: "EUR", transactionCurrency: "USD", role: "destination")
      ),
      (
        {
          $0.destination = .balance(.custom("bln_b"))
          $0.overdraftLimit = nil
        },
        .insufficientFunds(balance: "bln_a", available: Amount(-5), requested: Amount(5))
      ),
      (
        { $0.overdraftLimit = Amount(9) },
        .overdraftExceeded(
          balance: "bln_a", available: Amount(-5), requested: Amount(5), limit: Amount(9))
      ),
    ]
    let position = books.position
    for (number, step) in steps.enumerated() {
      step.repair(&new)
      #expect(refusal(.postTransaction(new)) == step.expected, "step \(number)")
      // Each refusal of a batch is that of its item.
      #expect(
        refusal(.postTransactions([new], atomic: true)) == .batchItem(index: 0, step.expected),
        "step \(number)")
      #expect(
        refusal(.postTransaction(new), key: IdempotencyKey(text: "k", contentDigest: 2))
          == .keyReused(key: "k"), "step \(number)")
    }
    #expect(books.position == position, "refusals make no facts")
    new.overdraftLimit = Amount(10)
    #expect(refusal(.postTransaction(new)) == nil)
  }

  @Test func fullTablesAreRefusedBeforeAnythingElse() {
    for name in ["bln_a", "bln_b", "bln_c", "bln_d"] { make(name, "USD") }
    #expect(
      refusal(
        .createBalance(NewBalance(identifier: .custom("bln_a"), ledger: .custom("ldg_x"), currency: "USD")))
        == .tableFull(.balance))
    var new = NewTransaction(
      source: .indicator("@World"), destination: .balance(.custom("bln_x")), amount: .one, currency: "USD",
      reference: "r", allowOverdraft: true)
    #expect(refusal(.postTransaction(new)) == .tableFull(.balance))
    new.source = .balance(.custom("bln_a"))
    new.destination = .balance(.custom("bln_b"))
    let five = (0..<5).map {
      var item = new
      item.reference = "r\($0)"
      return item
    }
    #expect(
      refusal(.postTransactions(five, atomic: true)) == .batchItem(index: 4, .tableFull(.transaction)))
    #expect(books.counts.transactions == 0)
    #expect(refusal(.postTransactions(Array(five.prefix(4)), atomic: true)) == nil)
    #expect(refusal(.postTransaction(five[4])) == .tableFull(.transaction))
    #expect(refusal(.postTransaction(five[0])) == nil, "a replay needs no room")
    #expect(books.checkInvariants(on: books.cut()) == [])
  }

  @Test func balancesRefusalsComeInTheOrderOfTheirCases() {
    #expect(
      refusal(
        .createBalance(
          NewBalance(
            identifier: .custom("bln_1"), ledger: .generalLedger, currency: "USD", indicator: "@i"))) == nil)
    #expect(refusal(.createLedger(NewLedger(identifier: .custom("ldg_1"), name: "one"))) == nil)
    let fields = [String?](repeating: nil, count: IdentityField.allCases.count)
    #expect(refusal(.createIdentity(NewIdentity(identifier: .custom("idt_1"), fields: fields))) == nil)
    var new = NewBalance(
      identifier: .custom("bln_1"), ledger: .custom("ldg_x"), currency: "USD",
      identity: .custom("idt_x"), indicator: "@i", tracksFundLineage: true, metadata: huge)
    let steps: [(repair: (inout NewBalance) -> Void, expected: Refusal)] = [
      ({ _ in }, .identifierTaken(.balance, "bln_1")),
      ({ $0.identifier = nil }, .ledgerNotFound("ldg_x")),
      ({ $0.ledger = .custom("ldg_1") }, .identityNotFound("idt_x")),
      ({ $0.identity = nil }, .indicatorOutsideGeneralLedger(ledger: "ldg_1")),
      ({ $0.ledger = .generalLedger }, .indicatorTaken(indicator: "@i", currency: "USD")),
      ({ $0.currency = "EUR" }, .lineageWithoutIdentity),
      (
        { $0.identity = .custom("idt_1") },
        .metadataTooLong(byteCount: huge.count, limit: Metadata.byteLimit)
      ),
    ]
    for (number, step) in steps.enumerated() {
      step.repair(&new)
      #expect(refusal(.createBalance(new)) == step.expected, "step \(number)")
      #expect(
        refusal(.createBalances([new], atomic: true)) == .batchItem(index: 0, step.expected), "step \(number)"
      )
    }
    new.metadata.removeLast()
    #expect(
      refusal(.createBalances([new, new], atomic: true))
        == .batchItem(index: 1, .indicatorTaken(indicator: "@i", currency: "EUR")))
    #expect(refusal(.createBalance(new)) == nil)
    #expect(
      refusal(.deleteIdentity(.custom("idt_1"))) == .identityInUse("idt_1", balanceCount: 1))
  }

  @Test func deletedIdentityIsGoneAndKeepsItsName() {
    let fields = [String?](repeating: nil, count: IdentityField.allCases.count)
    let new = NewIdentity(identifier: .custom("idt_1"), fields: fields)
    #expect(refusal(.createIdentity(new)) == nil)
    #expect(refusal(.deleteIdentity(.custom("idt_1"))) == nil)
    #expect(refusal(.deleteIdentity(.custom("idt_1"))) == .identityNotFound("idt_1"))
    #expect(refusal(.createIdentity(new)) == .identifierTaken(.identity, "idt_1"))
  }
}
