// What a log holds makes the same books again.

import Amounts
import Columns
import LedgerSupport
import Platform
import TestSupport
import Testing

@testable import Ledger

@Suite struct FactReplayerTests {
  /// A random run with its log, kept at some moments.
  private struct Run {
    let clock = ManualClock()
    let log = FactLog(chunkByteCount: 4096)
    let books: Books
    var random: CommandSource
    var twin = NaiveBooks()
    var logged = LoggedFacts()

    init(_ seed: Seed) {
      random = CommandSource(seed)
      books = Books(clock: clock, seed: (seed.value, 1), log: log)
    }

    mutating func step() throws {
      if random.roll(4) == 0 { clock.advance(by: .milliseconds(1)) }
      if random.roll(50) == 0 { clock.setWall(Microseconds(clock.wallTime().count - 5_000_000)) }
      let (command, key) = random.command()
      let now = clock.wallTime()
      let answer = result { () throws(Refusal) in try books.execute(command, key: key) }
      let batch = batchIdentifier(of: answer)
      let expected = result { () throws(Refusal) in
        try twin.execute(command, key: key, at: now, batch: batch)
      }
      try #require(answer == expected)
      try logged.take(from: log)
    }
  }

  @Test(arguments: Seed.sample(12))
  func aReplayMakesTheSameBooks(seed: Seed) throws {
    var run = Run(seed)
    for _ in 0..<400 { try run.step() }
    let cut = run.books.cut()
    let facts = try run.logged.facts()
    #expect(facts.map(\.position) == Array(1...run.books.position), "\(seed)")
    let copy = try replayed(run.logged.bytes, clock: run.clock)
    let copiedCut = copy.cut()
    #expect(copiedCut.digest() == cut.digest(), "\(seed)")
    #expect(copiedCut.lastInstant == cut.lastInstant && copiedCut.keys.count == cut.keys.count, "\(seed)")
    #expect(copy.checkInvariants(on: copiedCut) == [], "\(seed)")
    // What was chosen by callers is known: new identifiers avoid it.
    let (known, expected) = unsafe (
      copy.writer.pointee.greatestForeignUUID, run.books.writer.pointee.greatestForeignUUID
    )
    #expect((known.high, known.low) >= (expected.high, expected.low), "\(seed)")
    // The copy goes on as the books do, and is logged from here on.
    let log = FactLog()
    copy.attach(log)
    #expect(log.publishedPosition == copy.position)
    for step in 0..<100 {
      let (command, key) = run.random.command()
      let answer = result { () throws(Refusal) in try copy.execute(command, key: key) }
      let batch = batchIdentifier(of: answer)
      let wanted = result { () throws(Refusal) in
        try run.twin.execute(command, key: key, at: run.clock.wallTime(), batch: batch)
      }
      try #require(answer == wanted, "\(seed) step \(step) of the copy: \(command)")
    }
    try run.logged.take(from: log)
    let second = try replayed(run.logged.bytes, clock: run.clock)
    #expect(second.cut().digest() == copy.cut().digest(), "\(seed)")
  }

  @Test(arguments: Seed.sample(8))
  func aReplayGoesOnFromASnapshotAtAnyUnit(seed: Seed) throws {
    var run = Run(seed)
    var snapshots: [(Books, Int)] = []
    for step in 0..<200 {
      try run.step()
      if step % 10 == 0 {
        snapshots.append((try restoredCopy(of: run.books.cut(), clock: run.clock), run.logged.bytes.count))
      }
    }
    let digest = run.books.cut().digest()
    for (snapshot, offset) in snapshots {
      var replayer = FactReplayer(snapshot)
      try replayer.apply(run.logged.bytes[offset...])
      #expect(snapshot.cut().digest() == digest, "\(seed) from \(offset)")
      #expect(snapshot.checkInvariants(on: snapshot.cut()) == [], "\(seed)")
    }
  }

  @Test(arguments: Seed.sample(8))
  func aReplayInPartsIsTheSame(seed: Seed) throws {
    var run = Run(seed)
    for _ in 0..<150 { try run.step() }
    let copy = Books(emptyWith: run.clock, seed: (5, 5))
    var replayer = FactReplayer(copy)
    var first = 0
    for (number, end) in run.logged.ends.enumerated()
    where number == run.logged.ends.count - 1 || run.random.roll(9) == 0 {
      try replayer.apply(run.logged.bytes[first..<end.offset])
      #expect(replayer.isAtUnitEnd == end.endsUnit, "\(seed)")
      first = end.offset
    }
    #expect(copy.cut().digest() == run.books.cut().digest(), "\(seed)")
  }

  /// Test 12 of the reliability plan: the state after every thousand operations, live and replayed.
  @Test(arguments: Seed.sample(2))
  func theStateIsTheSameAfterEveryThousandOperations(seed: Seed) throws {
    var run = Run(seed)
    var expected: [(offset: Int, digest: UInt64)] = []
    for step in 1...3000 {
      try run.step()
      if step % 1000 == 0 { expected.append((run.logged.bytes.count, run.books.cut().digest())) }
    }
    for _ in 0..<2 {
      let copy = Books(emptyWith: run.clock, seed: (5, 5))
      var replayer = FactReplayer(copy)
      var first = 0
      for (offset, digest) in expected {
        try replayer.apply(run.logged.bytes[first..<offset])
        #expect(copy.cut().digest() == digest, "\(seed) at \(copy.position)")
        first = offset
      }
    }
  }

  @Test(arguments: Seed.sample(12))
  func changedRecordsNeverBreakAReplay(seed: Seed) throws {
    var run = Run(seed)
    for _ in 0..<60 { try run.step() }
    let digest = run.books.cut().digest()
    for _ in 0..<40 {
      var bytes = run.logged.bytes
      for _ in 0...run.random.roll(2) {
        let record = run.random.roll(run.logged.ends.count)
        let start = record == 0 ? 0 : run.logged.ends[record - 1].offset
        let place = start + run.random.roll(min(run.logged.ends[record].offset - start, 90))
        bytes[place] ^= UInt8(1 << run.random.roll(8))
      }
      let copy = Books(emptyWith: run.clock, seed: (5, 5))
      var replayer = FactReplayer(copy)
      do throws(ReplayFault) {
        try replayer.apply(bytes)
      } catch {
        #expect(error.position == copy.position + 1, "\(seed): \(error)")
      }
      #expect(copy.position <= run.books.position, "\(seed)")
      _ = copy.cut().digest() == digest
    }
  }
}

private func result(_ body: () throws(Refusal) -> Execution) -> Result<Execution, Refusal> {
  do throws(Refusal) { return .success(try body()) } catch { return .failure(error) }
}

private func batchIdentifier(of answer: Result<Execution, Refusal>) -> Identifier? {
  guard case .success(let execution) = answer, case .transactions(let batch, _) = execution.outcome else {
    return nil
  }
  return batch
}
