// What it costs to log the facts of the books, and how fast they are replayed. One thread.

import Amounts
import Columns
import Ledger
import Platform

/// The same commands with a log and without, in turns; then the log is replayed into empty books. Prints
/// nanoseconds of processor time and bytes for each fact; the digests show that all books are the same.
enum FactsBenchmark {
  private static let batchSize = 8000
  private static let rounds = 3

  static func run(_ scale: Scale) throws {
    let balanceCount = scale(1_000_000)
    let transactionCount = scale(1_000_000, least: batchSize)
    let commands = Commands(balanceCount: balanceCount, transactionCount: transactionCount)
    var best = (plain: Costs(), logged: Costs())
    var records = Records()
    var digest: UInt64 = 0
    for _ in 0..<rounds {
      let plain = Books(clock: ManualClock(), seed: (1, 2))
      best.plain.takeBest(of: try execute(commands, on: plain, log: nil, &records))
      let log = FactLog()
      records.removeAll()
      let books = Books(clock: ManualClock(), seed: (1, 2), log: log)
      best.logged.takeBest(of: try execute(commands, on: books, log: log, &records))
      digest = books.cut().digest()
      guard plain.cut().digest() == digest else { throw FactsFailure.otherBooks }
    }
    for (name, plain, logged) in [
      ("one a command", best.plain.single, best.logged.single),
      ("in an atomic batch of 8,000", best.plain.batch, best.logged.batch),
    ] {
      print("transaction \(name): \(plain) ns without a log, \(logged) with, \(logged - plain) more")
    }
    print("bytes a fact: balance \(records.balanceBytes), transaction \(records.transactionBytes)")
    try replay(records, digest, balanceCount: balanceCount)
  }

  private static func replay(_ records: Records, _ digest: UInt64, balanceCount: Int) throws {
    var best = (balances: Int64.max, transactions: Int64.max)
    for _ in 0..<rounds {
      let books = Books(emptyWith: ManualClock(), seed: (3, 4))
      var replayer = FactReplayer(books)
      for (number, part) in records.parts.enumerated() {
        let start = CurrentProcess.threadTime
        for piece in part { unsafe try piece.withUnsafeBytes { unsafe try replayer.apply($0) } }
        let time = (CurrentProcess.threadTime - start).wholeNanoseconds
        if number == 0 { best.balances = min(best.balances, time) }
        if number == 1 { best.transactions = min(best.transactions, time) }
      }
      guard books.cut().digest() == digest else { throw FactsFailure.otherBooks }
    }
    let counts = (balances: Int64(records.counts.balances), transactions: Int64(records.counts.transactions))
    print("balance replayed: \(best.balances / max(counts.balances, 1)) ns")
    print(
      "transaction replayed: \(best.transactions / max(counts.transactions, 1)) ns,",
      "\(counts.transactions * 1_000_000 / max(best.transactions, 1)) thousand a second")
    print("digest \(String(digest, radix: 16))")
  }

  /// Carries everything out; drains the log outside the measured time.
  private static func execute(
    _ commands: Commands, on books: Books, log: FactLog?, _ records: inout Records
  ) throws -> Costs {
    for command in commands.balances { _ = try books.execute(command) }
    records.take(from: log, part: 0)
    var costs = Costs()
    costs.single = try measured(commands.singles, 1, books, log, &records)
    costs.batch = try measured(commands.batches, batchSize, books, log, &records)
    records.counts = books.counts
    return costs
  }

  private static func measured(
    _ commands: [Command], _ items: Int, _ books: Books, _ log: FactLog?, _ records: inout Records
  ) throws -> Int64 {
    // As many as a journal lets gather between two syncs, so that chunks are used again.
    let groupSize = max(8000 / items, 1)
    var time = Duration.zero
    var first = 0
    while first < commands.count {
      let end = min(first + groupSize, commands.count)
      let start = CurrentProcess.threadTime
      for index in first..<end { _ = try books.execute(commands[index]) }
      time += CurrentProcess.threadTime - start
      records.take(from: log, part: 1)
      first = end
    }
    return time.wholeNanoseconds / Int64(max(commands.count * items, 1))
  }

  private struct Costs {
    var single = Int64.max
    var batch = Int64.max

    mutating func takeBest(of other: Costs) {
      single = min(single, other.single)
      batch = min(batch, other.batch)
    }
  }

  /// What was drained: records of the balances, then of the transactions, in pieces.
  private struct Records {
    var parts: [[[UInt8]]] = [[], []]
    var counts = TableCounts()

    var balanceBytes: Int { bytes(0) / max(counts.balances, 1) }
    var transactionBytes: Int { bytes(1) / max(counts.transactions, 1) }

    private func bytes(_ part: Int) -> Int { parts[part].reduce(0) { $0 + $1.count } }

    mutating func removeAll() { parts = [[], []] }

    mutating func take(from log: FactLog?, part: Int) {
      guard let log, log.pendingByteCount > 0 else { return }
      let byteCount = log.pendingByteCount
      parts[part].append(
        unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
          count = unsafe log.drain(into: UnsafeMutableRawBufferPointer(buffer)).byteCount
        })
    }
  }

  /// Random moves between balances that the commands make themselves.
  private struct Commands {
    var balances: [Command] = []
    var singles: [Command] = []
    var batches: [Command] = []

    init(balanceCount: Int, transactionCount: Int) {
      let identifiers = (0..<balanceCount).map {
        Identifier.uuid(high: 0x0194_1F29_7C00_7000, low: 1 << 63 | UInt64($0))
      }
      for first in stride(from: 0, to: balanceCount, by: batchSize) {
        let items = identifiers[first..<min(first + batchSize, balanceCount)].map {
          NewBalance(identifier: $0, ledger: .generalLedger, currency: "USD")
        }
        balances.append(.createBalances(items, atomic: true))
      }
      var random = SplitMix(state: 42)
      var number = 0
      func next() -> NewTransaction {
        number += 1
        let source = Int(random.next() % UInt64(balanceCount))
        let step = 1 + Int(random.next() % UInt64(max(balanceCount - 1, 1)))
        return NewTransaction(
          source: .balance(identifiers[source]),
          destination: .balance(identifiers[(source + step) % balanceCount]),
          amount: Amount(Int64(random.next() % 10_000 + 1)), precision: 100, currency: "USD",
          reference: "payment-\(number)", allowOverdraft: true)
      }
      singles = (0..<transactionCount).map { _ in .postTransaction(next()) }
      batches = (0..<transactionCount / batchSize).map { _ in
        .postTransactions((0..<batchSize).map { _ in next() }, atomic: true)
      }
    }
  }
}

private enum FactsFailure: Error { case otherBooks }
