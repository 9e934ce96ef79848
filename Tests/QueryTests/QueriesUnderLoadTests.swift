// Queries, digests and reads of single rows beside two writers: every cut stands still, whatever goes on.

import Amounts
import Columns
import Ledger
import Platform
import Query
import Synchronization
import TestSupport
import Testing

@Suite struct QueriesUnderLoadTests {
  private static let commandCount = 700

  /// A request with its answer on the first cut, which is held all the time.
  private struct Answered {
    let request: QueryRequest
    let rows: [RowIndex]
    let totalCount: Int?
  }

  /// What the threads share.
  private final class Bench: Sendable {
    let books: Books
    let first: Cut
    let answered: [Answered]
    let engine = QueryEngine()
    let isDone = Atomic<Bool>(false)
    let cutsRead = Atomic<Int>(0)
    /// Digests by position: two cuts of one position are the same, whoever took them.
    private let digests = Guarded<[UInt64: UInt64]>([:])
    private let faults = Guarded<[String]>([])

    init(_ books: Books, _ first: Cut, _ answered: [Answered]) {
      self.books = books
      self.first = first
      self.answered = answered
      check(first)
    }

    var foundFaults: [String] { faults.withLock { Array($0.prefix(5)) } }

    func expect(_ holds: Bool, _ text: @autoclosure () -> String) {
      if holds { return }
      let text = text()
      faults.withLock { $0.append(text) }
    }

    /// The cut's digest is that of every other cut of its position.
    func check(_ cut: Cut) {
      let digest = cut.digest()
      let known = digests.withLock { known in
        defer { known[cut.position] = digest }
        return known[cut.position] ?? digest
      }
      expect(digest == known, "two digests at position \(cut.position)")
    }

    func run(_ request: QueryRequest, on cut: Cut) -> QueryResult {
      do throws(QueryStopped) {
        return try engine.run(request, on: cut, stop: StopFlag())
      } catch {
        expect(false, "\(request) ended with \(error)")
        return QueryResult(rows: [])
      }
    }

    func read(_ generator: inout SeededGenerator) {
      var lastPosition: UInt64 = 0
      while !isDone.load(ordering: .acquiring) {
        let cut = books.cut()
        expect(cut.position >= lastPosition, "positions run backwards")
        lastPosition = cut.position
        readQueries(cut, &generator)
        readRows(cut, &generator)
        let round = cutsRead.add(1, ordering: .relaxed).newValue
        if round % 8 == 0 { check(cut) }
        if round % 32 == 0 { check(first) }
        if round % 64 == 0 {
          for fault in books.checkInvariants(on: cut, limit: 3) { expect(false, fault) }
        }
      }
    }

    private func readQueries(_ cut: Cut, _ generator: inout SeededGenerator) {
      for _ in 0..<4 {
        guard let answered = answered.randomElement(using: &generator) else { return }
        let newer = run(answered.request, on: cut)
        expect(newer == run(answered.request, on: cut), "two answers on a cut to \(answered.request)")
        let older = run(answered.request, on: first)
        expect(
          older.rows == answered.rows && older.totalCount == answered.totalCount,
          "the first cut has changed for \(answered.request)")
      }
    }

    /// Reads under the shard's lock, and what the server's statistics read.
    private func readRows(_ cut: Cut, _ generator: inout SeededGenerator) {
      for _ in 0..<20 {
        let row = RowIndex(Int.random(in: 0..<cut.balanceCount, using: &generator))
        let now = books.balance(row)
        expect(now.version >= cut.balance(row).version, "a balance runs backwards")
        expect(now.balance == now.credit - now.debit, "a balance is not its totals")
        expect(books.row(.balance, books.balances.identifiers[row]) == row, "a row is not found")
      }
      let entity = RowIndex(Int.random(in: 0..<cut.identityCount, using: &generator))
      let record = books.withShard(of: entity) {
        unsafe books.identities.currentRecord(entity).map { unsafe [UInt8]($0) }
      }
      expect(record?.isEmpty != true, "a record without fields")
      let transaction = RowIndex(Int.random(in: 0..<cut.transactionCount, using: &generator))
      let metadata = books.withShard(of: transaction) { books.transactions.currentMetadata(transaction) }
      expect(metadata.isEmpty || metadata.first == UInt8(ascii: "{"), "metadata is no object")
      _ = books.balances.byteCount(rowCount: 1) + books.transactions.byteCount(rowCount: 1)
      _ = books.records.byteCount + books.currencies.byteCount + books.epochs.heldCount
      _ = books.newestCutAge(now: books.clock.monotonicTime())
    }
  }

  /// One thread's commands, all kinds of them; some are refused.
  private struct Writer {
    let books: Books
    let number: Int
    var generator: SeededGenerator
    let balances: [Identifier]
    let identities: [Identifier]

    mutating func roll(_ sides: Int) -> Int { Int.random(in: 0..<sides, using: &generator) }

    mutating func balance() -> Identifier { balances[roll(balances.count)] }

    mutating func run(_ count: Int) {
      for place in 0..<count {
        let key =
          roll(6) == 0 ? IdempotencyKey(text: "key\(number)-\(roll(count))", contentDigest: 1) : nil
        _ = try? books.execute(command("\(number)-\(place)"), key: key)
        if roll(16) == 0 { Thread.yield() }
      }
    }

    private mutating func command(_ name: String) -> Command {
      let metadata = Array("{\"k\":\"\(name)\",\"kk\":\(roll(100))}".utf8)
      switch roll(16) {
      case 0:
        return .createLedger(NewLedger(name: name, metadata: metadata))
      case 1:
        let fields = IdentityField.allCases.map { _ in roll(2) == 0 ? name : nil }
        return .createIdentity(
          NewIdentity(identifier: .custom("idt_\(name)"), fields: fields, metadata: metadata))
      case 2: return .updateIdentity(identities[roll(identities.count)], fields: [(.city, name)])
      case 3: return .deleteIdentity(identities[roll(identities.count)])
      case 4:
        return .setBalanceIdentity(balance: balance(), identity: identities[roll(identities.count)])
      case 5:
        let items = (0..<roll(40) + 1).map { place in
          NewBalance(
            identifier: place % 2 == 0 ? .custom("bln_\(name)-\(place)") : nil, ledger: .generalLedger,
            currency: "C\(roll(300))", indicator: place % 5 == 0 ? "@\(name)-\(place)" : nil,
            createdAt: roll(20) == 0 ? Microseconds(5) : nil, metadata: metadata)
        }
        return .createBalances(items, atomic: roll(2) == 0)
      case 6: return .updateMetadata(.ledger, .generalLedger) { _ in metadata }
      case 7: return .updateMetadata(.identity, identities[roll(identities.count)]) { _ in metadata }
      case 8, 9: return .updateMetadata(.balance, balance()) { _ in metadata }
      case 10...12: return .postTransaction(transaction(name, metadata))
      default:
        let items = (0..<roll(30) + 1).map { transaction("\(name)-\($0)", metadata) }
        return .postTransactions(items, atomic: roll(3) > 0)
      }
    }

    private mutating func transaction(_ name: String, _ metadata: [UInt8]) -> NewTransaction {
      let parties = (balance(), roll(3) == 0 ? Party.indicator("@load\(roll(9))") : .balance(balance()))
      let amount = roll(4) == 0 ? Amount.power(of10: roll(40)) : Amount(Int64(roll(1_000) + 1))
      return NewTransaction(
        identifier: .custom("txn_\(name)"), source: .balance(parties.0), destination: parties.1,
        amount: amount, currency: "USD", reference: name, description: roll(2) == 0 ? name : nil,
        allowOverdraft: true, metadata: roll(3) == 0 ? metadata : [])
    }
  }

  @Test(arguments: Seed.sample(2)) func everyCutStandsStillBesideTwoWriters(_ seed: Seed) throws {
    var shape = BooksShape()
    shape.balanceCount = 1_200
    let random = try RandomBooks(seed: seed, shape: shape)
    let books = random.books
    let dollars = random.balances.filter { random.currencyOf[$0] == "USD" }
    let first = books.cut()
    var requests = RandomRequests(twin: NaiveQuery(first), generator: seed.generator)
    let answered = (0..<60).map { place in
      let request = requests.request(QueryTable.allCases[place % QueryTable.allCases.count])
      let all = requests.twin.rows(request)
      return Answered(
        request: request, rows: Array(all.dropFirst(request.offset).prefix(request.limit ?? .max)),
        totalCount: request.includeCount ? all.count : nil)
    }
    let bench = Bench(books, first, answered)
    let readers = try (0..<2).map { number in
      try Thread(name: "reader") {
        var generator = Seed(seed.value &+ UInt64(number)).generator
        bench.read(&generator)
      }
    }
    let writers = try (0..<2).map { number in
      let writer = Writer(
        books: books, number: number, generator: Seed(seed.value &+ 10 &+ UInt64(number)).generator,
        balances: dollars, identities: random.identities)
      return try Thread(name: "writer") {
        var writer = writer
        writer.run(Self.commandCount)
      }
    }
    for writer in writers { writer.join() }
    bench.isDone.store(true, ordering: .releasing)
    for reader in readers { reader.join() }
    #expect(bench.foundFaults == [], "\(seed)")
    bench.check(bench.first)
    #expect(bench.foundFaults == [], "\(seed)")
    let last = books.cut()
    #expect(books.checkInvariants(on: last) == [], "\(seed)")
    #expect(last.position > first.position + UInt64(Self.commandCount))
    #expect(bench.cutsRead.load(ordering: .relaxed) > 0)
  }
}
