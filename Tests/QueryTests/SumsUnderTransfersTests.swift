// Beside transfers at full speed: credits and debits of a currency are equal, by every way to add them up.

import Amounts
import Columns
import Ledger
import Platform
import Query
import Synchronization
import TestSupport
import Testing

@Suite struct SumsUnderTransfersTests {
  /// What the balances of a currency hold together.
  private struct Sums: Equatable {
    var count = 0
    var credit = Amount.zero
    var debit = Amount.zero
  }

  private static let currencies = ["USD", "EUR", "JPY"]
  /// More than a stripe.
  private static let balanceCount = 36_000
  private static let span = Duration.seconds(10)

  /// The aggregate that every way answers.
  private static func totals(_ predicates: [Predicate]) -> AggregateRequest {
    AggregateRequest(
      table: .balances, predicates: predicates, groupBy: [GroupColumn.named("currency", in: .balances)!],
      metrics: ["count", "sum:credit_balance", "sum:debit_balance"].map { Metric.named($0, in: .balances)! })
  }

  /// Live totals do not know of versions, so this one scans.
  private static let everyVersion = Predicate(
    field: QueryField.named("version", in: .balances)!, op: .greater, operand: .amount(.zero))

  private static func sums(_ groups: LiveGroups) -> [UInt32: Sums] {
    var sums: [UInt32: Sums] = [:]
    for group in 0..<UInt32(groups.count) {
      let totals = groups.totals(group)
      sums[groups.currency(of: group), default: Sums()].count += totals.count
      sums[groups.currency(of: group), default: Sums()].credit += totals.credit
      sums[groups.currency(of: group), default: Sums()].debit += totals.debit
    }
    return sums
  }

  private static func sums(_ result: AggregateResult) -> [UInt32: Sums] {
    var sums: [UInt32: Sums] = [:]
    for group in 0..<result.count {
      guard case .count(let count) = result.values[group * 3],
        case .amount(let credit) = result.values[group * 3 + 1],
        case .amount(let debit) = result.values[group * 3 + 2]
      else { preconditionFailure("the metrics that were asked for") }
      sums[result.codes[group]] = Sums(count: count, credit: credit, debit: debit)
    }
    return sums
  }

  private static func sums(_ rows: [RowIndex], _ cut: Cut) -> [UInt32: Sums] {
    var sums: [UInt32: Sums] = [:]
    for row in rows {
      let (code, image) = (cut.books.balances.currencies[row], cut.balance(row))
      sums[code, default: Sums()].count += 1
      sums[code, default: Sums()].credit += image.credit
      sums[code, default: Sums()].debit += image.debit
    }
    return sums
  }

  /// What the readers share.
  private final class Bench: Sendable {
    let books: Books
    let engine = QueryEngine()
    let clock = SystemClock()
    let deadline: MonotonicTime
    let instantCount = Atomic<Int>(0)
    let cutCount = Atomic<Int>(0)
    private let faults = Guarded<[String]>([])

    init(_ books: Books) {
      self.books = books
      deadline = clock.monotonicTime() + SumsUnderTransfersTests.span
    }

    private var isOver: Bool { clock.monotonicTime() >= deadline }

    var foundFaults: [String] { faults.withLock { Array($0.prefix(5)) } }

    func expect(_ holds: Bool, _ text: @autoclosure () -> String) {
      if holds { return }
      let text = text()
      faults.withLock { $0.append(text) }
    }

    private func expectBalanced(_ sums: [UInt32: Sums], _ way: String, _ position: UInt64) {
      expect(!sums.isEmpty, "no sums \(way) at \(position)")
      for (code, sum) in sums where sum.credit != sum.debit {
        expect(
          false, "\(way) at \(position): currency \(code) has credits \(sum.credit), debits \(sum.debit)")
      }
    }

    /// Live totals, straight and through the engine.
    func readInstants() throws {
      while !isOver {
        let (sums, position) = books.withInstant { (SumsUnderTransfersTests.sums($0.groups), $0.position) }
        expectBalanced(sums, "live totals", position)
        let moment = engine.moment([.groups(SumsUnderTransfersTests.totals([]))], of: books)
        expect(moment.cut == nil, "live totals do not answer")
        guard case .groups(let result) = try engine.answer(moment, stop: StopFlag()).answers[0] else {
          continue
        }
        expectBalanced(SumsUnderTransfersTests.sums(result), "the engine's live totals", moment.position)
        instantCount.add(1, ordering: .relaxed)
        // The lock is the writers' too.
        Thread.yield()
      }
    }

    /// All ways of one moment: live totals, a scan, the rows; as single questions and in a batch.
    func readCuts() throws {
      let all = QueryRequest(table: .balances, limit: nil, includeCount: true)
      while !isOver {
        let (live, cut) = books.withInstant { (SumsUnderTransfersTests.sums($0.groups), $0.held()) }
        let scanned = try engine.aggregate(
          SumsUnderTransfersTests.totals([SumsUnderTransfersTests.everyVersion]), on: cut, stop: StopFlag())
        let walked = try engine.run(all, on: cut, stop: StopFlag())
        compare(live, scanned, walked, cut)
        try readBatch(all)
        cutCount.add(1, ordering: .relaxed)
      }
    }

    private func readBatch(_ all: QueryRequest) throws {
      let moment = engine.moment(
        [
          .groups(SumsUnderTransfersTests.totals([])),
          .groups(SumsUnderTransfersTests.totals([SumsUnderTransfersTests.everyVersion])), .rows(all),
        ], of: books)
      let answers = try engine.answer(moment, stop: StopFlag()).answers
      guard case .groups(let live) = answers[0], case .groups(let scanned) = answers[1],
        case .rows(let walked) = answers[2], let cut = moment.cut
      else { preconditionFailure("answers are of the kind of their questions") }
      compare(SumsUnderTransfersTests.sums(live), scanned, walked, cut)
    }

    private func compare(
      _ live: [UInt32: Sums], _ scanned: AggregateResult, _ walked: QueryResult, _ cut: Cut
    ) {
      expectBalanced(live, "live totals", cut.position)
      let scanned = SumsUnderTransfersTests.sums(scanned)
      let walkedSums = SumsUnderTransfersTests.sums(walked.rows, cut)
      expect(scanned == live, "at \(cut.position) a scan finds \(scanned), live totals are \(live)")
      expect(walkedSums == live, "at \(cut.position) rows hold \(walkedSums), live totals are \(live)")
      expect(
        walked.rows.count == cut.balanceCount && walked.totalCount == cut.balanceCount,
        "at \(cut.position): \(walked.rows.count) rows of \(cut.balanceCount)")
    }
  }

  private static func books(_ seed: Seed) throws -> (Books, [(currency: String, identifiers: [Identifier])]) {
    let books = Books(clock: SystemClock(), seed: (seed.value, 1))
    var ledgers = [Identifier.generalLedger]
    for number in 0..<5 {
      let identifier = Identifier.custom("ldg_\(number)")
      _ = try books.execute(.createLedger(NewLedger(identifier: identifier, name: "L", metadata: [])))
      ledgers.append(identifier)
    }
    var balances = currencies.map { (currency: $0, identifiers: [Identifier]()) }
    for start in stride(from: 0, to: balanceCount, by: 4000) {
      let items = (start..<min(start + 4000, balanceCount)).map { number in
        NewBalance(
          identifier: .custom("bln_\(number)"), ledger: ledgers[number % ledgers.count],
          currency: currencies[number % currencies.count])
      }
      _ = try books.execute(.createBalances(items, atomic: true))
    }
    for number in 0..<balanceCount {
      balances[number % currencies.count].identifiers.append(.custom("bln_\(number)"))
    }
    return (books, balances)
  }

  /// Ten seconds a seed: what a minute of transfers leaves would not fit into memory.
  @Test(arguments: Seed.sample(Effort.choose(1, long: 6)))
  func creditsAndDebitsAreEqualOnEveryCutAndAtEveryInstant(seed: Seed) throws {
    let (books, balances) = try Self.books(seed)
    let writers = try TransferWriters(books, balances, threadCount: 2, seed: seed)
    let bench = Bench(books)
    func reading(_ body: @escaping @Sendable () throws -> Void) throws -> Platform.Thread {
      try Thread(name: "reader") {
        do { try body() } catch { bench.expect(false, "a reader ended with \(error)") }
      }
    }
    let readers = [try reading(bench.readInstants), try reading(bench.readCuts), try reading(bench.readCuts)]
    for reader in readers { reader.join() }
    writers.stop()
    let instants = bench.instantCount.load(ordering: .relaxed)
    let cuts = bench.cutCount.load(ordering: .relaxed)
    print("sums: \(writers.movedCount) transfers beside \(instants) instants and \(cuts) cuts")
    #expect(bench.foundFaults == [], "\(seed)")
    #expect(writers.movedCount > 0)
    #expect(instants > 0 && cuts > 0)
    #expect(books.checkInvariants(on: books.cut()) == [], "\(seed)")
  }
}
