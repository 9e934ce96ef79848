// Carrying out aggregates, batches of questions and explanations.

import Ledger
import Platform
import Query
import Wire

extension ConnectionLoop {
  /// Questions that are planned on the loop to see how long they take; more go to the query threads.
  private static let plannedQuestions = 16

  /// Answers at once what live totals or little reading answer; everything else is handed to the query
  /// threads.
  /// - Parameter cut: the cut that a run of reads shares, if there is one.
  mutating func ask(
    _ call: QuestionCall, _ request: DecodedRequest, _ connection: inout Connection, _ place: AnswerPlace?,
    cut: Cut?, from start: MonotonicTime
  ) throws(WireError) {
    if request.wantsStream { throw .notStreamable }
    if request.output != nil, case .groups(let asked) = call {
      let moment = shared.queries.moment(call.questions, of: shared.books)
      return try deliver(.groups(asked, moment), request, &connection, place, from: start)
    }
    let stop = StopFlag(deadline: request.timeout.map { start + $0 }, clock: shared.clock)
    let questions = call.questions
    let moment =
      cut.map { QuestionMoment(questions, on: $0) } ?? shared.queries.moment(questions, of: shared.books)
    if let found = try answerIfShort(moment, stop) {
      try respond(&connection, request, place) { id, output throws(WireError) in
        try call.write(found, moment, id, wantsPosition: request.wantsMeta, into: &output)
        return moment.position
      }
      shared.statistics.count(request.method, since: start, isError: false)
      return
    }
    let place = place ?? AnswerPlace(slot: connection.answers.open())
    let job = QuestionJob(
      connection: connection.number, place: place, id: request.id, method: request.method, call: call,
      moment: moment, stop: stop, inbox: inbox, wantsMeta: request.wantsMeta, receivedAt: start)
    submit(job, request, &connection, place, stop, cut: moment.cut, from: start)
  }

  /// The answers when they cost less than handing the questions over; nil otherwise.
  private func answerIfShort(
    _ moment: QuestionMoment, _ stop: StopFlag
  ) throws(WireError) -> MomentAnswers? {
    do throws(QueryStopped) {
      try stop.check()
      if moment.cut != nil {
        if moment.questions.count > Self.plannedQuestions { return nil }
        let isLong = moment.questions.contains { $0.predicates.contains(where: \.isLongToPlan) }
        if isLong { return nil }
      }
      if try shared.queries.estimate(moment, stop: stop) > Self.shortQueryNanoseconds { return nil }
      return try shared.queries.answer(moment, stop: stop)
    } catch {
      throw WireError(error)
    }
  }
}
