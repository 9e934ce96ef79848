// A snapshot taken while writers post at full speed is one moment of the books.

import Amounts
import Columns
import Ledger
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Storage

struct SnapshotUnderLoadTests {
  @Test
  func aSnapshotUnderLoadIsItsCutAndBalances() throws {
    let temporary = try TemporaryDirectory()
    let path = temporary.path(of: "books")
    var digests: [UInt64] = []
    var positions: [UInt64] = []
    do {
      let opened = try Recovery.open(path)
      let books = opened.books
      var sample = SampleBooks(Seed(1), books: books, clock: ManualClock())
      sample.grow(300)
      let load = Load(books)
      let writers = try (0..<2).map { number in
        try Thread(name: "writer", body: { load.run(number) })
      }
      for round in 0..<4 {
        // Each snapshot sees some writes that the one before did not.
        load.wait(posted: (round + 1) * 400)
        let cut = books.cut()
        digests.append(cut.digest())
        positions.append(cut.position)
        let made = try opened.store.create(cut, options: SnapshotOptions(workerCount: 1 + round % 2))
        #expect(made.position == cut.position)
        #expect(cut.digest() == digests[round], "a held cut does not change")
      }
      load.stop()
      for writer in writers { writer.join() }
      #expect(books.position > positions[3])
    }
    let again = try Recovery.open(path)
    let cut = again.books.cut()
    #expect(cut.position == positions[3])
    #expect(cut.digest() == digests[3])
    #expect(again.books.checkInvariants(on: cut).isEmpty)
    var sums: [TextCode: Amount] = [:]
    for index in 0..<cut.balanceCount {
      let image = cut.balance(RowIndex(index))
      sums[again.books.balances.currencies[RowIndex(index)], default: .zero] += image.credit - image.debit
    }
    let areBalanced = sums.values.allSatisfy { $0.isZero }
    #expect(areBalanced)
  }
}

/// Writers that post until they are stopped.
private final class Load: Sendable {
  private let books: Books
  private let isStopped = Atomic<Bool>(false)
  private let posted = Gate(0)

  init(_ books: Books) { self.books = books }

  func run(_ number: Int) {
    var place = 0
    while !isStopped.load(ordering: .acquiring) {
      place += 1
      let new = NewTransaction(
        source: .indicator("@load\(place % 50)"),
        destination: .indicator("@load\((place + number + 1) % 50)"),
        amount: Amount(place), currency: "USD", reference: "load \(number) \(place)", allowOverdraft: true)
      _ = try? books.execute(.postTransaction(new))
      posted.updateAndWakeAll { $0 += 1 }
    }
  }

  func wait(posted count: Int) { posted.wait { $0 >= count ? () : nil } }

  func stop() { isStopped.store(true, ordering: .releasing) }
}
