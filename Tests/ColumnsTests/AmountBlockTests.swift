// Lanes of amounts: exact at every width, each place alone, wide ones aside only while they are wide.

import Amounts
import Columns
import TestSupport
import Testing

struct AmountBlockTests {
  private static let edges: [Amount] = [
    .zero, .one, -.one, Amount(Int64.max), Amount(Int64.min), Amount(Int64.min + 1), Amount(Int64.max) + .one,
    Amount(Int64.min) - .one, .power(of10: 30), -.power(of10: 30), Amount(Int128.max), Amount(Int128.min),
    Amount(Int128.max) + .one, .power(of10: 200), -.power(of10: 200),
  ]

  /// Keeps the block's memory; each test has a table of its own.
  private let table = BlockTable(epochs: Epochs(), kind: AmountBlock.kind(laneCount: 3, word: 7))
  private let block: AmountBlock

  init() { block = AmountBlock(table.blockForWriting(0, position: 1), laneCount: 3) }

  @Test func aNewBlockHoldsZerosAndItsWord() {
    for slot in 0..<Layout.chunkRows {
      for lane in 0..<3 where block.amount(lane: lane, slot: slot) != .zero { Issue.record("slot \(slot)") }
      #expect(unsafe block.words[slot] == 7)
      #expect(unsafe block.sketches(2)[slot] == Sketch.zero)
    }
    #expect(block.wideCount == 0)
  }

  /// Also the smallest 64-bit value, which is the mark of wide ones in the lane.
  @Test func sumsAndDifferencesAreExactAcrossAllWidths() {
    for first in Self.edges {
      for second in Self.edges {
        block.set(first, lane: 1, slot: 511)
        #expect(block.amount(lane: 1, slot: 511) == first)
        block.add(second, lane: 1, slot: 511)
        #expect(block.amount(lane: 1, slot: 511) == first + second)
        block.subtract(first, lane: 1, slot: 511)
        #expect(block.amount(lane: 1, slot: 511) == second)
        block.subtract(second, lane: 1, slot: 511)
        #expect(block.amount(lane: 1, slot: 511) == .zero)
        #expect(unsafe block.lane(1)[511] == 0)
        #expect(block.wideCount == 0)
      }
    }
    #expect(block.amount(lane: 1, slot: 510) == .zero && block.amount(lane: 2, slot: 0) == .zero)
  }

  @Test func aLaneShowsNarrowValuesAndTheMarkOfWideOnes() {
    for (slot, amount) in Self.edges.enumerated() {
      block.set(amount, lane: 0, slot: slot)
      let isNarrow = amount.int64.map { $0 != AmountBlock.wideMark } ?? false
      #expect(unsafe block.lane(0)[slot] == (isNarrow ? amount.int64! : AmountBlock.wideMark))
    }
    #expect(block.wideCount == 10)
  }

  @Test(arguments: Seed.sample(8)) func placesDoNotDisturbEachOther(_ seed: Seed) {
    var generator = seed.generator
    var model = [Amount](repeating: .zero, count: 3 * Layout.chunkRows)
    for _ in 0..<3_000 {
      let lane = Int.random(in: 0..<3, using: &generator)
      let slot = Int.random(in: 0..<Layout.chunkRows, using: &generator)
      let place = lane * Layout.chunkRows + slot
      let amount =
        Bool.random(using: &generator)
        ? Self.edges.randomElement(using: &generator)! : Amount.random(digits: 40, using: &generator)
      switch Int.random(in: 0..<3, using: &generator) {
      case 0:
        block.add(amount, lane: lane, slot: slot)
        model[place] = model[place] + amount
      case 1:
        block.subtract(amount, lane: lane, slot: slot)
        model[place] = model[place] - amount
      default:
        block.set(amount, lane: lane, slot: slot)
        model[place] = amount
      }
      #expect(block.amount(lane: lane, slot: slot) == model[place])
    }
    for place in model.indices {
      let kept = block.amount(lane: place / Layout.chunkRows, slot: place % Layout.chunkRows)
      #expect(kept == model[place])
      let sketch = unsafe block.sketches(place / Layout.chunkRows)[place % Layout.chunkRows]
      #expect(sketch == Sketch.code(model[place]))
    }
    let wide = model.count { $0.int64 == nil || $0.int64 == AmountBlock.wideMark }
    #expect(block.wideCount == wide)
  }
}
