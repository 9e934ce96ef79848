// What the threads of a scan do with their stripes: count rows, keep the first ones of an order, mark rows.

import Columns
import Ledger

extension ScanCrew {
  /// Number of rows that pass, counted by all threads that are free.
  func count(
    _ test: RowTest, _ reader: RowReader, stripes: Range<Int>, estimate nanoseconds: Int, _ stop: StopFlag
  ) throws(QueryStopped) -> Int {
    let workers = try run(stripes, estimate: nanoseconds) {
      CountWorker(counting: StripeScan.Counting(test, reader), scan: StripeScan(reader: reader, stop: stop))
    }
    return workers.reduce(0) { $0 + $1.count }
  }

  /// The first rows of an order among those that pass, and the number of all that pass if it is wanted.
  ///
  /// - Parameters:
  ///   - capacity: rows wanted, those before the page included; nil for all.
  ///   - after: what a row must also pass to be among them, though not to be counted.
  func ranked(
    _ test: RowTest, after: RowTest, order: RowOrder, capacity: Int?, counting: Bool, stripes: Range<Int>,
    estimate nanoseconds: Int, _ stop: StopFlag
  ) throws(QueryStopped) -> (best: TopRows, count: Int) {
    let workers = try run(stripes, ascending: order.ascending, estimate: nanoseconds) {
      RankWorker(
        test: test, after: after, counting: counting,
        best: TopRows(order: order, capacity: capacity, stop: stop),
        scan: StripeScan(reader: order.reader, stop: stop))
    }
    var best = workers[0].best
    for worker in workers.dropFirst() { try best.add(contentsOf: worker.best) }
    return (best, workers.reduce(0) { $0 + $1.count })
  }

  /// A bit for each row of the stripes, set for those that pass. O(rows).
  func bits(
    _ test: RowTest, _ reader: RowReader, stripes: Range<Int>, estimate nanoseconds: Int, _ stop: StopFlag
  ) throws(QueryStopped) -> [UInt64] {
    let workers = try run(stripes, estimate: nanoseconds) {
      BitsWorker(test: test, scan: StripeScan(reader: reader, stop: stop))
    }
    var words = [UInt64](repeating: 0, count: stripes.count * Selection.wordCount)
    for worker in workers {
      for (place, stripe) in worker.stripes.enumerated() {
        let first = (stripe - stripes.lowerBound) * Selection.wordCount
        words.replaceSubrange(
          first..<first + Selection.wordCount,
          with: worker.words[place * Selection.wordCount..<(place + 1) * Selection.wordCount])
      }
    }
    return words
  }
}

/// Counts.
private final class CountWorker: ScanWorker {
  private let counting: StripeScan.Counting
  private var scan: StripeScan
  private(set) var count = 0

  init(counting: StripeScan.Counting, scan: consuming StripeScan) {
    self.counting = counting
    self.scan = scan
  }

  func take(_ stripe: Int) throws(QueryStopped) { count += try scan.count(counting, stripe: stripe) }
}

/// Keeps the first rows of an order. Stripes come in its direction.
private final class RankWorker: ScanWorker {
  private let test: RowTest
  private let after: RowTest
  private let counting: Bool
  private(set) var best: TopRows
  private var scan: StripeScan
  private(set) var count = 0

  init(test: RowTest, after: RowTest, counting: Bool, best: TopRows, scan: consuming StripeScan) {
    self.test = test
    self.after = after
    self.counting = counting
    self.best = best
    self.scan = scan
  }

  func take(_ stripe: Int) throws(QueryStopped) {
    try scan.select(test, stripe: stripe)
    if counting { count += scan.selection.count }
    if best.capacity == 0 { return }
    try scan.narrow(after)
    if let threshold = best.threshold, let test = best.order.ahead(of: threshold) { try scan.narrow(test) }
    try scan.forEachCode(best.order) { code, row in best.add(best.order.entry(code: code, row)) }
    try best.trim()
  }
}

/// Marks rows.
private final class BitsWorker: ScanWorker {
  private let test: RowTest
  private var scan: StripeScan
  private(set) var stripes: [Int] = []
  private(set) var words: [UInt64] = []

  init(test: RowTest, scan: consuming StripeScan) {
    self.test = test
    self.scan = scan
  }

  func take(_ stripe: Int) throws(QueryStopped) {
    try scan.select(test, stripe: stripe)
    stripes.append(stripe)
    scan.appendWords(to: &words)
  }
}
