// Several threads at one scan: stripes are claimed one after the other by whoever is free.

import Columns
import Platform
import Synchronization

/// Threads that may have nothing to do, such as a server's query threads.
package protocol IdleThreads: Sendable {
  /// Threads that have nothing to do at the moment.
  var idleCount: Int { get }

  /// Lets up to `limit` idle threads run `work` soon, each once. Returns at once. A thread that is given
  /// something else first may come late, or never: `work` returns at once when there is nothing left to do.
  func invite(_ limit: Int, _ work: @escaping @Sendable () -> Void)
}

/// What one thread of a scan has found so far. Made on the thread that uses it, read by the query's thread
/// when all have ended.
protocol ScanWorker: AnyObject, SendableMetatype {
  /// Takes a stripe. No two workers take the same.
  func take(_ stripe: Int) throws(QueryStopped)
}

/// Shares out scans among the query's own thread and idle ones.
///
/// The query's thread always works itself, so a scan never waits for a thread that does not come; when no
/// stripe is left it waits for those that are at their last one. A scan of less than `leastNanoseconds` is
/// done alone: to wake a sleeping thread takes 20 to 45 us, and bytes from memory come only half again as
/// fast with two.
package final class ScanCrew: Sendable {
  private let threads = Guarded<(any IdleThreads)?>(nil)

  /// From this estimate on other threads are asked.
  package static let leastNanoseconds = 1_000_000
  private let stripesAtATime: Int

  /// - Parameter stripesAtATime: stripes claimed in one go. Neighbours, because a scan asks for the memory of
  ///   the next one in time.
  package init(stripesAtATime: Int = 4) { self.stripesAtATime = stripesAtATime }

  /// Says who may be asked from now on; nil for nobody. Any thread.
  package func use(_ threads: (any IdleThreads)?) {
    self.threads.withLock { $0 = threads }
  }

  /// Gives every stripe to a worker and returns the workers when all have ended, the calling thread's first.
  /// Each worker is given its stripes in rising order, or falling, but not all of them.
  ///
  /// - Parameters:
  ///   - nanoseconds: about how long one thread would take.
  ///   - make: makes a worker, on the thread that it is for.
  /// - Throws: what a worker threw; the others end within a stripe then.
  func run<Worker: ScanWorker>(
    _ stripes: Range<Int>, ascending: Bool = true, estimate nanoseconds: Int,
    _ make: @escaping @Sendable () -> Worker
  ) throws(QueryStopped) -> [Worker] {
    let helperLimit = stripes.count / stripesAtATime - 1
    let threads = nanoseconds < Self.leastNanoseconds ? nil : threads.withLock { $0 }
    guard let threads, helperLimit > 0, threads.idleCount > 0 else {
      let worker = make()
      for step in 0..<stripes.count {
        try worker.take(ascending ? stripes.lowerBound + step : stripes.upperBound - 1 - step)
      }
      return [worker]
    }
    let round = ScanRound(stripes, ascending: ascending, atATime: stripesAtATime, make)
    threads.invite(min(helperLimit, threads.idleCount)) { round.help() }
    return try round.finish()
  }
}

/// One scan that is shared out.
private final class ScanRound<Worker: ScanWorker>: @unchecked Sendable {
  // @unchecked: a worker is touched by its thread alone until that has put it into `state`, and by the
  // query's thread when nobody is at work any more.
  private struct State {
    /// Nil when the scan is over: an invitation that nobody has taken up yet must not keep a cut.
    var make: (@Sendable () -> Worker)?
    var atWork = 0
    var ended: [Worker] = []
    var failure: QueryStopped?
  }

  private let stripes: Range<Int>
  private let ascending: Bool
  private let atATime: Int
  /// Stripes claimed so far.
  private let claimed = Atomic<Int>(0)
  private let state: Gate<State>

  init(
    _ stripes: Range<Int>, ascending: Bool, atATime: Int, _ make: @escaping @Sendable () -> Worker
  ) {
    self.stripes = stripes
    self.ascending = ascending
    self.atATime = atATime
    state = Gate(State(make: make))
  }

  /// Works until no stripe is left, if the scan still goes on. Any thread.
  func help() {
    let make = state.withLock { state -> (@Sendable () -> Worker)? in
      guard claimed.load(ordering: .relaxed) < stripes.count, let make = state.make else { return nil }
      state.atWork += 1
      return make
    }
    if let make { work(make()) }
  }

  /// Works too, and waits for the others.
  func finish() throws(QueryStopped) -> [Worker] {
    let make = state.withLock { state in
      state.atWork += 1
      return state.make
    }
    guard let make else { preconditionFailure("a scan is finished once") }
    let own = make()
    work(own)
    let (ended, failure) = state.wait { state -> ([Worker], QueryStopped?)? in
      state.make = nil
      if state.atWork > 0 { return nil }
      defer { state.ended = [] }
      return (state.ended, state.failure)
    }
    if let failure { throw failure }
    return [own] + ended.filter { $0 !== own }
  }

  private func work(_ worker: Worker) {
    var failure: QueryStopped?
    do throws(QueryStopped) {
      while true {
        let first = claimed.add(atATime, ordering: .relaxed).oldValue
        if first >= stripes.count { break }
        for step in first..<min(first + atATime, stripes.count) {
          try worker.take(ascending ? stripes.lowerBound + step : stripes.upperBound - 1 - step)
        }
      }
    } catch {
      failure = error
      // Nobody claims any more.
      claimed.store(stripes.count, ordering: .relaxed)
    }
    state.updateAndWakeAll { state in
      state.atWork -= 1
      state.ended.append(worker)
      if state.failure == nil { state.failure = failure }
    }
  }
}
