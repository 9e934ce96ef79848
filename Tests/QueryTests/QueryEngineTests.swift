// The engine against its naive twin, request by request.

import Amounts
import Columns
import Ledger
import Platform
import Query
import TestSupport
import Testing

@Suite struct QueryEngineTests {
  /// Asks `count` random requests and compares rows, counts and all pages by cursor.
  private func compare(_ cut: Cut, _ count: Int, _ seed: Seed, tables: [QueryTable] = QueryTable.allCases)
    throws
  {
    let twin = NaiveQuery(cut)
    var requests = RandomRequests(twin: twin, generator: seed.generator)
    let engine = QueryEngine()
    for _ in 0..<count {
      var request = requests.request(tables.randomElement(using: &requests.generator)!)
      let all = twin.rows(request)
      let result = try engine.run(request, on: cut, stop: StopFlag())
      let page = all.dropFirst(request.offset).prefix(request.limit ?? .max)
      #expect(result.rows == Array(page), "\(seed) \(request)")
      #expect(result.totalCount == (request.includeCount ? all.count : nil), "\(seed) \(request)")
      if result.rows != Array(page) { return }
      guard requests.chance(1, in: 3), all.count < 300 else { continue }
      request.offset = 0
      request.limit = Int.random(in: 1...30, using: &requests.generator)
      let pages = try pages(request, cut, engine)
      #expect(pages == all, "\(seed) by cursor \(request)")
    }
  }

  /// All pages, each from the cursor of the one before, as text.
  private func pages(_ request: QueryRequest, _ cut: Cut, _ engine: QueryEngine) throws -> [RowIndex] {
    var request = request
    request.wantsCursor = true
    var rows: [RowIndex] = []
    while true {
      let page = try engine.run(request, on: cut, stop: StopFlag())
      rows += page.rows
      guard let cursor = page.nextCursor else { return rows }
      #expect(page.rows.count == request.limit)
      let read: Cursor = try #require(Cursor(text: cursor.text))
      #expect(read == cursor)
      request.cursor = read
    }
  }

  @Test(arguments: Seed.sample(24))
  func engineAgreesWithTheNaiveTwin(seed: Seed) throws {
    var shape = BooksShape()
    shape.hasOldTimes = seed.value % 2 == 0
    shape.wideChance = Int(seed.value % 5)
    var books = try RandomBooks(seed: seed, shape: shape)
    if seed.value % 3 != 0 { books.addHolds(shape) }
    try compare(books.books.cut(), 120, seed)
  }

  @Test(arguments: Seed.sample(6))
  func engineAgreesOnEmptyTables(seed: Seed) throws {
    let books = Books(clock: ManualClock(), seed: (seed.value, 1))
    try compare(books.cut(), 60, seed, tables: [.ledgers])
    for table in QueryTable.allCases where table != .ledgers {
      let result = try QueryEngine().run(
        QueryRequest(table: table, includeCount: true, wantsCursor: true), on: books.cut(), stop: StopFlag())
      #expect(result == QueryResult(rows: [], totalCount: 0))
    }
  }

  @Test(arguments: Seed.sample(2))
  func engineAgreesOverSeveralStripes(seed: Seed) throws {
    var shape = BooksShape()
    shape.balanceCount = 100_001
    shape.hasOldTimes = seed.value % 2 == 0
    shape.transactionCount = 300
    var books = try RandomBooks(seed: seed, shape: shape)
    shape.balanceCount = 0
    books.addHolds(shape)
    try compare(books.books.cut(), 25, seed, tables: [.balances])
  }

  @Test(arguments: Seed.sample(8))
  func writesAfterTheCutAreNotSeen(seed: Seed) throws {
    let shape = BooksShape()
    var books = try RandomBooks(seed: seed, shape: shape)
    let cut = books.books.cut()
    let twin = NaiveQuery(cut)
    try books.addBalances(40, shape)
    for _ in 0..<60 { try books.addTransaction(shape) }
    for index in 100..<103 { try books.addIdentity(index) }
    for identity in books.identities { _ = try? books.books.execute(.deleteIdentity(identity)) }
    var requests = RandomRequests(twin: twin, generator: seed.generator)
    let engine = QueryEngine()
    // A newer cut has filled the engine's caches with rows that the older one must not see.
    let newer = books.books.cut()
    for table in QueryTable.allCases {
      for _ in 0..<40 {
        let request = requests.request(table)
        _ = try engine.run(request, on: newer, stop: StopFlag())
        let result = try engine.run(request, on: cut, stop: StopFlag())
        let all = twin.rows(request)
        #expect(
          result.rows == Array(all.dropFirst(request.offset).prefix(request.limit ?? .max)),
          "\(seed) \(request)")
        if request.includeCount { #expect(result.totalCount == all.count, "\(seed) \(request)") }
      }
    }
  }

  @Test func stoppedQueriesEnd() throws {
    let books = try RandomBooks(seed: Seed(1), shape: BooksShape())
    let cut = books.books.cut()
    let request = QueryRequest(table: .balances)
    let cancelled = StopFlag()
    cancelled.cancel()
    #expect(throws: QueryStopped.cancelled) { try QueryEngine().run(request, on: cut, stop: cancelled) }
    let clock = ManualClock()
    let late = StopFlag(deadline: clock.monotonicTime() + .milliseconds(1), clock: clock)
    _ = try QueryEngine().run(request, on: cut, stop: late)
    clock.advance(by: .milliseconds(1))
    #expect(throws: QueryStopped.deadlineExceeded) { try QueryEngine().run(request, on: cut, stop: late) }
  }

  @Test func cursorOfAnotherRequestIsRefused() throws {
    let books = try RandomBooks(seed: Seed(2), shape: BooksShape())
    let cut = books.books.cut()
    var request = QueryRequest(table: .balances, limit: 3, wantsCursor: true)
    let cursor = try #require(try QueryEngine().run(request, on: cut, stop: StopFlag()).nextCursor)
    request.limit = 5
    request.cursor = cursor
    _ = try QueryEngine().run(request, on: cut, stop: StopFlag())
    request.sort = SortOrder(field: QueryField.named("balance", in: .balances)!, ascending: true)
    #expect(throws: QueryStopped.foreignCursor) {
      try QueryEngine().run(request, on: cut, stop: StopFlag())
    }
    let text = cursor.text
    #expect(Cursor(text: text) == cursor)
    #expect(Cursor(text: text + "A") == nil)
    #expect(Cursor(text: String(text.dropLast())) == nil)
    #expect(Cursor(text: "") == nil)
    #expect(Cursor(text: "B" + text.dropFirst()) == nil)
  }
}
