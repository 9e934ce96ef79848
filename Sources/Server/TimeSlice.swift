// How long one connection is served before the others have their turn.

import Platform

/// A few milliseconds, looked at every few steps because looking costs as much as a short request.
struct TimeSlice {
  private static let length = Duration.milliseconds(2)
  private static let stepsPerLook = 16

  private let clock: any TimeSource
  private let end: MonotonicTime
  private var stepCount = 0
  private var hasEnded = false

  init(clock: any TimeSource) {
    self.clock = clock
    end = clock.monotonicTime() + Self.length
  }

  /// Counts a step that comes next; whether the time is over.
  mutating func isOver() -> Bool {
    if hasEnded { return true }
    stepCount += 1
    if stepCount % Self.stepsPerLook == 0 { hasEnded = clock.monotonicTime() >= end }
    return hasEnded
  }
}
