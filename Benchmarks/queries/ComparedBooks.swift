// The demo's books in this process: what `ledgerline demo` sends through its socket, without the socket.

import Amounts
import Columns
import Ledger
import Platform
import Samples
import Synchronization

/// The kernel's clock, but for a wall clock that stands still until it is released, so that rows which the
/// books date themselves are the same in every run.
final class HeldClock: TimeSource {
  private let isReleased = Atomic<Bool>(false)
  private let system = SystemClock()
  /// 2025-01-01T00:00:00Z: after the demo's last balance.
  private static let held = Microseconds(1_735_689_600_000_000)

  func wallTime() -> Microseconds {
    isReleased.load(ordering: .relaxed) ? system.wallTime() : Self.held
  }

  func monotonicTime() -> MonotonicTime { system.monotonicTime() }

  func release() { isReleased.store(true, ordering: .relaxed) }
}

/// Books filled by the demo's generator: as many balances as asked for, as many transfers, a quarter as many
/// identities, and one balance of the world for each currency.
final class ComparedBooks: Sendable {
  let demo: DemoBooks
  let books: Books
  let clock = HeldClock()
  /// Resident bytes that the balances brought: just created, and after the transfers, those of the
  /// transactions taken off.
  let bytesWhenCreated: Int
  let bytesAfterTransfers: Int

  private static let batchSize = 8000

  init(balanceCount: Int) throws {
    demo = DemoBooks(balanceCount: balanceCount, transferCount: balanceCount)
    books = Books(clock: clock, seed: (7, 7))
    try Self.addEntities(demo, books)
    let before = ProcessMemory.residentByteCount
    try Self.addBalances(demo, books)
    bytesWhenCreated = ProcessMemory.residentByteCount - before
    try Self.addTransfers(demo, books)
    bytesAfterTransfers =
      ProcessMemory.residentByteCount - before
      - books.transactions.byteCount(rowCount: books.counts.transactions)
    clock.release()
  }

  private static func addEntities(_ demo: DemoBooks, _ books: Books) throws {
    for ledger in 0..<DemoBooks.ledgerCount {
      let new = NewLedger(
        identifier: try identifier(demo.ledgerID(ledger), .ledger), name: DemoBooks.ledgerName(ledger))
      _ = try books.execute(.createLedger(new))
    }
    for identity in 0..<demo.identityCount {
      var fields = [String?](repeating: nil, count: IdentityField.allCases.count)
      let (first, last) = DemoBooks.personName(identity)
      fields[IdentityField.identityType.rawValue] = "individual"
      fields[IdentityField.firstName.rawValue] = first
      fields[IdentityField.lastName.rawValue] = last
      let new = NewIdentity(
        identifier: try self.identifier(demo.identityID(identity), .identity), fields: fields)
      _ = try books.execute(.createIdentity(new))
    }
  }

  private static func addBalances(_ demo: DemoBooks, _ books: Books) throws {
    let ledgers = try (0..<DemoBooks.ledgerCount).map { try identifier(demo.ledgerID($0), .ledger) }
    for start in stride(from: 0, to: demo.balanceCount, by: batchSize) {
      let items = try (start..<min(start + batchSize, demo.balanceCount)).map { row in
        let hasIndicator = demo.hasIndicator(row)
        return NewBalance(
          identifier: try identifier(demo.balanceID(row), .balance),
          ledger: hasIndicator ? .generalLedger : ledgers[demo.ledger(of: row)],
          currency: DemoBooks.currencies[demo.currency(of: row)],
          identity: hasIndicator ? nil : try identifier(demo.identityID(demo.identity(of: row)), .identity),
          indicator: hasIndicator ? DemoBooks.indicator(of: row) : nil,
          createdAt: Microseconds(Int64(demo.createdAt(row)) * 1000))
      }
      _ = try books.execute(.createBalances(items, atomic: true))
    }
  }

  private static func addTransfers(_ demo: DemoBooks, _ books: Books) throws {
    var makers = TransferMaker(demo, books, referencePrefix: "demo-")
    for start in stride(from: 0, to: demo.transferCount, by: batchSize) {
      let items = makers.next(min(batchSize, demo.transferCount - start))
      guard
        case .transactions(_, let outcomes) = try books.execute(.postTransactions(items, atomic: false))
          .outcome,
        outcomes.allSatisfy({ if case .done = $0 { true } else { false } })
      else { throw ComparisonFailure.refused }
    }
  }

  private static func identifier(_ text: String, _ kind: EntityKind) throws -> Identifier {
    guard let identifier = Identifier(text, kind: kind) else { throw ComparisonFailure.notAnIdentifier(text) }
    return identifier
  }
}

enum ComparisonFailure: Error {
  case refused
  case notAnIdentifier(String)
  case wrongUsage(String)
  case notAnswered(String)
}

/// Makes the demo's transfers as the books take them, one after another.
struct TransferMaker {
  private let demo: DemoBooks
  private let books: Books
  private let referencePrefix: String
  private var index: Int

  init(_ demo: DemoBooks, _ books: Books, referencePrefix: String, from index: Int = 0) {
    self.demo = demo
    self.books = books
    self.referencePrefix = referencePrefix
    self.index = index
  }

  mutating func next(_ count: Int) -> [NewTransaction] {
    defer { index += count }
    return (index..<index + count).map { index in
      let movement = demo.movement(index)
      let identifiers = books.balances.identifiers
      return NewTransaction(
        source: movement.source.map { .balance(identifiers[RowIndex($0)]) } ?? .indicator(DemoBooks.world),
        destination: .balance(identifiers[RowIndex(movement.destination)]),
        amount: Amount(movement.amount), currency: DemoBooks.currencies[movement.currency],
        reference: referencePrefix + String(index), allowOverdraft: movement.source == nil)
    }
  }
}

/// What the kernel says of this process's memory.
enum ProcessMemory {
  static var residentByteCount: Int {
    guard let file = try? OpenFile("/proc/self/statm", .read) else { return 0 }
    var reader = LineReader(descriptor: file.descriptor, limit: 4096)
    guard case .line(let bytes)? = try? reader.next() else { return 0 }
    let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    return words.count > 1 ? (Int(words[1]) ?? 0) * 4096 : 0
  }
}
