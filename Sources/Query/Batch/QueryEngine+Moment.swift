// Questions and the moment that they are asked of: live totals where these do, one held cut for the rest.

import Columns
import Ledger

/// Questions with all that has to be read while writers are kept out. Answering them may take place later, on
/// any thread.
package struct QuestionMoment: Sendable {
  package let questions: [Question]
  package let books: Books
  /// Journal position of the moment.
  package let position: UInt64
  /// What rows are read through; nil when everything was read at the moment itself.
  package let cut: Cut?
  /// What was read at the moment itself, by question.
  fileprivate let parts: [Part?]
  fileprivate let groupImages: GroupImages?

  fileprivate enum Part: Sendable {
    /// To be answered from the images of groups.
    case groups(LiveGroupAnswer)
    /// The page of a short query, and what its rows show if no cut is held; `isCounted` when the number of
    /// all its rows is not wanted or in it already.
    case page(QueryResult, tests: [String], PageImages?, isCounted: Bool)
  }

  /// Questions on a cut that is held already.
  package init(_ questions: [Question], on cut: Cut) {
    self.questions = questions
    books = cut.books
    position = cut.position
    self.cut = cut
    parts = Array(repeating: nil, count: questions.count)
    groupImages = nil
  }

  /// - Parameter show: copies what the rows of a page show, if that may be done while writers wait.
  fileprivate init(
    _ questions: [Question], _ instant: Cut, _ parts: [Part?], show: (Question, QueryResult) -> PageImages?
  ) {
    self.questions = questions
    books = instant.books
    position = instant.position
    let hasGroups = parts.contains { if case .groups(let live) = $0 { live.needsImages } else { false } }
    groupImages = hasGroups ? GroupImages(instant.groups) : nil
    var parts = parts
    var isWhole = !parts.contains { part in
      if case .page(_, _, _, isCounted: false) = part { true } else { part == nil }
    }
    // With a held cut there is no need to copy what rows show.
    for place in parts.indices where isWhole {
      guard case .page(let result, let tests, _, _) = parts[place] else { continue }
      let images = show(questions[place], result)
      isWhole = images != nil
      parts[place] = .page(result, tests: tests, images, isCounted: true)
    }
    self.parts = parts
    cut = isWhole ? nil : instant.held()
  }
}

/// The answers to the questions of a moment.
package struct MomentAnswers: Sendable {
  package var answers: [Answer]
  /// The tests of each question's rows, in a few words.
  package var tests: [[String]]
  /// What the rows of each page show; nil where they are to be read through the moment's cut.
  package var images: [PageImages?]
}

extension QueryEngine {
  /// Aggregates that are resolved against live totals at once; more make the rest wait for a held cut.
  private static let liveQuestionLimit = 64
  /// Nanoseconds for all short queries of a batch while writers are kept out; the others wait for a held cut.
  /// What a page in the order of balances takes there, a scan would take twenty times over.
  private static let instantBudget = 1_000_000
  /// Rows whose images are copied then, of all pages together.
  private static let instantRows = 1024

  /// Takes the moment of some questions. Microseconds for one, some hundred for a batch: what takes long is
  /// left for `answer`.
  package func moment(_ questions: [Question], of books: Books) -> QuestionMoment {
    let suiting = questions.prefix(Self.liveQuestionLimit).map { question -> AggregateRequest? in
      guard case .groups(let request) = question, LiveGroupAnswer.suits(request) else { return nil }
      return request
    }
    let isShort = questions.map { question in
      guard case .rows(let request) = question else { return false }
      return !Self.isLongToPlan(request) && request.cursor?.belongs(to: request) ?? true
    }
    if suiting.allSatisfy({ $0 == nil }) && !isShort.contains(true) {
      return QuestionMoment(questions, on: books.cut())
    }
    // The order of ledgers and currencies has to be known before; new ones are rare.
    prepare(suiting.compactMap { $0 }, books)
    return books.withInstant { cut in
      let watch = Stopwatch()
      var parts: [QuestionMoment.Part?] = []
      var extremeRows = LiveExtremes.momentRows
      for place in questions.indices {
        var part: QuestionMoment.Part?
        if place < suiting.count, let request = suiting[place] {
          part = LiveGroupAnswer(request, instant: cut, ranks, &extremeRows).map { .groups($0) }
        } else if isShort[place], case .rows(let request) = questions[place] {
          let left = Self.instantBudget - watch.nanoseconds
          if left > 0 { part = page(request, cut, limit: left) }
        }
        parts.append(part)
      }
      var rowsLeft = Self.instantRows
      return QuestionMoment(questions, cut, parts) { question, result in
        rowsLeft -= result.rows.count
        guard rowsLeft >= 0 else { return nil }
        return PageImages(result.rows, RowReader(cut: cut, table: question.table, texts: texts))
      }
    }
  }

  /// The page of a short query; nil when it is not short after all.
  private func page(_ request: QueryRequest, _ cut: Cut, limit: Int) -> QuestionMoment.Part? {
    let reader = RowReader(cut: cut, table: request.table, texts: texts)
    let stop = StopFlag()
    guard let plan = try? planner(reader, stop, countsApart: true).plan(request), plan.fitsInstant,
      plan.estimatedNanoseconds <= limit,
      let result = try? attempt(plan, reader, stop, limit: min(limit, plan.instantLimit), Stopwatch())
    else { return nil }
    let isCounted = if case .apart = plan.counting { false } else { true }
    return .page(result, tests: plan.tests, nil, isCounted: isCounted)
  }

  /// Makes the alphabets that are missing.
  private func prepare(_ requests: [AggregateRequest], _ books: Books) {
    let columns = Set(requests.flatMap(\.groupBy))
    if columns.isEmpty { return }
    let areKept = books.withInstant { cut in
      Alphabets.areKept(columns, RowReader(cut: cut, table: .balances), ranks)
    }
    if areKept { return }
    let reader = RowReader(cut: books.cut(), table: .balances)
    _ = try? Alphabets(Array(columns), reader, ranks, StopFlag())
  }

  /// About how long `answer` takes, in nanoseconds. Makes the plans of all questions that are still open.
  package func estimate(_ moment: QuestionMoment, stop: StopFlag) throws(QueryStopped) -> Int {
    var estimate = (moment.groupImages?.cells.count ?? 0) * 20
    guard let cut = moment.cut else { return estimate }
    for place in moment.questions.indices {
      switch moment.parts[place] {
      case nil, .page(_, _, _, isCounted: false):
        estimate += try plan(moment.questions[place], on: cut, stop: stop).estimatedNanoseconds
      case .groups, .page: break
      }
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
    var images = [PageImages?](repeating: nil, count: moment.questions.count)
    var plans: [QuestionPlan] = []
    var rest: [Int] = []
    var toCount: [(place: Int, request: QueryRequest)] = []
    for place in moment.questions.indices {
      switch moment.parts[place] {
      case .groups(let live):
        answers[place] = .groups(try live.result(moment.groupImages, stop))
        tests[place] = live.test.parts
      case .page(let result, let parts, let shown, let isCounted):
        answers[place] = .rows(result)
        if !isCounted, case .rows(let request) = moment.questions[place] { toCount.append((place, request)) }
        tests[place] = parts
        images[place] = shown
      case nil:
        guard let cut = moment.cut else { preconditionFailure("a cut is held for it") }
        let plan = try plan(moment.questions[place], on: cut, stop: stop)
        tests[place] = plan.tests
        plans.append(plan)
        rest.append(place)
      }
    }
    if let cut = moment.cut {
      // A part is shown by images only if all are.
      for place in images.indices { images[place] = nil }
      let others = try run(plans, counting: toCount.map(\.request), on: cut, stop: stop)
      for (place, answer) in zip(rest, others.answers) { answers[place] = answer }
      for (count, counted) in zip(others.counts, toCount) {
        guard case .rows(var result) = answers[counted.place] else { continue }
        result.totalCount = count
        result.trace.rowsMatched = count
        answers[counted.place] = .rows(result)
      }
    }
    return MomentAnswers(
      answers: answers.map { answer in
        guard let answer else { preconditionFailure("each question was answered in one way or the other") }
        return answer
      }, tests: tests, images: images)
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
