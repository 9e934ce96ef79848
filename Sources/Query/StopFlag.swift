// How a query that runs on one thread is stopped by another, or by the clock.

import Platform
import Synchronization

/// Says whether a query shall go on. The engine looks at it at least every stripe and every few thousand rows
/// of a sort, so that a query ends within about a millisecond.
package final class StopFlag: Sendable {
  /// When the query shall end, on the monotonic clock; nil for never.
  package let deadline: MonotonicTime?
  private let clock: any TimeSource
  private let isCancelled = Atomic<Bool>(false)

  package init(deadline: MonotonicTime? = nil, clock: any TimeSource = SystemClock()) {
    self.deadline = deadline
    self.clock = clock
  }

  /// Makes the query end with `QueryStopped.cancelled`. Any thread, any number of times.
  package func cancel() { isCancelled.store(true, ordering: .releasing) }

  /// About 1 ns without a deadline, 25 ns with one.
  /// - Throws: `cancelled`, `deadlineExceeded`.
  package func check() throws(QueryStopped) {
    if isCancelled.load(ordering: .relaxed) { throw .cancelled }
    if let deadline, clock.monotonicTime() >= deadline { throw .deadlineExceeded }
  }
}
