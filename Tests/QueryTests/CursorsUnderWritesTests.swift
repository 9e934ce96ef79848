// Walks by cursor beside writes: every row that did not change is seen once, in its place, in any order.

import Amounts
import Columns
import Ledger
import Platform
import Query
import TestSupport
import Testing

@Suite struct CursorsUnderWritesTests {
  /// Pages of one walk, at most: rows that move ahead of it must not make it endless.
  private static let pageLimit = 400

  /// Asks as the server does, or on a cut.
  private func page(
    _ request: QueryRequest, _ books: Books, _ engine: QueryEngine, isOnCut: Bool
  ) throws -> QueryResult {
    if isOnCut { return try engine.run(request, on: books.cut(), stop: StopFlag()) }
    switch try engine.answer(request, books, stop: StopFlag()) {
    case .shown(let result, _, _), .found(let result, _): return result
    case .planned(let plan, let cut): return try engine.run(plan, on: cut, stop: StopFlag())
    }
  }

  /// Rows whose fields or members differ.
  private func changed(_ old: [TwinRow], _ new: [TwinRow]) -> Set<RowIndex> {
    let known = Dictionary(uniqueKeysWithValues: new.map { ($0.row, $0) })
    return Set(
      old.filter { row in
        guard let now = known[row.row] else { return true }
        return now.values != row.values || now.members != row.members
      }.map(\.row))
  }

  /// What others do between two pages.
  private func write(_ random: inout RandomBooks, _ shape: BooksShape) throws {
    for _ in 0..<random.roll(4) {
      switch random.roll(8) {
      case 0: try random.addLedger(1000 + random.roll(1_000_000))
      case 1: try random.addIdentity(1000 + random.roll(1_000_000))
      case 2: try random.addBalances(2, shape)
      case 3: try random.renameLedger()
      case 4: try random.updateSomeMetadata()
      case 5: try random.updateSomeIdentity()
      default: try random.addTransaction(shape)
      }
    }
  }

  private func walk(
    _ request: QueryRequest, _ random: inout RandomBooks, _ shape: BooksShape, _ engine: QueryEngine,
    _ seed: Seed
  ) throws {
    var request = request
    let first = NaiveQuery(random.books.cut())
    let before = first.rows(request)
    var twin = first
    var touched: Set<RowIndex> = []
    var seen: [RowIndex] = []
    for number in 0... {
      let page = try page(request, random.books, engine, isOnCut: random.roll(3) == 0)
      seen += page.rows
      guard let cursor = page.nextCursor else { break }
      try #require(page.rows.count == request.limit, "\(seed) \(request)")
      try #require(number < Self.pageLimit, "\(seed) \(request) does not end")
      request.cursor = cursor
      try write(&random, shape)
      let now = NaiveQuery(random.books.cut())
      touched.formUnion(changed(twin.tables[request.table]!, now.tables[request.table]!))
      twin = now
    }
    request.cursor = nil
    let wanted = Set(before).subtracting(touched)
    #expect(
      seen.filter(wanted.contains) == before.filter(wanted.contains), "\(seed) \(request), changed \(touched)"
    )
    // A row that did not fit and did not change is not seen.
    let others = Set(first.tables[request.table]!.map(\.row)).subtracting(before).subtracting(touched)
    #expect(others.isDisjoint(with: seen), "\(seed) \(request)")
  }

  @Test(arguments: Seed.sample(Effort.choose(1, long: 60)))
  func everyUnchangedRowIsSeenOnceInEveryOrder(seed: Seed) throws {
    var shape = BooksShape()
    shape.balanceCount = 60
    shape.transactionCount = 50
    shape.hasOldTimes = seed.value % 2 == 0
    for table in QueryTable.allCases {
      let fields =
        QueryField.all(in: table).filter(\.isSortable)
        + RandomBooks.keys.map { QueryField.named("meta_data." + $0.name, in: table)! }
      for (place, field) in fields.enumerated() {
        // New ones for each field: they grow with every walk.
        var random = try RandomBooks(seed: Seed(seed.value &+ UInt64(place)), shape: shape)
        let engine = QueryEngine()
        for ascending in [false, true] {
          var requests = RandomRequests(twin: NaiveQuery(random.books.cut()), generator: random.generator)
          let predicates = requests.chance(2, in: 3) ? [] : [requests.predicate(table)]
          random.generator = requests.generator
          let request = QueryRequest(
            table: table, predicates: predicates, sort: SortOrder(field: field, ascending: ascending),
            limit: 3 + random.roll(15), includeCount: random.roll(2) == 0, wantsCursor: true)
          try walk(request, &random, shape, engine, seed)
        }
      }
    }
  }
}

extension RandomBooks {
  fileprivate mutating func roll(_ sides: Int) -> Int { Int.random(in: 0..<sides, using: &generator) }

  fileprivate mutating func renameLedger() throws {
    let ledger = ledgers[roll(ledgers.count)]
    // The general ledger keeps its name.
    _ = try? books.execute(.updateLedger(ledger, name: text()))
  }

  fileprivate mutating func updateSomeIdentity() throws {
    guard !identities.isEmpty else { return }
    let identity = identities[roll(identities.count)]
    if roll(2) == 0 {
      _ = try? books.execute(.setBalanceIdentity(balance: balances[roll(balances.count)], identity: identity))
    } else {
      let field = IdentityField.allCases[roll(IdentityField.allCases.count)]
      _ = try? books.execute(.updateIdentity(identity, fields: [(field, roll(3) == 0 ? nil : text())]))
    }
  }

  /// Other metadata for something of any kind.
  fileprivate mutating func updateSomeMetadata() throws {
    let metadata = metadata()
    let transaction = books.transactions.identifiers[RowIndex(roll(books.counts.transactions))]
    let choices: [(EntityKind, Identifier)] = [
      (.balance, balances[roll(balances.count)]), (.transaction, transaction),
      (.ledger, ledgers[roll(ledgers.count)]), (.identity, identities[roll(identities.count)]),
    ]
    let (kind, identifier) = choices[roll(choices.count)]
    _ = try? books.execute(.updateMetadata(kind, identifier) { _ in metadata })
  }
}
