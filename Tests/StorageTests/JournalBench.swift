// Books with a journal on a simulated disk, all by explicit calls, and the reading of what was written.

import Ledger
import Platform
import TestSupport

@testable import Storage

/// A journal without threads beside the books that fill it.
struct JournalBench: ~Copyable {
  static let path = "/books"
  static let identifier = DirectoryIdentifier(high: 7, low: 11)

  let disk: SimulatedDisk
  let directory: DataDirectory
  let log: FactLog
  var sample: SampleBooks
  var writer: JournalWriter
  var preparer: SegmentPreparer

  /// Small segments, so that a few commands fill some.
  static var options: JournalOptions {
    var options = JournalOptions()
    options.firstSegmentByteCount = 16 << 10
    options.segmentByteCount = 64 << 10
    options.leastSegmentByteCount = 8 << 10
    options.minimumFreeByteCount = 0
    options.groupByteCount = 8 << 10
    options.recentByteCount = 256 << 10
    return options
  }

  init(_ seed: Seed, disk: SimulatedDisk = SimulatedDisk(), options: JournalOptions = options) throws {
    let directory = try DataDirectory(creating: Self.path, on: disk)
    let log = FactLog()
    let clock = ManualClock()
    let start = JournalStart(position: 0)
    let writer = try JournalWriter(Self.identifier, log: log, start: start, options: options)
    let preparer = try SegmentPreparer(directory, options: options, start: start)
    self.disk = disk
    self.directory = directory
    self.log = log
    self.writer = writer
    self.preparer = preparer
    sample = SampleBooks(
      seed, books: Books(clock: clock, seed: (seed.value, 1), log: log), clock: clock)
  }

  /// Some commands, then everything that waits is written.
  mutating func grow(_ commandCount: Int) throws {
    sample.grow(commandCount)
    try commitAll()
  }

  mutating func commitAll() throws {
    while true {
      switch try writer.commitPending() {
      case .nothing: return
      case .wrote: break
      case .waitsForSegment:
        _ = try preparer.prepareIfShort(writer.room)
      }
    }
  }
}

/// Everything that a reader hands out, and what it says about the end.
struct ReadJournal {
  var records: [UInt8] = []
  var recordCount = 0
  var firstPosition: UInt64?
  var end: JournalEnd?

  init(
    _ disk: SimulatedDisk, after position: UInt64? = 0,
    identifier: DirectoryIdentifier? = JournalBench.identifier, direct: Bool = true
  ) throws {
    let directory = try DataDirectory(existing: JournalBench.path, on: disk)
    let survey = try JournalSurvey(directory, identifier, direct: direct)
    var reader = JournalReader(survey, after: position)
    while let run = try reader.next() {
      if firstPosition == nil { firstPosition = run.firstPosition }
      unsafe records.append(contentsOf: run.bytes)
      recordCount += run.recordCount
    }
    end = reader.end
  }
}
