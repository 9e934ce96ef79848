// Answers a decoded request in process as the server does: filter in, finished bytes out.

import Ledger
import Platform
import Query
import Wire

/// A shape whose request is decoded.
struct DecodedShape {
  let shape: QueryShape
  /// Several for the questions that are asked one after another.
  let calls: [Call]
}

/// Decodes and answers shapes. One thread.
struct QueryAnswerer: ~Copyable {
  private let books: Books
  private let engine = QueryEngine()
  private var decoder = RequestDecoder()
  private var output = JSONWriter()
  private static let id = RequestID(json: "1")

  init(_ books: Books) { self.books = books }

  /// The shape's request decoded; nil, with the reason, when this version does not know such a request.
  mutating func decode(_ shape: QueryShape) throws -> (decoded: DecodedShape?, reason: String) {
    var lines = [shape.line]
    if shape.method == QueryShapes.oneByOne {
      lines = try ComparedAnswer.requests(shape).map { #"{"id":1,"method":"\#($0)","params":\#($1)}"# }
    }
    var calls: [Call] = []
    for line in lines {
      guard case .single(let request) = decoder.decode(copying: line) else {
        throw ComparisonFailure.notAnswered(shape.name)
      }
      switch request.call {
      case .success(let call) where Self.isKnown(call): calls.append(call)
      case .success: return (nil, "\(shape.method) has no answer in process")
      case .failure(let error): return (nil, "\(error)")
      }
    }
    return (DecodedShape(shape: shape, calls: calls), "")
  }

  private static func isKnown(_ call: Call) -> Bool {
    switch call {
    case .query, .question, .read: true
    case .server, .write, .changes: false
    }
  }

  /// Answers the shape into memory of its own, which is reused.
  /// - Returns: bytes of the answer.
  @discardableResult
  mutating func answer(_ decoded: DecodedShape) throws -> Int {
    output.removeAll()
    for call in decoded.calls { try answer(call) }
    return output.count
  }

  private mutating func answer(_ call: Call) throws {
    switch call {
    case .query(let request, let reply):
      try answer(request, reply)
    case .question(let call):
      let moment = engine.moment(call.questions, of: books)
      let found = try engine.answer(moment, stop: StopFlag())
      try call.write(found, moment, Self.id, wantsPosition: false, into: &output)
    case .read(let read): AnswerWriter.read(read, .current(books), Self.id, into: &output)
    case .server, .write, .changes: throw ComparisonFailure.notAnswered("a request that is no question")
    }
  }

  /// As the event loop and the query threads do together: short ones in an instant, others on a held cut.
  private mutating func answer(_ request: QueryRequest, _ reply: QueryReply) throws {
    let stop = StopFlag()
    let (result, cut): (QueryResult, Cut)
    if QueryEngine.isLongToPlan(request) {
      cut = books.cut()
      result = try engine.run(request, on: cut, stop: stop)
    } else {
      switch try engine.answer(request, books, stop: stop) {
      case .shown(let result, let images, position: _):
        return AnswerWriter.page(result, images, reply, Self.id, books: books, into: &output)
      case .found(let found, let held): (result, cut) = (found, held)
      case .planned(let plan, let held): (result, cut) = (try engine.run(plan, on: held, stop: stop), held)
      }
    }
    AnswerWriter.page(result, of: request.table, reply, Self.id, cut: cut, into: &output)
  }

  /// The lines of the last answer.
  borrowing func text() -> String { output.text() }
}
