// Facts as bytes: what is written is read again, byte for byte as it was kept, and nothing else is believed.

import Amounts
import Columns
import Platform
import TestSupport
import Testing

@testable import Ledger

@Suite struct FactCodingTests {
  @Test(arguments: Seed.sample(20))
  func everyFactIsReadAsItWasWritten(seed: Seed) throws {
    var source = FactSource(generator: seed.generator)
    for position in 1...300 as ClosedRange<UInt64> {
      let fact = source.fact()
      let bytes = try LoggedFacts.encode(fact, position: position)
      let read = try LoggedFacts.decode(bytes)
      try #require(read.position == position && read.fact == fact, "\(seed)")
      try #require(try LoggedFacts.encode(read.fact, position: position) == bytes, "\(seed)")
    }
  }

  @Test(arguments: Seed.sample(10))
  func aShortenedRecordIsTruncated(seed: Seed) throws {
    var source = FactSource(generator: seed.generator)
    for _ in 0..<20 {
      let bytes = try LoggedFacts.encode(source.fact(), position: 7)
      for count in 0..<min(bytes.count, 400) {
        #expect(throws: RecordFault.self, "\(seed)") { try LoggedFacts.decode(Array(bytes[..<count])) }
      }
    }
  }

  @Test(arguments: Seed.sample(20))
  func changedBytesAreRefusedOrAnotherFact(seed: Seed) throws {
    var source = FactSource(generator: seed.generator)
    var refusedCount = 0
    for _ in 0..<1500 {
      var bytes = try LoggedFacts.encode(source.fact(), position: 7)
      for _ in 0..<source.roll(3) + 1 {
        bytes[source.roll(min(bytes.count, 200))] = UInt8(truncatingIfNeeded: source.roll(256))
      }
      guard let read = try? LoggedFacts.decode(bytes) else {
        refusedCount += 1
        continue
      }
      // What is believed can be written, and is then read as the same.
      let again = try LoggedFacts.encode(read.fact, position: read.position)
      #expect(try LoggedFacts.decode(again).fact == read.fact, "\(seed)")
    }
    #expect(refusedCount > 100, "\(seed)")
  }

  @Test func whatANewerVersionWroteIsToldFromDamage() throws {
    var bytes = try LoggedFacts.encode(
      .identityDeleted(IdentityDeleted(identity: RowIndex(3), time: Microseconds(1))), position: 9)
    bytes[5] = 2
    #expect(throws: RecordFault.newer(type: 5, version: 2)) { try LoggedFacts.decode(bytes) }
    bytes[5] = 1
    bytes[4] = 77
    #expect(throws: RecordFault.newer(type: 77, version: 1)) { try LoggedFacts.decode(bytes) }
    bytes[4] = 0
    #expect(throws: RecordFault.malformed) { try LoggedFacts.decode(bytes) }
  }

  @Test func keptBytesAreReadForEver() throws {
    let kept = KeptFacts.all
    #expect(Set(kept.map { $0.bytes[4] }) == Set(FactType.allCases.map(\.rawValue)))
    for (number, sample) in kept.enumerated() {
      let position = UInt64(number + 1)
      let bytes = try LoggedFacts.encode(sample.fact, position: position)
      #expect(bytes == sample.bytes, "fact \(position): \(KeptFacts.hexadecimal(bytes))")
      let read = try LoggedFacts.decode(sample.bytes)
      #expect(read.position == position && read.fact == sample.fact)
    }
  }
}

/// Random facts of all types, likely and unlikely ones.
struct FactSource {
  var generator: SeededGenerator

  mutating func roll(_ sides: Int) -> Int { Int.random(in: 0..<sides, using: &generator) }

  mutating func fact() -> Fact {
    switch roll(13) {
    case 0:
      .ledgerCreated(
        LedgerCreated(
          identifier: identifier("ldg_"), name: text(), metadata: metadata(), createdAt: time(),
          time: time()))
    case 1: .ledgerUpdated(LedgerUpdated(ledger: row(), name: text(), time: time()))
    case 2:
      .identityCreated(
        IdentityCreated(
          identifier: identifier("idt_"), fields: fields(), metadata: metadata(), createdAt: time(),
          time: time()))
    case 3: .identityUpdated(IdentityUpdated(identity: row(), fields: fields(), time: time()))
    case 4: .identityDeleted(IdentityDeleted(identity: row(), time: time()))
    case 5, 6: .balanceCreated(balance())
    case 7:
      .balanceIdentityChanged(BalanceIdentityChanged(balance: row(), identity: row(), time: time()))
    case 8:
      .metadataChanged(
        MetadataChanged(
          kind: [.ledger, .identity, .balance, .transaction][roll(4)], row: row(), metadata: metadata(),
          time: time()))
    case 9: .keyRemembered(key())
    default: .transactionPosted(transaction())
    }
  }

  private mutating func balance() -> BalanceCreated {
    let time = time()
    return BalanceCreated(
      identifier: identifier("bln_"), ledger: row(), currency: text(), identity: roll(2) == 0 ? row() : nil,
      indicator: roll(2) == 0 ? "@" + text() : nil, currencyMultiplier: number(),
      tracksFundLineage: roll(2) == 0,
      allocationStrategy: AllocationStrategy.allCases[roll(3)], metadata: metadata(),
      createdAt: roll(2) == 0 ? time : self.time(), time: time)
  }

  private mutating func transaction() -> TransactionPosted {
    TransactionPosted(
      identifier: identifier("txn_"), source: row(), destination: row(), amount: amount(),
      precision: number(), status: TransactionStatus.allCases[roll(5)], allowOverdraft: roll(2) == 0,
      detail: TransactionDetail(
        reference: text(), description: roll(3) == 0 ? text() : nil,
        batch: roll(3) == 0 ? StoredIdentifier(high: generator.next(), low: generator.next()) : nil,
        effectiveDate: roll(3) == 0 ? time() : nil, overdraftLimit: roll(3) == 0 ? amount() : nil,
        metadataDigest: roll(3) == 0 ? generator.next() : nil),
      metadata: metadata(), time: time())
  }

  private mutating func key() -> KeyRemembered {
    let outcome: Outcome =
      switch roll(4) {
      case 0: .transaction(PostedItem(row: row(), replayed: roll(2) == 0))
      case 1: .metadata(.balance, row())
      case 2: .balances(items())
      default: .transactions(batch: identifier("bulk_"), items())
      }
    return KeyRemembered(
      key: IdempotencyKey(text: text(), contentDigest: generator.next()), outcome: outcome, time: time())
  }

  private mutating func items() -> [ItemOutcome] {
    (0..<roll(5)).map { _ in
      roll(3) == 0
        ? .refused(.insufficientFunds(balance: text(), available: amount(), requested: amount()))
        : .done(PostedItem(row: row(), replayed: roll(2) == 0))
    }
  }

  mutating func amount() -> Amount {
    if roll(3) == 0 { return Amount(Int64(1) << Int64(roll(63)) - Int64(roll(2)) + 1) }
    let amount = Amount.random(digits: [1, 3, 17, 19, 38, 40, 999][roll(7)], using: &generator)
    return amount.isZero ? .one : amount.magnitude
  }

  private mutating func number() -> Int64 {
    [1, 100, 127, 128, 1 << 20, .max, 0, -1, .min][roll(9)]
  }

  private mutating func row() -> RowIndex {
    RowIndex([0, 1, 7, 65_536, .max - 1][roll(5)] as UInt32)
  }

  private mutating func time() -> Microseconds {
    Microseconds([0, 1_735_689_600_000_000, .max, -5][roll(4)])
  }

  private mutating func text() -> String {
    let letters = ["a", "Z", "é", "本", "\u{0}", "\"", "🙂", "7"]
    let count = [0, 1, 5, 20, 127, 128, 300][roll(7)]
    return (0..<count).map { _ in letters[roll(roll(2) == 0 ? 2 : letters.count)] }.joined()
  }

  private mutating func metadata() -> [UInt8] {
    (0..<[0, 0, 1, 30, 2000][roll(5)]).map { _ in UInt8(truncatingIfNeeded: roll(256)) }
  }

  private mutating func fields() -> [String?] {
    IdentityField.allCases.map { _ in roll(3) == 0 ? text() : nil }
  }

  private mutating func identifier(_ prefix: String) -> Identifier {
    switch roll(4) {
    case 0: .custom(prefix + String(repeating: "x", count: 1 + roll(64)))
    case 1: .custom(prefix + "A-\(roll(10))_")
    default: .uuid(high: generator.next(), low: generator.next() >> 2 | 1 << 63)
    }
  }
}
