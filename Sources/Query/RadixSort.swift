// Sorts many entries whose code and tie decide, digit by digit.

/// Least significant digit first, eleven bits a step; steps in which all entries agree are left out.
enum RadixSort {
  /// Below so many entries comparing is as fast.
  static let leastCount = 8192
  private static let digitBits = 11
  /// Entries moved between two looks at the stop flag.
  private static let sliceCount = 16_384

  /// The entries by code, then by tie. O(entries · digits that differ).
  static func sorted(_ entries: [SortEntry], _ stop: StopFlag) throws(QueryStopped) -> [SortEntry] {
    var from = entries
    var to = entries
    var differing = SortEntry(code: 0, tie: 0, row: entries[0].row)
    for entry in entries {
      differing.code |= entry.code ^ entries[0].code
      differing.tie |= entry.tie ^ entries[0].tie
    }
    for shift in stride(from: 0, to: 32, by: digitBits) where digit(UInt64(differing.tie), shift) != 0 {
      try pass(from, &to, stop) { digit(UInt64($0.tie), shift) }
      swap(&from, &to)
    }
    for shift in stride(from: 0, to: 64, by: digitBits) where digit(differing.code, shift) != 0 {
      try pass(from, &to, stop) { digit($0.code, shift) }
      swap(&from, &to)
    }
    return from
  }

  @inline(__always)
  private static func digit(_ word: UInt64, _ shift: Int) -> Int {
    Int(truncatingIfNeeded: word >> UInt64(shift)) & (1 << digitBits - 1)
  }

  @inline(__always)
  private static func pass(
    _ from: [SortEntry], _ to: inout [SortEntry], _ stop: StopFlag, _ digit: (SortEntry) -> Int
  ) throws(QueryStopped) {
    var places = [Int](repeating: 0, count: 1 << digitBits)
    for entry in from { places[digit(entry)] += 1 }
    var next = 0
    for value in places.indices {
      let count = places[value]
      places[value] = next
      next += count
    }
    var target = to.mutableSpan
    for start in stride(from: 0, to: from.count, by: sliceCount) {
      try stop.check()
      for place in start..<min(start + sliceCount, from.count) {
        let entry = from[place]
        let value = digit(entry)
        target[places[value]] = entry
        places[value] += 1
      }
    }
  }
}
