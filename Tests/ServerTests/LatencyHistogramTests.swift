// Buckets cover every duration, and quantiles are off by a sixteenth at most.

import TestSupport
import Testing

@testable import Server

struct LatencyHistogramTests {
  @Test func everyValueLiesInItsBucketAndNoFartherThanASixteenthFromItsEnd() {
    var values: [UInt64] = Array(0...300)
    for exponent in 8..<64 { values += [0, 1, 2].map { (UInt64(1) << UInt64(exponent)) &- 1 &+ $0 } }
    values.append(.max)
    for value in values {
      let bucket = LatencyHistogram.bucket(value)
      let end = LatencyHistogram.upperEnd(bucket)
      #expect(end >= value && end - value <= value / 16, "\(value)")
      if value > 0 { #expect(LatencyHistogram.bucket(value - 1) <= bucket) }
    }
  }

  @Test(arguments: Seed.sample(8))
  func quantilesAgreeWithSortedValuesToASixteenth(seed: Seed) {
    var random = SeededGenerator(seed)
    let histogram = LatencyHistogram()
    let values = (0..<5000).map { _ in
      UInt64.random(in: 0...(1 << UInt64.random(in: 4...40, using: &random)), using: &random)
    }
    for value in values { histogram.record(nanoseconds: value) }
    let sorted = values.sorted()
    for quantile in [0.01, 0.5, 0.9, 0.99, 0.999, 1] {
      let exact = sorted[max(0, Int((Double(values.count) * quantile).rounded(.up)) - 1)]
      let shown = histogram.value(at: quantile)
      #expect(shown >= exact && shown - exact <= exact / 16 + 1, "\(seed) \(quantile)")
    }
    #expect(histogram.maximum == sorted.last && histogram.count == 5000)
  }

  @Test func anEmptyHistogramShowsZero() {
    #expect(LatencyHistogram().value(at: 0.5) == 0)
  }
}
