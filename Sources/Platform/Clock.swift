// Where the time comes from: the kernel's clocks, or one that a test sets by hand.

import CSys
import Synchronization

/// Wall-clock time in microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
package struct Microseconds: Hashable, Comparable, Sendable {
  package let count: Int64

  @inlinable
  package init(_ count: Int64) { self.count = count }

  @inlinable
  package static func < (left: Self, right: Self) -> Bool { left.count < right.count }
}

/// A moment on a clock that never runs backwards; only differences mean anything.
package struct MonotonicTime: Hashable, Comparable, Sendable {
  /// Nanoseconds since an unknown start (on Linux: since boot).
  package let nanoseconds: UInt64

  @inlinable
  package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  @inlinable
  package static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

  /// The time from `earlier` to `later`; negative when they are the other way round.
  @inlinable
  package static func - (later: Self, earlier: Self) -> Duration {
    .nanoseconds(Int64(bitPattern: later.nanoseconds &- earlier.nanoseconds))
  }

  /// This moment and `duration` more (less than 292 years), held within the clock's range.
  @inlinable
  package static func + (time: Self, duration: Duration) -> Self {
    let step = duration.wholeNanoseconds
    if step >= 0 {
      let (sum, overflow) = time.nanoseconds.addingReportingOverflow(UInt64(step))
      return Self(nanoseconds: overflow ? .max : sum)
    }
    let (difference, overflow) = time.nanoseconds.subtractingReportingOverflow(step.magnitude)
    return Self(nanoseconds: overflow ? 0 : difference)
  }
}

extension Duration {
  /// This duration in nanoseconds, cut towards zero and held within Int64 (292 years).
  @inlinable
  package var wholeNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return seconds < 0 ? .min : .max }
    let (sum, carry) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
    return carry ? (seconds < 0 ? .min : .max) : sum
  }
}

/// The two clocks that everything is given instead of asking the kernel.
package protocol TimeSource: Sendable {
  /// Wall-clock time. May jump in either direction when an administrator or NTP sets it.
  func wallTime() -> Microseconds
  /// Time for timeouts and measurements. Never falls.
  func monotonicTime() -> MonotonicTime
}

/// CLOCK_REALTIME and CLOCK_MONOTONIC, about 20 ns a call.
package struct SystemClock: TimeSource {
  @inlinable
  package init() {}

  package func wallTime() -> Microseconds { Microseconds(csys_wall_microseconds()) }

  package func monotonicTime() -> MonotonicTime {
    MonotonicTime(nanoseconds: csys_monotonic_nanoseconds())
  }
}

/// A clock that moves only when told to; its wall clock may also be set back. Any thread may use it.
package final class ManualClock: TimeSource {
  private let wall: Atomic<Int64>
  private let monotonic: Atomic<UInt64>

  /// A clock whose wall time starts at `wall` microseconds (default: 2025-01-01T00:00:00Z).
  package init(wall: Int64 = 1_735_689_600_000_000, monotonicNanoseconds: UInt64 = 1_000_000_000) {
    self.wall = Atomic(wall)
    monotonic = Atomic(monotonicNanoseconds)
  }

  package func wallTime() -> Microseconds { Microseconds(wall.load(ordering: .acquiring)) }

  package func monotonicTime() -> MonotonicTime {
    MonotonicTime(nanoseconds: monotonic.load(ordering: .acquiring))
  }

  /// Moves both clocks by `duration`, which must not be negative.
  package func advance(by duration: Duration) {
    precondition(duration >= .zero, "a clock is advanced forwards; use setWall for jumps back")
    let nanoseconds = duration.wholeNanoseconds
    wall.add(nanoseconds / 1000, ordering: .acquiringAndReleasing)
    monotonic.add(UInt64(nanoseconds), ordering: .acquiringAndReleasing)
  }

  /// Sets the wall clock, forwards or backwards; the monotonic clock does not notice.
  package func setWall(_ time: Microseconds) { wall.store(time.count, ordering: .releasing) }
}
