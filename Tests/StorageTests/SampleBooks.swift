// Books full of everything a snapshot must keep, made from a seed.

import Amounts
import Ledger
import Platform
import TestSupport

/// Random books: ledgers, identities (some deleted), balances with chosen and made identifiers, indicators,
/// metadata, amounts of all sizes, transactions, idempotency keys, outcomes of batches.
struct SampleBooks {
  let books: Books
  let clock: ManualClock
  private var generator: SeededGenerator
  private var ledgers: [Identifier] = [.generalLedger]
  private var identities: [Identifier] = []
  private var balances: [[Identifier]] = [[], [], []]
  private var made = 0
  static let currencies = ["USD", "EUR", "BTC"]

  init(_ seed: Seed, clock: ManualClock = ManualClock()) {
    self.clock = clock
    books = Books(clock: clock, seed: (seed.value, ~seed.value))
    generator = seed.generator
  }

  /// Goes on with books that exist and whose balances are of no interest.
  init(_ seed: Seed, books: Books, clock: ManualClock) {
    self.books = books
    self.clock = clock
    generator = seed.generator
    made = Int(seed.value) << 20
  }

  /// Carries out `count` random commands; refused ones count as well.
  mutating func grow(_ count: Int) {
    for _ in 0..<count {
      made += 1
      if Int.random(in: 0..<8, using: &generator) == 0 {
        clock.advance(by: .microseconds(Int.random(in: 0...3_000_000, using: &generator)))
      }
      let key =
        Int.random(in: 0..<5, using: &generator) == 0
        ? IdempotencyKey(text: "key \(made)", contentDigest: generator.next()) : nil
      step(key)
    }
  }

  private mutating func step(_ key: IdempotencyKey?) {
    switch Int.random(in: 0..<20, using: &generator) {
    case 0:
      let identifier = chosen("ldg_")
      if run(.createLedger(NewLedger(identifier: identifier, name: text(40), metadata: metadata())), key),
        let identifier
      {
        ledgers.append(identifier)
      }
    case 1:
      let identifier = Identifier.custom("idt_\(made)")
      let fields = IdentityField.allCases.map { _ in Bool.random(using: &generator) ? text(12) : nil }
      let new = NewIdentity(identifier: identifier, fields: fields, metadata: metadata())
      if run(.createIdentity(new), key) { identities.append(identifier) }
    case 2: changeSomething(key)
    case 3...7: createBalance(key)
    case 8: postBatch(key)
    default: run(.postTransaction(transaction()), key)
    }
  }

  private mutating func changeSomething(_ key: IdempotencyKey?) {
    let metadata = metadata()
    switch Int.random(in: 0..<5, using: &generator) {
    case 0:
      guard let identity = identities.randomElement(using: &generator) else { return }
      run(.updateIdentity(identity, fields: [(.city, text(9)), (.country, nil)]), key)
    case 1:
      guard let identity = identities.randomElement(using: &generator) else { return }
      if run(.deleteIdentity(identity), key) { identities.removeAll { $0 == identity } }
    case 2:
      guard let ledger = ledgers.randomElement(using: &generator) else { return }
      run(.updateLedger(ledger, name: text(20)), key)
    case 3:
      guard let balance = balances.joined().randomElement(using: &generator),
        let identity = identities.randomElement(using: &generator)
      else { return }
      run(.setBalanceIdentity(balance: balance, identity: identity), key)
    default:
      guard let balance = balances.joined().randomElement(using: &generator) else { return }
      run(.updateMetadata(.balance, balance, merge: { _ in metadata }), key)
    }
  }

  private mutating func createBalance(_ key: IdempotencyKey?) {
    let currency = Int.random(in: 0..<3, using: &generator)
    let isIndicator = Int.random(in: 0..<8, using: &generator) == 0
    let identifier = Identifier.custom("bln_\(made)-\(text(8))")
    let ledger = isIndicator ? .generalLedger : ledgers.randomElement(using: &generator) ?? .generalLedger
    let new = NewBalance(
      identifier: Bool.random(using: &generator) ? identifier : nil, ledger: ledger,
      currency: Self.currencies[currency],
      identity: Bool.random(using: &generator) ? identities.randomElement(using: &generator) : nil,
      indicator: isIndicator ? "@of\(made % 7)" : nil,
      currencyMultiplier: Bool.random(using: &generator) ? 1 : Int64.random(in: 1...100, using: &generator),
      tracksFundLineage: false,
      allocationStrategy: AllocationStrategy.allCases.randomElement(using: &generator) ?? .fifo,
      createdAt: Int.random(in: 0..<6, using: &generator) == 0 ? Microseconds(Int64(made) * 1000) : nil,
      metadata: metadata())
    guard let execution = try? books.execute(.createBalance(new), key: key),
      case .balance(let row) = execution.outcome
    else { return }
    balances[currency].append(books.balances.identifiers[row])
  }

  private mutating func postBatch(_ key: IdempotencyKey?) {
    let items = (0..<Int.random(in: 1...12, using: &generator)).map { place in
      made += 1
      _ = place
      return transaction()
    }
    run(.postTransactions(items, atomic: Bool.random(using: &generator)), key)
  }

  private mutating func transaction() -> NewTransaction {
    let currency = Int.random(in: 0..<3, using: &generator)
    return NewTransaction(
      identifier: Int.random(in: 0..<6, using: &generator) == 0 ? .custom("txn_\(made)") : nil,
      source: party(currency), destination: party(currency),
      amount: Amount.random(
        digits: Int.random(in: 0..<10, using: &generator) == 0 ? 120 : 15, using: &generator
      ).magnitude + .one,
      precision: 100, currency: Self.currencies[currency], reference: "ref \(made)",
      description: Bool.random(using: &generator) ? text(30) : nil,
      allowOverdraft: Int.random(in: 0..<4, using: &generator) != 0,
      effectiveDate: Bool.random(using: &generator) ? Microseconds(Int64(made)) : nil, metadata: metadata())
  }

  private mutating func party(_ currency: Int) -> Party {
    if let balance = balances[currency].randomElement(using: &generator), made % 5 != 0 {
      return .balance(balance)
    }
    return .indicator("@world\(Int.random(in: 0..<4, using: &generator))")
  }

  private mutating func chosen(_ prefix: String) -> Identifier? {
    Bool.random(using: &generator) ? .custom("\(prefix)\(made)") : nil
  }

  private mutating func metadata() -> [UInt8] {
    switch Int.random(in: 0..<4, using: &generator) {
    case 0: Array("{\"k\":\"\(text(60))\"}".utf8)
    case 1: Array("{\"n\":\(made)}".utf8)
    default: []
    }
  }

  private mutating func text(_ limit: Int) -> String {
    let letters = Array("abcdefghijklmnopqrstuvwxyzABC0123456789-_")
    return String(
      (0..<Int.random(in: 1...limit, using: &generator)).map { _ in
        letters.randomElement(using: &generator) ?? "a"
      })
  }

  @discardableResult
  private func run(_ command: Command, _ key: IdempotencyKey?) -> Bool {
    (try? books.execute(command, key: key)) != nil
  }
}
