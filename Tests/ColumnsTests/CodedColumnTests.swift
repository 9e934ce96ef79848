// Codes stay what they were, however their segments widen and whoever reads meanwhile.

import Columns
import Platform
import Synchronization
import TestSupport
import Testing

@Suite struct CodedColumnTests {
  /// Greatest codes on both sides of what a width can hold.
  private static let bounds: [UInt32] = [1, 255, 256, 65_535, 65_536, .max]

  @Test(arguments: Seed.sample(8))
  func everyCodeIsReadAsItWasAppended(seed: Seed) {
    var generator = seed.generator
    let column = CodedColumn()
    var expected: [UInt32] = []
    while expected.count < 150_000 {
      let bound = Self.bounds.randomElement(using: &generator)!
      let count = Int.random(in: 0..<9000, using: &generator)
      let first = RowIndex(expected.count)
      switch Int.random(in: 0..<3, using: &generator) {
      case 0:
        for place in 0..<count {
          let code = UInt32.random(in: 0...bound, using: &generator)
          column.append(code, at: RowIndex(first.index + place))
          expected.append(code)
        }
      case 1:
        let codes = (0..<count).map { _ in UInt32.random(in: 0...bound, using: &generator) }
        unsafe codes.withUnsafeBufferPointer { unsafe column.append(contentsOf: $0, at: first) }
        expected += codes
      default:
        column.append(repeating: bound, count: count, at: first)
        expected += Array(repeating: bound, count: count)
      }
    }
    let wrong = expected.indices.first { column[RowIndex($0)] != expected[$0] }
    #expect(wrong == nil, "\(seed)")
    for _ in 0..<100 {
      let first = Int.random(in: 0..<expected.count, using: &generator)
      let limit = min(expected.count, (first | 65_535) + 1)
      let rows = first..<Int.random(in: first + 1...limit, using: &generator)
      #expect(copied(column, rows) == Array(expected[rows]), "\(seed) rows \(rows)")
      #expect(lanes(column, rows) == Array(expected[rows]), "\(seed) rows \(rows)")
    }
  }

  private func copied(_ column: CodedColumn, _ rows: Range<Int>) -> [UInt32] {
    unsafe Array(unsafeUninitializedCapacity: rows.count) { codes, count in
      unsafe column.copy(
        from: RowIndex(rows.lowerBound),
        into: UnsafeMutableBufferPointer(rebasing: codes[0..<rows.count]))
      count = rows.count
    }
  }

  private func lanes(_ column: CodedColumn, _ rows: Range<Int>) -> [UInt32] {
    switch column.lanes(from: RowIndex(rows.lowerBound), count: rows.count) {
    case .bytes(let codes): (0..<rows.count).map { unsafe UInt32(codes[$0]) }
    case .shorts(let codes): (0..<rows.count).map { unsafe UInt32(codes[$0]) }
    case .words(let codes): (0..<rows.count).map { unsafe codes[$0] }
    }
  }

  @Test(arguments: [(255, 1), (256, 2), (65_535, 2), (65_536, 4)] as [(UInt32, Int)])
  func aSegmentIsAsNarrowAsItsCodesAllow(greatest: UInt32, byteCount: Int) {
    let column = CodedColumn()
    column.append(repeating: greatest, count: 65_536, at: RowIndex(0))
    #expect(column.byteCount == 65_536 * byteCount)
    // The next one starts anew.
    column.append(3, at: RowIndex(65_536))
    #expect(column.byteCount == 65_536 * (byteCount + 1))
  }

  @Test func lanesThatWereReadBeforeAWideningStayValid() {
    let column = CodedColumn()
    for row in 0..<1000 { column.append(UInt32(row % 256), at: RowIndex(row)) }
    guard case .bytes(let old) = column.lanes(from: RowIndex(0), count: 1000) else {
      Issue.record("small codes lie in bytes")
      return
    }
    column.append(70_000, at: RowIndex(1000))
    #expect((0..<1000).allSatisfy { unsafe UInt32(old[$0]) == UInt32($0 % 256) })
    #expect((0..<1000).allSatisfy { column[RowIndex($0)] == UInt32($0 % 256) })
    #expect(column[RowIndex(1000)] == 70_000)
  }

  @Test func aRunAcrossSegmentsIsRefused() async {
    await #expect(processExitsWith: .failure) {
      let column = CodedColumn()
      column.append(repeating: 1, count: 70_000, at: RowIndex(0))
      _ = column.lanes(from: RowIndex(65_530), count: 7)
    }
  }

  /// Readers know a row by a count that was raised with release order, as the books raise theirs.
  @Test func publishedCodesAreReadWithoutALockWhileSegmentsWiden() throws {
    let column = CodedColumn()
    let published = Published()
    let total = 200_000
    let readers = try (0..<2).map { _ in
      try Thread(name: "reader") {
        var seen = 0
        while seen < total {
          seen = published.count.load(ordering: .acquiring)
          if seen == 0 { continue }
          for row in [0, seen / 2, seen - 1] where column[RowIndex(row)] != Self.code(row) {
            published.wrongReads.add(1, ordering: .relaxed)
          }
          let first = (seen - 1) & ~65_535
          let last = seen - 1 - first
          let code: UInt32 =
            switch column.lanes(from: RowIndex(first), count: seen - first) {
            case .bytes(let codes): unsafe UInt32(codes[last])
            case .shorts(let codes): unsafe UInt32(codes[last])
            case .words(let codes): unsafe codes[last]
            }
          if code != Self.code(seen - 1) { published.wrongReads.add(1, ordering: .relaxed) }
        }
      }
    }
    for row in 0..<total {
      column.append(Self.code(row), at: RowIndex(row))
      published.count.store(row + 1, ordering: .releasing)
    }
    for reader in readers { reader.join() }
    #expect(published.wrongReads.load(ordering: .relaxed) == 0)
  }

  /// Wider and wider within each segment.
  private static func code(_ row: Int) -> UInt32 {
    let place = UInt32(row & 65_535)
    return place < 20_000 ? place & 255 : place < 40_000 ? place : place << 8
  }

  private final class Published: Sendable {
    let count = Atomic<Int>(0)
    let wrongReads = Atomic<Int>(0)
  }
}
