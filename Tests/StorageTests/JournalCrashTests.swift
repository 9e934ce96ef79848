// Power cuts at any moment, one life of the server after the other: nothing synced is lost or comes back.

import Platform
import TestSupport
import Testing

@testable import Ledger
@testable import Storage

struct JournalCrashTests {
  private static var options: JournalOptions {
    var options = JournalBench.options
    options.groupByteCount = 4 << 10
    return options
  }

  /// The lives of one directory: each writes, dies in the middle of it, and the next reads what is left.
  @Test(arguments: Seed.sample(24), [Durability.always, .none])
  func aPowerCutLosesNothingThatWasSynced(_ seed: Seed, _ durability: Durability) throws {
    var options = Self.options
    options.durability = durability
    var facts = SyntheticFacts(seed)
    var disk = SimulatedDisk()
    _ = try DataDirectory(creating: JournalBench.path, on: disk)
    var promised: UInt64 = 0
    for _ in 0..<6 {
      let read = try ReadJournal(disk)
      let end = try #require(read.end)
      #expect(end.position >= promised && end.position <= facts.position)
      #expect(end.position == 0 || facts.records[Int(end.position) - 1].endsUnit)
      #expect(facts.match(read.records, from: 1, to: end.position))
      let directory = try DataDirectory(existing: JournalBench.path, on: disk)
      try end.secure(try JournalSurvey(directory, JournalBench.identifier))
      facts.restart(at: end.position)
      promised = try live(&facts, end.start(), directory, options)
      disk = disk.afterPowerLoss(.random(Seed(facts.generator.next())))
    }
  }

  /// - Returns: up to which position everything was synced.
  private func live(
    _ facts: inout SyntheticFacts, _ start: JournalStart, _ directory: DataDirectory,
    _ options: JournalOptions
  ) throws -> UInt64 {
    var writer = try JournalWriter(JournalBench.identifier, log: facts.log, start: start, options: options)
    var preparer = try SegmentPreparer(directory, options: options, start: start)
    for _ in 0..<Int.random(in: 0...40, using: &facts.generator) {
      switch Int.random(in: 0..<20, using: &facts.generator) {
      case 0: try writer.seal()
      case 1: try writer.sync()
      case 2: _ = try preparer.prepareIfShort(writer.room)
      case 3...10:
        if try writer.commitPending() == .waitsForSegment { _ = try preparer.prepareIfShort(writer.room) }
      default: facts.addUnit(facts.someByteCounts(largest: 12 << 10))
      }
    }
    if Int.random(in: 0..<6, using: &facts.generator) == 0 { try writer.seal(isCleanStop: true) }
    return writer.positions.durable
  }
}
