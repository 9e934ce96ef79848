// The journal with its threads: positions, modes, waiting, failure, room, the memory of the newest facts.

import Ledger
import Platform
import TestSupport
import Testing

@testable import Storage

struct JournalTests {
  /// Books with a journal that runs.
  private final class Rig: Sendable {
    let books: Books
    let journal: Journal
    let disk: SimulatedDisk?
    let changes = Gate<[JournalProgress]>([])

    init(
      _ directory: DataDirectory, disk: SimulatedDisk? = nil,
      _ adapt: (inout JournalOptions) -> Void = { _ in }
    ) throws {
      var options = JournalBench.options
      options.idleTime = .seconds(100)
      options.retryTime = .milliseconds(2)
      adapt(&options)
      let log = FactLog()
      self.disk = disk
      books = Books(clock: ManualClock(), seed: (5, 6), log: log)
      journal = try Journal(
        directory, JournalBench.identifier, log: log, start: JournalStart(position: 0), options: options)
      journal.onProgress { [changes] progress in changes.updateAndWakeAll { $0.append(progress) } }
    }

    convenience init(simulated adapt: (inout JournalOptions) -> Void = { _ in }) throws {
      let disk = SimulatedDisk()
      try self.init(try DataDirectory(creating: JournalBench.path, on: disk), disk: disk, adapt)
    }

    /// What stands on the simulated disk.
    func read(after position: UInt64 = 0) throws -> ReadJournal? {
      guard let disk else { return nil }
      return try ReadJournal(disk, after: position)
    }

    /// Creates a ledger as a connection would: admitted, carried out, settled.
    /// - Returns: its position; nil if it was not admitted.
    func create(_ name: String) throws -> UInt64? {
      let command = Command.createLedger(NewLedger(identifier: nil, name: name))
      let bound = Books.encodedByteBound(of: command, key: nil)
      while true {
        switch journal.admit(byteBound: bound) {
        case .admitted:
          defer { journal.settle(byteBound: bound) }
          return try books.execute(command).position
        case .later: changes.wait { $0.contains { $0.roomChanged } ? () : nil }
        case .busy: Thread.yield()
        case .full, .failed: return nil
        }
      }
    }

    func waitFor(_ isReached: (JournalProgress) -> Bool) {
      changes.wait { $0.contains(where: isReached) ? () : nil }
    }
  }

  @Test func aStopWaitsForTheFirstSegment() throws {
    for _ in 0..<20 {
      let rig = try Rig(simulated: { _ in })
      try rig.journal.stop()
      #expect(rig.journal.durablePosition == rig.books.position)
      try rig.journal.waitUntilDurable(rig.books.position)
    }
  }

  @Test func aStopOnAFullDiskFailsInsteadOfWaiting() throws {
    let disk = SimulatedDisk()
    let directory = try DataDirectory(creating: JournalBench.path, on: disk)
    disk.setCapacity(disk.usedByteCount)
    let rig = try Rig(directory, disk: disk)
    #expect(throws: StorageError.self) { try rig.journal.stop() }
    #expect(throws: StorageError.self) { try rig.journal.waitUntilDurable(rig.books.position) }
  }

  @Test
  func answersWaitForTheSyncOnlyInTheModeThatPromisesIt() throws {
    for durability in [Durability.always, .interval(.seconds(1000)), .none] {
      let rig = try Rig { $0.durability = durability }
      let position = try #require(try rig.create("a"))
      #expect(rig.journal.answersWait == (durability == .always))
      if durability == .always {
        rig.waitFor { $0.committedPosition >= position }
        #expect(rig.journal.durablePosition >= position)
      } else {
        #expect(rig.journal.committedPosition >= position)
      }
      try rig.journal.waitUntilDurable(position)
      #expect(rig.journal.durablePosition >= position)
      #expect(rig.journal.writtenPosition >= position)
      try rig.journal.stop()
      let report = rig.journal.report
      #expect(report.state == .running && report.sealCount == 1 && report.syncCount > 0)
      let end = try #require(try rig.read()?.end)
      #expect(end.isCleanStop && end.position == rig.books.position)
    }
  }

  @Test
  func anIntervalSyncsByItself() throws {
    let rig = try Rig { $0.durability = .interval(.milliseconds(1)) }
    let position = try #require(try rig.create("a"))
    // Nobody asks for it; the test hangs if it does not come.
    while rig.journal.durablePosition < position { Thread.yield() }
    try rig.journal.stop()
  }

  @Test
  func idlenessIsSealed() throws {
    let rig = try Rig { $0.idleTime = .milliseconds(1) }
    _ = try rig.create("a")
    while rig.journal.report.sealCount == 0 { Thread.yield() }
    try rig.journal.stop()
  }

  @Test
  func manyThreadsWriteAndFollow() throws {
    let temporary = try TemporaryDirectory()
    let rig = try Rig(temporary.directory) { $0.idleTime = .milliseconds(1) }
    let count = 300
    let threads = try (0..<3).map { number in
      try Thread(name: "writer") {
        for step in 0..<count {
          let position = try? rig.create("ledger \(number) \(step)")
          guard let position else {
            Issue.record("a command was not carried out")
            return
          }
          if step % 50 == 0 {
            try? rig.journal.waitUntilDurable(position)
            if rig.journal.durablePosition < position { Issue.record("waited for nothing") }
          }
        }
      }
    }
    let follower = try Thread(name: "follower") {
      var next: UInt64 = 1
      while next <= UInt64(3 * count) {
        guard let found = rig.journal.recentRecords(from: next) else { continue }
        if found.firstPosition > next || found.lastPosition < next { Issue.record("facts were skipped") }
        next = found.lastPosition + 1
        _ = rig.journal.report
      }
    }
    for thread in threads { thread.join() }
    follower.join()
    try rig.journal.stop()
    #expect(rig.journal.durablePosition == rig.books.position)
    let survey = try JournalSurvey(temporary.directory, JournalBench.identifier)
    var reader = JournalReader(survey, after: 0)
    while try reader.next() != nil {}
    let end = reader.end
    #expect(end?.position == rig.books.position)
    #expect(end?.isCleanStop == true)
  }

  @Test
  func aFailedSyncEndsEverything() throws {
    for kind in [DiskCall.Kind.sync, .write] {
      // Room for everything in the first segment.
      let rig = try Rig { $0.firstSegmentByteCount = 64 << 10 }
      let position = try #require(try rig.create("a"))
      try rig.journal.waitUntilDurable(position)
      // What is being prepared has another turn; only the segment at hand is hit.
      rig.disk?.plant(DiskFault(kind, turn: 1, place: "journal-00000001.seg"))
      let lost = try #require(try rig.create("b"))
      rig.waitFor { $0.failure != nil }
      #expect(rig.journal.durablePosition == position && rig.journal.committedPosition == position)
      #expect(throws: StorageError.self) { try rig.journal.waitUntilDurable(lost) }
      guard case .failed = rig.journal.admit(byteBound: 1) else {
        Issue.record("nothing is admitted after a failure")
        return
      }
      guard case .failed = rig.journal.report.state else {
        Issue.record("the report names the failure")
        return
      }
      #expect(throws: StorageError.self) { try rig.journal.stop() }
      #expect(rig.journal.durablePosition == position)
    }
  }

  @Test
  func aFullDiskGoesOnByItself() throws {
    let rig = try Rig()
    rig.disk?.setCapacity(80 << 10)
    var count = 0
    while try rig.create("ledger \(count)") != nil { count += 1 }
    guard case .full = rig.journal.report.state else {
      Issue.record("the disk is full")
      return
    }
    let position = rig.books.position
    try rig.journal.waitUntilDurable(position)
    rig.disk?.setCapacity(1 << 20)
    while true {
      if case .running = rig.journal.report.state { break }
      Thread.yield()
    }
    #expect(try rig.create("after") == position + 1)
    try rig.journal.stop()
    #expect(try rig.read()?.end?.position == position + 1)
  }

  @Test
  func whatFindsNoRoomIsNotWaitedFor() throws {
    // The first fact of all books is in the log before anybody could ask for room.
    let disk = SimulatedDisk()
    let directory = try DataDirectory(creating: JournalBench.path, on: disk)
    disk.setCapacity(4096)
    let rig = try Rig(directory, disk: disk)
    #expect(throws: StorageError.self) { try rig.journal.waitUntilDurable(1) }
    disk.setCapacity(1 << 20)
    while rig.journal.durablePosition < 1 { Thread.yield() }
    try rig.journal.waitUntilDurable(1)
    try rig.journal.stop()
    #expect(throws: StorageError.self) { try rig.journal.waitUntilDurable(2) }
  }

  @Test
  func segmentsAreRemovedAsWholes() throws {
    let rig = try Rig()
    var last: UInt64 = 0
    for step in 0..<60 {
      last = try #require(try rig.create("ledger \(step)"))
      // Each in a group of its own.
      try rig.journal.waitUntilDurable(last)
    }
    let before = rig.journal.segments
    try #require(before.count > 2)
    let position = before[1].lastPosition
    try rig.journal.removeSegments(upTo: position - 1)
    #expect(rig.journal.segments.first == before[1])
    try rig.journal.removeSegments(upTo: position)
    #expect(rig.journal.segments.first == before[2])
    last = try #require(try rig.create("after"))
    try rig.journal.waitUntilDurable(last)
    #expect(rig.journal.segments.first == before[2], "what was removed does not come back")
    try rig.journal.removeSegments(upTo: .max)
    #expect(rig.journal.segments.count == 1)
    try rig.journal.stop()
    let end = try #require(try rig.read(after: last)?.end)
    #expect(end.position == last)
  }

  @Test
  func aPreparedSegmentIsUsedByTheNextRun() throws {
    let disk = SimulatedDisk()
    let directory = try DataDirectory(creating: JournalBench.path, on: disk)
    var position: UInt64 = 0
    for run in 1...3 {
      let end = try #require(try ReadJournal(disk).end)
      #expect(end.position == position && end.prepared.count == (run == 1 ? 0 : 1))
      var facts = SyntheticFacts(Seed(1))
      for _ in 0..<position { facts.addUnit([1]) }
      facts.restart(at: position)
      let journal = try Journal(
        directory, JournalBench.identifier, log: facts.log, start: end.start(), options: JournalBench.options)
      // The segment after the one at hand is made before the stop.
      facts.addUnit([1])
      facts.log.wake()
      position = facts.position
      try journal.waitUntilDurable(position)
      while journal.report.preparedCount == 0 { Thread.yield() }
      try journal.stop()
    }
    let end = try #require(try ReadJournal(disk).end)
    #expect(end.segments.map(\.number) == [1, 2, 3] && end.incarnation == 3)
  }
}
