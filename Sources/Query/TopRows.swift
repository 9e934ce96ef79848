// The first rows of an order out of many, without sorting the rest.

import Columns

/// Takes rows in any order and gives back one page of them in the order asked for.
///
/// It keeps at most twice as many entries as are wanted: when full, the better half is selected
/// (quickselect), and from then on its worst entry keeps most newcomers out.
struct TopRows {
  let order: RowOrder
  /// Rows wanted, those before the page included; nil for all.
  let capacity: Int?
  let stop: StopFlag
  private let exactness: RowOrder.Exactness
  private(set) var entries: [SortEntry] = []
  /// The last entry that can still be on the page; what comes after it need not be added.
  private(set) var threshold: SortEntry?

  /// Entries beyond the capacity that are collected before the better ones are selected.
  private static let slack = 4096

  init(order: RowOrder, capacity: Int?, stop: StopFlag) {
    self.order = order
    self.capacity = capacity
    self.stop = stop
    exactness = order.exactness
  }

  @inline(__always)
  mutating func add(_ entry: SortEntry) {
    if let threshold {
      if entry.code > threshold.code { return }
      if entry.code == threshold.code, !order.precedes(entry, threshold, exactness) { return }
    }
    entries.append(entry)
  }

  /// Takes over what another has kept, which saw other rows in the same order.
  mutating func add(contentsOf other: TopRows) throws(QueryStopped) {
    for entry in other.entries { add(entry) }
    try trim()
  }

  /// Drops what cannot be on the page if there is much of it. Call it between stripes.
  mutating func trim() throws(QueryStopped) {
    guard let capacity, entries.count > capacity + max(capacity, Self.slack) else { return }
    if capacity == 0 { return entries.removeAll() }
    try partition(at: capacity - 1)
    threshold = entries[capacity - 1]
    entries.removeSubrange(capacity...)
  }

  /// The entries from `offset` on, `limit` at most, in order. Call it once, at the end.
  mutating func page(offset: Int, limit: Int?) throws(QueryStopped) -> [RowIndex] {
    guard offset < entries.count, limit != 0 else { return [] }
    let isSettled = try settleEdges()
    if offset > 0 {
      try isSettled ? partitionSettled(at: offset) : partition(at: offset)
      entries.removeSubrange(..<offset)
    }
    if let limit, limit < entries.count {
      try isSettled ? partitionSettled(at: limit - 1) : partition(at: limit - 1)
      entries.removeSubrange(limit...)
    }
    if isSettled && entries.count >= RadixSort.leastCount {
      entries = try RadixSort.sorted(entries, stop)
    } else {
      try sort(isSettled: isSettled)
    }
    return entries.map(\.row)
  }

  /// Makes code and tie alone decide, where exact keys are only needed at the edges: what lies there is
  /// sorted, and each entry's place becomes its tie. False when exact keys may decide anywhere.
  private mutating func settleEdges() throws(QueryStopped) -> Bool {
    switch exactness {
    case .always: return true
    case .never: return false
    case .betweenEdges:
      for edge in [UInt64.min, .max] {
        var places: [Int] = []
        for place in entries.indices where entries[place].code == edge { places.append(place) }
        if places.isEmpty { continue }
        var tied = TopRows(order: order, capacity: nil, stop: stop)
        tied.entries = places.map { entries[$0] }
        try tied.sort(isSettled: false)
        for (tie, place) in places.enumerated() {
          entries[place] = tied.entries[tie]
          entries[place].tie = UInt32(tie)
        }
      }
      return true
    }
  }

  private mutating func sort(isSettled: Bool) throws(QueryStopped) {
    var comparisons = 0
    let exactness = isSettled ? .always : exactness
    do {
      try entries.sort { left, right in
        comparisons += 1
        if comparisons & 4095 == 0 { try stop.check() }
        return order.precedes(left, right, exactness)
      }
    } catch let stopped as QueryStopped {
      throw stopped
    } catch {
      preconditionFailure("only a stop ends a sort")
    }
  }

  // MARK: Selecting

  /// Rearranges the entries so that the one at `place` is where sorting would put it, with none behind it
  /// that comes before it. O(entries) expected (Hoare's quickselect with the median of three).
  private mutating func partition(at place: Int) throws(QueryStopped) {
    try Self.partition(&entries, at: place, stop) { order.precedes($0, $1, exactness) }
  }

  /// The same when code and tie decide.
  private mutating func partitionSettled(at place: Int) throws(QueryStopped) {
    try Self.partition(&entries, at: place, stop) { left, right in
      left.code < right.code || (left.code == right.code && left.tie < right.tie)
    }
  }

  @inline(__always)
  private static func partition(
    _ entries: inout [SortEntry], at place: Int, _ stop: StopFlag, _ precedes: (SortEntry, SortEntry) -> Bool
  ) throws(QueryStopped) {
    var span = entries.mutableSpan
    var low = 0
    var high = span.count - 1
    var looked = 0
    while low < high {
      let pivot = median(span[low], span[(low + high) / 2], span[high], precedes)
      var left = low
      var right = high
      while left <= right {
        let start = left
        while precedes(span[left], pivot) { left += 1 }
        while precedes(pivot, span[right]) { right -= 1 }
        if left <= right {
          span.swapAt(left, right)
          left += 1
          right -= 1
        }
        looked += left - start
        if looked > 8192 {
          try stop.check()
          looked = 0
        }
      }
      if place <= right {
        high = right
      } else if place >= left {
        low = left
      } else {
        return
      }
    }
  }

  @inline(__always)
  private static func median(
    _ a: SortEntry, _ b: SortEntry, _ c: SortEntry, _ precedes: (SortEntry, SortEntry) -> Bool
  ) -> SortEntry {
    if precedes(a, b) {
      if precedes(b, c) { return b }
      return precedes(a, c) ? c : a
    }
    if precedes(a, c) { return a }
    return precedes(b, c) ? c : b
  }
}
