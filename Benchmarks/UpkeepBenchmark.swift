// What it costs to keep sketches, groups and the order of balances up to date. One thread.

import Amounts
import Columns
import Ledger
import Platform

/// Transfers between uniformly random balances in atomic batches; then what the first reader of the order
/// waits for, what readers ask of it, and what it takes to make the index in one go.
enum UpkeepBenchmark {
  private static let batchSize = 8000
  private static let refreshRounds = 40
  /// Transfers of a round: their rows may all stay noted.
  private static let refreshTransfers = 2000

  static func run(_ scale: Scale) throws {
    for balanceCount in [scale(1_000_000, least: 4000), scale(10_000_000, least: 4000)] {
      print("\(balanceCount) balances")
      try runBooks(scale, balanceCount: balanceCount, keepsOrder: false)
      try runBooks(scale, balanceCount: balanceCount, keepsOrder: true)
      runBlocks(scale, balanceCount)
      runIndex(balanceCount, "spread", amount: spread)
      runIndex(balanceCount, "all 100,000") { _, _ in 100_000 }
      runIndex(balanceCount, "100,000 and a little") { random, _ in
        100_000 + Int64(random.next() % 401) - 200
      }
    }
  }

  // MARK: Books

  private static func runBooks(_ scale: Scale, balanceCount: Int, keepsOrder: Bool) throws {
    let transferCount = scale(2_000_000, least: batchSize * 2)
    let books = keepsOrder ? Books(clock: ManualClock(), seed: (1, 2)) : try booksWithoutOrder()
    print(keepsOrder ? "  books" : "  books without the order of balances")
    var left = balanceCount
    var start = CurrentProcess.threadTime
    while left > 0 {
      let items = (0..<min(left, batchSize)).map { _ in
        NewBalance(ledger: .generalLedger, currency: "USD")
      }
      _ = try books.execute(.createBalances(items, atomic: true))
      left -= items.count
    }
    report("balance made", start, balanceCount)
    var source = TransferSource(books)
    var times: [Int64] = []
    for _ in 0..<transferCount / batchSize {
      let command = Command.postTransactions(source.transfers(batchSize), atomic: true)
      start = CurrentProcess.threadTime
      _ = try books.execute(command)
      times.append((CurrentProcess.threadTime - start).wholeNanoseconds / Int64(batchSize))
    }
    let spread = times.dropFirst(times.count / 2).sorted()
    print("  transfer in a batch of 8,000: \(spread[spread.count / 2]) ns, best \(spread[0]) ns")
    if !keepsOrder {
      start = CurrentProcess.threadTime
      books.openBalanceOrder()
      report("order made: balance", start, balanceCount)
      return
    }
    try refresh(books, &source)
    pages(books)
    print("  bytes a balance of the order: \(books.balances.orderByteCount / balanceCount)")
    let faults = balanceCount <= 1_000_000 ? books.checkInvariants(on: books.cut()) : []
    print("  faults \(faults.count), digest \(String(books.cut().digest(), radix: 16))")
  }

  /// Books that have replayed their first fact, and whose order nobody has opened.
  private static func booksWithoutOrder() throws -> Books {
    let log = FactLog()
    _ = Books(clock: ManualClock(), seed: (1, 2), log: log)
    let books = Books(emptyWith: ManualClock(), seed: (1, 2))
    var replayer = FactReplayer(books)
    var buffer = [UInt8](repeating: 0, count: 4096)
    let byteCount = unsafe buffer.withUnsafeMutableBytes { unsafe log.drain(into: $0).byteCount }
    unsafe try buffer[..<byteCount].withUnsafeBytes { unsafe try replayer.apply($0) }
    return books
  }

  /// The two additions and the count that a posting makes in a block of a balance, as the books make them and
  /// without the sketches.
  private static func runBlocks(_ scale: Scale, _ count: Int) {
    let table = BlockTable(epochs: Epochs(), kind: AmountBlock.kind(laneCount: 3, word: 1))
    for chunk in 0..<Layout.chunkCount(rows: count) { _ = table.blockForWriting(chunk, position: 1) }
    let window = 32
    var random = SplitMix(state: 3)
    for keepsSketches in [false, true, false, true] {
      let turns = scale(4_000_000) / window
      let start = CurrentProcess.threadTime
      var rows = [RowIndex](repeating: RowIndex(0), count: window)
      for _ in 0..<turns {
        for place in rows.indices {
          rows[place] = RowIndex(Int(random.next() % UInt64(count)))
          guard let block = table.currentBlock(Layout.chunk(of: rows[place])) else { continue }
          let amounts = AmountBlock(block, laneCount: 3)
          let slot = Layout.slot(of: rows[place])
          for lane in [place & 1, 2] {
            amounts.prefetch(lane: lane, slot: slot)
            if keepsSketches { amounts.prefetchSketch(lane: lane, slot: slot) }
          }
          amounts.prefetchWord(slot: slot)
        }
        for place in rows.indices {
          let block = table.blockForWriting(Layout.chunk(of: rows[place]), position: 2)
          let amounts = AmountBlock(block, laneCount: 3)
          let slot = Layout.slot(of: rows[place])
          let amount = Int64(random.next() % 1_000_000)
          if keepsSketches {
            amounts.add(Amount(amount), lane: place & 1, slot: slot)
            amounts.add(Amount(amount), lane: 2, slot: slot)
          } else {
            unsafe amounts.lane(place & 1)[slot] += amount
            unsafe amounts.lane(2)[slot] += amount
          }
          unsafe amounts.words[slot] += 1
        }
      }
      report("posting to a block \(keepsSketches ? "with" : "without") sketches", start, turns * window)
    }
  }

  private static func refresh(_ books: Books, _ source: inout TransferSource) throws {
    books.withInstant { _ = $0.balanceOrder.count }
    var times: [Int64] = []
    for _ in 0..<refreshRounds {
      _ = try books.execute(.postTransactions(source.transfers(refreshTransfers), atomic: true))
      let start = CurrentProcess.threadTime
      books.withInstant { _ = $0.balanceOrder.count }
      times.append((CurrentProcess.threadTime - start).wholeNanoseconds / Int64(refreshTransfers * 2))
    }
    times.sort()
    print("  row moved by a reader: \(times[times.count / 2]) ns, best \(times[0]) ns")
  }

  private static func pages(_ books: Books) {
    func measure(_ name: String, _ body: (LiveBalanceOrder) -> Int) {
      var times: [Int64] = []
      var result = 0
      for _ in 0..<200 {
        let start = CurrentProcess.threadTime
        books.withInstant { result = body($0.balanceOrder) }
        times.append((CurrentProcess.threadTime - start).wholeNanoseconds)
      }
      times.sort()
      print("  \(name): \(times[times.count / 2]) ns (\(result))")
    }
    measure("top 50") { $0.page(descending: true, skipping: 0, limit: 50).count }
    measure("50 after 100,000") { $0.page(descending: true, skipping: 100_000, limit: 50).count }
    measure("50 from zero") { order in
      order.page(descending: true, skipping: order.count - order.rank(after: .zero), limit: 50).count
    }
    measure("count from 1,234 to 56,789") { $0.count(from: Amount(1_234), through: Amount(56_789)) }
    measure("count up to zero") { $0.count(from: nil, through: .zero) }
  }

  // MARK: The index alone

  /// Amounts of either sign whose sizes are even on a scale of powers of two, up to 2^40.
  private static func spread(_ random: inout SplitMix, _ row: Int) -> Int64 {
    let amount = Int64(random.next() >> (24 + random.next() % 40))
    return random.next() % 3 == 0 ? -amount : amount
  }

  private static func runIndex(_ count: Int, _ name: String, amount: (inout SplitMix, Int) -> Int64) {
    var random = SplitMix(state: 7)
    var amounts = (0..<count).map { amount(&random, $0) }
    let index = BucketIndex()
    var start = CurrentProcess.threadTime
    index.build(rowCount: count) { BucketKey(amounts[Int($0)]) }
    report("index of amounts \(name), made: row", start, count)
    let moves = min(count, 1_000_000) / BucketIndex.window
    var rows = [UInt32](repeating: 0, count: BucketIndex.window)
    var keys = rows.map { _ in BucketKey(0 as Int64) }
    var time: Int64 = 0
    for _ in 0..<moves {
      for place in rows.indices {
        rows[place] = UInt32(random.next() % UInt64(count))
        amounts[Int(rows[place])] = amount(&random, 0)
      }
      start = CurrentProcess.threadTime
      for place in rows.indices {
        keys[place] = BucketKey(amounts[Int(rows[place])])
        index.prefetch(rows[place])
      }
      unsafe rows.withUnsafeBufferPointer { rows in
        unsafe keys.withUnsafeBufferPointer { keys in
          unsafe index.move(rows, to: keys.baseAddress.unsafelyUnwrapped) { BucketKey(amounts[Int($0)]) }
        }
      }
      time += (CurrentProcess.threadTime - start).wholeNanoseconds
    }
    print(
      "    row moved \(time / Int64(max(moves * BucketIndex.window, 1))) ns, bytes a row",
      "\(index.byteCount / count)")
  }

  private static func report(_ name: String, _ start: Duration, _ count: Int) {
    let nanoseconds = (CurrentProcess.threadTime - start).wholeNanoseconds
    print("  \(name) \(nanoseconds / Int64(max(count, 1))) ns (\(nanoseconds / 1_000_000) ms)")
  }
}

/// Transfers between random balances of some books.
private struct TransferSource {
  private let identifiers: [Identifier]
  private var random = SplitMix(state: 42)
  private var number = 0

  init(_ books: Books) {
    identifiers = (0..<books.counts.balances).map { books.balances.identifiers[RowIndex($0)] }
  }

  mutating func transfers(_ count: Int) -> [NewTransaction] {
    (0..<count).map { _ in
      number += 1
      let source = Int(random.next() % UInt64(identifiers.count))
      let step = 1 + Int(random.next() % UInt64(identifiers.count - 1))
      return NewTransaction(
        source: .balance(identifiers[source]),
        destination: .balance(identifiers[(source + step) % identifiers.count]),
        amount: Amount(Int64(random.next() % 1_000_000 + 1)), precision: 100, currency: "USD",
        reference: "payment-\(number)", allowOverdraft: true)
    }
  }
}
