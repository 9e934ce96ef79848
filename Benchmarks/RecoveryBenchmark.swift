// How long a start takes: after a clean stop with a snapshot, and after a kill with everything in the
// journal.

import Amounts
import Columns
import Ledger
import Platform
import Storage

/// Prints seconds, facts a second, and the digest of the books before and after.
enum RecoveryBenchmark {
  private static let balanceCount = 100_000

  static func run(_ scale: Scale) throws {
    let count = scale(
      CurrentProcess.environment("LEDGERLINE_BENCHMARK_ROWS").flatMap { Int($0) } ?? 1_000_000, least: 1000)
    print("starts with \(count) transfers between \(scale(balanceCount, least: 100)) balances:")
    let clock = SystemClock()
    let root = CurrentProcess.environment("LEDGERLINE_BENCHMARK_DIR") ?? "/tmp"
    let kept = CurrentProcess.environment("LEDGERLINE_BENCHMARK_BOOKS")
    let path = kept ?? PathName.join(root, "ledgerline-recovery-benchmark-\(CurrentProcess.id)")
    defer { if kept == nil { try? DataDirectory(existing: path).removeWithContents() } }
    let digest = try fill(path, clock, count: count, balanceCount: scale(balanceCount, least: 100))
    // Kept for a start of the program itself.
    if kept != nil { return }
    for round in 1...2 {
      let start = clock.monotonicTime()
      let opened = try Recovery.open(path, clock: clock)
      let time = clock.monotonicTime() - start
      let rate = Double(opened.report.replayedFactCount) / seconds(opened.report.replayTime)
      print("  replay \(round): \(seconds(time)) s, \(Int(rate)) facts a second")
      if round < 2 { continue }
      let cut = opened.books.cut()
      guard cut.digest() == digest else { throw RecoveryFailure.otherBooks }
      try opened.store.create(cut, options: SnapshotOptions(workerCount: 2))
    }
    for round in 1...2 {
      let start = clock.monotonicTime()
      let opened = try Recovery.open(path, clock: clock)
      print("  load \(round): \(seconds(clock.monotonicTime() - start)) s")
      if round == 2, opened.books.cut().digest() != digest { throw RecoveryFailure.otherBooks }
    }
    print("  digest \(String(digest, radix: 16))")
  }

  private static func seconds(_ time: Duration) -> Double { Double(time.wholeNanoseconds / 1_000_000) / 1000 }

  /// Everything in the journal, nothing in a snapshot.
  private static func fill(
    _ path: String, _ clock: SystemClock, count: Int, balanceCount: Int
  ) throws -> UInt64 {
    let opened = try Recovery.open(path, clock: clock)
    var options = JournalOptions()
    options.durability = .none
    let journal = try opened.startJournal(options)
    let books = opened.books
    let batch = 1000
    var identifiers: [Identifier] = []
    for _ in 0..<max(balanceCount / batch, 1) {
      let items = (0..<min(batch, balanceCount)).map { _ in
        NewBalance(ledger: .generalLedger, currency: "USD")
      }
      _ = try books.execute(.createBalances(items, atomic: true))
    }
    identifiers = (0..<books.counts.balances).map { books.balances.identifiers[.init($0)] }
    var state: UInt64 = 88_172_645_463_325_252
    func next(_ limit: Int) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state % UInt64(limit))
    }
    for number in 0..<count / batch {
      let items = (0..<batch).map { place in
        let source = next(identifiers.count)
        return NewTransaction(
          source: .balance(identifiers[source]),
          destination: .balance(identifiers[(source + 1 + next(identifiers.count - 1)) % identifiers.count]),
          amount: Amount(next(10_000_000) + 1), precision: 100, currency: "USD",
          reference: "reference-\(number)-\(place)", allowOverdraft: true)
      }
      _ = try books.execute(.postTransactions(items, atomic: false))
      while journal.isCrowded { Thread.yield() }
    }
    let digest = books.cut().digest()
    try journal.stop()
    return digest
  }
}

private enum RecoveryFailure: Error { case otherBooks }
