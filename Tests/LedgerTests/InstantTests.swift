// What an instant view shows, and what it costs those who write.

import Amounts
import Columns
import Ledger
import LedgerSupport
import Platform
import Synchronization
import TestSupport
import Testing

@Suite struct InstantTests {
  private static func ring(_ size: Int) throws -> Books {
    let books = Books(clock: SystemClock(), seed: (1, 2))
    for place in 0..<size {
      _ = try books.execute(
        .createBalance(
          NewBalance(identifier: .custom("bln_\(place)"), ledger: .generalLedger, currency: "USD")))
    }
    return books
  }

  private static func step(_ books: Books, _ size: Int, _ writer: Int, _ number: Int) throws {
    let source = number % size
    _ = try books.execute(
      .postTransaction(
        NewTransaction(
          source: .balance(.custom("bln_\(source)")),
          destination: .balance(.custom("bln_\((source + 1 + number % 7) % size)")),
          amount: Amount.power(of10: number % 45) + Amount(number), currency: "USD",
          reference: "\(writer)-\(number)", allowOverdraft: true)))
  }

  @Test func anInstantViewMakesNobodyCopyABlock() throws {
    let books = try Self.ring(20)
    for number in 0..<50 {
      books.withInstant { cut in _ = cut.balance(RowIndex(number % 20)) }
      try Self.step(books, 20, 0, number)
    }
    #expect(books.retainedByteCount == 0 && books.epochs.heldCount == 0 && books.epochs.current == 1)
  }

  @Test func aHeldCutOfAnInstantIsOfItsMoment() throws {
    let books = try Self.ring(20)
    for number in 0..<20 { try Self.step(books, 20, 0, number) }
    let (position, held) = books.withInstant { cut in (cut.position, cut.held()) }
    #expect(!held.isInstant && held.position == position && held.held() === held)
    let digest = held.digest()
    for number in 20..<60 { try Self.step(books, 20, 0, number) }
    #expect(held.digest() == digest)
    #expect(books.cut().digest() != digest)
  }

  /// Totals and a held cut of one instant say the same, while two threads write.
  @Test func totalsAreThoseOfTheirMoment() throws {
    let size = 600
    let books = try Self.ring(size)
    let isDone = Atomic(false)
    let writers = try (0..<2).map { writer in
      try Thread(name: "writer") {
        var number = 0
        while !isDone.load(ordering: .acquiring) {
          try? Self.step(books, size, writer, number)
          number += 1
        }
      }
    }
    defer {
      isDone.store(true, ordering: .releasing)
      for writer in writers { writer.join() }
    }
    var lastPosition: UInt64 = 0
    for _ in 0..<60 {
      let (totals, held, images) = books.withInstant { cut in
        (cut.groups.totals(0), cut.held(), cut.images(of: (0..<size).map { RowIndex($0) }))
      }
      #expect(held.position >= lastPosition)
      lastPosition = held.position
      let expected = (0..<size).map { held.balance(RowIndex($0)) }
      #expect(images == expected)
      #expect(totals.credit == expected.reduce(Amount.zero) { $0 + $1.credit })
      #expect(totals.debit == expected.reduce(Amount.zero) { $0 + $1.debit })
      #expect(totals.count == size)
      held.doneReading()
    }
  }

  @Test(arguments: Seed.sample(4))
  func imagesOfAPageAreThoseOfItsRows(seed: Seed) throws {
    var random = CommandSource(seed)
    let books = Books(clock: ManualClock(), seed: (seed.value, 1))
    for _ in 0..<300 {
      let (command, key) = random.command()
      _ = try? books.execute(command, key: key)
    }
    let cut = books.cut()
    let rows = (0..<30).map { _ in RowIndex(random.roll(cut.balanceCount)) }
    let expected = rows.map { cut.balance($0) }
    #expect(cut.images(of: rows) == expected, "\(seed)")
    #expect(books.withInstant { $0.images(of: rows) } == expected, "\(seed)")
  }

  @Test func aPageWithMuchMetadataIsNotCopied() throws {
    let books = try Self.ring(40)
    let half = Array(repeating: UInt8(0x20), count: Cut.pageMetadataLimit / 2)
    for place in [3, 7, 9] {
      let metadata = place == 9 ? [0x20] : half
      _ = try books.execute(.updateMetadata(.balance, .custom("bln_\(place)")) { _ in metadata })
    }
    let both = [RowIndex(3), RowIndex(7)]
    #expect(books.withInstant { $0.images(of: both) }?.map(\.metadata.count) == [half.count, half.count])
    #expect(books.withInstant { $0.images(of: both + [RowIndex(9)]) } == nil)
    #expect(books.withInstant { $0.images(of: []) } == [])
  }

  @Test func anInstantCutMayNotLeaveItsClosure() async {
    await #expect(processExitsWith: .failure) {
      let books = Books(clock: ManualClock(), seed: (1, 2))
      let cut = books.withInstant { $0 }
      _ = cut.position
    }
  }
}
