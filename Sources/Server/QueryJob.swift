// A query that is too long for an event loop.

import Ledger
import Platform
import Query
import Wire

/// A query that waits for a thread, with everything that is needed to answer it.
struct QueryJob: PooledJob {
  let connection: UInt64
  let place: AnswerPlace
  let id: RequestID?
  let method: MethodName?
  let request: QueryRequest
  /// Made for the cut, if planning was short.
  let plan: Plan?
  let reply: QueryReply
  let cut: Cut
  let stop: StopFlag
  let inbox: LoopInbox
  let wantsMeta: Bool
  let receivedAt: MonotonicTime

  func run(_ shared: Shared, _ output: inout JSONWriter) {
    defer { cut.doneReading() }
    do {
      try stop.check()
      let result =
        if let plan {
          try shared.queries.run(plan, on: cut, stop: stop)
        } else {
          try shared.queries.run(request, on: cut, stop: stop)
        }
      shared.queryCounts.count(result.trace.path, as: .page)
      if let id {
        AnswerWriter.page(
          result, of: request.table, reply, id, cut: cut,
          position: wantsMeta ? cut.position : nil, into: &output)
      }
      finish(shared, &output, position: cut.position)
    } catch {
      if let id { AnswerWriter.error(WireError(error), id, into: &output) }
      finish(shared, &output, position: nil)
    }
  }

  /// - Parameter position: of what the answer shows; nil for an error.
  private func finish(_ shared: Shared, _ output: inout JSONWriter, position: UInt64?) {
    shared.statistics.count(method, since: receivedAt, isError: position == nil)
    shared.running.remove(connection, place)
    inbox.post(.finished(connection: connection, place, line: output.copied(), position: position ?? 0))
    output.removeAll()
  }
}
