// Books filled by a seed with everything that makes filters hard: duplicates, nulls, wide amounts, old times.

import Amounts
import Columns
import Ledger
import Platform
import TestSupport

/// Shapes of random books.
struct BooksShape {
  var balanceCount = 120
  var transactionCount = 120
  var ledgerCount = 6
  var identityCount = 12
  /// Balances are created with times in no order.
  var hasOldTimes = false
  /// Chance in 8 that an amount is wider than 64 bits.
  var wideChance = 1
}

/// A set of books, and the values that its metadata was made of.
struct RandomBooks {
  let clock = ManualClock()
  let books: Books
  var generator: SeededGenerator
  private(set) var ledgers: [Identifier] = []
  private(set) var identities: [Identifier] = []
  private(set) var balances: [Identifier] = []
  private(set) var currencyOf: [Identifier: String] = [:]
  private var balancesByCurrency: [String: [Identifier]] = [:]
  private var referenceCount = 0

  static let currencies = ["USD", "EUR", "GBP", "usd", "JPY", "Kč"]
  static let texts = [
    "", "a", "A", "abc", "ABC", "Abd", "ä", "Ä", "straße", "50%", "a_b", "back\\slash", "zürich", "ZÜRICH",
    "日本",
    "quote\"d", "line\nbreak", "x", "aab", "aaab",
  ]
  /// Members of metadata as JSON, with the value that they stand for.
  static let members: [(json: String, value: TwinMember)] = [
    ("5", .number(5_000_000, "5")), ("5.0", .number(5_000_000, "5.0")),
    ("50e-1", .number(5_000_000, "50e-1")),
    ("-3.25", .number(-3_250_000, "-3.25")), ("0", .number(0, "0")), ("-0", .number(0, "-0")),
    ("1E+3", .number(1_000_000_000, "1E+3")), ("0.000001", .number(1, "0.000001")),
    ("12", .number(12_000_000, "12")), ("\"5\"", .text("5", 5_000_000)),
    ("\"12.5\"", .text("12.5", 12_500_000)),
    ("\"abc\"", .text("abc", nil)), ("\"ABC\"", .text("ABC", nil)), ("\"\"", .text("", nil)),
    ("\"a\\\"b\\\\c\\n\\u00e4\"", .text("a\"b\\c\nä", nil)), ("\"\\ud83d\\ude00\"", .text("😀", nil)),
    ("\"05\"", .text("05", nil)), ("\" 5\"", .text(" 5", nil)), ("true", .boolean(true)),
    ("false", .boolean(false)),
    ("null", .null), ("{\"x\":[1,\"]}\"]}", .other("{\"x\":[1,\"]}\"]}")), ("[]", .other("[]")),
    ("[\"a\",{\"k\":\"v\"}]", .other("[\"a\",{\"k\":\"v\"}]")),
  ]
  static let keys: [(json: String, name: String)] = [
    ("\"k\"", "k"), ("\"kk\"", "kk"), ("\"a.b\"", "a.b"), ("\"\\u006b3\"", "k3"), ("\"ü\"", "ü"),
  ]

  init(seed: Seed, shape: BooksShape) throws {
    generator = seed.generator
    books = Books(clock: clock, seed: (seed.value, 1))
    ledgers = [.generalLedger]
    for index in 0..<shape.ledgerCount { try addLedger(index) }
    for index in 0..<shape.identityCount { try addIdentity(index) }
    try addBalances(shape.balanceCount, shape)
    for _ in 0..<shape.transactionCount { try addTransaction(shape) }
    for _ in 0..<shape.identityCount / 4 {
      guard let victim = identities.randomElement(using: &generator) else { break }
      if (try? books.execute(.deleteIdentity(victim))) != nil { identities.removeAll { $0 == victim } }
    }
  }

  mutating func chance(_ part: Int, in whole: Int) -> Bool {
    Int.random(in: 0..<whole, using: &generator) < part
  }

  mutating func text() -> String { Self.texts.randomElement(using: &generator)! }

  mutating func metadata() -> [UInt8] {
    if chance(1, in: 3) { return [] }
    var parts: [String] = []
    for key in Self.keys where chance(1, in: 2) {
      parts.append(key.json + ":" + Self.members.randomElement(using: &generator)!.json)
    }
    return parts.isEmpty ? [] : Array(("{" + parts.joined(separator: ",") + "}").utf8)
  }

  /// Sometimes the clock stands still.
  mutating func tick() {
    if chance(2, in: 3) {
      clock.advance(by: .microseconds(Int64.random(in: 1...40_000_000_000, using: &generator)))
    }
  }

  mutating func oldTime() -> Microseconds {
    Microseconds(
      clock.wallTime().count - Int64.random(in: 0...400_000_000_000_000, using: &generator) / 7 * 7)
  }

  mutating func addLedger(_ index: Int) throws {
    tick()
    let identifier = chance(1, in: 2) ? Identifier("ldg_own-\(index % 3)\(index)_Z", kind: .ledger) : nil
    let made = try books.execute(
      .createLedger(
        NewLedger(
          identifier: identifier, name: text(), metadata: metadata(),
          createdAt: chance(1, in: 4) ? oldTime() : nil)))
    if case .ledger(let row) = made.outcome { ledgers.append(books.ledgers.identifiers[row]) }
  }

  mutating func addIdentity(_ index: Int) throws {
    tick()
    let fields = IdentityField.allCases.map { _ in chance(1, in: 2) ? text() : nil }
    let made = try books.execute(
      .createIdentity(
        NewIdentity(
          identifier: chance(1, in: 4) ? Identifier("idt_me\(index)", kind: .identity) : nil, fields: fields,
          metadata: metadata(), createdAt: chance(1, in: 4) ? oldTime() : nil)))
    if case .identity(let row) = made.outcome { identities.append(books.identities.identifiers[row]) }
  }

  mutating func addBalances(_ count: Int, _ shape: BooksShape) throws {
    var left = count
    while left > 0 {
      tick()
      let size = min(left, Int.random(in: 1...(count > 1000 ? 4000 : 7), using: &generator))
      left -= size
      var items: [NewBalance] = []
      for index in 0..<size {
        let currency = Self.currencies.randomElement(using: &generator)!
        let identity = chance(1, in: 2) ? identities.randomElement(using: &generator) : nil
        items.append(
          NewBalance(
            identifier: chance(1, in: 8)
              ? Identifier("bln_Own_\(balances.count)-\(index)", kind: .balance) : nil,
            ledger: ledgers.randomElement(using: &generator)!, currency: currency, identity: identity,
            currencyMultiplier: [1, 100, 1000, .max].randomElement(using: &generator)!,
            tracksFundLineage: identity != nil && chance(1, in: 3),
            allocationStrategy: AllocationStrategy.allCases.randomElement(using: &generator)!,
            createdAt: shape.hasOldTimes && chance(1, in: 2) ? oldTime() : nil, metadata: metadata()))
      }
      let made = try books.execute(.createBalances(items, atomic: true))
      guard case .balances(let outcomes) = made.outcome else { continue }
      for (item, outcome) in zip(items, outcomes) {
        guard case .done(let posted) = outcome else { continue }
        let identifier = books.balances.identifiers[posted.row]
        balances.append(identifier)
        currencyOf[identifier] = item.currency
        balancesByCurrency[item.currency, default: []].append(identifier)
      }
    }
  }

  mutating func amount(_ shape: BooksShape) -> Amount {
    if chance(shape.wideChance, in: 8) {
      let edges: [Amount] = [
        Amount(Int64.max), Amount(UInt64.max), .power(of10: 19), .power(of10: 30), .power(of10: 60),
        Amount(1 << 62),
      ]
      return edges.randomElement(using: &generator)! + Amount(Int.random(in: -1...1, using: &generator))
    }
    return Amount(Int64([1, 2, 10, 1000, 123_456].randomElement(using: &generator)!))
  }

  mutating func addTransaction(_ shape: BooksShape) throws {
    tick()
    referenceCount += 1
    let first = balances.randomElement(using: &generator)!
    let currency = currencyOf[first]!
    let indicator = Party.indicator("@" + ["World", "world", "ä", "fees"].randomElement(using: &generator)!)
    let other = balancesByCurrency[currency, default: []].randomElement(using: &generator)!
    let second = chance(1, in: 3) || other == first ? indicator : Party.balance(other)
    let parties = chance(1, in: 2) ? (Party.balance(first), second) : (second, Party.balance(first))
    let new = NewTransaction(
      source: parties.0, destination: parties.1, amount: amount(shape),
      precision: [1, 3, 100, 1000].randomElement(using: &generator)!, currency: currency,
      reference: "ref-\(referenceCount % 5)-\(referenceCount)", description: chance(1, in: 2) ? text() : nil,
      allowOverdraft: true, effectiveDate: chance(1, in: 2) ? oldTime() : nil, metadata: metadata())
    _ =
      try chance(1, in: 3)
      ? books.execute(.postTransactions([new], atomic: true)) : books.execute(.postTransaction(new))
  }

  /// Gives some balances another identity, or none of those before.
  mutating func updateIdentities() throws {
    for _ in 0..<balances.count / 3 {
      guard let identity = identities.randomElement(using: &generator),
        let balance = balances.randomElement(using: &generator)
      else { return }
      _ = try? books.execute(.setBalanceIdentity(balance: balance, identity: identity))
    }
  }

  /// Writes holds straight into the table, as inflight transactions will.
  mutating func addHolds(_ shape: BooksShape) {
    for _ in 0..<books.counts.balances / 4 {
      let row = RowIndex(Int.random(in: 0..<books.counts.balances, using: &generator))
      let lane = chance(1, in: 2) ? BalanceTable.HoldLane.credit : BalanceTable.HoldLane.debit
      books.balances.setHold(row, lane: lane, amount(shape), position: books.position)
    }
  }
}
