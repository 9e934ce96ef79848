// The bytes of heads and of the chain of records, and a segment that was kept.

import Ledger
import Platform
import TestSupport
import Testing

@testable import Storage

struct SegmentFormatTests {
  @Test
  func namesAreOfOneForm() {
    #expect(SegmentName.name(1) == "journal-00000001.seg")
    #expect(SegmentName.name(123_456_789) == "journal-123456789.seg")
    for number: UInt64 in [1, 99_999_999, 100_000_000, 1 << 61] {
      #expect(SegmentName.number(SegmentName.name(number)) == number)
    }
    for name in [
      "journal-1.seg", "journal-00000000.seg", "journal-00000001.seg.tmp", "journal-000000001.seg",
      "journal-+0000001.seg", "journal-.seg", "journal-18446744073709551615.seg", "snapshot-1",
    ] {
      #expect(SegmentName.number(name) == nil)
    }
    #expect(SegmentName.isUnfinished("journal-00000001.seg.tmp"))
  }

  private static func segmentHead(_ generator: inout SeededGenerator) -> SegmentHead {
    SegmentHead(
      incarnation: .random(in: SegmentFormat.incarnations, using: &generator),
      directory: DirectoryIdentifier(high: generator.next(), low: generator.next()),
      segment: generator.next(), byteCount: Int.random(in: 0 ... .max, using: &generator),
      firstPosition: .random(in: SegmentFormat.numbers, using: &generator), chain: generator.next(),
      durable: generator.next(),
      firstGroup: generator.next())
  }

  @Test(arguments: Seed.sample(4))
  func aSegmentHeadIsReadAsWrittenAndNotOtherwise(_ seed: Seed) {
    var generator = seed.generator
    let head = Self.segmentHead(&generator)
    let block = head.encoded()
    #expect(SegmentHead.reading(block) == .good(head))
    for place in block.indices {
      var changed = block
      changed[place] ^= UInt8.random(in: 1...255, using: &generator)
      guard case .bad = SegmentHead.reading(changed) else {
        Issue.record("byte \(place) is looked at")
        continue
      }
    }
    #expect(SegmentHead.reading([UInt8](repeating: 0, count: 4096)) == .zeros)
  }

  @Test(arguments: Seed.sample(4))
  func aGroupHeadIsReadAsWrittenAndNotOtherwise(_ seed: Seed) {
    var generator = seed.generator
    let head = GroupHead(
      flags: [.seal, .cleanStop], segment: UInt64.random(in: 0...0xFFFF, using: &generator),
      group: .random(in: SegmentFormat.numbers, using: &generator),
      firstPosition: .random(in: SegmentFormat.numbers, using: &generator), durable: generator.next(),
      chain: generator.next(), recordByteCount: Int(UInt32.random(in: 0 ... .max, using: &generator)),
      recordCount: Int(UInt32.random(in: 0 ... .max, using: &generator)),
      incarnation: .random(in: SegmentFormat.incarnations, using: &generator),
      block: .random(in: 0 ... .max, using: &generator))
    let key = generator.next()
    var bytes = [UInt8](repeating: 0xAA, count: GroupHead.byteCount)
    let checksum = unsafe bytes.withUnsafeMutableBytes { unsafe head.encode(into: $0, seed: key) }
    let read = GroupHead.decode(bytes.span, seed: key)
    #expect(read?.head == head && read?.checksum == checksum)
    #expect(GroupHead.decode(bytes.span, seed: key ^ 1) == nil, "of another directory")
    for place in bytes.indices {
      var changed = bytes
      changed[place] ^= UInt8.random(in: 1...255, using: &generator)
      #expect(GroupHead.decode(changed.span, seed: key) == nil, "byte \(place)")
    }
  }

  @Test
  func aNewerVersionIsNotTakenForDamage() throws {
    var generator = Seed(9).generator
    var block = Self.segmentHead(&generator).encoded()
    block[8] = 2
    for place in 80..<88 { block[place] = 0 }
    let checksum = Checksum.xxh3(block)
    for place in 0..<8 { block[80 + place] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt64(place))) }
    guard case .foreign(let finding) = SegmentHead.reading(block) else {
      Issue.record("a newer version is refused")
      return
    }
    #expect(finding.contains("version 2"))
  }

  /// Heads that a forger has made, with right checksums, in the segment after a clean stop.
  @Test
  func numbersThatCannotBeAreNeverCountedOnFrom() throws {
    let seed = SegmentFormat.seed(JournalBench.identifier)
    for number: UInt64 in [0, 1 << 62, .max] {
      for incarnation: UInt32 in [1, 1 << 31, .max] {
        for isOnlyGroup in [false, true] {
          let disk = SimulatedDisk()
          let directory = try DataDirectory(creating: JournalBench.path, on: disk)
          let head = SegmentHead(
            incarnation: incarnation, directory: JournalBench.identifier, segment: 1, byteCount: 8192,
            firstPosition: number, chain: 0, durable: number, firstGroup: number)
          let group = GroupHead(
            segment: 1, group: number, firstPosition: number, durable: number, chain: 0, recordByteCount: 24,
            recordCount: 1, incarnation: incarnation, block: 1)
          var bytes = isOnlyGroup ? [UInt8](repeating: 0, count: 4096) : head.encoded()
          bytes += [UInt8](repeating: 0, count: 4096)
          unsafe bytes.withUnsafeMutableBytes {
            _ = unsafe group.encode(into: UnsafeMutableRawBufferPointer(rebasing: $0[4096...]), seed: seed)
          }
          try directory.replaceFile(SegmentName.name(1), with: bytes)
          for position: UInt64? in [nil, 0, 1 << 61] {
            // It is refused, or cut as torn: what matters is that it says so.
            let end = try? ReadJournal(disk, after: position).end
            #expect(end?.position ?? 0 <= position ?? 0)
            _ = end?.start()
          }
        }
      }
    }
  }

  /// Position and digest of the records in Data/journal-1, whose format must stay readable for ever.
  private static let keptPosition: UInt64 = 40
  private static let keptDigest: UInt64 = 6_846_107_888_123_356_474

  @Test
  func aKeptSegmentIsReadForEver() throws {
    let path = PathName.join(PathName.directory(of: #filePath), "Data/journal-1")
    let survey = try JournalSurvey(try DataDirectory(existing: path), nil, direct: false)
    #expect(survey.identifier == JournalBench.identifier)
    var reader = JournalReader(survey, after: nil)
    var digest: UInt64 = 0
    while let run = try reader.next() { digest = unsafe Checksum.xxh3(run.bytes, seed: digest) }
    let found = reader.end
    let end = try #require(found)
    #expect(end.position == Self.keptPosition && end.isCleanStop && end.tornTail == nil)
    #expect(digest == Self.keptDigest)
  }

  /// How Data/journal-1 was made: run with LEDGERLINE_KEEP set to a directory that does not exist.
  @Test(.enabled(if: CurrentProcess.environment("LEDGERLINE_KEEP") != nil))
  func makeTheKeptSegment() throws {
    let path = try #require(CurrentProcess.environment("LEDGERLINE_KEEP"))
    var bench = try JournalBench(Seed(1))
    for _ in 0..<10 { try bench.grow(4) }
    try bench.writer.seal(isCleanStop: true)
    let target = try DataDirectory(creating: path)
    for file in bench.disk.filePaths {
      let bytes = try #require(bench.disk.contents(file))
      if bytes.contains(where: { $0 != 0 }) {
        try target.replaceFile(PathName.last(of: file), with: bytes)
      }
    }
    let read = try ReadJournal(bench.disk)
    print("position \(read.end?.position ?? 0)")
  }
}
