// An aggregate, a batch or an explanation that is too long for an event loop.

import Ledger
import Platform
import Query
import Wire

/// Questions that wait for a thread, with everything that is needed to answer them.
struct QuestionJob: PooledJob {
  let connection: UInt64
  let place: AnswerPlace
  let id: RequestID?
  let method: MethodName?
  let call: QuestionCall
  let moment: QuestionMoment
  let stop: StopFlag
  let inbox: LoopInbox
  let wantsMeta: Bool
  let receivedAt: MonotonicTime

  func run(_ shared: Shared, _ output: inout JSONWriter) {
    defer { moment.cut?.doneReading() }
    do throws(WireError) {
      let found = try answers(shared)
      if let id { try call.write(found, moment, id, wantsPosition: wantsMeta, into: &output) }
      finish(shared, &output, position: moment.position)
    } catch {
      if let id { AnswerWriter.error(error, id, into: &output) }
      finish(shared, &output, position: nil)
    }
  }

  private func answers(_ shared: Shared) throws(WireError) -> MomentAnswers {
    do throws(QueryStopped) {
      try stop.check()
      return try shared.queries.answer(moment, stop: stop)
    } catch {
      throw WireError(error)
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
