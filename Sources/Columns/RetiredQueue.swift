// What was replaced while a cut could still see it, waiting until none can.

/// Replaced things in the order in which they were replaced, each with the epoch of its replacement. A cut
/// begun in that epoch or before may see the old thing; later ones see what took its place.
struct RetiredQueue<Element> {
  private var entries: [(element: Element, epoch: UInt64)] = []
  private var head = 0

  /// Things still kept.
  var count: Int { entries.count - head }

  /// Adds a thing that was replaced in `epoch`; epochs only rise. O(1) amortised.
  mutating func append(_ element: Element, replacedIn epoch: UInt64) {
    if let last = entries.last { assert(last.epoch <= epoch, "retired in the order of replacement") }
    entries.append((element, epoch))
  }

  /// Removes and returns the oldest things, at most `limit`, that no held cut can see.
  /// - Complexity: O(limit) amortised.
  mutating func takeFreed(oldestHeld: UInt64, limit: Int) -> [Element] {
    var end = head
    while end < entries.count, end - head < limit, entries[end].epoch < oldestHeld { end += 1 }
    if end == head { return [] }
    let freed = entries[head..<end].map { $0.element }
    head = end
    // What is gone is cut off before it outweighs what is left, or the list of a store that always has a cut
    // held would grow for ever.
    if head == entries.count {
      entries.removeAll(keepingCapacity: entries.capacity <= 4096)
      head = 0
    } else if head > 1024, head > entries.count / 2 {
      entries.removeFirst(head)
      head = 0
    }
    return freed
  }
}
