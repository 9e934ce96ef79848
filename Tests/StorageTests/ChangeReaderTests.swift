// Facts by position: from memory and from segments, the same and each once.

import Ledger
import Platform
import TestSupport
import Testing

@testable import Storage

@Suite struct ChangeReaderTests {
  /// Books whose facts go through a journal of small segments on a real disk.
  private struct JournaledBooks {
    let directory: TemporaryDirectory
    let journal: Journal
    let reader: ChangeReader
    var sample: SampleBooks

    init(_ seed: Seed, recentByteCount: Int, durability: Durability = .none) throws {
      directory = try TemporaryDirectory()
      let clock = ManualClock()
      let log = FactLog()
      let books = Books(clock: clock, seed: (seed.value, ~seed.value), log: log)
      var options = JournalOptions()
      options.durability = durability
      options.firstSegmentByteCount = 64 << 10
      options.segmentByteCount = 128 << 10
      options.recentByteCount = recentByteCount
      options.groupByteCount = 48 << 10
      options.minimumFreeByteCount = 0
      let identifier = DirectoryIdentifier.random()
      journal = try Journal(
        directory.directory, identifier, log: log, start: JournalStart(position: 0), options: options)
      reader = ChangeReader(of: journal, in: directory.directory, identifier)
      sample = SampleBooks(seed, books: books, clock: clock)
    }

    /// Carries out commands and waits until the journal has them.
    mutating func grow(_ count: Int) throws {
      for _ in 0..<count / 50 {
        sample.grow(50)
        try journal.waitUntilDurable(sample.books.position)
      }
    }
  }

  private func facts(_ reader: ChangeReader, from start: UInt64, through end: UInt64) throws -> [KeptFact] {
    let cursor = reader.cursor(from: start)
    var facts: [KeptFact] = []
    while let fact = try cursor.next(through: end) { facts.append(fact) }
    return facts
  }

  @Test(arguments: Seed.sample(3))
  func everyPositionReadsTheSameFromWhereverReadingBegins(_ seed: Seed) throws {
    var kept = try JournaledBooks(seed, recentByteCount: 128 << 10)
    try kept.grow(3000)
    let end = kept.reader.readablePosition
    #expect(end == kept.sample.books.position)
    #expect(kept.journal.segments.count > 3, "\(kept.journal.segments.count)")
    let all = try facts(kept.reader, from: 1, through: end)
    #expect(all.map(\.position) == Array(1...end))
    #expect(all.last?.endsCommand == true)
    let posted = all.count { if case .transactionPosted = $0.fact { true } else { false } }
    #expect(posted == kept.sample.books.counts.transactions)
    var generator = seed.generator
    for _ in 0..<200 {
      let start = UInt64.random(in: 1...end, using: &generator)
      let last = min(end, start + UInt64.random(in: 0..<40, using: &generator))
      let found = try facts(kept.reader, from: start, through: last)
      let expected = all[Int(start) - 1..<Int(last)]
      #expect(found.map(\.fact) == expected.map(\.fact), "from \(start)")
      #expect(found.map(\.endsCommand) == expected.map(\.endsCommand))
    }
    try kept.journal.stop()
  }

  @Test func aFactThatIsGivenBackComesAgain() throws {
    var kept = try JournaledBooks(Seed(5), recentByteCount: 1 << 20)
    try kept.grow(100)
    let end = kept.reader.readablePosition
    let cursor = kept.reader.cursor(from: 1)
    var positions: [UInt64] = []
    var generator = Seed(5).generator
    while let fact = try cursor.next(through: end) {
      if Bool.random(using: &generator) {
        cursor.putBack(fact)
        #expect(cursor.position == fact.position)
        #expect(try cursor.next(through: fact.position - 1) == nil)
      } else {
        positions.append(fact.position)
      }
    }
    #expect(positions == Array(1...end))
    try kept.journal.stop()
  }

  @Test func whatWasRemovedIsNamedByTheOldestPositionKept() throws {
    var kept = try JournaledBooks(Seed(7), recentByteCount: 64 << 10)
    try kept.grow(3000)
    let end = kept.reader.readablePosition
    let slow = kept.reader.cursor(from: 1)
    #expect(try slow.next(through: end)?.position == 1)
    let removed = kept.journal.segments[2].lastPosition
    try kept.journal.removeSegments(upTo: removed)
    #expect(kept.reader.oldestPosition == removed + 1)
    var oldest: UInt64?
    do throws(ChangeFault) {
      _ = try kept.reader.cursor(from: removed).next(through: end)
    } catch {
      if case .notKept(let position) = error { oldest = position }
    }
    #expect(oldest == removed + 1)
    let rest = try facts(kept.reader, from: removed + 1, through: end)
    #expect(rest.map(\.position) == Array(removed + 1...end))
    // What a follower has read ahead it may still show; then it is told.
    var last: UInt64 = 1
    do throws(ChangeFault) {
      while let fact = try slow.next(through: end) { last = fact.position }
      Issue.record("a follower read \(last), which was removed")
    } catch {
      guard case .notKept(removed + 1) = error else {
        Issue.record("\(error)")
        return
      }
    }
    try kept.journal.stop()
  }

  @Test func followersReadBesideTheWriter() throws {
    var kept = try JournaledBooks(Seed(9), recentByteCount: 64 << 10, durability: .always)
    let reader = kept.reader
    let target = Guarded<UInt64?>(nil)
    let threads = try (0..<3).map { number in
      try Platform.Thread(name: "follower-\(number)") {
        let cursor = reader.cursor(from: 1)
        var expected: UInt64 = 1
        while true {
          let end = target.withLock { $0 }
          do throws(ChangeFault) {
            while let fact = try cursor.next(through: reader.readablePosition) {
              guard fact.position == expected else {
                Issue.record("position \(fact.position) where \(expected) should come")
                return
              }
              expected += 1
            }
          } catch {
            Issue.record("\(error)")
            return
          }
          if let end, expected > end { return }
          Platform.Thread.yield()
        }
      }
    }
    try kept.grow(3000)
    target.withLock { $0 = kept.sample.books.position }
    for thread in threads { thread.join() }
    try kept.journal.stop()
  }

  @Test func damageIsNamedAndNotShown() throws {
    var kept = try JournaledBooks(Seed(11), recentByteCount: 64 << 10)
    try kept.grow(1000)
    let segment = kept.journal.segments[0]
    let name = SegmentName.name(segment.number)
    let path = kept.directory.path(of: name)
    let file = try OpenFile(path, .readWrite)
    var byte: [UInt8] = [0]
    // In the first record of the first group, which may be short: how many facts it has is a matter of time.
    let offset = SegmentFormat.blockByteCount + GroupHead.byteCount + 8
    do {
      var room = byte.mutableSpan
      _ = try file.read(at: offset, into: &room)
    }
    byte[0] ^= 4
    try file.write(byte, at: offset)
    try file.sync()
    let cursor = kept.reader.cursor(from: 1)
    do throws(ChangeFault) {
      while let fact = try cursor.next(through: segment.lastPosition) { #expect(fact.position < 1000) }
      Issue.record("a damaged record was shown")
    } catch {
      guard case .unreadable(let text) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(text.contains(name) && text.contains("at byte"), "\(text)")
    }
    try kept.journal.stop()
  }
}
