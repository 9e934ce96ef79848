// Threads for queries that are too long for an event loop.

import Ledger
import Platform
import Query
import Wire

/// A bounded queue and its threads. Each connection has its turn, and a job that takes long goes behind the
/// others from time to time, if it can: who sends a hundred reports does not hold up another's one.
final class QueryPool: Sendable {
  private struct State {
    var waiting = FairQueue<any PooledJob>()
    var isStopping = false
    var running = 0
    /// Work of scans that asked for help; a thread takes it when no job waits.
    var invitations: [@Sendable () -> Void] = []
    var helping = 0
    /// Of the last jobs, in nanoseconds: a running average.
    var jobTime: UInt64 = 1_000_000
  }

  /// How long a job that can be interrupted works before the others have their turn.
  static let slice = Duration.milliseconds(10)

  private let state = Gate(State())
  private let queueLimit: Int
  private let threadCount: Int
  private let shared: Shared
  private let threads: Gate<[Thread]>

  init(threadCount: Int, shared: Shared) throws(SystemError) {
    queueLimit = shared.configuration.bounds.queuedQueries
    self.threadCount = threadCount
    self.shared = shared
    threads = Gate([])
    do throws(SystemError) {
      for number in 0..<threadCount {
        let thread = try Thread(name: "query-\(number)") { [self] in work() }
        threads.withLock { $0.append(thread) }
      }
    } catch {
      stop()
      throw error
    }
    shared.queries.crew.use(self)
  }

  /// Queries waiting for a thread.
  var queuedCount: Int { state.withLock { $0.waiting.count } }
  /// Queries at work.
  var runningCount: Int { state.withLock { $0.running } }

  /// Queues a job; false when the queue is full. A connection that has nothing in it finds room until it is
  /// twice full, so that others' jobs do not keep it out.
  func submit(_ job: any PooledJob) -> Bool {
    state.updateAndWakeOne { state in
      let limit = state.waiting.hasJobs(of: job.connection) ? queueLimit : queueLimit * 2
      if state.waiting.count >= limit || state.isStopping { return false }
      state.waiting.append(job, of: job.connection)
      return true
    }
  }

  /// Queues a job that goes on where it paused.
  func resubmit(_ job: any PooledJob) {
    state.updateAndWakeOne { $0.waiting.append(job, of: job.connection) }
  }

  /// That the queue is full, and when it may be worth to ask again: when half of it is done, as far as the
  /// last jobs tell.
  var busy: WireError {
    let (count, time) = state.withLock { ($0.waiting.count, $0.jobTime) }
    let nanoseconds = time.multipliedReportingOverflow(by: UInt64(count / 2 / max(1, threadCount) + 1))
    let milliseconds = nanoseconds.overflow ? 5000 : min(max(nanoseconds.partialValue / 1_000_000, 10), 5000)
    return .busy("the query queue is full", retryAfter: .milliseconds(milliseconds))
  }

  /// Answers the queued jobs that were cancelled or whose time is over, without waiting for a thread.
  func dropStopped() {
    let stopped = state.withLock { $0.waiting.count == 0 ? [] : $0.waiting.takeAll(where: \.isOver) }
    if stopped.isEmpty { return }
    var output = JSONWriter()
    // What is over ends at once.
    for job in stopped { while job.goOn(shared, &output, until: shared.clock.monotonicTime()) {} }
  }

  /// Finishes what is queued and ends the threads.
  func stop() {
    shared.queries.crew.use(nil)
    state.updateAndWakeAll { $0.isStopping = true }
    let threads = threads.withLock { threads in
      let taken = threads
      threads = []
      return taken
    }
    for thread in threads { thread.join() }
  }

  private enum Task {
    case job(any PooledJob)
    case help(@Sendable () -> Void)
  }

  private func work() {
    var output = JSONWriter()
    while let task = nextTask() {
      switch task {
      case .job(let job): work(job, &output)
      case .help(let help):
        help()
        state.withLock { $0.helping -= 1 }
      }
    }
  }

  private func work(_ job: any PooledJob, _ output: inout JSONWriter) {
    let start = shared.clock.monotonicTime()
    let isPaused = job.goOn(shared, &output, until: start + Self.slice)
    let time = shared.clock.monotonicTime().nanoseconds &- start.nanoseconds
    state.withLock { state in
      state.running -= 1
      state.jobTime = (state.jobTime &* 7 &+ min(time, 1 << 40)) / 8
      // This thread takes the next job, so nobody need be woken.
      if isPaused { state.waiting.append(job, of: job.connection) }
    }
  }

  private func nextTask() -> Task? {
    state.wait { state -> Task?? in
      if let job = state.waiting.takeNext() {
        state.running += 1
        return .some(.job(job))
      }
      if let help = state.invitations.popLast() {
        state.helping += 1
        return .some(.help(help))
      }
      return state.isStopping ? .some(nil) : nil
    }
  }
}

extension QueryPool: IdleThreads {
  /// Threads that neither work nor have something waiting for them.
  var idleCount: Int {
    state.withLock { state in
      let busy = state.running + state.helping + state.waiting.count + state.invitations.count
      return state.isStopping ? 0 : max(0, threadCount - busy)
    }
  }

  func invite(_ limit: Int, _ work: @escaping @Sendable () -> Void) {
    state.updateAndWakeAll { state in
      if state.isStopping { return }
      for _ in 0..<min(limit, threadCount) { state.invitations.append(work) }
    }
  }
}
