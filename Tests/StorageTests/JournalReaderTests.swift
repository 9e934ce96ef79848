// What was written is read back: all of it, whole commands only, from any position on.

import Ledger
import Platform
import TestSupport
import Testing

@testable import Storage

struct JournalReaderTests {
  @Test(arguments: Seed.sample(8))
  func whatIsWrittenIsReadBack(_ seed: Seed) throws {
    var bench = try JournalBench(seed)
    for _ in 0..<20 { try bench.grow(5) }
    let position = bench.sample.books.position
    #expect(bench.writer.positions == JournalPositions(written: position, durable: position))
    let read = try ReadJournal(bench.disk)
    let end = try #require(read.end)
    #expect(end.position == position)
    #expect(UInt64(read.recordCount) == position)
    #expect(read.firstPosition == 1)
    #expect(end.tornTail == nil && !end.isCleanStop && end.incarnation == 1)
    #expect(end.segments.count == bench.writer.begun.count)
    #expect(end.segments == bench.writer.begun)
    #expect(end.prepared.count <= 1)
    try bench.writer.seal(isCleanStop: true)
    let stopped = try #require(try ReadJournal(bench.disk).end)
    #expect(stopped.position == position && stopped.isCleanStop && stopped.tornTail == nil)
    let after = try ReadJournal(bench.disk, after: position - 7)
    #expect(after.firstPosition == position - 6 && after.recordCount == 7)
    #expect(read.records.suffix(after.records.count) == after.records[...])
  }
}
