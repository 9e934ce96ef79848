// Admission: what is let in always fits, a full disk is met before anything is applied, and room comes back.

import Platform
import TestSupport
import Testing

@testable import Ledger
@testable import Storage

struct JournalRoomTests {
  private static func commitAll(_ writer: inout JournalWriter) throws -> WriterStep {
    while true {
      let step = try writer.commitPending()
      if step != .wrote { return step }
    }
  }

  /// Random commands are admitted, carried out with fewer facts than they might have had, and written, in any
  /// order; segments are made only when somebody waits for one.
  @Test(arguments: Seed.sample(24))
  func whatIsAdmittedNeedsNoMoreRoom(_ seed: Seed) throws {
    var facts = SyntheticFacts(seed)
    let disk = SimulatedDisk()
    let directory = try DataDirectory(creating: JournalBench.path, on: disk)
    var options = JournalBench.options
    options.groupByteCount = 2 << 10
    let start = JournalStart(position: 0)
    var writer = try JournalWriter(JournalBench.identifier, log: facts.log, start: start, options: options)
    var preparer = try SegmentPreparer(directory, options: options, start: start)
    var open: [[Int]] = []
    var admittedCount = 0
    for _ in 0..<300 {
      switch Int.random(in: 0..<6, using: &facts.generator) {
      case 0...2:
        let byteCounts = facts.someByteCounts(largest: 30 << 10)
        switch writer.room.admit(byteBound: SyntheticFacts.byteCount(byteCounts)) {
        case .admitted:
          open.append(byteCounts)
          admittedCount += 1
        case .later: _ = try preparer.prepareIfShort(writer.room)
        case let other: Issue.record("the disk is empty: \(other)")
        }
      case 3:
        guard !open.isEmpty else { break }
        let byteCounts = open.remove(at: Int.random(in: open.indices, using: &facts.generator))
        let made = byteCounts.prefix(Int.random(in: 0...byteCounts.count, using: &facts.generator))
        if !made.isEmpty { facts.addUnit(Array(made)) }
        writer.room.settle(byteBound: SyntheticFacts.byteCount(byteCounts))
      case 4: #expect(try Self.commitAll(&writer) == .nothing)
      default: try writer.seal()
      }
    }
    for byteCounts in open {
      facts.addUnit(byteCounts)
      writer.room.settle(byteBound: SyntheticFacts.byteCount(byteCounts))
    }
    #expect(try Self.commitAll(&writer) == .nothing)
    #expect(admittedCount > 50)
    let end = try #require(try ReadJournal(disk).end)
    #expect(end.position == facts.position)
  }

  /// The sizes leave nothing over: each group takes as much as it can at most.
  @Test
  func whatComesWhileAGroupIsBuiltHasItsRoom() throws {
    var facts = SyntheticFacts(Seed(6))
    var options = JournalBench.options
    options.firstSegmentByteCount = 64 << 10
    options.groupByteCount = 64 << 10
    let directory = try DataDirectory(creating: JournalBench.path, on: SimulatedDisk())
    var preparer = try SegmentPreparer(
      directory, options: options, start: JournalStart(position: 0))
    let room = JournalRoom(log: facts.log, options: options)
    _ = try preparer.prepareIfShort(room)
    let segment = try #require(room.takeSegment())
    let recordByteCount = 4096 + 1 - GroupHead.byteCount
    func carryOut(_ byteCount: Int) {
      facts.addUnit([byteCount - RecordHead.byteCount])
      room.settle(byteBound: byteCount)
    }
    var buffer = [UInt8](repeating: 0, count: segment.byteCount)
    func drain() -> DrainedFacts {
      unsafe buffer.withUnsafeMutableBytes { unsafe facts.log.drain(into: $0) }
    }
    func place(_ drained: DrainedFacts) throws {
      let byteCount = SegmentFormat.padded(GroupHead.byteCount + drained.byteCount)
      // A block is kept for a seal.
      try #require(room.summary.freeByteCount - 4096 >= byteCount, "what was admitted fits")
      room.place(
        paddedByteCount: byteCount, recordByteCount: drained.byteCount, lastPosition: drained.lastPosition)
    }
    #expect(room.admit(byteBound: recordByteCount) == .admitted)
    carryOut(recordByteCount)
    room.beginGroup()
    let first = drain()
    // Now the first group is being built, and another command comes.
    #expect(room.admit(byteBound: recordByteCount) == .admitted)
    carryOut(recordByteCount)
    var last: Int?
    for byteCount in stride(from: segment.byteCount, to: 0, by: -4096).map({ $0 + 1 - GroupHead.byteCount })
    where last == nil {
      if room.admit(byteBound: byteCount) == .admitted { last = byteCount }
    }
    try place(first)
    room.beginGroup()
    try place(drain())
    if let last {
      carryOut(last)
      room.beginGroup()
      try place(drain())
    }
  }

  @Test
  func aCommandThatWaitsIsAdmittedAfterOneSegment() throws {
    let facts = SyntheticFacts(Seed(1))
    let directory = try DataDirectory(creating: JournalBench.path, on: SimulatedDisk())
    let start = JournalStart(position: 0)
    let writer = try JournalWriter(
      JournalBench.identifier, log: facts.log, start: start, options: JournalBench.options)
    var preparer = try SegmentPreparer(directory, options: JournalBench.options, start: start)
    // Larger than a segment, and than the largest group.
    for bound in [0, 1, 5000, 100_000, 3_000_000] {
      if writer.room.admit(byteBound: bound) == .admitted { continue }
      #expect(try preparer.prepareIfShort(writer.room) == .prepared(hadWaiters: true))
      #expect(writer.room.admit(byteBound: bound) == .admitted, "\(bound)")
    }
  }

  @Test
  func aFullDiskRefusesBeforeAndAdmitsWhenThereIsRoom() throws {
    var facts = SyntheticFacts(Seed(2))
    let disk = SimulatedDisk()
    let directory = try DataDirectory(creating: JournalBench.path, on: disk)
    disk.setCapacity(60 << 10)
    let start = JournalStart(position: 0)
    var writer = try JournalWriter(
      JournalBench.identifier, log: facts.log, start: start, options: JournalBench.options)
    var preparer = try SegmentPreparer(directory, options: JournalBench.options, start: start)
    var refusal: SystemError?
    for _ in 0..<200 where refusal == nil {
      switch writer.room.admit(byteBound: 1024) {
      case .admitted:
        facts.addUnit([1000])
        writer.room.settle(byteBound: 1024)
        #expect(try Self.commitAll(&writer) == .nothing)
      case .later: _ = try preparer.prepareIfShort(writer.room)
      case .full(let error): refusal = error
      case let other: Issue.record("\(other)")
      }
    }
    #expect(refusal?.name == "ENOSPC")
    #expect(facts.position > 3)
    let left = disk.filePaths.filter { $0.hasSuffix(".tmp") }
    #expect(left.isEmpty, "what could not be finished is gone: \(left)")
    let position = facts.position
    #expect(writer.positions.durable == position)
    disk.setCapacity(1 << 20)
    #expect(try preparer.prepareIfShort(writer.room) == .prepared(hadWaiters: true))
    #expect(writer.room.admit(byteBound: 1024) == .admitted)
    facts.addUnit([1000])
    #expect(try Self.commitAll(&writer) == .nothing)
    #expect(try ReadJournal(disk).end?.position == position + 1)
  }

  @Test
  func minimumFreeRoomIsLeft() throws {
    let facts = SyntheticFacts(Seed(3))
    let disk = SimulatedDisk()
    let directory = try DataDirectory(creating: JournalBench.path, on: disk)
    disk.setCapacity(1 << 20)
    var options = JournalBench.options
    options.minimumFreeByteCount = 1 << 20
    let start = JournalStart(position: 0)
    let writer = try JournalWriter(JournalBench.identifier, log: facts.log, start: start, options: options)
    var preparer = try SegmentPreparer(directory, options: options, start: start)
    guard case .full(let error, _) = try preparer.prepareIfShort(writer.room) else {
      Issue.record("there is no room")
      return
    }
    #expect(error.name == "ENOSPC" && error.description.contains("to be left free"))
    #expect(disk.filePaths.isEmpty)
    disk.setCapacity(1 << 21)
    #expect(try preparer.prepareIfShort(writer.room) == .prepared(hadWaiters: true))
  }

  @Test
  func tooMuchThatWaitsIsBusy() throws {
    var facts = SyntheticFacts(Seed(4))
    var options = JournalBench.options
    options.hardPendingByteCount = 10_000
    let room = JournalRoom(log: facts.log, options: options)
    facts.addUnit([10_000])
    #expect(room.admit(byteBound: 1) == .busy)
  }

  @Test
  func aFailureOfTheDiskItselfRefusesEverything() throws {
    let facts = SyntheticFacts(Seed(5))
    let disk = SimulatedDisk()
    let directory = try DataDirectory(creating: JournalBench.path, on: disk)
    let start = JournalStart(position: 0)
    let writer = try JournalWriter(
      JournalBench.identifier, log: facts.log, start: start, options: JournalBench.options)
    var preparer = try SegmentPreparer(directory, options: JournalBench.options, start: start)
    disk.plant(DiskFault(.sync, turn: 1))
    #expect(throws: StorageError.self) { try preparer.prepareIfShort(writer.room) }
    guard case .failed(.failed(let error)) = writer.room.admit(byteBound: 1) else {
      Issue.record("the room knows")
      return
    }
    #expect(error.name == "EIO")
  }
}
