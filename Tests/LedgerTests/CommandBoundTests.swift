// What a command may write is bounded before it runs, and what a row's reader saw is known afterwards.

import Amounts
import Columns
import LedgerSupport
import Platform
import TestSupport
import Testing

@testable import Ledger

@Suite struct CommandBoundTests {
  /// Executes random commands and gives each with the bytes that it wrote.
  private func forEachCommand(
    _ seed: Seed, count: Int, _ body: (Books, Command, IdempotencyKey?, Int, ArraySlice<UInt8>) throws -> Void
  ) throws {
    var random = CommandSource(seed)
    let log = FactLog()
    let clock = ManualClock()
    let books = Books(clock: clock, seed: (seed.value, 1), log: log)
    var logged = LoggedFacts()
    try logged.take(from: log)
    for _ in 0..<count {
      let (command, key) = random.command()
      let bound = Books.encodedByteBound(of: command, key: key)
      let before = logged.bytes.count
      let position = books.position
      _ = try? books.execute(command, key: key)
      let pending = log.pendingByteCount
      try logged.take(from: log)
      #expect(pending == logged.bytes.count - before, "\(seed)")
      #expect((pending > 0) == (books.position > position), "\(seed)")
      #expect(log.publishedPosition == books.position, "\(seed)")
      try body(books, command, key, bound, logged.bytes[before...])
    }
  }

  @Test(arguments: Seed.sample(12))
  func noCommandWritesMoreThanItsBound(seed: Seed) throws {
    try forEachCommand(seed, count: 500) { _, command, key, bound, bytes in
      try #require(bytes.count <= bound, "\(seed): \(command)")
    }
  }

  @Test(arguments: Seed.sample(6))
  func aBoundIsNotMuchMoreThanIsWritten(seed: Seed) throws {
    try forEachCommand(seed, count: 300) { _, command, key, bound, bytes in
      if bytes.isEmpty { return }
      let isOrdinary: Bool
      switch command {
      // What these write depends on what there is; what is refused of a batch writes nothing.
      case .updateMetadata, .updateIdentity: isOrdinary = false
      case .createBalances(_, atomic: false), .postTransactions(_, atomic: false): isOrdinary = false
      case .createLedger, .updateLedger, .createIdentity, .deleteIdentity, .createBalance, .createBalances,
        .setBalanceIdentity, .postTransaction, .postTransactions:
        // A replay writes no more than its key.
        isOrdinary = bytes.count > 150
      }
      if isOrdinary { #expect(bound <= 4 * bytes.count + 1024, "\(seed): \(command)") }
    }
  }

  @Test func ordinaryTransactionsAreBoundedClosely() throws {
    let log = FactLog()
    let books = Books(clock: ManualClock(), seed: (1, 1), log: log)
    let items = (0..<1000).map { number in
      NewTransaction(
        source: .indicator("@bank"), destination: .indicator("@cash"), amount: Amount(Int64(number + 1)),
        precision: 100, currency: "USD", reference: "payment-\(number)", allowOverdraft: true)
    }
    for atomic in [true, false] {
      let before = log.pendingByteCount
      let key = IdempotencyKey(text: "\(atomic)", contentDigest: 1)
      let command = Command.postTransactions(
        items.map { item in
          var item = item
          item.reference += "\(atomic)"
          return item
        }, atomic: atomic)
      _ = try books.execute(command, key: key)
      let bound = Books.encodedByteBound(of: command, key: key)
      let written = log.pendingByteCount - before
      #expect(written <= bound && bound <= (atomic ? 4 : 8) * written, "\(written) of \(bound)")
    }
  }

  @Test(arguments: Seed.sample(8))
  func aRowTellsTheLastFactThatItsReaderSaw(seed: Seed) throws {
    var latest: [EntityKind: [UInt64]] = [.ledger: [1]]
    var counts = TableCounts(ledgers: 1)
    func touch(_ kind: EntityKind, _ row: RowIndex, _ position: UInt64) {
      var rows = latest[kind] ?? []
      if row.index == rows.count { rows.append(position) } else { rows[row.index] = position }
      latest[kind] = rows
    }
    try forEachCommand(seed, count: 300) { books, _, _, _, bytes in
      var rest = bytes
      while !rest.isEmpty {
        let count =
          Int(rest[rest.startIndex]) | Int(rest[rest.startIndex + 1]) << 8
          | Int(rest[rest.startIndex + 2]) << 16
        let (position, fact) = try LoggedFacts.decode(Array(rest.prefix(count)))
        rest = rest.dropFirst(count)
        switch fact {
        case .ledgerCreated:
          touch(.ledger, RowIndex(counts.ledgers), position)
          counts.ledgers += 1
        case .ledgerUpdated(let fact): touch(.ledger, fact.ledger, position)
        case .identityCreated:
          touch(.identity, RowIndex(counts.identities), position)
          counts.identities += 1
        case .identityUpdated(let fact): touch(.identity, fact.identity, position)
        case .identityDeleted(let fact): touch(.identity, fact.identity, position)
        case .balanceCreated:
          touch(.balance, RowIndex(counts.balances), position)
          counts.balances += 1
        case .balanceIdentityChanged(let fact): touch(.balance, fact.balance, position)
        case .metadataChanged(let fact): touch(fact.kind, fact.row, position)
        case .transactionPosted(let fact):
          touch(.balance, fact.source, position)
          touch(.balance, fact.destination, position)
          touch(.transaction, RowIndex(counts.transactions), position)
          counts.transactions += 1
        case .keyRemembered: break
        }
      }
      for (kind, positions) in latest {
        for (row, position) in positions.enumerated() {
          let told = books.latestChange(kind, RowIndex(row))
          try #require(told >= position && told <= books.position, "\(seed): \(kind) \(row)")
        }
      }
    }
  }

  @Test func anOldRowIsNotAsYoungAsTheBooks() throws {
    let books = Books(clock: ManualClock(), seed: (1, 1))
    // More rows than a chunk has in its shard, so that later ones lie in another.
    let items = (0..<Layout.stripeRows + 1).map { _ in NewBalance(ledger: .generalLedger, currency: "USD") }
    _ = try books.execute(.createBalances(items, atomic: true))
    let before = books.position
    _ = try books.execute(.createBalances([items[0]], atomic: true))
    #expect(books.latestChange(.balance, RowIndex(0)) < before)
    #expect(books.latestChange(.balance, RowIndex(Layout.stripeRows + 1)) == books.position)
  }
}
