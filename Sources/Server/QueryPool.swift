// Threads for queries that are too long for an event loop.

import Ledger
import Platform
import Query
import Wire

/// A bounded queue and its threads. First come, first served.
final class QueryPool: Sendable {
  private struct State {
    /// Places before `head` are empty, so that no cut is held by a job that was taken.
    var waiting: [(any PooledJob)?] = []
    var head = 0
    var isStopping = false
    var running = 0

    var count: Int { waiting.count - head }

    mutating func takeFirst() -> (any PooledJob)? {
      guard head < waiting.count else { return nil }
      let job = waiting[head].take()
      head += 1
      if head == waiting.count {
        waiting.removeAll(keepingCapacity: true)
        head = 0
      } else if head >= 64, head * 2 >= waiting.count {
        waiting.removeFirst(head)
        head = 0
      }
      return job
    }

    /// Takes out the jobs that need not run any more.
    mutating func takeStopped() -> [any PooledJob] {
      var stopped: [any PooledJob] = []
      var left: [(any PooledJob)?] = []
      for case let job? in waiting[head...] {
        if job.isOver { stopped.append(job) } else { left.append(job) }
      }
      waiting = left
      head = 0
      return stopped
    }
  }

  private let state = Gate(State())
  private let queueLimit: Int
  private let shared: Shared
  private let threads: Gate<[Thread]>

  init(threadCount: Int, shared: Shared) throws(SystemError) {
    queueLimit = shared.configuration.bounds.queuedQueries
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
  }

  /// Queries waiting for a thread.
  var queuedCount: Int { state.withLock { $0.count } }
  /// Queries at work.
  var runningCount: Int { state.withLock { $0.running } }

  /// Queues a job; false when the queue is full.
  func submit(_ job: any PooledJob) -> Bool {
    state.updateAndWakeOne { state in
      if state.count >= queueLimit || state.isStopping { return false }
      state.waiting.append(job)
      return true
    }
  }

  /// Answers the queued jobs that were cancelled or whose time is over, without waiting for a thread.
  func dropStopped() {
    let stopped = state.withLock { $0.count == 0 ? [] : $0.takeStopped() }
    if stopped.isEmpty { return }
    var output = JSONWriter()
    for job in stopped { job.run(shared, &output) }
  }

  /// Finishes what is queued and ends the threads.
  func stop() {
    state.updateAndWakeAll { $0.isStopping = true }
    let threads = threads.withLock { threads in
      let taken = threads
      threads = []
      return taken
    }
    for thread in threads { thread.join() }
  }

  private func work() {
    var output = JSONWriter()
    while let job = nextJob() {
      job.run(shared, &output)
      state.withLock { $0.running -= 1 }
    }
  }

  private func nextJob() -> (any PooledJob)? {
    state.wait { state -> (any PooledJob)?? in
      if let job = state.takeFirst() {
        state.running += 1
        return .some(job)
      }
      return state.isStopping ? .some(nil) : nil
    }
  }
}
