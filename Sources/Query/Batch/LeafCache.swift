// Selections of tests that several questions share, made once for each stripe.

import Columns

/// Keeps, for the stripe at hand, the rows that pass each shared test.
struct LeafCache {
  /// 4 KiB each: together they fit the second cache.
  static let leafLimit = 128
  /// Tests that cost more, in tenths of a nanosecond a row, are better applied to the rows that others leave.
  private static let costLimit = 100

  private var places: [RowTest: Int] = [:]
  private var words: [UInt64]
  /// The stripe that each entry was made for.
  private var stripes: [Int]

  /// - Parameter tests: the conjuncts of every filter, one array for each.
  init(_ tests: [[RowTest]]) {
    var uses: [RowTest: Int] = [:]
    for test in tests.joined() where test.cost > 0 && test.cost <= Self.costLimit {
      uses[test, default: 0] += 1
    }
    let gains = uses.filter { $0.value > 1 }.map { (test: $0.key, gain: ($0.value - 1) * $0.key.cost) }
    for (test, _) in gains.sorted(by: { $0.gain > $1.gain }).prefix(Self.leafLimit) {
      places[test] = places.count
    }
    words = Array(repeating: 0, count: places.count * Selection.wordCount)
    stripes = Array(repeating: -1, count: places.count)
  }

  func isShared(_ test: RowTest) -> Bool { places[test] != nil }

  /// Keeps those of the selected rows of `scan` that pass `test`, which is shared.
  /// - Parameter maker: another scan, for making the selection of a stripe once.
  mutating func narrow(
    _ scan: borrowing StripeScan, _ test: RowTest, maker: inout StripeScan
  ) throws(QueryStopped) {
    guard let place = places[test] else { preconditionFailure("a shared test") }
    let first = place * Selection.wordCount
    if stripes[place] != scan.stripe {
      try maker.select(test, stripe: scan.stripe)
      for word in 0..<Selection.wordCount { words[first + word] = unsafe maker.selection.bits[word] }
      stripes[place] = scan.stripe
    }
    for word in 0..<Selection.wordCount { unsafe scan.selection.bits[word] &= words[first + word] }
  }
}
