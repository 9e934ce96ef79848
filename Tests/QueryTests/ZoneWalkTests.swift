// Pages by the greatest credits, debits and holds: the rows that a sort of all gives, few looked at.

import Amounts
import Columns
import Ledger
import Platform
import TestSupport
import Testing

@testable import Query

@Suite struct ZoneWalkTests {
  /// Two stripes and a part of a third.
  private static let balanceCount = 70_000
  private static let sorts = [
    "credit_balance", "debit_balance", "inflight_credit_balance", "inflight_debit_balance",
  ]

  /// Books in which a part of the balances has moved, by amounts of which many are equal and some are wide.
  private static func books(_ seed: Seed, transfers: Int) throws -> RandomBooks {
    var shape = BooksShape()
    shape.balanceCount = balanceCount
    shape.transactionCount = 0
    shape.wideChance = Int(seed.value % 4)
    var books = try RandomBooks(seed: seed, shape: shape)
    for _ in 0..<transfers { try books.addTransaction(shape) }
    shape.balanceCount = 0
    books.addHolds(shape)
    return books
  }

  /// All rows of a cut, read once.
  private struct Rows {
    let images: [BalanceImage]
    let currencies: [UInt32]

    init(_ cut: Cut) {
      images = (0..<cut.balanceCount).map { cut.balance(RowIndex($0)) }
      currencies = images.map { cut.books.balances.currencies[$0.row] }
    }

    func key(_ sort: String, _ row: Int) -> Amount {
      switch sort {
      case "credit_balance": images[row].credit
      case "debit_balance": images[row].debit
      case "inflight_credit_balance": images[row].inflightCredit
      default: images[row].inflightDebit
      }
    }

    /// The rows that pass, greatest first, later ones first among equal ones.
    func sorted(_ sort: String, _ isKept: (Int) -> Bool) -> [RowIndex] {
      images.indices.filter(isKept).map { (key: key(sort, $0), row: $0) }
        .sorted { $0.key == $1.key ? $0.row > $1.row : $0.key > $1.key }
        .map { RowIndex($0.row) }
    }
  }

  /// A filter as the engine takes it, and as a closure.
  private struct Filter {
    var predicates: [Predicate] = []
    var isKept: (Int) -> Bool = { _ in true }
  }

  private static func field(_ name: String) -> QueryField { QueryField.named(name, in: .balances)! }

  private static func filter(
    _ generator: inout SeededGenerator, _ rows: Rows, _ books: Books, _ sort: String
  ) -> Filter {
    var filter = Filter()
    if Int.random(in: 0..<2, using: &generator) == 0 {
      let currency = RandomBooks.currencies.randomElement(using: &generator)!
      let code = books.currencies.code(of: currency) ?? .max
      filter.predicates.append(Predicate(field: field("currency"), op: .equal, operand: .text(currency)))
      filter.isKept = { rows.currencies[$0] == code }
    }
    let before = filter.isKept
    switch Int.random(in: 0..<5, using: &generator) {
    case 0:
      let bound = Amount([0, 1, 1000].randomElement(using: &generator)!)
      filter.predicates.append(Predicate(field: field("balance"), op: .greater, operand: .amount(bound)))
      filter.isKept = { before($0) && rows.images[$0].balance > bound }
    case 1:
      let bound = rows.key(sort, Int.random(in: 0..<balanceCount, using: &generator)) + .one
      filter.predicates.append(Predicate(field: field(sort), op: .lessOrEqual, operand: .amount(bound)))
      filter.isKept = { before($0) && rows.key(sort, $0) <= bound }
    case 2:
      let bound = rows.key(sort, Int.random(in: 0..<balanceCount, using: &generator))
      filter.predicates.append(Predicate(field: field(sort), op: .greaterOrEqual, operand: .amount(bound)))
      filter.isKept = { before($0) && rows.key(sort, $0) >= bound }
    default: break
    }
    return filter
  }

  /// Some pages on a cut, by the zones and by the scan.
  private func compare(
    _ cut: Cut, _ rows: Rows, _ engine: QueryEngine, _ seed: Seed, count: Int,
    _ tally: inout [AccessPath: Int]
  ) throws {
    var generator = seed.generator
    for _ in 0..<count {
      let sort = Self.sorts.randomElement(using: &generator)!
      let filter = Self.filter(&generator, rows, cut.books, sort)
      let all = rows.sorted(sort, filter.isKept)
      let request = QueryRequest(
        table: .balances, predicates: filter.predicates,
        sort: SortOrder(field: Self.field(sort), ascending: false),
        limit: [0, 1, 5, 20, 100, 1000].randomElement(using: &generator)!,
        offset: [0, 0, 0, 3, 90, 70_000].randomElement(using: &generator)!,
        includeCount: Bool.random(using: &generator), wantsCursor: Bool.random(using: &generator))
      let page = Array(all.dropFirst(request.offset).prefix(request.limit ?? .max))
      for path in [AccessPath.zones, .scan] {
        let plan = try engine.plan(request, on: cut, stop: StopFlag(), path: path)
        #expect(plan.path == path || plan.path == .nothing, "\(seed) \(request)")
        let result = try engine.run(plan, on: cut, stop: StopFlag())
        tally[result.trace.path, default: 0] += 1
        #expect(result.rows == page, "\(seed) \(result.trace.path) \(request)")
        #expect(result.totalCount == (request.includeCount ? all.count : nil), "\(seed) \(request)")
        let hasNext = request.wantsCursor && !page.isEmpty && request.offset + page.count < all.count
        #expect((result.nextCursor != nil) == hasNext, "\(seed) \(request)")
      }
    }
  }

  @Test(arguments: Seed.sample(2))
  func zonesGiveThePagesThatSortingGives(_ seed: Seed) throws {
    var random = try Self.books(seed, transfers: 2000)
    let books = random.books
    let engine = QueryEngine()
    let old = books.cut()
    let oldRows = Rows(old)
    var tally: [AccessPath: Int] = [:]
    try compare(old, oldRows, engine, seed, count: 16, &tally)
    // The maxima go beyond what the old cut shows, and holds below theirs.
    var shape = BooksShape()
    shape.wideChance = 4
    for _ in 0..<1000 { try random.addTransaction(shape) }
    for row in 0..<200 {
      books.balances.setHold(
        RowIndex(row * 7), lane: BalanceTable.HoldLane.credit, .zero, position: books.position)
    }
    let new = books.cut()
    try compare(old, oldRows, engine, seed, count: 8, &tally)
    try compare(new, Rows(new), engine, seed, count: 8, &tally)
    #expect(tally[.zones, default: 0] > 5, "\(seed) \(tally)")
    #expect(books.faultOfMaxima() == nil, "\(seed)")
  }

  @Test(arguments: Seed.sample(1))
  func theGreatestAreAskedForInAnInstant(_ seed: Seed) throws {
    let books = try Self.books(seed, transfers: 2000).books
    let engine = QueryEngine()
    let rows = Rows(books.cut())
    for sort in ["credit_balance", "debit_balance"] {
      let request = QueryRequest(
        table: .balances, sort: SortOrder(field: Self.field(sort), ascending: false), limit: 5)
      guard case .shown(let result, _, _) = try engine.answer(request, books, stop: StopFlag()) else {
        Issue.record("\(seed): not shown at once")
        continue
      }
      #expect(result.trace.path == .zones && result.trace.isInstant, "\(seed)")
      #expect(result.rows == Array(rows.sorted(sort) { _ in true }.prefix(5)), "\(seed)")
    }
  }

  @Test func codesOfAmountsKeepTheirOrder() {
    var amounts: [Amount] = []
    for power in 0..<135 {
      let leading = (0..<power).reduce(Amount.one) { sum, _ in sum + sum }
      for step in -3...3 {
        amounts.append(leading + Amount(step))
        amounts.append(-(leading + Amount(step)))
      }
    }
    amounts += [.zero, Amount(Int64.max), Amount(Int64.min), .power(of10: 60), -.power(of10: 60)]
    amounts.sort()
    for (left, right) in zip(amounts, amounts.dropFirst()) {
      let (low, high) = (AmountCode.code(left), AmountCode.code(right))
      #expect(low <= high, "\(left) \(right)")
      if low == high && left != right {
        #expect(!AmountCode.isExact(low) && !AmountCode.isExact(~low), "\(left) \(right)")
      }
      if let narrow = left.int64 { #expect(AmountCode.code(narrow) == low, "\(left)") }
    }
  }
}
