// Scans of whole stripes against single rows, for selections and for counts.

import Amounts
import Columns
import Ledger
import TestSupport
import Testing

@testable import Query

@Suite struct StripeScanTests {
  /// Books with a full stripe and a part of one, and amounts of all sizes straight in the tables.
  private static func books(_ seed: Seed, balances: Int, transactions: Int) throws -> RandomBooks {
    var shape = BooksShape()
    shape.balanceCount = balances
    shape.transactionCount = transactions
    shape.identityCount = seed.value % 2 == 0 ? 12 : 300
    shape.wideChance = Int(seed.value % 3)
    var books = try RandomBooks(seed: seed, shape: shape)
    shape.balanceCount = 0
    if seed.value % 2 == 0 { books.addHolds(shape) }
    for _ in 0..<balances / 2 {
      let row = RowIndex(Int.random(in: 0..<balances, using: &books.generator))
      // Some chunks are never written.
      if Layout.chunk(of: row) % 7 == 3 { continue }
      let block = books.books.balances.totals.blockForWriting(
        Layout.chunk(of: row), position: books.books.position)
      let lanes = AmountBlock(block, laneCount: BalanceTable.Lane.count)
      for lane in 0..<BalanceTable.Lane.count {
        lanes.set(amount(&books.generator, seed), lane: lane, slot: Layout.slot(of: row))
        if lane == BalanceTable.Lane.balance { continue }
        let code = unsafe lanes.sketches(lane)[Layout.slot(of: row)]
        books.books.balances.totalsMaxima.raise(Layout.chunk(of: row), lane: lane, to: code)
      }
    }
    return books
  }

  /// Many near a few values, so that sketches do not tell; some wide.
  private static func amount(_ generator: inout SeededGenerator, _ seed: Seed) -> Amount {
    switch Int.random(in: 0...9, using: &generator) {
    case 0: return .zero
    case 1: return Amount(Int64.random(in: -3...3, using: &generator))
    case 2: return Amount(Int64.random(in: .min ... .max, using: &generator))
    case 3 where seed.value % 3 != 0:
      let wide = Amount.power(of10: [19, 20, 38, 50].randomElement(using: &generator) ?? 19)
      return Bool.random(using: &generator) ? wide : -wide
    case 4...6: return Amount(1_000_000 + Int64.random(in: -3000...3000, using: &generator))
    default: return Amount(Int64(1) << Int64.random(in: 0...62, using: &generator))
    }
  }

  private static func amounts(_ generator: inout SeededGenerator, _ seed: Seed) -> AmountRanges {
    func any() -> Operand { .amount(amount(&generator, seed)) }
    let ops: [FilterOperator] = [.equal, .notEqual, .greater, .greaterOrEqual, .less, .lessOrEqual]
    switch Int.random(in: 0...9, using: &generator) {
    case 0: return AmountRanges(.between, .list([any(), any()]))
    case 1: return AmountRanges(.isIn, .list((0..<3).map { _ in any() }))
    case 2: return AmountRanges(.isIn, .list((0..<60).map { _ in any() }))
    case 3: return AmountRanges(.isNotNull, .none)
    default: return AmountRanges(ops.randomElement(using: &generator) ?? .equal, any())
    }
  }

  private static func integers(_ generator: inout SeededGenerator, near values: [Int64]) -> IntegerRanges {
    func any() -> Int64 {
      (values.randomElement(using: &generator) ?? 0) &+ Int64.random(in: -1...1, using: &generator)
    }
    let set = IntegerRanges(
      (0..<Int.random(in: 0...8, using: &generator)).map { _ in
        let (first, second) = (any(), any())
        return Int.random(in: 0...2, using: &generator) == 0
          ? first...first : min(first, second)...max(first, second)
      })
    return Bool.random(using: &generator) ? set : set.complement
  }

  private static func codes(_ generator: inout SeededGenerator, below limit: UInt32) -> CodeSet {
    let count = [0, 1, 2, 5, 40].randomElement(using: &generator) ?? 1
    return CodeSet(
      (0..<count).map { _ in UInt32.random(in: 0...limit, using: &generator) },
      complement: Bool.random(using: &generator))
  }

  /// A test of one column.
  private static func leaf(
    _ generator: inout SeededGenerator, _ reader: RowReader, _ seed: Seed
  ) -> RowTest {
    let rowCount = reader.rowCount
    let times = (0..<4).map { _ in
      reader.createdAt[RowIndex(Int.random(in: 0..<rowCount, using: &generator))]
    }
    let choice = Int.random(in: 0...10, using: &generator)
    if choice == 0 {
      let low = Int.random(in: 0...rowCount, using: &generator)
      return .rowRange(low..<Int.random(in: low...rowCount, using: &generator))
    }
    if choice == 1 { return .integers(.createdAt, integers(&generator, near: times)) }
    if choice == 2 { return .flags((0..<4).map { _ in generator.next() }) }
    if reader.table == .transactions {
      if choice < 6 { return .amounts(.precise, amounts(&generator, seed)) }
      let column = [CodeColumn.source, .destination].randomElement(using: &generator) ?? .source
      return .codes(column, codes(&generator, below: 40))
    }
    switch choice {
    case 3: return .integers(.version, integers(&generator, near: [0, 1, 2]))
    case 4: return .integers(.currencyMultiplier, integers(&generator, near: [1, 100, .max - 1]))
    case 5, 6:
      let columns: [CodeColumn] = [.ledger, .currency, .indicator, .identity]
      return .codes(columns.randomElement(using: &generator) ?? .ledger, codes(&generator, below: 14))
    default:
      let columns: [AmountColumn] = [
        .balance, .credit, .debit, .inflightCredit, .inflightDebit, .inflightBalance,
      ]
      return .amounts(columns.randomElement(using: &generator) ?? .balance, amounts(&generator, seed))
    }
  }

  private func compare(_ reader: RowReader, _ seed: Seed, count testCount: Int) throws {
    var generator = seed.generator
    var scan = StripeScan(reader: reader, stop: StopFlag())
    let stripes = 0..<Layout.stripeCount(rows: reader.rowCount)
    for _ in 0..<testCount {
      let leaves = (0..<[1, 1, 2, 3].randomElement(using: &generator)!).map { _ in
        Self.leaf(&generator, reader, seed)
      }
      let test =
        Int.random(in: 0...3, using: &generator) == 0
        ? RowTest.disjunction(leaves) : RowTest.conjunction(leaves)
      let expected = (0..<reader.rowCount).filter { test.matches(RowIndex($0), reader) }
      var found: [Int] = []
      let order = Bool.random(using: &generator) ? Array(stripes) : stripes.reversed()
      for stripe in order {
        try scan.select(test, stripe: stripe)
        var here: [Int] = []
        scan.forEachRow(ascending: true) {
          here.append($0.index)
          return true
        }
        found = order == Array(stripes) ? found + here : here + found
      }
      #expect(found == expected, "\(seed): \(test.summary)")
      #expect(try scan.count(test, stripes: stripes) == expected.count, "\(seed): count of \(test.summary)")
      if found != expected { return }
    }
  }

  @Test(arguments: Seed.sample(3))
  func scansOfBalancesAgreeWithSingleRows(seed: Seed) throws {
    let books = try Self.books(seed, balances: 40_000, transactions: 20)
    try compare(RowReader(cut: books.books.cut(), table: .balances), seed, count: 40)
  }

  @Test(arguments: Seed.sample(12))
  func scansOfSmallTablesAgreeWithSingleRows(seed: Seed) throws {
    var generator = seed.generator
    let count = [1, 7, 8, 9, 63, 64, 65, 511, 512, 513, 700].randomElement(using: &generator) ?? 1
    let books = try Self.books(seed, balances: count, transactions: 60)
    let cut = books.books.cut()
    try compare(RowReader(cut: cut, table: .balances), seed, count: 40)
    try compare(RowReader(cut: cut, table: .transactions), seed, count: 40)
  }

  @Test func aStoppedScanEnds() throws {
    let books = try Self.books(Seed(1), balances: 100, transactions: 1)
    let stop = StopFlag()
    var scan = StripeScan(reader: RowReader(cut: books.books.cut(), table: .balances), stop: stop)
    stop.cancel()
    #expect(throws: QueryStopped.cancelled) { try scan.select(.everything, stripe: 0) }
    #expect(throws: QueryStopped.cancelled) { try scan.count(.everything, stripes: 0..<1) }
  }

  @Test func aStopIsSeenBetweenSlowRows() throws {
    let books = try Self.books(Seed(1), balances: 1000, transactions: 1)
    let stop = StopFlag()
    let reader = RowReader(cut: books.books.cut(), table: .balances)
    var scan = StripeScan(reader: reader, stop: stop)
    try scan.select(.everything, stripe: 0)
    for column in [SortColumn.strategy, .texts(.identifier)] {
      let order = try RowOrder(reader, column, ascending: true, ofFewRows: false, StopFlag())
      var seen = 0
      #expect(throws: QueryStopped.cancelled) {
        try scan.forEachCode(order) { _, _ in
          seen += 1
          stop.cancel()
        }
      }
      #expect(seen <= 64)
    }
  }
}
