// Deadlines of one event loop: which is next, which have passed.

/// Deadlines by token, at most one for each; for the thread of one event loop.
///
/// A heap with lazy removal: setting a deadline again leaves the old entry in the heap, to be skipped when it
/// comes up; when such entries outnumber the live ones the heap is built anew, so memory stays O(deadlines).
package struct TimerQueue: Sendable {
  private struct Entry {
    let deadline: MonotonicTime
    let token: UInt64
  }

  /// A binary heap, earliest first (Knuth, volume 3, 5.2.3).
  private var heap: [Entry] = []
  /// What holds: an entry of the heap that disagrees is skipped.
  private var deadlines: [UInt64: MonotonicTime] = [:]

  package init() {}

  /// Deadlines that are set.
  package var count: Int { deadlines.count }

  /// Sets the deadline of `token`, in place of the one it had.
  /// - Complexity: O(log count), amortised.
  package mutating func set(_ token: UInt64, at deadline: MonotonicTime) {
    if deadlines.updateValue(deadline, forKey: token) == deadline { return }
    heap.append(Entry(deadline: deadline, token: token))
    raise(heap.count - 1)
    if heap.count > 2 * deadlines.count + 64 { rebuild() }
  }

  /// Forgets the deadline of `token`, if it has one. O(1).
  package mutating func cancel(_ token: UInt64) { deadlines[token] = nil }

  /// How long `EventLoop.wait` may wait: zero when a deadline has passed, nil when there is none.
  /// - Complexity: O(log count), amortised.
  package mutating func timeout(at now: MonotonicTime) -> Duration? {
    dropStale()
    guard let first = heap.first else { return nil }
    return first.deadline <= now ? .zero : first.deadline - now
  }

  /// Takes out the earliest deadline that is not after `now`; nil when there is none.
  /// - Complexity: O(log count), amortised.
  package mutating func popExpired(at now: MonotonicTime) -> UInt64? {
    dropStale()
    guard let first = heap.first, first.deadline <= now else { return nil }
    removeFirst()
    deadlines[first.token] = nil
    return first.token
  }

  private mutating func dropStale() {
    while let first = heap.first, deadlines[first.token] != first.deadline { removeFirst() }
  }

  private mutating func rebuild() {
    heap = deadlines.map { Entry(deadline: $0.value, token: $0.key) }
    // A sorted array is a heap.
    heap.sort { $0.deadline < $1.deadline }
  }

  private mutating func removeFirst() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    if !heap.isEmpty { lower(0) }
  }

  private mutating func raise(_ start: Int) {
    var index = start
    while index > 0 {
      let parent = (index - 1) / 2
      if heap[parent].deadline <= heap[index].deadline { return }
      heap.swapAt(parent, index)
      index = parent
    }
  }

  private mutating func lower(_ start: Int) {
    var index = start
    while true {
      var least = index
      let left = 2 * index + 1
      if left < heap.count && heap[left].deadline < heap[least].deadline { least = left }
      if left + 1 < heap.count && heap[left + 1].deadline < heap[least].deadline { least = left + 1 }
      if least == index { return }
      heap.swapAt(least, index)
      index = least
    }
  }
}
