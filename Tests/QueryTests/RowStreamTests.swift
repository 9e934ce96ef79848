// Rows found as they are taken are those of the page that would hold them all.

import Columns
import Ledger
import Platform
import Query
import TestSupport
import Testing

@Suite struct RowStreamTests {
  /// Takes all rows, some at a time.
  private func rows(_ stream: inout RowStream, _ generator: inout SeededGenerator) throws -> [RowIndex] {
    var rows: [RowIndex] = []
    while !stream.isAtEnd {
      if stream.waiting.isEmpty || stream.hasMore && Int.random(in: 0..<4, using: &generator) == 0 {
        try stream.findMore()
        continue
      }
      let count = Int.random(in: 1...stream.waiting.count, using: &generator)
      rows += stream.waiting.prefix(count)
      stream.take(count)
    }
    return rows
  }

  @Test(arguments: Seed.sample(8))
  func aStreamGivesTheRowsOfItsQuery(seed: Seed) throws {
    var shape = BooksShape()
    shape.hasOldTimes = seed.value % 2 == 0
    let books = try RandomBooks(seed: seed, shape: shape)
    let cut = books.books.cut()
    let engine = QueryEngine()
    var requests = RandomRequests(twin: NaiveQuery(cut), generator: seed.generator)
    for _ in 0..<150 {
      var request = requests.request(QueryTable.allCases.randomElement(using: &requests.generator)!)
      if requests.chance(1, in: 2) { request.sort = nil }
      request.wantsCursor = requests.chance(1, in: 2)
      let result = try engine.run(request, on: cut, stop: StopFlag())
      var stream = try engine.stream(request, on: cut, stop: StopFlag())
      #expect(try rows(&stream, &requests.generator) == result.rows, "\(seed) \(request)")
      let tail = QueryTail(totalCount: result.totalCount, nextCursor: result.nextCursor)
      #expect(stream.tail == tail, "\(seed) \(request)")
    }
  }

  @Test(arguments: Seed.sample(2))
  func aStreamGoesOnFromTheCursorOfItsLastRow(seed: Seed) throws {
    var shape = BooksShape()
    shape.balanceCount = 70_000
    shape.transactionCount = 100
    let cut = try RandomBooks(seed: seed, shape: shape).books.cut()
    let engine = QueryEngine()
    var generator = seed.generator
    for name in [nil, "balance", "currency"] {
      let sort = name.map { SortOrder(field: QueryField.named($0, in: .balances)!, ascending: true) }
      var request = QueryRequest(table: .balances, sort: sort, limit: nil)
      let all = try engine.run(request, on: cut, stop: StopFlag()).rows
      var stream = try engine.stream(request, on: cut, stop: StopFlag())
      #expect(stream.cursorAfterTaken == nil)
      var taken: [RowIndex] = []
      while taken.count < 40_000 {
        if stream.waiting.isEmpty { try stream.findMore() }
        let count = Int.random(in: 1...max(1, stream.waiting.count), using: &generator)
        if count > stream.waiting.count { continue }
        taken += stream.waiting.prefix(count)
        stream.take(count)
      }
      request.cursor = stream.cursorAfterTaken
      let rest = try engine.run(request, on: cut, stop: StopFlag()).rows
      #expect(taken + rest == all, "\(seed) by \(name ?? "nothing")")
    }
  }

  @Test func aStoppedStreamFindsNothingMore() throws {
    let cut = try RandomBooks(seed: Seed(1), shape: BooksShape()).books.cut()
    let stop = StopFlag()
    var stream = try QueryEngine().stream(QueryRequest(table: .balances, limit: nil), on: cut, stop: stop)
    stop.cancel()
    var reason: QueryStopped?
    do throws(QueryStopped) { try stream.findMore() } catch { reason = error }
    #expect(reason == .cancelled)
  }
}
