// How fast columns are read: every loop and every shape of scan beside a plain sum over as many bytes, in the
// same run.

import Amounts
import Columns
import Ledger
import Platform
import Query

/// Measures loops over plain memory, then scans of books, at a million and at ten million rows.
enum ScanBenchmark {
  static func run(_ scale: Scale) throws {
    let set = Kernels.use(nil)
    print("scan: loops with \(set); share = bytes a second / those of a plain sum over as many bytes")
    for rowCount in [1_000_000, 10_000_000] {
      let rowCount = scale(rowCount, least: 40_000)
      let meter = ScanMeter(rowCount: rowCount, roundCount: scale(40, least: 2))
      LoopScans(rowCount: rowCount).measure(meter)
      try BookScans(rowCount: rowCount).measure(meter)
    }
  }
}

/// Times loops in turns with a plain sum over as many bytes.
@safe final class ScanMeter {
  let rowCount: Int
  private let roundCount: Int
  private let clock = SystemClock()
  /// Eight bytes for each row, all written once.
  private let memory: UnsafeMutablePointer<UInt64>
  private var sum: UInt64 = 0

  init(rowCount: Int, roundCount: Int) {
    self.rowCount = rowCount
    self.roundCount = roundCount
    unsafe memory = .allocate(capacity: rowCount)
    for row in 0..<rowCount { unsafe memory[row] = UInt64(row) }
  }

  deinit { unsafe memory.deallocate() }

  /// Runs `body` and prints its line: the best of all rounds, for both.
  ///
  /// - Parameter bytes: read for each row.
  func measure(_ name: String, bytes: Double, _ body: () -> Int) {
    let byteCount = Double(rowCount) * bytes
    let words = Int(byteCount / 8)
    var (best, plain) = (Int64.max, Int64.max)
    var found = 0
    for _ in 0..<roundCount {
      best = min(best, nanoseconds { found = body() })
      plain = min(plain, nanoseconds { unsafe sum &+= Kernels.total(memory, count: words) })
    }
    let (rate, most) = (byteCount / Double(best), byteCount / Double(plain))
    print(
      left("\(rowCount / 1000)k", 8), left(name, 44), right("\(best / 1000) us", 10),
      right("\(tenths(rate)) GB/s", 12), right("sum \(tenths(most)) GB/s", 16),
      right("\(Int(rate / most * 100)) %", 7), "  found \(found)")
  }

  private func nanoseconds(_ body: () -> Void) -> Int64 {
    let start = clock.monotonicTime()
    body()
    return Int64((clock.monotonicTime() - start).wholeNanoseconds)
  }

  private func tenths(_ value: Double) -> String {
    let tenths = Int(value * 10)
    return "\(tenths / 10).\(tenths % 10)"
  }

  private func left(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}

/// Numbers that look like the books' columns.
private struct ScanNumbers {
  private var state: UInt64 = 42

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// Spread over many powers of two; one in eight is zero, one in sixteen negative.
  mutating func amount() -> Int64 {
    let kind = below(16)
    if kind < 2 { return 0 }
    let value = Int64(next() >> UInt64(24 + below(36)))
    return kind == 2 ? -value : value
  }
}

/// The loops themselves, over columns in plain memory.
private struct LoopScans {
  private let bytes: [UInt8]
  private let shorts: [UInt16]
  private let words: [UInt32]
  private let amounts: [Int64]
  private let sketches: [UInt16]

  init(rowCount: Int) {
    var numbers = ScanNumbers()
    bytes = (0..<rowCount).map { _ in UInt8(numbers.below(12)) }
    shorts = (0..<rowCount).map { _ in UInt16(numbers.below(1000)) }
    words = (0..<rowCount).map { _ in UInt32(numbers.below(250_000)) }
    amounts = (0..<rowCount).map { _ in numbers.amount() }
    sketches = amounts.map { Sketch.code($0) }
  }

  func measure(_ meter: ScanMeter) {
    let count = bytes.count
    let many = CodeMembers((0..<50).map { UInt32($0 * 5) })
    let few = CodeMembers([1, 4, 7])
    let range = Sketch.code(Int64(1000))...Sketch.code(Int64(1_000_000))
    let bits = UnsafeMutablePointer<UInt64>.allocate(capacity: count / 64 + 1)
    let edges = UnsafeMutablePointer<UInt64>.allocate(capacity: count / 64 + 1)
    unsafe bits.initialize(repeating: 0x5555_5555_5555_5555, count: count / 64 + 1)
    unsafe edges.initialize(repeating: 0, count: count / 64 + 1)
    defer {
      unsafe bits.deallocate()
      unsafe edges.deallocate()
    }
    unsafe bytes.withUnsafeBufferPointer { lane in
      let lane = unsafe lane.baseAddress.unsafelyUnwrapped
      meter.measure("loop: count a code of 8 bits", bytes: 1) {
        unsafe Kernels.count(lane, rowCount: count, in: 3...3)
      }
      meter.measure("loop: count 3 codes of 8 bits", bytes: 1) {
        unsafe Kernels.count(lane, rowCount: count, among: few)
      }
      meter.measure("loop: count 50 codes of 8 bits", bytes: 1) {
        unsafe Kernels.count(lane, rowCount: count, among: many)
      }
      meter.measure("loop: select a code of 8 bits", bytes: 1) {
        unsafe Kernels.select(lane, rowCount: count, in: 3...3, into: BitTarget(edges, .put))
        return unsafe Int(edges[0])
      }
    }
    unsafe shorts.withUnsafeBufferPointer { lane in
      let lane = unsafe lane.baseAddress.unsafelyUnwrapped
      meter.measure("loop: count a code of 16 bits", bytes: 2) {
        unsafe Kernels.count(lane, rowCount: count, in: 3...3)
      }
      meter.measure("loop: count 50 codes of 16 bits", bytes: 2) {
        unsafe Kernels.count(lane, rowCount: count, among: many)
      }
    }
    unsafe words.withUnsafeBufferPointer { lane in
      let lane = unsafe lane.baseAddress.unsafelyUnwrapped
      meter.measure("loop: count a code of 32 bits", bytes: 4) {
        unsafe Kernels.count(lane, rowCount: count, in: 3...3)
      }
    }
    unsafe sketches.withUnsafeBufferPointer { lane in
      let lane = unsafe lane.baseAddress.unsafelyUnwrapped
      meter.measure("loop: count sketches in a range, edges apart", bytes: 2) {
        let sure = range.lowerBound + 1...range.upperBound - 1
        return unsafe Kernels.selectSketches(
          lane, rowCount: count, in: range, sure: sure, into: nil, edges: edges
        ).sure
      }
    }
    unsafe measureAmounts(meter, bits)
  }

  private func measureAmounts(_ meter: ScanMeter, _ bits: UnsafeMutablePointer<UInt64>) {
    let count = amounts.count
    unsafe amounts.withUnsafeBufferPointer { lane in
      let lane = unsafe lane.baseAddress.unsafelyUnwrapped
      meter.measure("loop: count 64 bits in a range", bytes: 8) {
        unsafe Kernels.count(lane, rowCount: count, in: 1000...1_000_000)
      }
      let selected = unsafe UnsafeRawPointer(bits).assumingMemoryBound(to: UInt8.self)
      meter.measure("loop: sum every other 64 bits", bytes: 8) {
        unsafe Int(
          truncatingIfNeeded: Kernels.sum(lane, rowCount: count, selected: selected).sum)
      }
      meter.measure("loop: bounds of every other 64 bits", bytes: 8) {
        unsafe Int(Kernels.bounds(lane, rowCount: count, selected: selected).least)
      }
    }
  }
}

/// Scans through the engine: lowering, stripes, chunks and all.
private struct BookScans {
  private static let currencies = [
    "USD", "EUR", "GBP", "JPY", "CHF", "NGN", "KES", "GHS", "ZAR", "CAD", "AUD", "INR",
  ]

  private let books: Books
  private let ledgers: [String]
  private let newest: Int64

  /// Books with 100 ledgers and 12 currencies; the amounts are written straight into the tables.
  init(rowCount: Int) throws {
    let clock = ManualClock()
    books = Books(clock: clock, seed: (7, 7))
    newest = clock.wallTime().count
    var numbers = ScanNumbers()
    var made: [Identifier] = []
    for index in 0..<100 {
      let outcome = try books.execute(.createLedger(NewLedger(name: "ledger \(index)"))).outcome
      if case .ledger(let row) = outcome { made.append(books.ledgers.identifiers[row]) }
    }
    ledgers = made.map { $0.text(kind: .ledger) }
    for start in stride(from: 0, to: rowCount, by: 8000) {
      let items = (start..<min(start + 8000, rowCount)).map { row in
        NewBalance(
          ledger: made[numbers.below(100)], currency: Self.currencies[numbers.below(12)],
          createdAt: Microseconds(newest - Int64(rowCount - row) * 1_000_000))
      }
      _ = try books.execute(.createBalances(items, atomic: true))
    }
    for row in 0..<rowCount {
      let row = RowIndex(row)
      let block = books.balances.totals.blockForWriting(Layout.chunk(of: row), position: 1)
      let lanes = AmountBlock(block, laneCount: BalanceTable.Lane.count)
      for lane in 0..<BalanceTable.Lane.count {
        lanes.set(Amount(numbers.amount()), lane: lane, slot: Layout.slot(of: row))
      }
    }
  }

  func measure(_ meter: ScanMeter) throws {
    let cut = books.cut()
    let engine = QueryEngine()
    func measure(_ name: String, bytes: Double, _ tests: [Predicate]) {
      meter.measure("scan: " + name, bytes: bytes) {
        let request = QueryRequest(table: .balances, predicates: tests)
        return (try? engine.scannedCount(request, on: cut, stop: StopFlag())) ?? -1
      }
    }
    let currency = test("currency", .equal, .text("USD"))
    let positive = test("balance", .greater, .amount(.zero))
    let middle = test(
      "debit_balance", .between, .list([.amount(Amount(1000)), .amount(Amount(1_000_000))]))
    let someLedgers = test("ledger_id", .isIn, .list(ledgers.prefix(10).map { .text($0) }))
    measure("currency equal", bytes: 1, [currency])
    measure(
      "currency in 3", bytes: 1,
      [
        test("currency", .isIn, .list(Self.currencies.prefix(3).map { .text($0) }))
      ])
    measure("ledger_id in 10", bytes: 1, [someLedgers])
    measure("balance > 0 (sketches, no edge)", bytes: 2, [positive])
    measure("debit_balance between (sketches, two edges)", bytes: 2, [middle])
    measure("balance not equal 1000", bytes: 2, [test("balance", .notEqual, .amount(Amount(1000)))])
    let start = newest / 86_400_000_000 * 86_400_000_000 - 86_400_000_000
    measure("version > 1 (32 bits)", bytes: 4, [test("version", .greater, .amount(.one))])
    measure(
      "created_at in a day (64 bits)", bytes: 8,
      [
        test("created_at", .equal, .time(TimeRange(start: start, end: start + 86_400_000_000)))
      ])
    measure("currency and balance > 0", bytes: 3, [currency, positive])
    measure("currency, ledger_id in 10 and balance > 0", bytes: 4, [currency, someLedgers, positive])
    measure("currency, ledger_id in 10, balance, debit", bytes: 6, [currency, someLedgers, positive, middle])
  }

  private func test(_ name: String, _ op: FilterOperator, _ operand: Operand) -> Predicate {
    guard let field = QueryField.named(name, in: .balances) else { preconditionFailure("field \(name)") }
    return Predicate(field: field, op: op, operand: operand)
  }
}
