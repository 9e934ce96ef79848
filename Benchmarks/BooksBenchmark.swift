// What a command costs inside the books: no wire, no socket, one thread.

import Amounts
import Columns
import Ledger
import Platform

/// Makes balances, moves money between random pairs of them one by one and in batches, restores the whole
/// from its rows; prints nanoseconds of processor time an item and a digest of the result, so that faster
/// cannot mean different.
enum BooksBenchmark {
  private static let batchSize = 8000

  static func run(_ scale: Scale) throws {
    let balanceCount = scale(1_000_000)
    let transactionCount = scale(1_000_000, least: batchSize)
    let clock = SystemClock()
    let books = Books(clock: ManualClock(), seed: (1, 2))
    var random = SplitMix(state: 42)
    try report("balance in a batch of 8,000", balanceCount) { try make(balanceCount, books) }
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
    let cut = books.cut()
    var digest: UInt64 = 0
    report("row in the digest of a cut", cut.balanceCount + cut.transactionCount) { digest = cut.digest() }
    var copy: Books?
    try report("row restored", cut.balanceCount + cut.transactionCount) { copy = try restore(cut, clock) }
    print("digest \(String(digest, radix: 16)), of the copy \(String(copy?.cut().digest() ?? 0, radix: 16))")
    guard copy?.cut().digest() == digest else { throw BooksFailure.restoredOtherBooks }
    let bytes = books.balances.byteCount(rowCount: cut.balanceCount)
    let transactionBytes = books.transactions.byteCount(rowCount: cut.transactionCount)
    print(
      "bytes a balance \(bytes / cut.balanceCount), a transaction \(transactionBytes / cut.transactionCount)")
  }

  private static func make(_ count: Int, _ books: Books) throws {
    var left = count
    while left > 0 {
      let step = min(left, batchSize)
      let items = (0..<step).map { _ in NewBalance(ledger: .generalLedger, currency: "USD") }
      _ = try books.execute(.createBalances(items, atomic: true))
      left -= step
    }
  }

  private static func report(_ name: String, _ count: Int, _ body: () throws -> Void) rethrows {
    let start = CurrentProcess.threadTime
    try body()
    let nanoseconds = (CurrentProcess.threadTime - start).wholeNanoseconds
    print("\(name): \(nanoseconds / Int64(max(count, 1))) ns (\(count) in \(nanoseconds / 1_000_000) ms)")
  }

  private static func restore(_ cut: Cut, _ clock: SystemClock) throws -> Books? {
    let books = cut.books
    var restorer = BooksRestorer(
      clock: clock, seed: (3, 4),
      expected: TableCounts(
        balances: cut.balanceCount, transactions: cut.transactionCount, ledgers: 1))
    for code in 0..<cut.currencyCount {
      try restorer.appendCurrency(books.currencies.text(of: TextCode(code + 1)) ?? "")
    }
    let general = RowIndex(0)
    guard let record = unsafe books.ledgers.record(general, cut: cut.epoch) else { return nil }
    unsafe try restorer.appendLedger(
      .generalLedger, createdAt: Microseconds(books.ledgers.createdAt[general]), record: record)
    let empty = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    for row in (0..<cut.balanceCount).lazy.map({ RowIndex($0) }) {
      let image = cut.balance(row)
      let table = books.balances
      let restored = RestoredBalance(
        identifier: table.identifiers[row], ledger: RowIndex(table.ledgers[row]),
        currency: table.currencies[row], indicator: 0, identity: nil,
        createdAt: Microseconds(table.createdAt[row]), currencyMultiplier: table.multipliers[row],
        flags: table.flags[row], version: image.version, credit: image.credit, debit: image.debit,
        balance: image.balance, inflightCredit: .zero, inflightDebit: .zero)
      unsafe try restorer.appendBalance(restored, metadata: empty)
    }
    for row in (0..<cut.transactionCount).lazy.map({ RowIndex($0) }) {
      let table = books.transactions
      let restored = RestoredTransaction(
        identifier: table.identifiers[row], source: table.source(row),
        destination: table.destination(row), amount: table.amount(row), precision: table.precisions[row],
        createdAt: Microseconds(table.createdAt[row]), position: table.positions[row],
        flags: table.flags[row])
      unsafe try restorer.appendTransaction(restored, detail: table.detailBytes(row), metadata: empty)
    }
    return try restorer.finish(position: cut.position, lastInstant: cut.lastInstant)
  }
}

private enum BooksFailure: Error { case restoredOtherBooks }

/// SplitMix64 (Steele, Lea and Flood, 2014).
private struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
