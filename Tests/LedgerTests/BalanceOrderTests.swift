// The order of the balances: that of a sorted array, after every kind of posting and beside writers.

import Amounts
import Columns
import Ledger
import Platform
import Synchronization
import TestSupport
import Testing

@Suite struct BalanceOrderTests {
  private typealias Place = (amount: Amount, row: Int)

  private static func sorted(_ cut: Cut) -> [Place] {
    (0..<cut.balanceCount).map { (cut.balance(RowIndex($0)).balance, $0) }.sorted { $0 < $1 }
  }

  private static func name(_ index: Int) -> Identifier { .custom("bln_\(index)") }

  private static func makeBalances(_ range: Range<Int>, in books: Books) throws {
    let items = range.map { NewBalance(identifier: name($0), ledger: .generalLedger, currency: "USD") }
    _ = try books.execute(.createBalances(items, atomic: true))
  }

  private static func transaction(
    _ number: Int, among count: Int, _ generator: inout SeededGenerator
  ) -> NewTransaction {
    let source = Int.random(in: 0..<count, using: &generator)
    let amount: Amount =
      switch Int.random(in: 0..<12, using: &generator) {
      case 0: .random(digits: 30, using: &generator)
      case 1: .random(digits: 200, using: &generator)
      case 2...5: Amount(1_000)
      default: Amount(Int.random(in: 1...20_000, using: &generator))
      }
    return NewTransaction(
      source: .balance(name(source)),
      destination: .balance(name((source + Int.random(in: 1..<count, using: &generator)) % count)),
      amount: amount.isZero ? .one : amount.magnitude, currency: "USD", reference: "r\(number)",
      allowOverdraft: true)
  }

  /// Compares counts, ranks, pages and walks with the sorted array.
  private static func check(_ books: Books, _ generator: inout SeededGenerator) {
    books.withInstant { cut in
      let sorted = sorted(cut)
      let order = cut.balanceOrder
      #expect(order.count == sorted.count)
      for _ in 0..<12 {
        var bounds = (0..<2).map { _ in sorted.randomElement(using: &generator)?.amount ?? .zero }
        if Bool.random(using: &generator) { bounds[0] += Amount(Int.random(in: -2...2, using: &generator)) }
        let (low, high) = (bounds.min()!, bounds.max()!)
        #expect(
          order.count(from: low, through: high) == sorted.count { $0.amount >= low && $0.amount <= high })
        #expect(order.count(from: low, through: nil) == sorted.count { $0.amount >= low })
        #expect(order.count(from: nil, through: low) == sorted.count { $0.amount <= low })
        #expect(order.count(from: high + .one, through: low) == 0)
        let row = Int.random(in: 0..<sorted.count, using: &generator)
        #expect(order.rank(of: low, row: RowIndex(row)) == sorted.count { $0 < (low, row) })
        let skipping = Int.random(in: 0..<sorted.count + 2, using: &generator)
        let limit = [1, 20, 1000].randomElement(using: &generator)!
        let page = order.page(descending: true, skipping: skipping, limit: limit)
        #expect(page.map(\.index) == sorted.reversed().dropFirst(skipping).prefix(limit).map(\.row))
        let rising = order.page(descending: false, skipping: skipping, limit: limit)
        #expect(rising.map(\.index) == sorted.dropFirst(skipping).prefix(limit).map(\.row))
      }
      guard let from = sorted.randomElement(using: &generator)?.amount else { return }
      for isDescending in [false, true] {
        var rows: [Int] = []
        order.forEachPart(descending: isDescending, from: from) { part in
          rows += order.sortedRows(of: part, descending: isDescending).map(\.index)
          return true
        }
        let places =
          isDescending
          ? sorted.reversed().filter { $0.amount <= from } : sorted.filter { $0.amount >= from }
        #expect(rows == places.map(\.row))
      }
    }
  }

  @Test(arguments: Seed.sample(6)) func itIsTheSortedArray(_ seed: Seed) throws {
    var generator = seed.generator
    let books = Books(clock: ManualClock(), seed: (1, seed.value))
    var balances = 0
    var number = 0
    for _ in 0..<6 {
      let more = [1, 5, 700].randomElement(using: &generator)! + (balances == 0 ? 1 : 0)
      try Self.makeBalances(balances..<balances + more, in: books)
      balances += more
      for _ in 0..<Int.random(in: 0...40, using: &generator) {
        number += 1
        let new = Self.transaction(number, among: balances, &generator)
        _ = try books.execute(.postTransaction(new))
      }
      for isAtomic in [true, false] {
        let items = (0..<Int.random(in: 1...1500, using: &generator)).map { _ in
          number += 1
          return Self.transaction(number, among: balances, &generator)
        }
        _ = try books.execute(.postTransactions(items, atomic: isAtomic))
      }
      Self.check(books, &generator)
    }
    #expect(books.checkInvariants(on: books.cut()) == [])
    let copy = try restoredCopy(of: books.cut(), clock: ManualClock())
    Self.check(copy, &generator)
    #expect(copy.checkInvariants(on: copy.cut()) == [])
  }

  /// More rows are changed than may stay noted, so writers move some, and a reader the rest.
  @Test(arguments: Seed.sample(2)) func writersMoveWhatNobodyAsksFor(_ seed: Seed) throws {
    var generator = seed.generator
    let books = Books(clock: ManualClock(), seed: (1, seed.value))
    try Self.makeBalances(0..<9_000, in: books)
    var number = 0
    for _ in 0..<4 {
      let items = (0..<4_000).map { _ in
        number += 1
        return Self.transaction(number, among: 9_000, &generator)
      }
      _ = try books.execute(.postTransactions(items, atomic: true))
      for _ in 0..<100 {
        number += 1
        let new = Self.transaction(number, among: 9_000, &generator)
        _ = try books.execute(.postTransaction(new))
      }
    }
    Self.check(books, &generator)
    #expect(books.checkInvariants(on: books.cut()) == [])
  }

  @Test func equalBalancesAreOrderedByRow() throws {
    var generator = Seed(7).generator
    let books = Books(clock: ManualClock(), seed: (1, 2))
    let count = 3_000
    try Self.makeBalances(0..<count, in: books)
    Self.check(books, &generator)
    let items = (0..<count).map {
      NewTransaction(
        source: .indicator("@in"), destination: .balance(Self.name($0)), amount: Amount(100_000),
        currency: "USD", reference: "first-\($0)", allowOverdraft: true)
    }
    _ = try books.execute(.postTransactions(items, atomic: true))
    books.withInstant { cut in
      let order = cut.balanceOrder
      #expect(
        order.page(descending: true, skipping: 10, limit: 50).map(\.index)
          == (0..<count).reversed().dropFirst(10).prefix(50).map { $0 })
      #expect(order.count(from: Amount(100_000), through: Amount(100_000)) == count)
      #expect(order.rank(of: Amount(100_000), row: RowIndex(1_234)) == 1_235)
    }
    Self.check(books, &generator)
  }

  /// Instant readers beside writers see the order of one moment.
  @Test func instantReadersSeeOneMoment() throws {
    let books = Books(clock: SystemClock(), seed: (1, 2))
    let count = 5_000
    try Self.makeBalances(0..<count, in: books)
    let isDone = Atomic(false)
    let writers = try (0..<2).map { writer in
      try Thread(name: "writer") {
        var generator = Seed(UInt64(writer)).generator
        for round in 0..<40 {
          let items = (0..<600).map { item in
            Self.transaction((writer * 40 + round) * 600 + item, among: count, &generator)
          }
          _ = try? books.execute(.postTransactions(items, atomic: round % 2 == 0))
        }
      }
    }
    let faults = Guarded<[String]>([])
    let reader = try Thread(name: "reader") {
      var generator = Seed(3).generator
      while !isDone.load(ordering: .acquiring) {
        let fault: String? = books.withInstant { cut in
          let order = cut.balanceOrder
          let amounts = order.page(descending: true, skipping: 100, limit: 50)
            .map { cut.balance($0).balance }
          if order.count != cut.balanceCount { return "the order has \(order.count) rows" }
          if zip(amounts, amounts.dropFirst()).contains(where: { $0 < $1 }) { return "a page out of order" }
          let some = RowIndex(Int.random(in: 0..<count, using: &generator))
          let rank = order.rank(of: cut.balance(some).balance, row: some)
          let found = order.page(descending: false, skipping: rank, limit: 1)
          return found == [some] ? nil : "row \(some.index) is not at its rank"
        }
        if let fault { faults.withLock { $0.append(fault) } }
      }
    }
    for writer in writers { writer.join() }
    isDone.store(true, ordering: .releasing)
    reader.join()
    #expect(faults.withLock { Array($0.prefix(5)) } == [])
    #expect(books.checkInvariants(on: books.cut()) == [])
  }
}
