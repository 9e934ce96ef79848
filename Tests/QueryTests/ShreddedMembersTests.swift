// Metadata by code, against reading every row; on new and old cuts, beside writers.

import Columns
import Ledger
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Query

@Suite struct ShreddedMembersTests {
  private static let keys = RandomBooks.keys.map { Array($0.name.utf8) } + [Array("none".utf8)]

  /// Random tests of one key.
  private static func tests(_ cut: Cut, _ seed: Seed, count: Int) -> [MetadataTest] {
    var requests = RandomRequests(twin: NaiveQuery(cut), generator: seed.generator)
    var tests: [MetadataTest] = []
    while tests.count < count {
      let predicate = requests.predicate(.balances)
      guard case .metadata(let key) = predicate.field.source else { continue }
      tests.append(MetadataTest(key: key, predicate.op, predicate.operand))
    }
    let texts = RandomBooks.texts.map { Array($0.utf8) }
    for key in keys {
      for text in texts.shuffled(using: &requests.generator).prefix(4) + [Array("5".utf8)] {
        for ascending in [true, false] {
          tests.append(MetadataTest(key: key, .beyond(text, ascending: ascending)))
        }
        tests.append(MetadataTest(key: key, .sameText(text)))
      }
      tests.append(MetadataTest(key: key, .beyond(nil, ascending: false)))
    }
    return tests
  }

  /// Whether codes and rows agree, for every row of the cut.
  private static func faults(
    _ texts: KeptTexts, _ table: QueryTable, _ cut: Cut, _ tests: [MetadataTest]
  ) throws -> [String] {
    let reader = RowReader(cut: cut, table: table, texts: texts)
    let scan = MemberScan(reader, StopFlag())
    let bits = Selection()
    var faults: [String] = []
    for test in tests {
      for stripe in 0..<Layout.stripeCount(rows: reader.rowCount) {
        let first = stripe * Layout.stripeRows
        let count = min(reader.rowCount - first, Layout.stripeRows)
        let isKnown = try unsafe scan.select(
          .metadata(table, test.key), test.condition, stripe: stripe, rowCount: count, selectedCount: count,
          into: bits.bits)
        if !isKnown {
          faults.append("no codes for \(test)")
          continue
        }
        for place in 0..<count where bits[place] != reader.withMetadata(RowIndex(first + place), test.matches)
        { faults.append("row \(first + place) for \(test)") }
      }
    }
    return faults
  }

  @Test(arguments: Seed.sample(3)) func codesAgreeWithRows(_ seed: Seed) throws {
    var shape = BooksShape()
    shape.balanceCount = seed.value % 2 == 0 ? 300 : 34_000
    let random = try RandomBooks(seed: seed, shape: shape)
    let cut = random.books.cut()
    let tests = Self.tests(cut, seed, count: 25)
    let texts = KeptTexts()
    for table in QueryTable.allCases {
      #expect(try Self.faults(texts, table, cut, tests).prefix(3) == [], "\(seed) \(table)")
    }
  }

  /// A newer cut fills the columns, an older one reads them, and the other way round.
  @Test(arguments: Seed.sample(3)) func everyCutHasItsOwnValues(_ seed: Seed) throws {
    var generator = seed.generator
    var random = try RandomBooks(seed: seed, shape: BooksShape())
    let texts = KeptTexts()
    var cuts = [random.books.cut()]
    let tests = Self.tests(cuts[0], seed, count: 12)
    for _ in 0..<5 {
      for _ in 0..<20 {
        let balance = random.balances.randomElement(using: &generator)!
        let metadata = random.metadata()
        _ = try random.books.execute(.updateMetadata(.balance, balance) { _ in metadata })
      }
      try random.addBalances(30, BooksShape())
      for _ in 0..<4 { try random.addTransaction(BooksShape()) }
      cuts.append(random.books.cut())
      for _ in 0..<3 {
        let cut = cuts.randomElement(using: &generator)!
        for table in QueryTable.allCases {
          #expect(try Self.faults(texts, table, cut, tests).prefix(3) == [], "\(seed) \(table)")
        }
      }
      if cuts.count > 3 { cuts.removeFirst() }
    }
  }

  @Test func valuesThatAreNearlyAllDifferentAreGivenUp() throws {
    let values = DistinctValues()
    var given = 0
    while given < DistinctValues.valueLimit {
      values.noteRows(1)
      let text = Array("value \(given)".utf8)
      guard let code = values.code(.text, text.span) else { break }
      if Int(code) != given + 1 { break }
      given += 1
    }
    #expect(given == DistinctValues.freeValueCount && values.isFull)
    let known = Array("value 7".utf8)
    #expect(values.code(.text, known.span) == 8)
  }

  @Test func membersUsedLongAgoAreLetGo() {
    let members = ShreddedMembers()
    for number in 0..<50 { _ = members.member(.record(.ledgers, number)) }
    #expect(members.sources == (18..<50).map { .record(.ledgers, $0) })
    _ = members.member(.record(.ledgers, 18))
    _ = members.member(.record(.ledgers, 99))
    #expect(members.sources.suffix(2) == [.record(.ledgers, 18), .record(.ledgers, 99)])
    #expect(members.sources.count == 32 && members.sources.first == .record(.ledgers, 20))
  }

  @Test(arguments: Seed.sample(4)) func numberCodesNeverContradictTheOrder(_ seed: Seed) {
    var generator = seed.generator
    func text() -> String {
      let digits = String(
        (0..<Int.random(in: 1...20, using: &generator)).map { _ in "019".randomElement(using: &generator)! })
      let sign = Bool.random(using: &generator) ? "-" : ""
      let power = [0, 1, -1, 3, 600, -600, 511, 512].randomElement(using: &generator)!
      return sign + (digits.first == "0" ? "0" : digits)
        + (Bool.random(using: &generator) ? "." + digits : "")
        + "e\(power)"
    }
    let numbers =
      (0..<120).compactMap { _ in NumberText(Array(text().utf8).span) } + [NumberText(Array("0".utf8).span)!]
    for left in numbers {
      let wrong = numbers.filter { NumberText.order(left, $0) < 0 && left.code > $0.code }
      #expect(wrong.isEmpty, "\(seed) \(left) \(wrong)")
      #expect(left.code > DistinctValues.noNumber)
    }
  }

  /// What the threads of a test share.
  private final class Bench: Sendable {
    let books: Books
    let texts = KeptTexts()
    let isDone = Atomic<Bool>(false)
    let faults = Guarded<[String]>([])
    init(_ books: Books) { self.books = books }
  }

  @Test(arguments: Seed.sample(2)) func codesAgreeBesideWriters(_ seed: Seed) throws {
    var shape = BooksShape()
    shape.balanceCount = 1_500
    let random = try RandomBooks(seed: seed, shape: shape)
    let bench = Bench(random.books)
    let first = random.books.cut()
    var generator = seed.generator
    let tests = Self.tests(first, seed, count: 8).shuffled(using: &generator)
    let readers = try (0..<3).map { number in
      try Thread(name: "reader") {
        while !bench.isDone.load(ordering: .acquiring) {
          for cut in [bench.books.cut(), first] {
            let found = try? Self.faults(bench.texts, .balances, cut, Array(tests.prefix(6 + number)))
            bench.faults.withLock { $0 += found ?? ["stopped"] }
            cut.doneReading()
          }
        }
      }
    }
    for number in 0..<200 {
      let metadata =
        number % 3 == 0
        ? Array("{\"k\":\(number),\"kk\":\"\(number % 300)\"}".utf8) : Array("{\"k\":\"abc\"}".utf8)
      let balance = random.balances.randomElement(using: &generator)!
      _ = try random.books.execute(.updateMetadata(.balance, balance) { _ in metadata })
    }
    bench.isDone.store(true, ordering: .releasing)
    for reader in readers { reader.join() }
    #expect(bench.faults.withLock { Array($0.prefix(3)) } == [], "\(seed)")
  }
}
