// The hash index against a dictionary, with hashes that collide, while it grows, and beside readers.

import Columns
import Platform
import Synchronization
import TestSupport
import Testing

struct StripedIndexTests {
  /// How a key is hashed: well, or so that many keys share tags and stripes.
  enum Hashing: CaseIterable {
    case keyed, fewTags, oneStripe, oneSlot

    func hash(_ key: UInt64) -> UInt64 {
      switch self {
      case .keyed: KeyHash.hash(key, 1)
      case .fewTags: (key % 50) << 32 | KeyHash.hash(key, 2) & 0xFFFF_FFFF
      case .oneStripe: KeyHash.hash(key, 3) & ~63
      case .oneSlot: 0xFFFF_FFFF_0000_0003
      }
    }
  }

  @Test(arguments: Seed.sample(2), Hashing.allCases)
  func everyKeyIsFoundAndNoOther(_ seed: Seed, _ hashing: Hashing) {
    var generator = seed.generator
    let index = StripedIndex()
    var keys: [UInt64] = []
    var rows: [UInt64: RowIndex] = [:]
    let limit = hashing == .oneSlot ? 300 : hashing == .fewTags ? 2_000 : 10_000
    for _ in 0..<limit {
      let key = UInt64.random(in: 0..<UInt64(2 * limit), using: &generator)
      let found = index.row(hash: hashing.hash(key)) { keys[$0.index] == key }
      let writerFound = index.writerRow(hash: hashing.hash(key)) { keys[$0.index] == key }
      if found != rows[key] || writerFound != found { Issue.record("key \(key) is at another row") }
      if found == nil {
        rows[key] = RowIndex(keys.count)
        index.insert(hash: hashing.hash(key), row: RowIndex(keys.count))
        keys.append(key)
      }
    }
    for key in 0..<UInt64(2 * limit) {
      let found = index.row(hash: hashing.hash(key)) { keys[$0.index] == key }
      if found != rows[key] { Issue.record("key \(key) is at another row") }
    }
    #expect(index.byteCount >= keys.count * 8 * 4 / 3)
  }

  @Test func theGreatestRowIsKept() {
    let index = StripedIndex()
    let row = RowIndex(Layout.rowLimit - 1)
    index.insert(hash: .max, row: row)
    #expect(index.row(hash: .max) { $0 == row } == row)
    #expect(index.row(hash: .max - 64) { _ in false } == nil)
  }

  @Test func readersFindWhatIsPublishedWhileTheWriterInserts() throws {
    let index = StripedIndex()
    let keys = SegmentedColumn<UInt64>()
    let progress = Progress()
    let total = 100_000
    let readers = try (0..<2).map { number in
      try Thread(name: "reader") {
        var generator = Seed(UInt64(number)).generator
        while true {
          let count = progress.published.load(ordering: .acquiring)
          if count == total { return }
          if count == 0 { continue }
          let row = Int.random(in: 0..<count, using: &generator)
          let key = Self.key(row)
          let found = index.row(hash: KeyHash.hash(key, 0)) { keys[$0] == key }
          let absent = index.row(hash: KeyHash.hash(key + 1, 0)) { keys[$0] == key + 1 }
          if found != RowIndex(row) || absent != nil { progress.wrong.add(1, ordering: .relaxed) }
        }
      }
    }
    for row in 0..<total {
      keys.append(Self.key(row), at: RowIndex(row))
      index.insert(hash: KeyHash.hash(Self.key(row), 0), row: RowIndex(row))
      progress.published.store(row + 1, ordering: .releasing)
    }
    for reader in readers { reader.join() }
    #expect(progress.wrong.load(ordering: .relaxed) == 0)
  }

  /// Keys are even, so that each has an absent neighbour.
  private static func key(_ row: Int) -> UInt64 { UInt64(row) &* 0x9E37_79B9_7F4A_7C15 & ~1 }

  private final class Progress: Sendable {
    let published = Atomic<Int>(0)
    let wrong = Atomic<Int>(0)
  }
}
