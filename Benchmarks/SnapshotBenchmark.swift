// How long saving and loading a million balances and a million transactions takes, and how large it is.

import Amounts
import Columns
import Ledger
import Platform
import Storage

/// Prints seconds and megabytes, and the digest of the books before and after.
enum SnapshotBenchmark {
  /// Rows of each kind: LEDGERLINE_BENCHMARK_ROWS, a million when it is not set.
  private static var rowCount: Int {
    CurrentProcess.environment("LEDGERLINE_BENCHMARK_ROWS").flatMap { Int($0) } ?? 1_000_000
  }

  static func run(_ scale: Scale) throws {
    let rowCount = scale(rowCount)
    print("snapshots of \(rowCount) balances and \(rowCount) transactions:")
    let clock = SystemClock()
    let root = CurrentProcess.environment("LEDGERLINE_BENCHMARK_DIR") ?? "/tmp"
    let path = PathName.join(root, "ledgerline-snapshot-benchmark-\(CurrentProcess.id)")
    defer { try? DataDirectory(existing: path).removeWithContents() }
    var books: Books? = try fill(clock, rowCount: rowCount)
    let digest = books.map { $0.cut().digest() }
    for (workers, direct) in [(1, true), (2, true), (1, false), (2, false)] {
      guard let books else { return }
      // Each in a directory of its own: a second snapshot of one position is not written.
      let inner = path + "-\(workers)-\(direct)"
      defer { try? DataDirectory(existing: inner).removeWithContents() }
      let opened = try Recovery.open(inner, clock: clock)
      let start = clock.monotonicTime()
      let made = try opened.store.create(
        books.cut(), options: SnapshotOptions(workerCount: workers, direct: direct))
      report(
        "save, \(workers) workers, \(direct ? "past the cache" : "through the cache")",
        clock.monotonicTime() - start, made.byteCount)
    }
    if let books {
      let opened = try Recovery.open(path, clock: clock)
      try opened.store.create(books.cut(), options: SnapshotOptions(workerCount: 2))
    }
    books = nil
    for round in 1...3 {
      let opened = try Recovery.open(path, clock: clock)
      report("load \(round)", opened.report.loadingTime, opened.report.loaded?.byteCount ?? 0)
      if round == 3 {
        let loaded = opened.books.cut().digest()
        print("  digest \(String(loaded, radix: 16))")
        guard loaded == digest else { throw SnapshotFailure.loadedOtherBooks }
      }
    }
  }

  /// Only loading, three times, from LEDGERLINE_BENCHMARK_BOOKS, which is filled when it is missing.
  static func load(_ scale: Scale) throws {
    let rowCount = scale(rowCount)
    print("loading \(rowCount) balances and \(rowCount) transactions:")
    let clock = SystemClock()
    let kept = CurrentProcess.environment("LEDGERLINE_BENCHMARK_BOOKS")
    let path = kept ?? "/tmp/ledgerline-load-benchmark-\(CurrentProcess.id)"
    defer { if kept == nil { try? DataDirectory(existing: path).removeWithContents() } }
    if (try? DataDirectory(existing: path)) == nil {
      let books = try fill(clock, rowCount: rowCount)
      let opened = try Recovery.open(path, clock: clock)
      try opened.store.create(books.cut(), options: SnapshotOptions(workerCount: 2))
    }
    for round in 1...3 {
      let start = clock.monotonicTime()
      let opened = try Recovery.open(path, clock: clock)
      report("load \(round)", clock.monotonicTime() - start, opened.report.loaded?.byteCount ?? 0)
      if round == 3 { print("  digest \(String(opened.books.cut().digest(), radix: 16))") }
    }
  }

  private static func fill(_ clock: SystemClock, rowCount: Int) throws(Refusal) -> Books {
    let books = Books(clock: clock, seed: (1, 2))
    var random = Xorshift(state: 88_172_645_463_325_252)
    var ledgers: [Identifier] = []
    for number in 0..<100 {
      let identifier = Identifier.custom("ldg_\(number)")
      _ = try books.execute(.createLedger(NewLedger(identifier: identifier, name: "ledger \(number)")))
      ledgers.append(identifier)
    }
    for _ in 0..<(rowCount / 1000) {
      let items = (0..<1000).map { _ in
        NewBalance(ledger: ledgers[random.next(100)], currency: "CU\(random.next(12))")
      }
      _ = try books.execute(.createBalances(items, atomic: true))
    }
    var byCurrency: [[Identifier]] = Array(repeating: [], count: 12)
    for index in 0..<rowCount {
      let code = Int(books.balances.currencies[.init(index)]) - 1
      byCurrency[code].append(books.balances.identifiers[.init(index)])
    }
    for batch in 0..<(rowCount / 1000) {
      let items = (0..<1000).map { place in
        let currency = random.next(12)
        let all = byCurrency[currency]
        let source = random.next(all.count)
        let text = books.currencies.text(of: UInt32(currency + 1)) ?? ""
        return NewTransaction(
          source: .balance(all[source]),
          destination: .balance(all[(source + 1 + random.next(all.count - 1)) % all.count]),
          amount: Amount(random.next(10_000_000) + 1), precision: 100, currency: text,
          reference: "reference-\(batch)-\(place)", allowOverdraft: true)
      }
      _ = try books.execute(.postTransactions(items, atomic: true))
    }
    return books
  }

  private static func report(_ name: String, _ time: Duration, _ byteCount: Int) {
    let seconds = Double(time.wholeNanoseconds / 10_000_000) / 100
    let megabytes = byteCount / 1_000_000
    print("  \(name): \(seconds) s, \(megabytes) MB")
  }
}

private enum SnapshotFailure: Error { case loadedOtherBooks }

/// Marsaglia's xorshift64: the same numbers on every run.
private struct Xorshift {
  var state: UInt64

  mutating func next(_ limit: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int(state % UInt64(limit))
  }
}
