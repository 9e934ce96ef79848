// How a query that runs on one thread is stopped by another, or by the clock.

import Platform
import Synchronization

/// Says whether a query shall go on. The engine looks at it at least every stripe and every few thousand rows
/// of a sort, so that a query ends within about a millisecond.
package final class StopFlag: Sendable {
  /// When the query shall end, on the monotonic clock; nil for never.
  package let deadline: MonotonicTime?
  private let clock: any TimeSource
  private let reason = Atomic<UInt8>(Reason.none)

  private enum Reason {
    static let none: UInt8 = 0
    static let cancelled: UInt8 = 1
    static let cutExpired: UInt8 = 2
  }

  package init(deadline: MonotonicTime? = nil, clock: any TimeSource = SystemClock()) {
    self.deadline = deadline
    self.clock = clock
  }

  /// Makes the query end with `QueryStopped.cancelled`. Any thread, any number of times.
  package func cancel() { stop(Reason.cancelled) }

  /// Makes the query end with `QueryStopped.cutExpired`. Any thread; the first reason given counts.
  package func expireCut() { stop(Reason.cutExpired) }

  private func stop(_ why: UInt8) {
    _ = reason.compareExchange(expected: Reason.none, desired: why, ordering: .releasing)
  }

  /// About 1 ns without a deadline, 25 ns with one.
  /// - Throws: `cancelled`, `cutExpired`, `deadlineExceeded`.
  package func check() throws(QueryStopped) {
    switch reason.load(ordering: .relaxed) {
    case Reason.none: break
    case Reason.cutExpired: throw .cutExpired
    default: throw .cancelled
    }
    if let deadline, clock.monotonicTime() >= deadline { throw .deadlineExceeded }
  }
}
