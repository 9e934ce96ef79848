// Scans shared out among threads, against the same scan by one.

import Amounts
import Columns
import Ledger
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Query

/// Threads that are idle until they are invited.
private final class HelpingThreads: IdleThreads {
  let idleCount: Int
  let invited = Atomic<Int>(0)
  private let threads = Gate<[Platform.Thread]>([])
  private let isLate: Bool
  private let kept = Gate<[@Sendable () -> Void]>([])

  /// - Parameter isLate: invitations are kept until `takeUp`.
  init(_ count: Int, isLate: Bool = false) {
    idleCount = count
    self.isLate = isLate
  }

  func invite(_ limit: Int, _ work: @escaping @Sendable () -> Void) {
    invited.add(limit, ordering: .relaxed)
    if isLate { return kept.withLock { $0.append(work) } }
    for _ in 0..<limit {
      guard let thread = try? Platform.Thread(name: "helper", body: work) else { continue }
      threads.withLock { $0.append(thread) }
    }
  }

  func takeUp() { for work in kept.withLock({ $0 }) { work() } }

  func join() { for thread in threads.withLock({ $0 }) { thread.join() } }
}

/// Notes its stripes.
private final class NotingWorker: ScanWorker {
  private(set) var stripes: [Int] = []
  private let failing: Int?

  init(failing: Int? = nil) { self.failing = failing }

  func take(_ stripe: Int) throws(QueryStopped) {
    if stripe == failing { throw .cancelled }
    stripes.append(stripe)
  }
}

@Suite struct ScanCrewTests {
  @Test(arguments: [0, 1, 3], [true, false])
  func everyStripeIsTakenOnce(threadCount: Int, ascending: Bool) throws {
    let threads = HelpingThreads(threadCount)
    let crew = ScanCrew()
    crew.use(threads)
    for count in [0, 1, 4, 5, 7, 100, 1003] {
      let workers = try crew.run(
        10..<10 + count, ascending: ascending, estimate: ScanCrew.leastNanoseconds
      ) { NotingWorker() }
      #expect(workers.flatMap(\.stripes).sorted() == Array(10..<10 + count))
      for worker in workers {
        #expect(worker.stripes == worker.stripes.sorted(by: ascending ? { $0 < $1 } : { $0 > $1 }))
      }
    }
    threads.join()
  }

  @Test func aShortScanAsksNobody() throws {
    let threads = HelpingThreads(2)
    let crew = ScanCrew()
    crew.use(threads)
    let workers = try crew.run(0..<100, estimate: ScanCrew.leastNanoseconds - 1) { NotingWorker() }
    #expect(workers.count == 1)
    #expect(threads.invited.load(ordering: .relaxed) == 0)
  }

  @Test func aScanDoesNotWaitForWhoDoesNotCome() throws {
    let threads = HelpingThreads(2, isLate: true)
    let crew = ScanCrew()
    crew.use(threads)
    let made = Atomic<Int>(0)
    let workers = try crew.run(0..<100, estimate: ScanCrew.leastNanoseconds) {
      made.add(1, ordering: .relaxed)
      return NotingWorker()
    }
    #expect(workers.map(\.stripes) == [Array(0..<100)])
    threads.takeUp()
    #expect(made.load(ordering: .relaxed) == 1)
  }

  @Test(arguments: [0, 3])
  func aFailureOfOneEndsAll(threadCount: Int) {
    let threads = HelpingThreads(threadCount)
    let crew = ScanCrew()
    crew.use(threads)
    #expect(throws: QueryStopped.cancelled) {
      try crew.run(0..<10_000, estimate: ScanCrew.leastNanoseconds) { NotingWorker(failing: 5000) }
    }
    threads.join()
  }

  @Test(arguments: Seed.sample(1))
  func sharedScansAgreeWithLonelyOnes(seed: Seed) throws {
    var shape = BooksShape()
    shape.balanceCount = 140_000
    shape.transactionCount = 200
    let books = try RandomBooks(seed: seed, shape: shape)
    let cut = books.books.cut()
    let reader = RowReader(cut: cut, table: .balances)
    let stripes = 0..<Layout.stripeCount(rows: reader.rowCount)
    let threads = HelpingThreads(3)
    let (crew, alone) = (ScanCrew(stripesAtATime: 1), ScanCrew())
    crew.use(threads)
    let tests: [RowTest] = [
      .codes(.currency, CodeSet([1, 3])),
      .all([.rowRange(100..<130_000), .codes(.currency, CodeSet([2], complement: true))]),
      .amounts(.balance, AmountRanges(.notEqual, .amount(.zero))),
    ]
    for test in tests {
      let counts = try [crew, alone].map {
        try $0.count(test, reader, stripes: stripes, estimate: ScanCrew.leastNanoseconds, StopFlag())
      }
      #expect(counts[0] == counts[1], "\(seed)")
      let bits = try [crew, alone].map {
        try $0.bits(test, reader, stripes: stripes, estimate: ScanCrew.leastNanoseconds, StopFlag())
      }
      #expect(bits[0] == bits[1], "\(seed)")
      #expect(bits[0].reduce(0) { $0 + $1.nonzeroBitCount } == counts[0], "\(seed)")
      let order = try RowOrder(
        reader, .amounts(.credit), ascending: false, ofFewRows: false, StopFlag())
      let pages = try [crew, alone].map { crew -> [RowIndex] in
        var found = try crew.ranked(
          test, after: .everything, order: order, capacity: 60, counting: true, stripes: stripes,
          estimate: ScanCrew.leastNanoseconds, StopFlag())
        #expect(found.count == counts[0], "\(seed)")
        return try found.best.page(offset: 10, limit: 50)
      }
      #expect(pages[0] == pages[1], "\(seed)")
    }
    threads.join()
  }
}
