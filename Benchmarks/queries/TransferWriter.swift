// A thread that posts the demo's transfers beside queries, at a given rate or as fast as it can.

import Ledger
import Platform
import Samples
import Synchronization

/// Writes in batches of 16 until it is stopped. One at a time, because transfers follow each other.
final class TransferWriter: Sendable {
  static let batchSize = 16

  private let isStopping = Atomic<Bool>(false)
  private let posted = Atomic<Int>(0)
  private let refused = Atomic<Int>(0)
  private let startedAt = SystemClock().monotonicTime()
  private let thread = Guarded<Thread?>(nil)

  /// - Parameters:
  ///   - rate: transfers a second; nil for as many as go.
  ///   - index: the first transfer, in pairs: an even number.
  init(_ compared: ComparedBooks, rate: Int?, from index: Int) throws {
    let maker = TransferMaker(compared.demo, compared.books, referencePrefix: "w", from: index)
    let started = try Thread(name: "transfers") { self.run(maker, compared.books, rate) }
    thread.withLock { $0 = started }
  }

  private func run(_ maker: TransferMaker, _ books: Books, _ rate: Int?) {
    var maker = maker
    let clock = SystemClock()
    let start = clock.monotonicTime()
    let interval = rate.map { Int64(Self.batchSize) * 1_000_000_000 / Int64($0) } ?? 0
    var due: Int64 = 0
    while !isStopping.load(ordering: .relaxed) {
      if (clock.monotonicTime() - start).wholeNanoseconds < due {
        Thread.yield()
        continue
      }
      due += interval
      let batch = maker.next(Self.batchSize)
      guard
        case .transactions(_, let outcomes)? = try? books.execute(.postTransactions(batch, atomic: false))
          .outcome
      else {
        refused.add(batch.count, ordering: .relaxed)
        continue
      }
      for outcome in outcomes { if case .refused = outcome { refused.add(1, ordering: .relaxed) } }
      posted.add(batch.count, ordering: .relaxed)
    }
  }

  var postedCount: Int { posted.load(ordering: .relaxed) }

  /// Stops it and waits.
  /// - Returns: transfers posted and a second.
  func stop() throws -> (count: Int, rate: Double) {
    let elapsed = (SystemClock().monotonicTime() - startedAt).wholeNanoseconds
    let count = postedCount
    isStopping.store(true, ordering: .relaxed)
    thread.withLock { $0 }?.join()
    if refused.load(ordering: .relaxed) > 0 { throw ComparisonFailure.refused }
    return (postedCount, Double(count) * 1e9 / Double(elapsed))
  }
}
