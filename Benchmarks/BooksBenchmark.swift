// What a command costs inside the books: no wire, no socket, one thread.

import Amounts
import Columns
import Ledger
import Platform

/// Makes balances, moves money between random pairs of them one by one and in batches, first in one ledger,
/// then among a thousand; prints nanoseconds of processor time an item and a digest of the result, so that
/// faster cannot mean different.
enum BooksBenchmark {
  private static let batchSize = 8000

  static func run(_ scale: Scale) throws {
    let books = try run(scale, ledgers: [.generalLedger])
    try run(scale, ledgers: (0..<1000).map { .custom("ldg_\($0)") })
    instants(books)
  }

  @discardableResult
  private static func run(_ scale: Scale, ledgers: [Identifier]) throws -> Books {
    print("\(ledgers.count) ledger\(ledgers.count == 1 ? "" : "s")")
    let balanceCount = scale(1_000_000)
    let books = Books(clock: ManualClock(), seed: (1, 2))
    for ledger in ledgers where ledger != .generalLedger {
      _ = try books.execute(.createLedger(NewLedger(identifier: ledger, name: "n", metadata: [])))
    }
    try report("balance in a batch of 8,000", balanceCount) { try make(balanceCount, books, ledgers) }
    try post(scale, books, balanceCount)
    let cut = books.cut()
    var digest: UInt64 = 0
    report("row in the digest of a cut", cut.balanceCount + cut.transactionCount) { digest = cut.digest() }
    print("digest \(String(digest, radix: 16))")
    let bytes = books.balances.byteCount(rowCount: cut.balanceCount)
    let transactionBytes = books.transactions.byteCount(rowCount: cut.transactionCount)
    print(
      "bytes a balance \(bytes / cut.balanceCount), a transaction \(transactionBytes / cut.transactionCount)")
    return books
  }

  /// Moves money one by one, in atomic batches and in others.
  private static func post(_ scale: Scale, _ books: Books, _ balanceCount: Int) throws {
    let transactionCount = scale(1_000_000, least: batchSize)
    var random = SplitMix(state: 42)
    let identifiers = (0..<balanceCount).map { books.balances.identifiers[RowIndex($0)] }
    var number = 0
    func transactions(_ count: Int) -> [NewTransaction] {
      (0..<count).map { _ in
        number += 1
        let source = Int(random.next() % UInt64(balanceCount))
        let step = 1 + Int(random.next() % UInt64(balanceCount - 1))
        return NewTransaction(
          source: .balance(identifiers[source]),
          destination: .balance(identifiers[(source + step) % balanceCount]),
          amount: Amount(Int64(random.next() % 10_000 + 1)), precision: 100, currency: "USD",
          reference: "payment-\(number)", allowOverdraft: true)
      }
    }
    let singles = transactions(transactionCount)
    try report("transaction, one a command", transactionCount) {
      for new in singles { _ = try books.execute(.postTransaction(new)) }
    }
    for atomic in [true, false] {
      let batches = (0..<transactionCount / batchSize).map { _ in
        Command.postTransactions(transactions(batchSize), atomic: atomic)
      }
      try report(
        atomic ? "transaction in an atomic batch of 8,000" : "transaction in a batch of 8,000",
        batches.count * batchSize
      ) {
        for batch in batches { _ = try books.execute(batch) }
      }
    }
  }

  /// What a short query asks of an instant view.
  private static func instants(_ books: Books) {
    let count = 100_000
    let pageSize = 20
    var random = SplitMix(state: 7)
    let pages = (0..<count).map { _ in
      (0..<pageSize).map { _ in RowIndex(Int(random.next() % UInt64(books.counts.balances))) }
    }
    var sum = Amount.zero
    report("instant view of nothing", count) { for _ in 0..<count { books.withInstant { _ in } } }
    report("totals of a group in an instant view", count) {
      for _ in 0..<count { sum += books.withInstant { $0.groups.totals(0).credit } }
    }
    report("images of \(pageSize) random balances in an instant view", count) {
      for page in pages {
        let images = books.withInstant { $0.images(of: page) } ?? []
        for place in images.indices { sum += images[place].balance }
      }
    }
    report("the same, one by one on a held cut", count) {
      let cut = books.cut()
      for page in pages {
        for row in page { sum += cut.balance(row).balance }
      }
    }
    print("sum \(sum)")
  }

  private static func make(_ count: Int, _ books: Books, _ ledgers: [Identifier]) throws {
    var made = 0
    while made < count {
      let step = min(count - made, batchSize)
      let items = (made..<made + step).map {
        NewBalance(ledger: ledgers[$0 % ledgers.count], currency: "USD")
      }
      _ = try books.execute(.createBalances(items, atomic: true))
      made += step
    }
  }

  private static func report(_ name: String, _ count: Int, _ body: () throws -> Void) rethrows {
    let start = CurrentProcess.threadTime
    try body()
    let nanoseconds = (CurrentProcess.threadTime - start).wholeNanoseconds
    print("\(name): \(nanoseconds / Int64(max(count, 1))) ns (\(count) in \(nanoseconds / 1_000_000) ms)")
  }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
