// Pages deep in the order of balances, where most rows are passed over in batches of many parts.

import Amounts
import Columns
import Ledger
import TestSupport
import Testing

@testable import Query

struct OrderOffsetTests {
  /// What decides whether passed rows are counted, tested or not looked at at all.
  private static func filters(_ books: RandomBooks) -> [[Predicate]] {
    let currency = QueryField.named("currency", in: .balances)!
    let ledger = QueryField.named("ledger_id", in: .balances)!
    let indicator = QueryField.named("indicator", in: .balances)!
    let version = QueryField.named("version", in: .balances)!
    let ledgers = books.ledgers.prefix(3).map { Operand.text($0.text(kind: .ledger)) }
    return [
      [],
      [Predicate(field: currency, op: .equal, operand: .text("USD"))],
      [Predicate(field: currency, op: .notEqual, operand: .text("USD"))],
      [Predicate(field: currency, op: .isIn, operand: .list([.text("EUR"), .text("GBP"), .text("none")]))],
      [Predicate(field: ledger, op: .isIn, operand: .list(ledgers))],
      [Predicate(field: indicator, op: .isNull, operand: .none)],
      [
        Predicate(field: currency, op: .equal, operand: .text("EUR")),
        Predicate(field: version, op: .greater, operand: .amount(.one)),
      ],
    ]
  }

  @Test(arguments: Seed.sample(2)) func pagesAtAnyOffsetAreThoseOfTheSortedBalances(_ seed: Seed) throws {
    let shape = BooksShape(
      balanceCount: 3_000, transactionCount: 2_000, hasOldTimes: seed.value % 2 == 0,
      wideChance: Int(seed.value % 3))
    let random = try RandomBooks(seed: seed, shape: shape)
    let twin = NaiveQuery(random.books.cut())
    let engine = QueryEngine()
    var generator = seed.generator
    for predicates in Self.filters(random) {
      for ascending in [false, true] {
        var request = QueryRequest(
          table: .balances, predicates: predicates,
          sort: SortOrder(field: QueryField.named("balance", in: .balances)!, ascending: ascending),
          limit: nil)
        let all = twin.rows(request)
        for _ in 0..<6 {
          request.offset = Int.random(in: 0...all.count, using: &generator)
          request.limit = [1, 7, 300].randomElement(using: &generator)!
          let found = try random.books.withInstant { (cut: Cut) throws(QueryStopped) -> QueryResult? in
            let plan = try engine.plan(request, on: cut, stop: StopFlag(), path: .bucket)
            return plan.path == .bucket ? try engine.run(plan, on: cut, stop: StopFlag()) : nil
          }
          let page = try #require(found)
          let expected = Array(all.dropFirst(request.offset).prefix(request.limit ?? 0))
          #expect(page.rows == expected, "\(seed): \(request)")
        }
      }
    }
  }
}
