// Starts with a journal: what is brought back, what is refused, whatever is missing or damaged.

import Ledger
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Storage

struct RecoveryTests {
  @Test(arguments: Seed.sample(6), [false, true])
  func everyStartFindsWhatWasThere(seed: Seed, isKilled: Bool) throws {
    var bench = RecoveryBench(seed)
    for round in 0..<6 {
      try bench.run(
        commands: 12, snapshotsAfter: round % 2 == 1 ? [3, 7] : [], isKilled: isKilled)
      let found = try bench.start()
      #expect(found.position == bench.history.last, "\(seed)")
      #expect(found.digest == bench.history.digests[found.position], "\(seed)")
      #expect(found.report.faults.isEmpty && !found.report.fellBack, "\(seed)")
    }
  }

  @Test
  func aStartThatIsRepeatedChangesNothing() throws {
    var bench = RecoveryBench(Seed(3))
    try bench.run(commands: 20, snapshotsAfter: [5], isKilled: true)
    var changeCount: Int?
    var before: [UInt8] = []
    for _ in 0..<4 {
      let opened = try Recovery.open(RecoveryBench.path, on: bench.disk, clock: bench.clock)
      #expect(opened.books.cut().digest() == bench.history.digests[bench.history.last])
      let manifest = try #require(bench.disk.contents(bench.path(Manifest.fileName)))
      #expect(changeCount == nil || manifest == before, "only the first writes the manifest")
      (changeCount, before) = (bench.disk.changeCount, manifest)
    }
  }

  @Test
  func aDirectoryWithoutAJournalGetsOne() throws {
    // As step 1 left it: snapshots, no segments.
    let disk = SimulatedDisk()
    var bench = RecoveryBench(Seed(4))
    bench.disk = disk
    do {
      let opened = try Recovery.open(RecoveryBench.path, on: disk, clock: bench.clock)
      var sample = SampleBooks(Seed(5), books: opened.books, clock: bench.clock)
      sample.grow(30)
      try opened.store.create(opened.books.cut())
    }
    let report = try bench.run(commands: 10)
    #expect(report.faults.isEmpty && report.replayedFactCount == 0)
    let found = try bench.start()
    #expect(found.digest == bench.history.digests[bench.history.last])
  }

  @Test
  func segmentsGoWhenTwoSnapshotsHoldWhatTheyDid() throws {
    var bench = RecoveryBench(Seed(6))
    try bench.run(commands: 60)
    let before = try bench.names().filter { SegmentName.number($0) != nil }
    try bench.run(commands: 60, snapshotsAfter: [10])
    let one = try bench.names()
    #expect(Set(before.prefix(1)).isSubset(of: one), "one snapshot alone may be damaged")
    try bench.run(commands: 60, snapshotsAfter: [10])
    let two = try bench.names()
    #expect(!two.contains(before[0]))
    // The older snapshot and what is left of the journal bring back everything.
    let newest = SnapshotName.of(position: try #require(two.compactMap { SnapshotName.position($0) }.max()))
    bench.disk.overwrite(bench.path(newest + "/balances.table"), at: 70, [1, 2, 3])
    let found = try bench.start()
    #expect(found.digest == bench.history.digests[bench.history.last])
    #expect(found.report.faults.count == 1 && !found.report.fellBack)
  }

  @Test
  func damagedSnapshotsThatWereSetAsideGoInTheEnd() throws {
    var bench = RecoveryBench(Seed(7))
    try bench.run(commands: 30, snapshotsAfter: [9, 19])
    let names = try bench.names().filter { SnapshotName.position($0) != nil }
    #expect(names.count == 2)
    for name in names { bench.disk.overwrite(bench.path(name + "/keys.table"), at: 3, [9]) }
    // Both are damaged and the journal does not begin with the first fact: refused.
    var older = bench
    older.disk = bench.disk.copy()
    #expect(throws: StorageError.self) { try older.start() }
    var again = RecoveryBench(Seed(8))
    try again.run(commands: 30, snapshotsAfter: [9])
    let name = try #require(try again.names().first { SnapshotName.position($0) != nil })
    again.disk.overwrite(again.path(name + "/keys.table"), at: 3, [9])
    let report = try again.run(commands: 20, snapshotsAfter: [3])
    #expect(report.faults.count == 1 && report.loaded == nil)
    #expect(try again.names().contains { SnapshotName.setAsidePosition($0) != nil })
    try again.run(commands: 20, snapshotsAfter: [3])
    #expect(try again.names().allSatisfy { SnapshotName.setAsidePosition($0) == nil })
    #expect(try again.start().digest == again.history.digests[again.history.last])
  }

  // MARK: Every combination of damage

  private enum Fate: CaseIterable { case good, damaged, missing }

  private struct Combination: CustomTestStringConvertible, Sendable {
    var newest: Fate
    var older: Fate
    var manifest: Fate
    /// By place: of the segments that a start from the older snapshot reads.
    var segment: (fate: Fate, isLast: Bool)

    var testDescription: String {
      "newest \(newest), older \(older), manifest \(manifest), \(segment.isLast ? "last" : "first") segment "
        + "\(segment.fate)"
    }

    static var all: [Combination] {
      var all: [Combination] = []
      for newest in Fate.allCases {
        for older in Fate.allCases {
          for manifest in Fate.allCases {
            all.append(
              Combination(newest: newest, older: older, manifest: manifest, segment: (.good, true)))
            for fate in [Fate.damaged, .missing] {
              for isLast in [false, true] {
                all.append(
                  Combination(newest: newest, older: older, manifest: manifest, segment: (fate, isLast)))
              }
            }
          }
        }
      }
      return all
    }
  }

  @Test
  func everyCombinationOfDamageIsAllOrARefusal() throws {
    var bench = RecoveryBench(Seed(9))
    try bench.run(commands: 40, snapshotsAfter: [9, 19])
    try bench.run(commands: 40)
    let names = try bench.names()
    let snapshots = names.compactMap { SnapshotName.position($0) }.sorted()
    let segments = names.filter { name in
      guard let number = SegmentName.number(name), number > 0 else { return false }
      return bench.disk.contents(bench.path(name))?.contains { $0 != 0 } == true
    }
    #expect(snapshots.count == 2 && segments.count >= 3)
    for combination in Combination.all {
      let disk = bench.disk.copy()
      for (position, fate) in [(snapshots[1], combination.newest), (snapshots[0], combination.older)] {
        let path = bench.path(SnapshotName.of(position: position))
        switch fate {
        case .good: break
        case .damaged: disk.overwrite(path + "/transactions.table", at: 80, [1, 2, 3, 4])
        case .missing:
          try DataDirectory(existing: RecoveryBench.path, on: disk).removeDirectory(
            SnapshotName.of(position: position))
        }
      }
      let manifest = bench.path(Manifest.fileName)
      switch combination.manifest {
      case .good: break
      case .damaged: disk.setContents(manifest, [UInt8](repeating: 7, count: 8192))
      case .missing: disk.removeName(manifest)
      }
      let segment = bench.path(combination.segment.isLast ? segments[segments.count - 1] : segments[0])
      switch combination.segment.fate {
      case .good: break
      case .damaged: disk.overwrite(segment, at: 4096 + 70, [0xEE, 0xEE])
      case .missing: disk.removeName(segment)
      }
      try expectAllOrARefusal(bench, disk, combination)
    }
  }

  private func expectAllOrARefusal(
    _ bench: RecoveryBench, _ disk: SimulatedDisk, _ combination: Combination
  ) throws {
    let isSnapshotGood = combination.newest == .good || combination.older == .good
    do {
      let found = try bench.start(disk)
      // A lost end can be told from an end only when something still speaks of it.
      let isLostEnd = combination.segment == (.missing, true)
      if !isLostEnd {
        #expect(found.position == bench.history.last, "\(combination.testDescription)")
      }
      #expect(found.digest == bench.history.digests[found.position], "\(combination.testDescription)")
      #expect(isSnapshotGood, "\(combination.testDescription)")
    } catch let error as StorageError {
      let mustBeFound = isSnapshotGood && combination.segment.fate == .good
      #expect(!mustBeFound, "\(combination.testDescription): \(error)")
      #expect(!error.description.isEmpty)
    }
    // What is refused is left as it was, and named by the check.
    let before = disk.changeCount
    let report = try Check.check(RecoveryBench.path, on: disk, clock: bench.clock)
    #expect(disk.changeCount == before)
    let isAllGood =
      combination.newest == .good && combination.older == .good && combination.manifest == .good
      && combination.segment.fate == .good
    let isLostEndAlone = combination.segment == (.missing, true) && report.position < bench.history.last
    // Where segments end is a matter of time: if the first one ends with the newest snapshot, only the older
    // one needs it, and that is a note.
    let isOnlyForTheOlder = combination.segment == (.missing, false) && !report.notes.isEmpty
    #expect(
      report.isSound == isAllGood || isLostEndAlone || isOnlyForTheOlder,
      "\(combination.testDescription): \(report)")
  }

  @Test
  func aHoleWhereACopyMetTheWriterIsANoteInACopyAlone() throws {
    var bench = RecoveryBench(Seed(21))
    try bench.run(commands: 40, snapshotsAfter: [9])
    try bench.run(commands: 12, isKilled: true)
    let segments = try bench.names().filter { name in
      guard SegmentName.number(name) != nil else { return false }
      return bench.disk.contents(bench.path(name))?.contains { $0 != 0 } == true
    }
    let newest = try #require(segments.last)
    bench.disk.overwrite(bench.path(newest), at: 2 * 4096, [UInt8](repeating: 0, count: 4096))
    let damaged = try Check.check(RecoveryBench.path, on: bench.disk, clock: bench.clock)
    #expect(damaged.faults.count == 1 && damaged.faults[0].offset == 2 * 4096)
    // Another inode than its own in the lock file: this is a copy.
    let directory = try DataDirectory(existing: RecoveryBench.path, on: bench.disk)
    try directory.replaceFile(DirectoryLock.fileName, with: Array("7\n123456\n".utf8))
    let copied = try Check.check(RecoveryBench.path, on: bench.disk, clock: bench.clock)
    #expect(copied.isSound && copied.notes.contains { $0.contains("--recover-to \(copied.position)") })
    #expect(bench.history.digests[copied.position] != nil)
    #expect(try bench.start(target: copied.position).position == copied.position)
  }

  // MARK: To a position

  @Test(arguments: Seed.sample(3))
  func anyPositionCanBeReachedAndStays(seed: Seed) throws {
    var bench = RecoveryBench(seed)
    try bench.run(commands: 25)
    try bench.run(commands: 25, snapshotsAfter: [4])
    try bench.run(commands: 25, snapshotsAfter: [4], isKilled: true)
    try bench.run(commands: 10)
    let oldest = try bench.names().compactMap { SnapshotName.position($0) }.min() ?? 0
    for target in stride(from: oldest, through: bench.history.last, by: 3) {
      let end = bench.history.commandEnd(target)
      var copy = bench
      copy.disk = bench.disk.copy()
      let report = try copy.run(commands: 0, target: target)
      #expect(report.position == end, "\(seed), position \(target)")
      if end < bench.history.last { #expect(report.leftOut?.position == end, "\(seed), \(target)") }
      let found = try copy.start()
      #expect(found.position == end && found.digest == bench.history.digests[end], "\(seed), \(target)")
      #expect(found.report.faults.isEmpty)
      #expect(
        try Check.check(RecoveryBench.path, on: copy.disk, clock: bench.clock).isSound, "\(seed), \(target)")
      // Other facts take the places of those that were left out.
      try copy.run(commands: 10, snapshotsAfter: [5])
      try copy.run(commands: 5, isKilled: true)
      let later = try copy.start()
      #expect(later.position == copy.history.last, "\(seed), \(target)")
      #expect(later.digest == copy.history.digests[later.position], "\(seed), \(target)")
    }
  }

  @Test
  func aPositionThatCannotBeReachedIsRefused() throws {
    var bench = RecoveryBench(Seed(11))
    try bench.run(commands: 60, snapshotsAfter: [9, 39])
    try bench.run(commands: 40)
    let before = bench.disk.changeCount
    #expect(throws: StorageError.self) { try bench.start(target: 1) }
    #expect(throws: StorageError.self) { try bench.start(target: bench.history.last + 1) }
    #expect(throws: StorageError.self) { try bench.start(target: 0) }
    #expect(bench.disk.changeCount == before)
    // The last one is no cut at all.
    let found = try bench.start(target: bench.history.last)
    #expect(found.report.leftOut == nil && found.position == bench.history.last)
  }

  @Test
  func damageIsLeftBehindByRecoveringToBeforeIt() throws {
    var bench = RecoveryBench(Seed(12))
    try bench.run(commands: 40, snapshotsAfter: [9])
    try bench.run(commands: 40)
    let segments = try bench.names().filter { SegmentName.number($0) != nil }
    bench.disk.overwrite(bench.path(segments[2]), at: 4096 + 200, [1, 2, 3])
    guard case .journalBroken(_, let faults, let reachable?) = error({ _ = try bench.start() }) else {
      Issue.record("damage in the middle must be refused")
      return
    }
    #expect(faults.count == 1 && faults[0].offset != nil && faults[0].path.hasSuffix(segments[2]))
    #expect(bench.history.digests[reachable] != nil)
    try bench.run(commands: 0, target: reachable)
    let found = try bench.start()
    #expect(found.position == reachable && found.digest == bench.history.digests[reachable])
    #expect(try bench.names().contains { LeftOutName.isOne($0) })
  }

  @Test
  func aRecoveryToAPositionSurvivesACrashAfterEveryCall() throws {
    var bench = RecoveryBench(Seed(13))
    try bench.run(commands: 15)
    try bench.run(commands: 15, snapshotsAfter: [4])
    try bench.run(commands: 15, snapshotsAfter: [4])
    let oldest = try #require(try bench.names().compactMap { SnapshotName.position($0) }.min())
    for target in [
      oldest, bench.history.commandEnd(oldest + 8),
      bench.history.positions[bench.history.positions.count - 4],
    ] {
      let disk = bench.disk.copy()
      let copies = Guarded<[SimulatedDisk]>([])
      disk.watch { call, moment in
        guard call.kind.isChange, moment == .after else { return }
        let (killed, dark) = (disk.copy(), disk.afterPowerLoss(.losingAll))
        copies.withLock { $0 += [killed, dark] }
      }
      _ = try Recovery.open(
        RecoveryBench.path, on: disk, clock: bench.clock, options: RecoveryOptions(target: target))
      disk.watch(nil)
      for copy in copies.withLock({ $0 }) {
        let found = try bench.start(copy)
        #expect([target, bench.history.last].contains(found.position), "\(target): \(found.position)")
        #expect(found.digest == bench.history.digests[found.position])
        #expect(try bench.start(copy, target: target).position == target)
      }
    }
  }

  private func error(_ body: () throws -> Void) -> StorageError? {
    do { try body() } catch { return error as? StorageError }
    return nil
  }
}
