// Batches beside writers: each answer is that of the single question on the same moment, counts are true.

import Amounts
import Columns
import Ledger
import Platform
import Query
import Synchronization
import TestSupport
import Testing

@Suite struct BatchesUnderWritesTests {
  private static let batchCount = Effort.choose(8, long: 400)

  /// Some questions, filters and aggregates, of both tables that have aggregates.
  private static func questions(_ requests: inout RandomRequests) -> [Question] {
    (0..<Int.random(in: 1...15, using: &requests.generator)).map { _ in
      let table: QueryTable = requests.chance(3, in: 4) ? .balances : .transactions
      switch Int.random(in: 0..<4, using: &requests.generator) {
      case 0: return .groups(requests.aggregate(table).0)
      case 1: return .rows(requests.request(table))
      default: return .rows(requests.commonRequest(table))
      }
    }
  }

  private static func single(
    _ question: Question, _ engine: QueryEngine, _ cut: Cut
  ) throws -> Answer {
    switch question {
    case .rows(let request): .rows(try engine.run(request, on: cut, stop: StopFlag()))
    case .groups(let request): .groups(try engine.aggregate(request, on: cut, stop: StopFlag()))
    }
  }

  @Test(arguments: Seed.sample(2))
  func aBatchAnswersAsSingleQuestionsOfItsMomentDo(seed: Seed) throws {
    var shape = BooksShape()
    shape.balanceCount = 900
    shape.transactionCount = 300
    shape.hasOldTimes = seed.value % 2 == 0
    let random = try RandomBooks(seed: seed, shape: shape)
    let books = random.books
    var requests = RandomRequests(twin: NaiveQuery(books.cut()), generator: seed.generator)
    let batches = (0..<Self.batchCount).map { _ in Self.questions(&requests) }
    let balances = RandomBooks.currencies.map { currency in
      (currency: currency, identifiers: random.balances.filter { random.currencyOf[$0] == currency })
    }
    let writers = try TransferWriters(books, balances, threadCount: 1, seed: seed, allowing: 500)
    defer { writers.stop() }
    let engine = QueryEngine()
    var comparedCount = 0
    for (number, batch) in batches.enumerated() {
      // Without end the tables would grow faster than they are read.
      writers.allow(500)
      // In every second batch one that needs a cut: the others are to be answered of the same moment. Without
      // it short batches hold none; then they can be compared when nothing was written meanwhile.
      let questions = number % 2 == 0 ? batch + [.groups(Self.scanning)] : Array(batch.prefix(3))
      let moment = engine.moment(questions, of: books)
      let found = try engine.answer(moment, stop: StopFlag())
      let answers = found.answers
      let cut = moment.cut ?? books.cut()
      if cut.position != moment.position { continue }
      comparedCount += 1
      check(found, questions, cut, seed)
      for (question, answer) in zip(questions, answers) {
        let single = try Self.single(question, engine, cut)
        #expect(answer == single, "\(seed) at \(cut.position): \(question)")
        guard case .rows(let request) = question, request.includeCount, case .rows(let page) = answer else {
          continue
        }
        var whole = request
        whole.limit = nil
        whole.offset = 0
        whole.includeCount = false
        let all = try engine.run(whole, on: cut, stop: StopFlag()).rows
        #expect(page.totalCount == all.count, "\(seed) at \(cut.position): \(question)")
        let rows = all.dropFirst(request.offset).prefix(request.limit ?? .max)
        #expect(page.rows == Array(rows), "\(seed) at \(cut.position): \(question)")
      }
    }
    writers.stop()
    #expect(writers.movedCount > 0)
    #expect(comparedCount >= Self.batchCount / 2)
  }

  /// What pages show without a cut is what stood there.
  private func check(_ found: MomentAnswers, _ questions: [Question], _ cut: Cut, _ seed: Seed) {
    for (place, images) in found.images.enumerated() {
      guard let images, images.table == .balances, case .rows(let page) = found.answers[place] else {
        continue
      }
      for (number, row) in page.rows.enumerated() {
        var image = images.balance(number)
        image.metadata = images.withBytes(number) { bytes in bytes.indices.map { bytes[$0] } }
        #expect(image == cut.balance(row), "\(seed) at \(cut.position): \(row) of \(questions[place])")
      }
    }
  }

  /// An aggregate that live totals do not answer.
  private static let scanning = AggregateRequest(
    table: .balances,
    predicates: [
      Predicate(
        field: QueryField.named("version", in: .balances)!, op: .greater, operand: .amount(.zero))
    ], metrics: [.count])
}
