// Rows are dealt out to shards, chunks and slots one to one, as the drawing of `Layout` says.

import Columns
import TestSupport
import Testing

struct RowIndexTests {
  private static func isRoundTrip(_ row: RowIndex) -> Bool {
    let chunk = Layout.chunk(of: row)
    let slot = Layout.slot(of: row)
    return Layout.row(chunk: chunk, slot: slot) == row && slot >= 0 && slot < Layout.chunkRows
      && chunk % Layout.shardCount == Layout.shard(of: row)
  }

  @Test func everyPlaceOfTheFirstStripesHasOneRow() {
    let stripes = 3
    var seen = [Bool](repeating: false, count: stripes * Layout.stripeRows)
    for chunk in 0..<stripes * Layout.shardCount {
      for slot in 0..<Layout.chunkRows {
        let row = Layout.row(chunk: chunk, slot: slot)
        guard !seen[row.index], Layout.chunk(of: row) == chunk, Layout.slot(of: row) == slot else {
          Issue.record("chunk \(chunk) slot \(slot) and row \(row.index) do not belong together")
          return
        }
        seen[row.index] = true
      }
    }
    #expect(!seen.contains(false))
  }

  @Test(arguments: Seed.sample(4)) func anyRowIsFoundAgainFromItsPlace(_ seed: Seed) {
    var generator = seed.generator
    for _ in 0..<10_000 {
      let row = RowIndex(UInt32.random(in: 0...(.max), using: &generator))
      if !Self.isRoundTrip(row) { Issue.record("row \(row.rawValue)") }
    }
    for edge in [0, 7, 8, 511, 512, 32_767, 32_768, 65_535, 65_536, Layout.rowLimit - 1] {
      #expect(Self.isRoundTrip(RowIndex(edge)))
    }
  }

  @Test func rowsLieAsDrawn() {
    #expect(
      [0, 7, 8, 15, 504, 511, 512, 519].map { Layout.shard(of: RowIndex($0)) } == [0, 0, 1, 1, 63, 63, 0, 0])
    #expect(
      [0, 8, 511, 512, 32_768, 32_776].map { Layout.chunk(of: RowIndex($0)) } == [0, 1, 63, 0, 64, 65])
    #expect(
      [0, 7, 8, 511, 512, 519, 32_767].map { Layout.slot(of: RowIndex($0)) } == [0, 7, 0, 7, 8, 15, 511])
  }

  /// A chunk's bitmap goes into that of its stripe byte by byte: byte k of shard s is byte 64 k + s.
  @Test func eightRowsOfAChunkAreOneByteOfTheStripe() {
    for chunk in 0..<Layout.shardCount {
      for byte in 0..<Layout.chunkRows / 8 {
        let first = Layout.row(chunk: chunk, slot: byte * 8)
        let last = Layout.row(chunk: chunk, slot: byte * 8 + 7)
        if first.index != (byte * Layout.shardCount + chunk) * Layout.groupRows
          || last.index != first.index + 7
        {
          Issue.record("byte \(byte) of chunk \(chunk)")
        }
      }
    }
  }

  @Test func countsCoverAllRowsAndNoStripeMore() {
    for rowCount in [0, 1, 8, 32_767, 32_768, 32_769, 65_536, Layout.rowLimit] {
      let stripes = Layout.stripeCount(rows: rowCount)
      #expect(stripes * Layout.stripeRows >= rowCount)
      #expect((stripes - 1) * Layout.stripeRows < max(rowCount, 1) || rowCount == 0)
      #expect(Layout.chunkCount(rows: rowCount) == stripes * Layout.shardCount)
      if rowCount > 0 {
        #expect(Layout.chunk(of: RowIndex(rowCount - 1)) < Layout.chunkCount(rows: rowCount))
      }
    }
  }
}
