// What other threads see while money moves.

import Amounts
import Columns
import Ledger
import Platform
import Synchronization
import TestSupport
import Testing

@Suite struct CutsUnderLoadTests {
  /// Threads post batches around a ring of balances, so that every whole batch leaves all balances as they
  /// were. A reader that ever sees a part of one sees balances that are not zero.
  @Test func atomicBatchIsSeenWholeOrNotAtAll() throws {
    let books = Books(clock: SystemClock(), seed: (1, 2))
    let ringSize = 40
    for place in 0..<ringSize {
      _ = try books.execute(
        .createBalance(
          NewBalance(identifier: .custom("bln_\(place)"), ledger: .generalLedger, currency: "USD")))
    }
    let isDone = Atomic(false)
    let writers = try (0..<2).map { writer in
      try Thread(name: "writer") {
        for round in 0..<300 {
          let amount = Amount.power(of10: round % 40) + Amount(round)
          let items = (0..<ringSize).map { place in
            NewTransaction(
              source: .balance(.custom("bln_\(place)")),
              destination: .balance(.custom("bln_\((place + 1) % ringSize)")), amount: amount,
              currency: "USD",
              reference: "\(writer)-\(round)-\(place)", allowOverdraft: true,
              metadata: round % 3 == 0 ? Array("{\"round\":\(round)}".utf8) : [])
          }
          _ = try? books.execute(.postTransactions(items, atomic: true))
        }
      }
    }
    let mover = try Thread(name: "mover") {
      var number = 0
      while !isDone.load(ordering: .acquiring) {
        number += 1
        _ = try? books.execute(
          .postTransaction(
            NewTransaction(
              source: .indicator("@in"), destination: .indicator("@out\(number % 5)"), amount: .one,
              currency: "EUR", reference: "single-\(number)", allowOverdraft: true)))
        if number % 16 == 0 {
          let metadata = Array("{\"n\":\(number)}".utf8)
          _ = try? books.execute(
            .updateMetadata(.balance, .custom("bln_\(number % 40)")) { _ in metadata })
        }
      }
    }
    let faults = Guarded<[String]>([])
    let reader = try Thread(name: "reader") {
      var lastPosition: UInt64 = 0
      while !isDone.load(ordering: .acquiring) {
        let cut = books.cut()
        let found = Self.faults(of: cut, ringSize: ringSize)
        faults.withLock { $0 += found }
        if cut.position < lastPosition { faults.withLock { $0.append("positions run backwards") } }
        lastPosition = cut.position
        for row in 0..<cut.balanceCount { _ = books.balance(RowIndex(row)) }
        _ = books.row(.balance, .custom("bln_3"))
        _ = books.transactionRow(reference: "0-1-1")
      }
    }
    for writer in writers { writer.join() }
    isDone.store(true, ordering: .releasing)
    mover.join()
    reader.join()
    #expect(faults.withLock { Array($0.prefix(5)) } == [])
    #expect(books.checkInvariants(on: books.cut()) == [])
    #expect(books.counts.transactions >= 2 * 300 * ringSize)
  }

  private static func faults(of cut: Cut, ringSize: Int) -> [String] {
    var texts: [String] = []
    var sums: [TextCode: Amount] = [:]
    var versions = 0
    for index in 0..<cut.balanceCount {
      let image = cut.balance(RowIndex(index))
      sums[cut.books.balances.currencies[RowIndex(index)], default: .zero] += image.balance
      versions += Int(image.version) - 1
      if index < ringSize, !image.balance.isZero { texts.append("balance \(index) is \(image.balance)") }
      if image.balance != image.credit - image.debit { texts.append("balance \(index) is not its totals") }
    }
    for (code, sum) in sums where !sum.isZero { texts.append("currency \(code) sums to \(sum)") }
    if versions != 2 * cut.transactionCount { texts.append("versions and transactions differ") }
    return texts
  }
}
