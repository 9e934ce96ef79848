// How long one shape takes: asked again and again for a while, as the peers are.

import Platform

/// Times of one shape, in nanoseconds.
struct ShapeTiming {
  let runCount: Int
  let best: Int64
  let median: Int64
  let p99: Int64

  /// Runs are bounded by number and by time, but at least seven; the first one is not counted.
  static let runLimit = 1000
  static let leastRuns = 7

  /// - Parameter limit: time for all runs; more than a second lifts the bound on their number, for profilers.
  static func measure(limit: Duration, _ body: () throws -> Void) rethrows -> ShapeTiming {
    let clock = SystemClock()
    let runLimit = limit > .seconds(1) ? 1_000_000 : runLimit
    try body()
    var times: [Int64] = []
    times.reserveCapacity(runLimit)
    let start = clock.monotonicTime()
    var now = start
    while times.count < runLimit, times.count < leastRuns || now - start < limit {
      let before = clock.monotonicTime()
      try body()
      now = clock.monotonicTime()
      times.append((now - before).wholeNanoseconds)
    }
    return ShapeTiming(times)
  }

  init(_ times: [Int64]) {
    let sorted = times.sorted()
    runCount = sorted.count
    best = sorted[0]
    median = sorted[sorted.count / 2]
    // The nearest rank: of a hundred the 99th, of few the last.
    p99 = sorted[(sorted.count * 99 + 99) / 100 - 1]
  }
}
