// Damage of a journal at rest: the same facts, or a refusal that names the file; never other facts.

import Platform
import TestSupport
import Testing

@testable import Storage

struct JournalDamageTests {
  /// A journal of two runs, stopped cleanly, and the records in it.
  private static func journal(isSealed: Bool = true) throws -> (disk: SimulatedDisk, facts: SyntheticFacts) {
    var facts = SyntheticFacts(Seed(77))
    let disk = SimulatedDisk()
    let directory = try DataDirectory(creating: JournalBench.path, on: disk)
    for run in 0..<2 {
      let end = try #require(try ReadJournal(disk).end)
      facts.restart(at: end.position)
      var writer = try JournalWriter(
        JournalBench.identifier, log: facts.log, start: end.start(), options: JournalBench.options)
      var preparer = try SegmentPreparer(directory, options: JournalBench.options, start: end.start())
      _ = try preparer.prepareIfShort(writer.room)
      for step in 0..<6 {
        facts.addUnit(step % 3 == 1 ? [900, 10, 2000] : [40])
        while try writer.commitPending() != .nothing { _ = try preparer.prepareIfShort(writer.room) }
        if step == 3 { try writer.seal() }
      }
      if run == 0 || isSealed { try writer.seal(isCleanStop: run == 1) }
    }
    return (disk, facts)
  }

  /// Positions at which the journal may end after damage to its very last group.
  private static func read(_ disk: SimulatedDisk, _ facts: SyntheticFacts) throws -> UInt64? {
    do {
      let read = try ReadJournal(disk)
      let end = try #require(read.end)
      #expect(facts.match(read.records, from: 1, to: end.position))
      return end.position
    } catch let error as StorageError {
      switch error {
      case .damaged(let fault), .foreign(let fault): #expect(fault.path.hasPrefix(JournalBench.path))
      default: Issue.record("refused without a name: \(error)")
      }
      return nil
    }
  }

  @Test
  func aLostBeginningAfterACleanStopIsDamage() throws {
    var facts = SyntheticFacts(Seed(78))
    let disk = SimulatedDisk()
    let directory = try DataDirectory(creating: JournalBench.path, on: disk)
    for _ in 0..<2 {
      let end = try #require(try ReadJournal(disk).end)
      facts.restart(at: end.position)
      var writer = try JournalWriter(
        JournalBench.identifier, log: facts.log, start: end.start(), options: JournalBench.options)
      var preparer = try SegmentPreparer(directory, options: JournalBench.options, start: end.start())
      _ = try preparer.prepareIfShort(writer.room)
      for _ in 0..<2 {
        facts.addUnit([40])
        #expect(try writer.commitPending() == .wrote)
      }
      try writer.seal(isCleanStop: true)
    }
    let path = try #require(disk.filePaths.last { disk.contents($0)?.contains { $0 != 0 } == true })
    // The second start's head and first group, as if they had never been written.
    disk.overwrite(path, at: 0, [UInt8](repeating: 0, count: 8192))
    #expect(try Self.read(disk, facts) == nil)
    disk.overwrite(path, at: 0, [UInt8](repeating: 1, count: 8192))
    #expect(try Self.read(disk, facts) == nil)
  }

  @Test
  func scrapsOfAFirstWriteAfterACleanStopAreCut() throws {
    let (disk, facts) = try Self.journal()
    let path = try #require(disk.filePaths.last { disk.contents($0)?.contains { $0 != 0 } == false })
    disk.overwrite(path, at: 8192, [UInt8](repeating: 7, count: 512))
    let end = try #require(try ReadJournal(disk).end)
    #expect(end.position == facts.position && end.isCleanStop)
    #expect(end.tornTail?.factCount == 0 && end.tornTail?.byteCount == 12288)
    #expect(end.prepared.isEmpty, "what is not all zeros is not written to")
  }

  @Test
  func everyChangedByteIsHarmlessOrNamed() throws {
    let (disk, facts) = try Self.journal()
    var generator = Seed(3).generator
    var refusedCount = 0
    for path in disk.filePaths {
      let bytes = try #require(disk.contents(path))
      for place in bytes.indices
      where place % 4096 < 64 || place % 5 == 0 && bytes[place] != 0 || place % 97 == 0 {
        let change = UInt8.random(in: 1...255, using: &generator)
        disk.overwrite(path, at: place, [bytes[place] ^ change])
        let position = try Self.read(disk, facts)
        #expect(position == nil || position == facts.position, "\(path) byte \(place)")
        refusedCount += position == nil ? 1 : 0
        disk.overwrite(path, at: place, [bytes[place]])
      }
    }
    #expect(refusedCount > 500)
    #expect(try Self.read(disk, facts) == facts.position)
  }

  @Test
  func onlyTheLastGroupBeforeACrashStaysInDoubt() throws {
    let (disk, facts) = try Self.journal(isSealed: false)
    let path = try #require(disk.filePaths.last { disk.contents($0)?.contains { $0 != 0 } == true })
    let bytes = try #require(disk.contents(path))
    for place in bytes.indices
    where place % 4096 < 64 || place % 5 == 0 && bytes[place] != 0 || place % 97 == 0 {
      disk.overwrite(path, at: place, [bytes[place] ^ 0x10])
      let position = try Self.read(disk, facts)
      // The last command is one record.
      #expect(position.map { $0 >= facts.position - 1 } ?? true, "byte \(place)")
      disk.overwrite(path, at: place, [bytes[place]])
    }
  }

  @Test
  func everyLengthOfAFileIsHarmlessOrNamed() throws {
    let (disk, facts) = try Self.journal()
    for path in disk.filePaths {
      let bytes = try #require(disk.contents(path))
      for length in stride(from: 0, to: bytes.count, by: 512).flatMap({ [$0, $0 + 1, $0 + 511] }) {
        disk.cut(path, to: length)
        let position = try Self.read(disk, facts)
        let isUsed = bytes.contains { $0 != 0 }
        #expect(position == nil || !isUsed && position == facts.position, "\(path) cut to \(length)")
        disk.setContents(path, bytes)
      }
    }
  }

  @Test
  func misplacedBlocksAndFilesAreFound() throws {
    let (disk, facts) = try Self.journal()
    let paths = disk.filePaths.filter { disk.contents($0)?.contains { $0 != 0 } == true }
    let contents = try paths.map { try #require(disk.contents($0)) }
    for (place, path) in paths.enumerated() {
      for (other, source) in contents.enumerated() {
        for block in stride(from: 0, to: min(source.count, contents[place].count), by: 4096) {
          for from in stride(from: 0, to: source.count, by: 4096) where other != place || from != block {
            disk.overwrite(path, at: block, Array(source[from..<from + 4096]))
            let position = try Self.read(disk, facts)
            #expect(position == nil || position == facts.position)
            disk.overwrite(path, at: block, Array(contents[place][block..<block + 4096]))
          }
        }
        if other == place { continue }
        disk.setContents(path, source)
        #expect(try Self.read(disk, facts) == nil, "\(path) replaced by another")
        disk.setContents(path, contents[place])
      }
    }
  }

  @Test
  func aSegmentOfAnotherDirectoryIsRefused() throws {
    let (disk, _) = try Self.journal()
    #expect(throws: StorageError.self) {
      try ReadJournal(disk, identifier: DirectoryIdentifier(high: 7, low: 12))
    }
  }

  @Test
  func aMissingSegmentIsNamedUnlessNothingIsNeededOfIt() throws {
    let (disk, facts) = try Self.journal()
    let paths = disk.filePaths
    for path in paths.dropLast() {
      let without = disk.copy()
      without.removeName(path)
      let isUsed = disk.contents(path)?.contains { $0 != 0 } == true
      let isLast = disk.filePaths.last { disk.contents($0)?.contains { $0 != 0 } == true } == path
      // The end of a journal that is gone as a whole file is the manifest's business.
      if isUsed && !isLast { #expect(try Self.read(without, facts) == nil) }
    }
    let oldest = try #require(paths.first)
    disk.removeName(oldest)
    let end = try #require(try ReadJournal(disk, after: facts.position - 1).end)
    #expect(end.position == facts.position)
  }
}
