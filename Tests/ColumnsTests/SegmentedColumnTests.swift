// Values stay where they were put, across the borders of segments and while others read.

import Columns
import Platform
import Synchronization
import Testing

struct SegmentedColumnTests {
  @Test func valuesOnBothSidesOfSegmentBordersAreKept() {
    let column = SegmentedColumn<UInt64>()
    let count = 3 * 65_536 + 1
    for row in 0..<count { column.append(UInt64(row) &* 0x9E37_79B9, at: RowIndex(row)) }
    for row in 0..<count where column[RowIndex(row)] != UInt64(row) &* 0x9E37_79B9 {
      Issue.record("row \(row) lost its value")
      return
    }
    for border in [65_535, 65_536, 131_071, 131_072, 196_607, 196_608] { column[RowIndex(border)] = 1 }
    #expect(column[RowIndex(65_534)] == UInt64(65_534) &* 0x9E37_79B9)
    #expect(column[RowIndex(65_537)] == UInt64(65_537) &* 0x9E37_79B9)
    #expect(column[RowIndex(196_608)] == 1)
  }

  @Test func aStripesValuesAreOneRun() {
    let column = SegmentedColumn<UInt32>()
    for row in 0..<4 * Layout.stripeRows { column.append(UInt32(row), at: RowIndex(row)) }
    for stripe in 0..<4 {
      let first = RowIndex(stripe * Layout.stripeRows)
      let values = unsafe column.values(from: first, count: Layout.stripeRows)
      #expect(unsafe values.first == first.rawValue && values.last == first.rawValue + 32_767)
    }
  }

  @Test func aRowMayBeReservedLongBeforeItIsSet() {
    let column = SegmentedColumn<UInt8>()
    column.reserve(RowIndex(200_000))
    column[RowIndex(200_000)] = 7
    column[RowIndex(0)] = 3
    #expect(column[RowIndex(200_000)] == 7 && column[RowIndex(0)] == 3)
  }

  @Test func aRunAcrossSegmentsIsRefused() async {
    await #expect(processExitsWith: .failure) {
      let column = SegmentedColumn<UInt8>()
      column.reserve(RowIndex(65_536))
      _ = unsafe column.values(from: RowIndex(65_530), count: 7)
    }
  }

  /// Readers know a row by a count that was raised with release order, as the books raise theirs.
  @Test func publishedRowsAreReadWithoutALockWhileTheColumnGrows() throws {
    let column = SegmentedColumn<UInt64>()
    let published = Published()
    let total = 300_000
    let readers = try (0..<2).map { _ in
      try Thread(name: "reader") {
        var seen = 0
        while seen < total {
          seen = published.count.load(ordering: .acquiring)
          if seen == 0 { continue }
          for row in [0, seen / 2, seen - 1] where column[RowIndex(row)] != UInt64(row) + 5 {
            published.wrongReads.add(1, ordering: .relaxed)
          }
        }
      }
    }
    for row in 0..<total {
      column.append(UInt64(row) + 5, at: RowIndex(row))
      published.count.store(row + 1, ordering: .releasing)
    }
    for reader in readers { reader.join() }
    #expect(published.wrongReads.load(ordering: .relaxed) == 0)
  }

  private final class Published: Sendable {
    let count = Atomic<Int>(0)
    let wrongReads = Atomic<Int>(0)
  }
}
