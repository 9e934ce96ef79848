// Lists of rows against plain arrays, and read while they grow.

import Columns
import Platform
import Synchronization
import TestSupport
import Testing

@Suite struct RowListsTests {
  @Test(arguments: Seed.sample(8))
  func eachListHasTheRowsThatWereAppendedToIt(seed: Seed) {
    var generator = seed.generator
    let lists = RowLists()
    var expected: [UInt32: [UInt32]] = [:]
    let keys: [UInt32] = [0, 1, 2, 4095, 4096, 70_001]
    for row in 0..<20_000 as Range<UInt32> {
      // Most rows go to few keys, and now and then an old row comes again.
      let key = keys[min(Int.random(in: 0..<60, using: &generator), keys.count - 1)]
      let isOld = key == 2 && Int.random(in: 0..<20, using: &generator) == 0
      let appended = isOld ? UInt32.random(in: 0...row, using: &generator) : row
      lists.append(RowIndex(appended), to: key)
      if expected[key, default: []].last != appended { expected[key, default: []].append(appended) }
    }
    for key in keys + [3, 80_000, .max] {
      let rows = expected[key, default: []]
      #expect(lists.rows(of: key) == rows, "\(seed) key \(key)")
      #expect(lists.count(key) == rows.count, "\(seed) key \(key)")
      let rises = zip(rows, rows.dropFirst()).allSatisfy { $0 < $1 }
      #expect(lists.isRising(key) == rises, "\(seed) key \(key)")
      guard rises else { continue }
      for _ in 0..<50 {
        let bound = UInt32.random(in: 0..<21_000, using: &generator)
        let below = rows.count { $0 < bound }
        #expect(lists.count(key, below: RowIndex(bound)) == below, "\(seed) key \(key) bound \(bound)")
      }
    }
  }

  @Test func extentsDoubleUpTo1024Rows() {
    let lists = RowLists()
    for row in 0..<5000 { lists.append(RowIndex(row), to: 9) }
    var counts: [Int] = []
    unsafe lists.forEachExtentReversed(9) { rows in
      counts.append(rows.count)
      return true
    }
    #expect(counts.reversed() == [4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024, 1024, 908])
  }

  /// Extents of four rows fill a slab of memory to its last byte.
  @Test func oneRowForEachOfManyKeysIsKept() {
    let lists = RowLists()
    let keyCount: UInt32 = 100_000
    for key in 0..<keyCount { lists.append(RowIndex(key ^ 0x5555), to: key) }
    #expect((0..<keyCount).allSatisfy { lists.rows(of: $0) == [$0 ^ 0x5555] })
  }

  @Test func aWalkEndsWhenItsReaderHasEnough() {
    let lists = RowLists()
    for row in 0..<100 { lists.append(RowIndex(row), to: 0) }
    var calls = 0
    unsafe lists.forEachExtentReversed(0) { rows in
      calls += 1
      return unsafe rows.first == 100
    }
    #expect(calls == 1)
  }

  /// Whatever a reader sees is the beginning of what was appended, and it never shrinks.
  @Test func readersSeeABeginningOfTheListWhileItGrows() throws {
    let lists = RowLists()
    let state = ReaderState()
    let total = 100_000
    let readers = try (0..<2).map { reader in
      try Thread(name: "reader") {
        let key = UInt32(reader)
        var seen = 0
        while seen < total {
          let counted = lists.count(key)
          // Row n of the list is 2n + key: so a walk that starts at row k and leaves none out ends well.
          var next: UInt32?
          var rowCount = 0
          var isWhole = true
          unsafe lists.forEachExtentReversed(key) { extent in
            for place in stride(from: extent.count - 1, through: 0, by: -1) {
              let row = unsafe extent[place]
              if let next, row != next { isWhole = false }
              next = row &- 2
              rowCount += 1
            }
            // All the way only while it is short.
            return rowCount < 3000
          }
          let first = next.map { $0 &+ 2 } ?? key
          if rowCount < 3000, first != key { isWhole = false }
          if !isWhole || counted < seen { state.faults.add(1, ordering: .relaxed) }
          if !lists.isRising(key) { state.faults.add(1, ordering: .relaxed) }
          seen = counted
        }
      }
    }
    for row in 0..<2 * total { lists.append(RowIndex(row), to: UInt32(row % 2)) }
    for reader in readers { reader.join() }
    #expect(state.faults.load(ordering: .relaxed) == 0)
    #expect(lists.count(0) == total && lists.count(1) == total)
  }

  private final class ReaderState: Sendable {
    let faults = Atomic<Int>(0)
  }
}
