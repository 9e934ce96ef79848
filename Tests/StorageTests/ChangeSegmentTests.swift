// A segment that followers read while it is being written.

import Platform
import TestSupport
import Testing

@testable import Ledger
@testable import Storage

struct ChangeSegmentTests {
  @Test
  func aGroupThatWasReadInHalfIsReadAgain() throws {
    var facts = SyntheticFacts(Seed(12))
    let disk = SimulatedDisk()
    let directory = try DataDirectory(creating: JournalBench.path, on: disk)
    var options = JournalBench.options
    options.firstSegmentByteCount = 64 << 10
    let start = JournalStart(position: 0)
    var writer = try JournalWriter(JournalBench.identifier, log: facts.log, start: start, options: options)
    var preparer = try SegmentPreparer(directory, options: options, start: start)
    _ = try preparer.prepareIfShort(writer.room)
    for byteCounts in [[40], [3000, 3000]] {
      facts.addUnit(byteCounts)
      #expect(try writer.commitPending() == .wrote)
    }
    let path = try #require(disk.filePaths.first { disk.contents($0)?.contains { $0 != 0 } == true })
    let whole = try #require(disk.contents(path))
    // Of the second group only the first block is there yet.
    disk.overwrite(path, at: 3 * 4096, [UInt8](repeating: 0, count: 4096))
    let segment = try ChangeSegment(
      number: 1, in: directory, seed: SegmentFormat.seed(JournalBench.identifier), direct: true)
    let first = try segment.records(from: 1, upTo: 1, byteLimit: 1 << 20)
    #expect(first.count == 40 + RecordHead.byteCount)
    disk.overwrite(path, at: 3 * 4096, Array(whole[(3 * 4096)..<(4 * 4096)]))
    let rest = try segment.records(from: 2, upTo: 3, byteLimit: 1 << 20)
    #expect(facts.match(rest, from: 2, to: 3))
  }
}
