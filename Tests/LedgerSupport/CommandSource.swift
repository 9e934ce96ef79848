// Random commands over few names, so that they meet each other; about a third are wrong.

import Amounts
import Columns
import Ledger
import Platform
import TestSupport

package struct CommandSource {
  package var generator: SeededGenerator
  private var count = 0
  private var sent: [NewTransaction] = []

  package init(_ seed: Seed) { generator = seed.generator }

  package mutating func roll(_ sides: Int) -> Int { Int.random(in: 0..<sides, using: &generator) }

  package mutating func pick<Value>(_ values: [Value]) -> Value { values[roll(values.count)] }

  package mutating func command() -> (Command, IdempotencyKey?) {
    count += 1
    let key: IdempotencyKey? =
      roll(8) == 0 ? IdempotencyKey(text: "key\(roll(20))", contentDigest: UInt64(roll(2))) : nil
    switch roll(20) {
    case 0:
      return (.createLedger(NewLedger(identifier: ledger(), name: "n\(count)", metadata: metadata())), key)
    case 1: return (.updateLedger(ledger(), name: "renamed\(count)"), key)
    case 2:
      var fields = [String?](repeating: nil, count: IdentityField.allCases.count)
      fields[roll(fields.count)] = "text\(count)"
      return (.createIdentity(NewIdentity(identifier: identity(), fields: fields, metadata: metadata())), key)
    case 3:
      return (.updateIdentity(identity(), fields: [(.city, roll(2) == 0 ? nil : "c\(count)")]), key)
    case 4: return (.deleteIdentity(identity()), key)
    case 5, 6: return (.createBalance(newBalance()), key)
    case 7:
      let items = (0..<roll(6)).map { _ in newBalance() }
      return (.createBalances(items, atomic: roll(2) == 0), key)
    case 8: return (.setBalanceIdentity(balance: balance(), identity: identity()), key)
    case 9:
      let kind = pick([EntityKind.ledger, .identity, .balance, .transaction])
      let id =
        switch kind {
        case .ledger: ledger()
        case .identity: identity()
        case .transaction: Identifier.custom("txn_\(roll(60))")
        default: balance()
        }
      let suffix = [UInt8](repeating: 1, count: roll(10) == 0 ? 70_000 : roll(50))
      return (.updateMetadata(kind, id) { old in Array(old.prefix(100)) + suffix }, key)
    case 10...13: return (.postTransaction(newTransaction()), key)
    default:
      let items = (0..<roll(12)).map { _ in newTransaction() }
      return (.postTransactions(items, atomic: roll(2) == 0), key)
    }
  }

  package mutating func ledger() -> Identifier { roll(4) > 0 ? .generalLedger : .custom("ldg_\(roll(6))") }
  package mutating func identity() -> Identifier { .custom("idt_\(roll(8))") }
  package mutating func balance() -> Identifier {
    roll(12) == 0 ? .custom("bln_none") : .custom("bln_\(roll(16))")
  }
  package mutating func currency() -> String {
    roll(5) > 0 ? "USD" : pick(["EUR", "a currency of more than 15 bytes"])
  }

  package mutating func metadata() -> [UInt8] {
    switch roll(12) {
    case 0...2: Array("{\"n\":\(count)}".utf8)
    case 3: roll(4) == 0 ? [UInt8](repeating: 32, count: 65_537) : []
    default: []
    }
  }

  package mutating func newBalance() -> NewBalance {
    NewBalance(
      identifier: .custom("bln_\(roll(16))"), ledger: ledger(), currency: currency(),
      identity: roll(3) == 0 ? identity() : nil, indicator: roll(5) == 0 ? "@i\(roll(4))" : nil,
      currencyMultiplier: Int64(roll(3) + 1), tracksFundLineage: roll(6) == 0,
      allocationStrategy: pick(AllocationStrategy.allCases),
      createdAt: roll(8) == 0 ? Microseconds(Int64(roll(1_000_000))) : nil, metadata: metadata())
  }

  package mutating func party() -> Party {
    roll(4) == 0 ? .indicator("@i\(roll(4))") : .balance(balance())
  }

  package mutating func amount() -> Amount {
    let amount = Amount.random(digits: pick([3, 3, 3, 19, 31, 999]), using: &generator)
    return amount.isZero ? .one : amount.magnitude
  }

  package mutating func newTransaction() -> NewTransaction {
    if !sent.isEmpty, roll(6) == 0 {
      // One that was sent before, often with a member changed.
      var again = pick(sent)
      switch roll(12) {
      case 0: again.amount += .one
      case 1: again.description = "another"
      case 2: again.source = party()
      case 3: again.effectiveDate = Microseconds(7)
      case 4: again.metadata = metadata()
      case 5: again.identifier = .custom("txn_\(roll(60))")
      case 6: again.allowOverdraft.toggle()
      default: break
      }
      return again
    }
    let new = NewTransaction(
      identifier: .custom("txn_\(count)_\(sent.count)"), source: party(), destination: party(),
      amount: amount(),
      precision: Int64(pick([1, 100])), currency: currency(), reference: "reference \(roll(3000))",
      description: roll(3) == 0 ? "d\(roll(3))" : nil, allowOverdraft: roll(2) == 0,
      overdraftLimit: roll(4) == 0 ? amount() : nil,
      effectiveDate: roll(5) == 0 ? Microseconds(Int64(roll(1000))) : nil, metadata: metadata())
    var named = new
    if roll(3) == 0 { named.identifier = .custom("txn_\(roll(60))") }
    sent.append(named)
    return named
  }
}
