// The first rows of an order out of many, without sorting the rest.

import Columns

/// Takes rows in any order and gives back one page of them in the order asked for.
///
/// It keeps some more entries than are wanted: when there are too many, the better ones are selected
/// (quickselect), and from then on the worst of them keeps most newcomers out.
struct TopRows {
  let order: RowOrder
  /// Rows wanted, those before the page included; nil for all.
  let capacity: Int?
  let stop: StopFlag
  private let exactness: RowOrder.Exactness
  private(set) var entries: [SortEntry] = []
  /// The last entry that can still be on the page; what comes after it need not be added.
  private(set) var threshold: SortEntry?

  /// Entries beyond the capacity that are collected, at least, before the better ones are selected.
  private static let slack = 512
  /// With so few wanted the better ones are selected whenever there are too many; else only by `trim`.
  private static let smallCapacity = 4096
  /// The number of entries that are too many.
  private let fullCount: Int

  init(order: RowOrder, capacity: Int?, stop: StopFlag) {
    self.order = order
    self.capacity = capacity
    self.stop = stop
    exactness = order.exactness
    fullCount = capacity.map { $0 <= Self.smallCapacity ? $0 + max($0, Self.slack) : .max } ?? .max
  }

  @inline(__always)
  mutating func add(_ entry: SortEntry) {
    if let threshold {
      if entry.code > threshold.code { return }
      if entry.code == threshold.code, !order.precedes(entry, threshold, exactness) { return }
    }
    entries.append(entry)
    if entries.count >= fullCount { selectBetter() }
  }

  /// Drops what cannot be on the page; what it looks at is bounded, and little.
  @inline(never)
  private mutating func selectBetter() {
    guard let capacity else { return }
    try? trim(to: capacity)
  }

  /// Takes over what another has kept, which saw other rows in the same order.
  mutating func add(contentsOf other: TopRows) throws(QueryStopped) {
    for entry in other.entries { add(entry) }
    try trim()
  }

  /// Drops what cannot be on the page if there is much of it. Call it between stripes.
  mutating func trim() throws(QueryStopped) {
    guard let capacity else { return }
    let slack = capacity <= Self.smallCapacity ? capacity / 4 + 32 : capacity
    guard entries.count > capacity + slack else { return }
    try trim(to: capacity)
  }

  private mutating func trim(to capacity: Int) throws(QueryStopped) {
    if capacity == 0 { return entries.removeAll() }
    try select(capacity - 1)
    threshold = entries[capacity - 1]
    entries.removeSubrange(capacity...)
  }

  /// The entries from `offset` on, `limit` at most, in order. Call it once, at the end.
  mutating func page(offset: Int, limit: Int?) throws(QueryStopped) -> [RowIndex] {
    guard offset < entries.count, limit != 0 else { return [] }
    if offset > 0 {
      try select(offset)
      entries.removeSubrange(..<offset)
    }
    if let limit, limit < entries.count {
      try select(limit - 1)
      entries.removeSubrange(limit...)
    }
    let isSettled = try settleEdges()
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
      var places: [Int] = []
      for place in entries.indices where !AmountCode.isExact(entries[place].code) { places.append(place) }
      if places.isEmpty { return true }
      var tied = TopRows(order: order, capacity: nil, stop: stop)
      tied.entries = places.map { entries[$0] }
      try tied.sort(isSettled: false)
      for (tie, place) in places.enumerated() {
        entries[place] = tied.entries[tie]
        entries[place].tie = UInt32(tie)
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

  /// As `partition`, by code and tie alone where they decide.
  private mutating func select(_ place: Int) throws(QueryStopped) {
    if exactness != .never {
      try partitionSettled(at: place)
      // Smaller codes lie before it, greater ones behind it, whatever the keys are exactly.
      if exactness == .always || AmountCode.isExact(entries[place].code) { return }
    }
    try partition(at: place)
  }

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
