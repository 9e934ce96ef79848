// Zone maxima against a plain array of maxima.

import TestSupport
import Testing

@testable import Columns

@Suite struct ZoneMaximaTests {
  @Test(arguments: Seed.sample(12))
  func maximaAgreeWithAnArray(_ seed: Seed) {
    var generator = seed.generator
    let laneCount = Int.random(in: 1...3, using: &generator)
    let stripes = Int.random(in: 1...140, using: &generator)
    let chunkCount = stripes * Layout.shardCount
    let maxima = ZoneMaxima(laneCount: laneCount)
    var expected = [[UInt16]](
      repeating: [UInt16](repeating: Sketch.zero, count: chunkCount), count: laneCount)
    let spread = [3, 300, 30_000].randomElement(using: &generator)!
    for _ in 0..<[0, 10, 40_000].randomElement(using: &generator)! {
      let (chunk, lane) = (
        Int.random(in: 0..<chunkCount, using: &generator), Int.random(in: 0..<laneCount, using: &generator)
      )
      let code = UInt16(Int(Sketch.zero) + Int.random(in: -spread...spread, using: &generator))
      maxima.raise(chunk, lane: lane, to: code)
      expected[lane][chunk] = max(expected[lane][chunk], code)
    }
    for lane in 0..<laneCount {
      let codes = expected[lane]
      #expect((0..<chunkCount).map { maxima.greatest($0, lane: lane) } == codes, "\(seed)")
      for _ in 0..<20 {
        let code = max(
          Sketch.zero + 1,
          codes.randomElement(using: &generator)! &+ UInt16.random(in: 0...1, using: &generator))
        var chunks: [Int] = []
        maxima.appendChunks(reaching: code, chunkCount: chunkCount, lane: lane, to: &chunks)
        #expect(chunks == codes.indices.filter { codes[$0] >= code }, "\(seed)")
        let stripe = Int.random(in: 0..<stripes, using: &generator)
        let bits = maxima.chunks(ofStripe: stripe, reaching: code, lane: lane)
        #expect((0..<64).allSatisfy { (bits >> $0 & 1 == 1) == (codes[stripe * 64 + $0] >= code) }, "\(seed)")
        let rank = Int.random(in: 1...chunkCount, using: &generator)
        let bound = maxima.code(reachedBy: rank, chunkCount: chunkCount, lane: lane)
        #expect(bound > Sketch.zero, "\(seed)")
        if chunkCount <= 4_096 {
          let sorted = codes.sorted(by: >)
          #expect(bound == max(Sketch.zero + 1, sorted[rank - 1]), "\(seed)")
        }
      }
    }
  }
}
