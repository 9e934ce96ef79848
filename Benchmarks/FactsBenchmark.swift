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
    let log = FactLog()
    let plain = Books(clock: ManualClock(), seed: (1, 2))
    let logged = Books(clock: ManualClock(), seed: (1, 2), log: log)
    var records = Records()
    for command in commands.balances {
      for books in [plain, logged] { _ = try books.execute(command) }
      records.take(from: log, part: 0)
    }
    for (name, list, items) in [
      ("one a command", commands.singles, 1), ("in an atomic batch of 8,000", commands.batches, batchSize),
    ] {
      let (without, with) = try compare(list, items, plain, logged, log, &records)
      print("transaction \(name): \(without) ns without a log, \(with) with, \(with - without) more")
    }
    records.counts = logged.counts
    let digest = logged.cut().digest()
    guard plain.cut().digest() == digest else { throw FactsFailure.otherBooks }
    print("bytes a fact: balance \(records.balanceBytes), transaction \(records.transactionBytes)")
    try replay(records, digest)
  }

  private static func replay(_ records: Records, _ digest: UInt64) throws {
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

  /// Carries the commands out on both books, a group on one and then on the other, so that whatever else the
  /// machine does meets both. Draining is not measured.
  /// - Returns: the median group's nanoseconds a transaction.
  private static func compare(
    _ commands: [Command], _ items: Int, _ plain: Books, _ logged: Books, _ log: FactLog,
    _ records: inout Records
  ) throws -> (without: Int64, with: Int64) {
    let groupSize = max(500 / items, 1)
    var times: [[Int64]] = [[], []]
    for first in stride(from: 0, to: commands.count, by: groupSize) {
      let group = commands[first..<min(first + groupSize, commands.count)]
      let plainIsFirst = times[0].count & 1 == 0
      for turn in [0, 1] {
        let isLogged = (turn == 1) == plainIsFirst
        let books = isLogged ? logged : plain
        let start = CurrentProcess.threadTime
        for command in group { _ = try books.execute(command) }
        let time = (CurrentProcess.threadTime - start).wholeNanoseconds
        times[isLogged ? 1 : 0].append(time / Int64(group.count * items))
      }
      records.take(from: log, part: 1)
    }
    let medians = times.map { $0.sorted()[$0.count / 2] }
    return (medians[0], medians[1])
  }

  /// What was drained: records of the balances, then of the transactions, in pieces.
  private struct Records {
    var parts: [[[UInt8]]] = [[], []]
    var counts = TableCounts()
    private var buffer = [UInt8](repeating: 0, count: 128 << 10)

    var balanceBytes: Int { bytes(0) / max(counts.balances, 1) }
    var transactionBytes: Int { bytes(1) / max(counts.transactions, 1) }

    private func bytes(_ part: Int) -> Int { parts[part].reduce(0) { $0 + $1.count } }

    mutating func take(from log: FactLog?, part: Int) {
      guard let log else { return }
      while log.pendingByteCount > 0 {
        let byteCount = unsafe buffer.withUnsafeMutableBytes { unsafe log.drain(into: $0).byteCount }
        parts[part].append(Array(buffer[..<byteCount]))
      }
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
