// Questions and the moment that they are asked of: live totals where these do, one held cut for the rest.

import Columns
import Ledger

/// Questions with all that has to be read while writers wait. Answering them may take place later, on any
/// thread.
package struct QuestionMoment: Sendable {
  package let questions: [Question]
  package let books: Books
  /// Journal position of the moment.
  package let position: UInt64
  /// What rows are read through; nil when live totals answer every question.
  package let cut: Cut?
  /// The questions that live totals answer, by place.
  fileprivate let live: [LiveGroupAnswer?]
  fileprivate let images: GroupImages?

  /// Questions on a cut that is held already.
  package init(_ questions: [Question], on cut: Cut) {
    self.questions = questions
    books = cut.books
    position = cut.position
    self.cut = cut
    live = Array(repeating: nil, count: questions.count)
    images = nil
  }

  fileprivate init(_ questions: [Question], _ instant: Cut, _ live: [LiveGroupAnswer?]) {
    self.questions = questions
    books = instant.books
    position = instant.position
    self.live = live
    images = live.contains { $0 != nil } ? GroupImages(instant) : nil
    cut = live.contains { $0 == nil } ? instant.held() : nil
  }
}

/// The answers to the questions of a moment.
package struct MomentAnswers: Sendable {
  package var answers: [Answer]
  /// The tests of each question's rows, in a few words.
  package var tests: [[String]]
}

extension QueryEngine {
  /// Questions that are resolved against live totals at once; more make the rest wait for a held cut.
  private static let liveQuestionLimit = 64

  /// Takes the moment of some questions. Microseconds: what takes long is left for `answer`.
  package func moment(_ questions: [Question], of books: Books) -> QuestionMoment {
    let suiting = questions.prefix(Self.liveQuestionLimit).map { question -> AggregateRequest? in
      guard case .groups(let request) = question, LiveGroupAnswer.suits(request) else { return nil }
      return request
    }
    if suiting.allSatisfy({ $0 == nil }) { return QuestionMoment(questions, on: books.cut()) }
    // The order of ledgers and currencies has to be known before; new ones are rare.
    prepare(suiting.compactMap { $0 }, books)
    return books.withInstant { cut in
      let live = questions.indices.map { place in
        place < suiting.count
          ? suiting[place].flatMap { LiveGroupAnswer($0, instant: cut, ranks) } : nil
      }
      return QuestionMoment(questions, cut, live)
    }
  }

  /// Makes the alphabets that are missing.
  private func prepare(_ requests: [AggregateRequest], _ books: Books) {
    let columns = Set(requests.flatMap(\.groupBy))
    let areKept = books.withInstant { cut in
      Alphabets.areKept(columns, RowReader(cut: cut, table: .balances), ranks)
    }
    if areKept { return }
    let reader = RowReader(cut: books.cut(), table: .balances)
    _ = try? Alphabets(Array(columns), reader, ranks, StopFlag())
  }

  /// About how long `answer` takes, in nanoseconds. Makes the plans of all questions that live totals do not
  /// answer.
  package func estimate(_ moment: QuestionMoment, stop: StopFlag) throws(QueryStopped) -> Int {
    var estimate = (moment.images?.totals.count ?? 0) * 20
    guard let cut = moment.cut else { return estimate }
    for place in moment.questions.indices where moment.live[place] == nil {
      estimate += try plan(moment.questions[place], on: cut, stop: stop).estimatedNanoseconds
    }
    return estimate
  }

  /// The answers to the questions of a moment.
  ///
  /// - Throws: as `run` and `aggregate`; a fault of one question is a fault of all.
  package func answer(
    _ moment: QuestionMoment, stop: StopFlag
  ) throws(QueryStopped) -> MomentAnswers {
    var answers = [Answer?](repeating: nil, count: moment.questions.count)
    var tests = [[String]](repeating: [], count: moment.questions.count)
    var plans: [QuestionPlan] = []
    var rest: [Int] = []
    for place in moment.questions.indices {
      if let live = moment.live[place], let images = moment.images {
        answers[place] = .groups(try live.result(images, stop))
        tests[place] = live.test.parts
      } else if let cut = moment.cut {
        let plan = try plan(moment.questions[place], on: cut, stop: stop)
        tests[place] = plan.tests
        plans.append(plan)
        rest.append(place)
      }
    }
    if let cut = moment.cut {
      let others = try run(plans, on: cut, stop: stop)
      for (place, answer) in zip(rest, others) { answers[place] = answer }
    }
    return MomentAnswers(
      answers: answers.map { answer in
        guard let answer else { preconditionFailure("live totals or the cut answer") }
        return answer
      }, tests: tests)
  }
}

extension RowTest {
  /// The tests that must all hold, each in a few words.
  var parts: [String] {
    switch self {
    case .everything: []
    case .all(let tests): tests.map(\.summary)
    default: [summary]
    }
  }
}
