// Bytes that lie although every checksum is right: refused or read, but never a crash and never memory
// without end.

import Ledger
import Platform
import TestSupport
import Testing

@testable import Storage

struct ForgeryTests {
  @Test(arguments: Seed.sample(6))
  func liesInHeadsNeverCrash(seed: Seed) throws {
    let sample = try SampleDirectory(commands: 20)
    var generator = seed.generator
    let original = try Forgery(sample)
    for _ in 0..<60 {
      var forgery = original
      forgery.lie(using: &generator)
      try forgery.publish(sample)
      try expectAnAnswer(sample, seed)
    }
  }

  @Test(arguments: Seed.sample(6))
  func liesInContentNeverCrash(seed: Seed) throws {
    let sample = try SampleDirectory(commands: 20)
    var generator = seed.generator
    let original = try Forgery(sample)
    for _ in 0..<60 {
      var forgery = original
      forgery.corruptContent(using: &generator)
      try forgery.publish(sample)
      try expectAnAnswer(sample, seed)
    }
  }

  @Test
  func aForgeryWithoutALieIsTheSnapshot() throws {
    let sample = try SampleDirectory(commands: 20)
    let forgery = try Forgery(sample)
    try forgery.publish(sample)
    #expect(try sample.start().state == 1)
  }

  /// Whatever comes is an answer: a state, or damage that is named.
  private func expectAnAnswer(_ sample: SampleDirectory, _ seed: Seed) throws {
    let survey = try DirectorySurvey(sample.directory)
    guard let newest = survey.candidates.first else { return }
    do throws(StorageError) {
      _ = try SnapshotReader(sample.directory, newest).load(clock: sample.clock)
    } catch {
      guard case .damaged(let fault) = error else { throw error }
      #expect(!fault.path.isEmpty, "\(seed)")
    }
  }
}

/// A snapshot taken apart, changed, and put together again with checksums that fit.
private struct Forgery {
  private struct Table {
    var head: TableFileHead
    var blocks: [(head: BlockHead, raw: [UInt8])]
  }

  private var summary: SnapshotSummary
  private var tables: [Table] = []

  init(_ sample: SampleDirectory) throws {
    summary = try SnapshotSummary(sample.bytes(SnapshotSummary.fileName))
    let directory = try DataDirectory(existing: PathName.join(sample.path, sample.names[1]))
    for table in SnapshotTable.allCases {
      guard let bytes = try directory.readFile(table.fileName, limit: 1 << 24) else { continue }
      let head = TableFileHead(
        table: table, directory: summary.directory, snapshot: summary.snapshot, position: summary.position)
      var decompressor = Decompressor()
      var blocks: [(head: BlockHead, raw: [UInt8])] = []
      for block in TableBytes(bytes).blocks {
        let end = block.lowerBound + BlockHead.byteCount
        let parsed = try BlockHead(
          Array(bytes[block.lowerBound..<end]), seed: head.seed, offset: block.lowerBound)
        let stored = Array(bytes[end..<block.upperBound])
        let raw =
          parsed.form == .zstd
          ? try decompressor.decompress(stored.span, expectedByteCount: Int(parsed.rawByteCount)) : stored
        blocks.append((parsed, raw))
      }
      tables.append(Table(head: head, blocks: blocks))
    }
  }

  /// Changes one member of one head to something extreme, random or merely wrong.
  mutating func lie(using generator: inout SeededGenerator) {
    let table = Int.random(in: 0..<tables.count, using: &generator)
    let block = Int.random(in: 0..<tables[table].blocks.count, using: &generator)
    let values: [UInt64] = [0, 1, 2, 7, 8, 32_768, 32_769, 1 << 26, 1 << 31, .max, generator.next() % 1000]
    let value = values[Int.random(in: 0..<values.count, using: &generator)]
    var head = tables[table].blocks[block].head
    switch Int.random(in: 0..<8, using: &generator) {
    case 0: head.kind = head.kind == .end ? .column : .end
    case 1: head.form = head.form == .raw ? .zstd : .raw
    case 2: head.column = UInt8(truncatingIfNeeded: value)
    case 3: head.number = UInt32(truncatingIfNeeded: value)
    case 4: head.firstRow = value
    case 5: head.rowCount = UInt32(truncatingIfNeeded: value)
    case 6: head.rawByteCount = UInt32(truncatingIfNeeded: value)
    default: summary.tables[table].rowCount = Int(truncatingIfNeeded: value >> 1)
    }
    tables[table].blocks[block].head = head
  }

  /// Changes, cuts or lengthens the raw bytes of one block.
  mutating func corruptContent(using generator: inout SeededGenerator) {
    let table = Int.random(in: 0..<tables.count, using: &generator)
    let block = Int.random(in: 0..<tables[table].blocks.count, using: &generator)
    var raw = tables[table].blocks[block].raw
    switch Int.random(in: 0..<4, using: &generator) {
    case 0 where !raw.isEmpty: raw.removeLast(Int.random(in: 1...raw.count, using: &generator))
    case 1: raw += [UInt8](repeating: 0xFF, count: Int.random(in: 1...40, using: &generator))
    default:
      guard !raw.isEmpty else { return }
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        let place = Int.random(in: 0..<raw.count, using: &generator)
        raw[place] = [0, 0xFF, 0x80, UInt8(generator.next() & 0xFF)].randomElement(using: &generator) ?? 0
      }
    }
    tables[table].blocks[block].raw = raw
    tables[table].blocks[block].head.rawByteCount = UInt32(raw.count)
  }

  /// Writes the forgery over the newer snapshot, every checksum right, as one that the manifest does not know
  /// yet.
  func publish(_ sample: SampleDirectory) throws {
    var summary = summary
    summary.sequence += 100
    for (number, table) in tables.enumerated() {
      var bytes = table.head.encoded()
      let seed = table.head.seed
      var chain = seed
      var compressor = Compressor()
      for (head, raw) in table.blocks {
        var head = head
        let stored = head.form == .zstd ? compressor.compress(raw.span) : raw
        head.storedByteCount = UInt32(stored.count)
        if head.kind == .column { head.storedChecksum = Checksum.xxh3(stored, seed: seed) }
        let encoded = head.encoded(seed: seed, offset: bytes.count)
        chain = Checksum.xxh3(encoded, seed: chain)
        bytes += encoded + stored
      }
      summary.tables[number].byteCount = bytes.count
      summary.tables[number].checksum = chain
      try sample.put(bytes, table.head.table.fileName)
    }
    try sample.put(summary.encoded(), SnapshotSummary.fileName)
  }
}
