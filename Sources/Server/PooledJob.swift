// Work for the query threads.

import Query
import Wire

/// Something that takes too long for an event loop. It ends with a message to the loop that it came from.
protocol PooledJob: Sendable {
  /// Asks whether the work is still wanted.
  var stop: StopFlag { get }

  /// Does the work on the calling thread.
  /// - Parameter output: memory to write in; empty before and after.
  func run(_ shared: Shared, _ output: inout JSONWriter)
}

extension PooledJob {
  /// Whether the work need not be done any more.
  var isOver: Bool {
    do throws(QueryStopped) { try stop.check() } catch { return true }
    return false
  }
}
