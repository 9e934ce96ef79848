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

  /// Drops what cannot be on the page if there is much of it. Call it between stripes.
  mutating func trim() throws(QueryStopped) {
    guard let capacity, entries.count > capacity + max(capacity, Self.slack) else { return }
    if capacity == 0 { return entries.removeAll() }
    try partition(at: capacity - 1)
    threshold = entries[capacity - 1]
    entries.removeSubrange(capacity...)
  }

  /// The entries from `offset` on, `limit` at most, in order.
  mutating func page(offset: Int, limit: Int?) throws(QueryStopped) -> [RowIndex] {
    guard offset < entries.count else { return [] }
    if offset > 0 {
      try partition(at: offset)
      entries.removeSubrange(..<offset)
    }
    if let limit, limit < entries.count {
      if limit == 0 { return [] }
      try partition(at: limit - 1)
      entries.removeSubrange(limit...)
    }
    try sort()
    return entries.map { order.row($0) }
  }

  private mutating func sort() throws(QueryStopped) {
    var comparisons = 0
    do {
      try entries.sort { left, right in
        comparisons += 1
        if comparisons & 8191 == 0 { try stop.check() }
        return order.precedes(left, right, exactness)
      }
    } catch let stopped as QueryStopped {
      throw stopped
    } catch {
      preconditionFailure("only a stop ends a sort")
    }
  }

  /// Rearranges the entries so that the one at `place` is where sorting would put it, with none behind it
  /// that comes before it. O(entries) expected (Hoare's quickselect with the median of three).
  private mutating func partition(at place: Int) throws(QueryStopped) {
    var low = 0
    var high = entries.count - 1
    var looked = 0
    while low < high {
      looked += high - low
      if looked > 8192 {
        try stop.check()
        looked = 0
      }
      let pivot = median(low, (low + high) / 2, high)
      var left = low
      var right = high
      while left <= right {
        while order.precedes(entries[left], pivot, exactness) { left += 1 }
        while order.precedes(pivot, entries[right], exactness) { right -= 1 }
        if left <= right {
          entries.swapAt(left, right)
          left += 1
          right -= 1
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

  private func median(_ first: Int, _ second: Int, _ third: Int) -> SortEntry {
    let (a, b, c) = (entries[first], entries[second], entries[third])
    if order.precedes(a, b, exactness) {
      if order.precedes(b, c, exactness) { return b }
      return order.precedes(a, c, exactness) ? c : a
    }
    if order.precedes(a, c, exactness) { return a }
    return order.precedes(b, c, exactness) ? c : b
  }
}
