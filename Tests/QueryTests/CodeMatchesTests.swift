// Tests of texts decided per code, against each text by itself; orders of codes against sorting.

import Columns
import Ledger
import Platform
import TestSupport
import Testing

@testable import Query

@Suite struct CodeMatchesTests {
  private static let alphabet = ["a", "b", "B", "é", "É", ".", "@", "%", "1"]

  private static func text(_ limit: Int, _ generator: inout SeededGenerator) -> String {
    (0..<Int.random(in: 0...limit, using: &generator)).map { _ in alphabet.randomElement(using: &generator)! }
      .joined()
  }

  /// Books with many indicators, which only balances of the general ledger have.
  private static func add(_ count: Int, to books: Books, _ generator: inout SeededGenerator) throws {
    let items = (0..<count).map { _ in
      NewBalance(ledger: .generalLedger, currency: "USD", indicator: "@" + text(14, &generator))
    }
    _ = try books.execute(.createBalances(items, atomic: false))
  }

  private static func test(_ generator: inout SeededGenerator) -> TextTest {
    let run = text(3, &generator).replacing("%", with: "\\%")
    let ops: [FilterOperator] = [.like, .like, .like, .ilike, .ilike]
    let shapes = [run + "%", "@" + run + "%", "%" + run, "%" + run + "%", "@_" + run + "%b%", "%", run]
    switch Int.random(in: 0..<4, using: &generator) {
    case 0:
      let bounds = [text(3, &generator), "@" + text(3, &generator)].map { Operand.text($0) }
      let op: FilterOperator = [.greater, .greaterOrEqual, .less, .lessOrEqual].randomElement(
        using: &generator)!
      return Bool.random(using: &generator) ? TextTest(op, bounds[1]) : TextTest(.between, .list(bounds))
    default:
      return TextTest(
        ops.randomElement(using: &generator)!, .text(shapes.randomElement(using: &generator)!))
    }
  }

  @Test(arguments: Seed.sample(4)) func matchesAgreeWithEachText(_ seed: Seed) throws {
    var generator = seed.generator
    let books = Books(clock: ManualClock(), seed: (seed.value, 3))
    try Self.add(seed.value % 2 == 0 ? 100 : 700, to: books, &generator)
    let texts = KeptTexts()
    var tests = (0..<20).map { _ in Self.test(&generator) }
    for _ in 0..<3 {
      let cut = books.cut()
      let reader = RowReader(cut: cut, table: .balances, texts: texts)
      for test in tests {
        let marks = try texts.matches.marks(.indicator, test, reader, StopFlag())
        let wrong = (1...UInt32(books.indicators.count)).filter { code in
          marks.contains(code) != test.matches(Array(books.indicators.text(of: code)!.utf8).span)
        }
        #expect(wrong.isEmpty, "\(seed) \(test) codes \(wrong.prefix(5))")
        #expect(!marks.contains(0))
      }
      tests.append(Self.test(&generator))
      try Self.add(200, to: books, &generator)
    }
  }

  /// Base and additions together are the order that sorting everything gives.
  @Test(arguments: Seed.sample(2), [false, true]) func ranksAreTheOrder(_ seed: Seed, _ isReversed: Bool)
    throws
  {
    var generator = seed.generator
    let books = Books(clock: ManualClock(), seed: (seed.value, 4))
    let cache = RankCache()
    for count in [0, 1, 50, 17_000, 3, 400] {
      if count > 0 { try Self.add(count, to: books, &generator) }
      let reader = RowReader(cut: books.cut(), table: .balances)
      let ranks = try cache.ranks(.indicator, isReversed: isReversed, reader, StopFlag())
      var found: [UInt32] = []
      ranks.forEachCode(ascending: true) {
        found.append($0)
        return true
      }
      let count = books.indicators.count
      let keys = (0..<count).map { code -> [UInt8] in
        let text = Array(books.indicators.text(of: UInt32(code + 1))!.utf8)
        return isReversed ? text.reversed() : text
      }
      let expected = (0..<count).sorted { keys[$0].lexicographicallyPrecedes(keys[$1]) }.map {
        UInt32($0 + 1)
      }
      #expect(found == expected, "\(seed) \(count)")
      var falling: [UInt32] = []
      ranks.forEachCode(ascending: false) {
        falling.append($0)
        return true
      }
      #expect(falling == expected.reversed())
      let ranked = expected.map { ranks.rank($0) }
      #expect(zip(ranked, ranked.dropFirst()).allSatisfy { $0 < $1 })
      #expect(expected.enumerated().allSatisfy { ranks.place($1) == $0 })
      #expect(ranks.rank(0) == .max && ranks.place(0) == nil)
    }
  }
}
