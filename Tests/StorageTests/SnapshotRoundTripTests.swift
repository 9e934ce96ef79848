// What is written is what is loaded, by digest and by key.

import Columns
import Ledger
import Platform
import TestSupport
import Testing

@testable import Storage

/// Opens, snapshots and opens again: the same state, or the test fails.
struct SnapshotRoundTripTests {
  @Test(arguments: Seed.sample(12))
  func whatWasWrittenIsLoaded(seed: Seed) throws {
    let temporary = try TemporaryDirectory()
    let path = temporary.path(of: "books")
    var sample = SampleBooks(seed)
    sample.grow(Int(seed.value % 700))
    let digest: UInt64
    do {
      let opened = try Recovery.open(path, clock: sample.clock)
      #expect(opened.report.isNew)
      let cut = sample.books.cut()
      digest = cut.digest()
      let made = try opened.store.create(
        cut, options: SnapshotOptions(workerCount: 1 + Int(seed.value % 2), direct: seed.value % 3 == 0))
      #expect(made.balanceCount == cut.balanceCount)
      #expect(opened.store.snapshots == [made])
    }
    let again = try Recovery.open(path, clock: sample.clock)
    #expect(again.report.faults.isEmpty)
    #expect(again.report.notes.isEmpty)
    #expect(!again.report.fellBack)
    let cut = again.books.cut()
    #expect(cut.digest() == digest, "\(seed)")
    #expect(again.books.checkInvariants(on: cut).isEmpty, "\(seed)")
    try expectSameAnswers(sample.books.cut(), cut, seed)
    #expect(try Check.check(path).isSound)
  }

  /// By key: every row of every table is found where it was, and says the same.
  private func expectSameAnswers(_ before: Cut, _ after: Cut, _ seed: Seed) throws {
    for index in 0..<before.balanceCount {
      let row = RowIndex(index)
      let identifier = before.books.balances.identifiers[row]
      #expect(after.row(.balance, identifier) == row, "\(seed)")
      #expect(before.balance(row) == after.balance(row), "\(seed)")
      #expect(before.books.balances.newestTransactions[row] == after.books.balances.newestTransactions[row])
    }
    for index in 0..<before.transactionCount {
      let row = RowIndex(index)
      #expect(after.row(.transaction, before.books.transactions.identifiers[row]) == row, "\(seed)")
      let detail = before.books.transactions.detail(row)
      #expect(after.books.transactions.detail(row) == detail, "\(seed)")
      #expect(after.books.transactionRow(reference: detail.reference) == row, "\(seed)")
      #expect(after.books.transactions.amount(row) == before.books.transactions.amount(row), "\(seed)")
    }
    for index in 0..<before.identityCount {
      let identifier = before.books.identities.identifiers[RowIndex(index)]
      #expect(after.row(.identity, identifier) == RowIndex(index), "\(seed)")
    }
    for index in 0..<before.ledgerCount {
      let identifier = before.books.ledgers.identifiers[RowIndex(index)]
      #expect(after.row(.ledger, identifier) == RowIndex(index), "\(seed)")
    }
  }

  @Test
  func theBytesDoNotDependOnTheWorkers() throws {
    var sample = SampleBooks(Seed(11))
    sample.grow(400)
    let temporary = try TemporaryDirectory()
    let cut = sample.books.cut()
    var contents: [[UInt8]] = []
    for (place, options) in [
      SnapshotOptions(workerCount: 1, direct: true), SnapshotOptions(workerCount: 2, direct: false),
    ].enumerated() {
      let directory = try temporary.directory.makeDirectory("d\(place)")
      let writer = SnapshotWriter(
        cut, into: directory, identifier: DirectoryIdentifier(high: 1, low: 2), snapshot: 3, options: options,
        observer: { _ in true })
      let summaries = try writer.write()
      contents.append(
        try summaries.flatMap { try directory.readFile($0.table.fileName, limit: 1 << 26) ?? [] })
      #expect(summaries.map(\.byteCount).reduce(0, +) == contents[place].count)
    }
    let areEqual = contents[0] == contents[1]
    #expect(areEqual)
  }

  @Test
  func writingGoesOnWhereTheSnapshotEnded() throws {
    let temporary = try TemporaryDirectory()
    let path = temporary.path(of: "books")
    var digest: UInt64 = 0
    let clock = ManualClock()
    for round in 0..<5 {
      let opened = try Recovery.open(path, clock: clock)
      if round > 0 { #expect(opened.books.cut().digest() == digest, "round \(round)") }
      var sample = SampleBooks(Seed(UInt64(round)), books: opened.books, clock: clock)
      sample.grow(150)
      let cut = opened.books.cut()
      digest = cut.digest()
      try opened.store.create(cut)
      #expect(opened.books.checkInvariants(on: cut).isEmpty)
    }
    let kept = try DataDirectory(existing: path).names().filter { $0.hasPrefix("snapshot-") }
    #expect(kept.count == SnapshotStore.keptCount)
  }

  @Test
  func nothingNewMakesNoNewSnapshot() throws {
    let temporary = try TemporaryDirectory()
    let opened = try Recovery.open(temporary.path(of: "books"), clock: ManualClock())
    let first = try opened.store.create(opened.books.cut())
    let second = try opened.store.create(opened.books.cut())
    #expect(first == second)
    #expect(opened.store.snapshots == [first])
  }

  @Test
  func aSnapshotCanBeCalledOff() throws {
    let temporary = try TemporaryDirectory()
    let path = temporary.path(of: "books")
    let opened = try Recovery.open(path, clock: ManualClock())
    #expect(throws: StorageError.cancelled) {
      try opened.store.create(opened.books.cut(), observer: { _ in false })
    }
    #expect(opened.store.snapshots.isEmpty)
    #expect(!opened.store.isWriting)
    #expect(try DataDirectory(existing: path).names() == ["LOCK", "MANIFEST"])
  }

  @Test
  func aSecondServerIsRefusedWithTheFirstOnesProcess() throws {
    let temporary = try TemporaryDirectory()
    let path = temporary.path(of: "books")
    let opened = try Recovery.open(path, clock: ManualClock())
    #expect(
      throws: StorageError.directory(.locked(path: path, processID: CurrentProcess.id))
    ) { _ = try Recovery.open(path, clock: ManualClock()) }
    #expect(opened.report.isNew)
  }
}
