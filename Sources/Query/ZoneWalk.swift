// The rows of the greatest amounts of a lane, from the chunks that zone maxima name.

import Amounts
import Columns
import Ledger

/// Looks for the first rows of a descending order by an amount, band by band of sketches.
///
/// A band begins at a code that so many chunks reach as the rows wanted are expected to lie in. Only those
/// chunks can have rows of the band, and only their sketches are looked at. When enough of the band's rows
/// pass the filter, the page is among them; else a wider band is taken. All rows with the last code of a band
/// are in it, so ties at its end are settled by exact amounts and row numbers, like any.
struct ZoneWalk {
  let plan: Plan
  let reader: RowReader
  let stop: StopFlag
  let zone: ZoneLane

  /// Chunks whose sketches are asked for ahead of the one that is looked at.
  private static let chunksAhead = 6
  /// How much wider the next band is, at least and at most.
  private static let growth = 2.0...16.0
  /// Rows a chunk, thrown by chance, that leave hardly any chunk empty.
  private static let rowsOfFullChunk = 6
  /// Chunks between two looks at the stop flag.
  private static let chunksBetweenChecks = 64

  /// Rows that pass, the page's among them, in no order.
  /// - Parameter expected: rows of the first band.
  /// - Returns: nil when the budget was over, or too few rows hold more than zero.
  func run(expected: Double, _ budget: inout WalkBudget) throws(QueryStopped) -> [RowIndex]? {
    guard let wanted = plan.wanted else { return nil }
    if wanted == 0 { return [] }
    let test = RowTest.conjunction([
      plan.rows == 0..<reader.rowCount ? .everything : .rowRange(plan.rows), plan.test,
    ])
    let chunkCount = Layout.chunkCount(rows: reader.rowCount)
    let least = Sketch.zero + 1
    var passed: [RowIndex] = []
    var high = Int(UInt16.max) + 1
    var rows = max(expected, Double(wanted))
    while true {
      try stop.check()
      var low = least
      // With more rows than that, nearly every chunk has one: the last band is all that is left.
      if rows < Double(chunkCount * Self.rowsOfFullChunk) {
        let rank = Self.chunks(ofRows: rows, chunkCount: chunkCount)
        low = zone.maxima.code(reachedBy: rank, chunkCount: chunkCount, lane: zone.lane)
      }
      budget.spend(chunkCount / PlannerCosts.zonesPerNanosecond)
      if Int(low) < high {
        guard var band = try rowsOfBand(low...UInt16(high - 1), chunkCount, &budget) else { return nil }
        reader.narrow(&band, test)
        passed += band
        high = Int(low)
        if passed.count >= wanted { return passed }
      }
      // What has no more than zero is in no chunk's maximum.
      if low == least { return nil }
      let factor = 1.3 * Double(wanted) / Double(passed.count + 1)
      rows *= min(max(factor, Self.growth.lowerBound), Self.growth.upperBound)
    }
  }

  /// Chunks that so many rows fall into by chance: of n chunks, n (1 - e^-x) for x rows a chunk.
  static func chunks(ofRows rows: Double, chunkCount: Int) -> Int {
    let count = Double(max(chunkCount, 1))
    let x = min(rows / count, 64)
    return max(1, Int(count * (1 - 1 / (1 + x * (1 + x / 2 * (1 + x / 3))))))
  }

  /// The rows with a sketch of the band. Nil when the budget is over.
  private func rowsOfBand(
    _ codes: ClosedRange<UInt16>, _ chunkCount: Int, _ budget: inout WalkBudget
  ) throws(QueryStopped) -> [RowIndex]? {
    var chunks: [Int] = []
    zone.maxima.appendChunks(
      reaching: codes.lowerBound, chunkCount: chunkCount, lane: zone.lane, to: &chunks)
    let (epoch, offset) = (reader.cut.epoch, AmountBlock.sketchOffset(zone.lane, laneCount: zone.laneCount))
    var rows: [RowIndex] = []
    for place in 0..<min(Self.chunksAhead, chunks.count) { prefetch(chunks[place], offset) }
    for (place, chunk) in chunks.enumerated() {
      if place % Self.chunksBetweenChecks == 0 {
        try stop.check()
        if budget.isOver { return nil }
      }
      if place + Self.chunksAhead < chunks.count { prefetch(chunks[place + Self.chunksAhead], offset) }
      guard let block = zone.table.block(chunk, cut: epoch) else { continue }
      let before = rows.count
      let sketches = unsafe AmountBlock(block, laneCount: zone.laneCount).sketches(zone.lane)
      unsafe append(sketches, chunk, codes, to: &rows)
      budget.spend(PlannerCosts.zone)
      budget.touch(rows.count - before)
    }
    return budget.isOver ? nil : rows
  }

  private func prefetch(_ chunk: Int, _ offset: Int) {
    let (stripe, place) = chunk.quotientAndRemainder(dividingBy: Layout.shardCount)
    zone.table.blocks(ofStripe: stripe).prefetch(place, payload: offset, byteCount: Layout.chunkRows * 2)
  }

  private func append(
    _ sketches: UnsafePointer<UInt16>, _ chunk: Int, _ codes: ClosedRange<UInt16>, to rows: inout [RowIndex]
  ) {
    unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Layout.chunkRows / 64) { bits in
      let words = unsafe bits.baseAddress.unsafelyUnwrapped
      unsafe Kernels.select(sketches, rowCount: Layout.chunkRows, in: codes, into: BitTarget(words, .put))
      for word in 0..<Layout.chunkRows / 64 {
        var rest = unsafe words[word]
        while rest != 0 {
          rows.append(Layout.row(chunk: chunk, slot: word << 6 | rest.trailingZeroBitCount))
          rest &= rest &- 1
        }
      }
    }
  }
}
