// How long something took, for traces.

import Platform

/// Runs from when it is made. About 25 ns a look.
struct Stopwatch {
  private let start = SystemClock().monotonicTime()

  init() {}

  var nanoseconds: Int { Int((SystemClock().monotonicTime() - start).wholeNanoseconds) }
}
