// Every path to a page gives the same rows and counts, through instants and held cuts, and each is really
// taken.

import Amounts
import Columns
import Ledger
import Platform
import TestSupport
import Testing

@testable import Query

@Suite struct AccessPathTests {
  /// How often each path and each way to a count were taken.
  private struct Tally {
    var instant: [AccessPath: Int] = [:]
    var held: [AccessPath: Int] = [:]
    var forced: [AccessPath: Int] = [:]
    var counts: [CountPath: Int] = [:]
    var fallenThrough = 0

    mutating func note(_ trace: QueryTrace) {
      if trace.isInstant { instant[trace.path, default: 0] += 1 } else { held[trace.path, default: 0] += 1 }
      counts[trace.countPath, default: 0] += 1
      if trace.hasFallenThrough { fallenThrough += 1 }
    }
  }

  /// Books of one seed, with everything that makes a path go wrong.
  private func books(_ seed: Seed) throws -> RandomBooks {
    var shape = BooksShape()
    shape.balanceCount = [60, 300, 700][Int(seed.value % 3)]
    shape.hasOldTimes = seed.value % 2 == 0
    shape.wideChance = Int(seed.value % 4)
    shape.transactionCount = 300
    var books = try RandomBooks(seed: seed, shape: shape)
    if seed.value % 3 == 0 { books.addHolds(shape) }
    try books.updateIdentities()
    return books
  }

  /// Asks as the server does: without a cut.
  private func ask(
    _ request: QueryRequest, _ books: Books, _ engine: QueryEngine
  ) throws -> (result: QueryResult, images: PageImages?) {
    switch try engine.answer(request, books, stop: StopFlag()) {
    case .shown(let result, let images, _): return (result, images)
    case .found(let result, _): return (result, nil)
    case .planned(let plan, let cut): return (try engine.run(plan, on: cut, stop: StopFlag()), nil)
    }
  }

  private func check(
    _ result: QueryResult, _ request: QueryRequest, _ all: [RowIndex], _ text: @autoclosure () -> String
  ) -> Bool {
    let page = Array(all.dropFirst(request.offset).prefix(request.limit ?? .max))
    let isRight =
      result.rows == page && result.totalCount == (request.includeCount ? all.count : nil)
    let count = String(describing: result.totalCount)
    let found = "\(result.trace.path) found \(result.rows.map(\.index)) of \(count)"
    #expect(isRight, "\(text()): \(found), not \(page.map(\.index)) of \(all.count): \(request)")
    return isRight
  }

  private func compare(_ seed: Seed, _ count: Int, _ tally: inout Tally) throws {
    let random = try books(seed)
    let books = random.books
    let cut = books.cut()
    let twin = NaiveQuery(cut)
    let engine = QueryEngine()
    var requests = RandomRequests(twin: twin, generator: seed.generator)
    for number in 0..<count {
      let table: QueryTable = requests.chance(2, in: 3) ? .balances : .transactions
      let request =
        number % 4 == 0
        ? requests.request(QueryTable.allCases.randomElement(using: &requests.generator)!)
        : requests.commonRequest(table)
      let all = twin.rows(request)
      let (result, images) = try ask(request, books, engine)
      tally.note(result.trace)
      guard check(result, request, all, "\(seed) asked") else { return }
      if let images, request.table == .balances {
        for (place, row) in result.rows.enumerated() {
          var image = images.balance(place)
          image.metadata = images.withBytes(place) { bytes in bytes.indices.map { bytes[$0] } }
          #expect(image == cut.balance(row), "\(seed) image of \(row)")
        }
      }
      // The scan answers most of what is asked anyway, and is slow without optimisation.
      for path in AccessPath.allCases
      where path != .nothing && path != .groups && (path != .scan || number % 4 == 1) {
        let plan = try engine.plan(request, on: cut, stop: StopFlag(), path: path)
        guard plan.path == path else { continue }
        let result = try engine.run(plan, on: cut, stop: StopFlag())
        tally.forced[path, default: 0] += 1
        guard check(result, request, all, "\(seed) forced \(path)") else { return }
        if number % 5 == 0 {
          // A walk that gives up at once: the scan in its place has the same answer.
          var hasty = plan
          hasty.budget = 0
          let result = try engine.run(hasty, on: cut, stop: StopFlag())
          tally.note(result.trace)
          guard check(result, request, all, "\(seed) given up \(path)") else { return }
        }
      }
      let isRight = try forceInstants(request, all, books, engine, seed, &tally)
      if !isRight { return }
      if number % 3 == 0, !(try comparePages(request, all, books, engine, &requests, seed, &tally)) { return }
    }
  }

  /// Every path that the request can take while writers are kept out.
  private func forceInstants(
    _ request: QueryRequest, _ all: [RowIndex], _ books: Books, _ engine: QueryEngine, _ seed: Seed,
    _ tally: inout Tally
  ) throws -> Bool {
    for path in AccessPath.allCases where path != .nothing && path != .groups && path != .scan {
      let result = try books.withInstant { (cut: Cut) throws(QueryStopped) -> QueryResult? in
        let plan = try engine.plan(request, on: cut, stop: StopFlag(), path: path)
        if plan.path != path { return nil }
        return try engine.run(plan, on: cut, stop: StopFlag())
      }
      guard let result else { continue }
      tally.forced[path, default: 0] += 1
      guard check(result, request, all, "\(seed) instant \(path)") else { return false }
    }
    return true
  }

  /// All pages by cursor, each asked anew.
  private func comparePages(
    _ request: QueryRequest, _ all: [RowIndex], _ books: Books, _ engine: QueryEngine,
    _ requests: inout RandomRequests, _ seed: Seed, _ tally: inout Tally
  ) throws -> Bool {
    var request = request
    request.offset = 0
    request.limit = max(all.count / Int.random(in: 1...5, using: &requests.generator), 1)
    request.wantsCursor = true
    var rows: [RowIndex] = []
    while true {
      let (page, _) = try ask(request, books, engine)
      tally.note(page.trace)
      rows += page.rows
      guard let cursor = page.nextCursor else { break }
      #expect(page.rows.count == request.limit)
      let read: Cursor = try #require(Cursor(text: cursor.text))
      request.cursor = read
      if rows.count > all.count { break }
    }
    let isRight = rows == all
    #expect(isRight, "\(seed) by cursor \(request)")
    return isRight
  }

  @Test func everyPathIsTakenAndAgreesWithTheNaiveTwin() throws {
    var tally = Tally()
    let seeds = Seed.sample(18)
    for seed in seeds { try compare(seed, 60, &tally) }
    for path in AccessPath.allCases where path != .groups {
      print(
        "path \(path.name): \(tally.instant[path] ?? 0) instant, \(tally.held[path] ?? 0) on cuts, "
          + "\(tally.forced[path] ?? 0) forced")
      let count = (tally.instant[path] ?? 0) + (tally.held[path] ?? 0) + (tally.forced[path] ?? 0)
      #expect(count > 0 || seeds.count < 18, "\(path) was never taken")
    }
    for path in CountPath.allCases {
      print("count \(path.name): \(tally.counts[path] ?? 0)")
      #expect(tally.counts[path] ?? 0 > 0 || seeds.count < 18, "\(path) never gave a count")
    }
    print("given up for a scan: \(tally.fallenThrough)")
    #expect(tally.fallenThrough > 0 || seeds.count < 18, "no walk was given up")
  }
}
