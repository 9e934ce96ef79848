// Threads for queries that are too long for an event loop.

import Ledger
import Platform
import Query
import Wire

/// A query that waits for a thread, with everything that is needed to answer it.
struct QueryJob: Sendable {
  let connection: UInt64
  let place: AnswerPlace
  let id: RequestID?
  let method: MethodName?
  let request: QueryRequest
  let reply: QueryReply
  let cut: Cut
  let stop: StopFlag
  let inbox: LoopInbox
  let wantsMeta: Bool
  let wantsStream: Bool
  let receivedAt: MonotonicTime
}

/// A bounded queue and its threads. First come, first served.
final class QueryPool: Sendable {
  private struct State {
    /// Places before `head` are empty, so that no cut is held by a job that was taken.
    var waiting: [QueryJob?] = []
    var head = 0
    var isStopping = false
    var running = 0

    var count: Int { waiting.count - head }

    mutating func takeFirst() -> QueryJob? {
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
    mutating func takeStopped() -> [QueryJob] {
      var stopped: [QueryJob] = []
      var left: [QueryJob?] = []
      for case let job? in waiting[head...] {
        if job.stop.isOver { stopped.append(job) } else { left.append(job) }
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
  func submit(_ job: QueryJob) -> Bool {
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
    for job in stopped { run(job, &output) }
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
      run(job, &output)
      state.withLock { $0.running -= 1 }
    }
  }

  private func nextJob() -> QueryJob? {
    state.wait { state -> QueryJob?? in
      if let job = state.takeFirst() {
        state.running += 1
        return .some(job)
      }
      return state.isStopping ? .some(nil) : nil
    }
  }

  private func run(_ job: QueryJob, _ output: inout JSONWriter) {
    defer { job.cut.doneReading() }
    do {
      try job.stop.check()
      let result = try shared.queries.run(job.request, on: job.cut, stop: job.stop)
      if job.wantsStream, let id = job.id {
        let answer = StreamedAnswer(
          id: id, place: job.place, request: job.request, reply: job.reply, result: result, cut: job.cut,
          stop: job.stop,
          wantsMeta: job.wantsMeta)
        shared.statistics.count(job.method, since: job.receivedAt, isError: false)
        job.inbox.post(.streamReady(connection: job.connection, slot: job.place.slot, answer))
        return
      }
      if let id = job.id {
        AnswerWriter.page(
          result, of: job.request.table, job.reply, id, cut: job.cut,
          position: job.wantsMeta ? job.cut.position : nil, into: &output)
      }
      finish(job, &output, isError: false)
    } catch {
      if let id = job.id { AnswerWriter.error(WireError(error), id, into: &output) }
      finish(job, &output, isError: true)
    }
  }

  private func finish(_ job: QueryJob, _ output: inout JSONWriter, isError: Bool) {
    shared.statistics.count(job.method, since: job.receivedAt, isError: isError)
    shared.running.remove(job.connection, job.place)
    job.inbox.post(.finished(connection: job.connection, job.place, line: output.copied()))
    output.removeAll()
  }
}

extension StopFlag {
  /// Whether the query need not go on.
  fileprivate var isOver: Bool {
    do throws(QueryStopped) { try check() } catch { return true }
    return false
  }
}
