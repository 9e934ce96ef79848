// Work for the query threads.

import Platform
import Query
import Wire

/// Something that takes too long for an event loop. It ends with a message to the loop that it came from.
protocol PooledJob: Sendable {
  /// Who asked for it: each connection has its turn.
  var connection: UInt64 { get }
  /// Asks whether the work is still wanted.
  var stop: StopFlag { get }

  /// Does the work on the calling thread.
  /// - Parameter output: memory to write in; empty before and after.
  func run(_ shared: Shared, _ output: inout JSONWriter)

  /// Does the work, or a part of it: may pause when `end` has come.
  /// - Returns: whether it has paused and is to be called again, on any thread.
  func goOn(_ shared: Shared, _ output: inout JSONWriter, until end: MonotonicTime) -> Bool
}

extension PooledJob {
  func goOn(_ shared: Shared, _ output: inout JSONWriter, until end: MonotonicTime) -> Bool {
    run(shared, &output)
    return false
  }

  /// Whether the work need not be done any more.
  var isOver: Bool {
    do throws(QueryStopped) { try stop.check() } catch { return true }
    return false
  }
}

/// A job that can pause.
protocol PausableJob: PooledJob {}

extension PausableJob {
  func run(_ shared: Shared, _ output: inout JSONWriter) {
    while goOn(shared, &output, until: shared.clock.monotonicTime() + QueryPool.slice) {}
  }
}
