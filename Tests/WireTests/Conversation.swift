// Requests and answers without a server: lines in, lines out, over books of their own.

import Ledger
import Platform
import Query
import Testing

@testable import Wire

/// One client that talks to fresh books whose time stands still.
struct Conversation: ~Copyable {
  let log: FactLog
  let books: Books
  private var decoder = RequestDecoder()
  private var lines = LineDecoder()
  private var writer = JSONWriter()

  init() {
    log = FactLog()
    books = Books(clock: ManualClock(), seed: (1, 2), log: log)
  }

  /// The line that answers `line`, without its end; nil for notifications.
  mutating func answer(_ line: [UInt8]) -> String? {
    var received = line
    received.append(UInt8(ascii: "\n"))
    lines.append(received)
    guard case .line(let range) = lines.next() else { return nil }
    writer.removeAll()
    switch decoder.decode(range, of: lines) {
    case .failure(let error, let id): AnswerWriter.error(error, id, into: &writer)
    case .single(let request): answer(request)
    case .batch(let requests): return answer(requests)
    }
    return writer.isEmpty ? nil : String(writer.text().dropLast())
  }

  mutating func answer(_ line: String) -> String? { answer(Array(line.utf8)) }

  private mutating func answer(_ requests: [DecodedRequest]) -> String? {
    var answers: [String] = []
    for request in requests {
      writer.removeAll()
      answer(request)
      if !writer.isEmpty { answers.append(String(writer.text().dropLast())) }
    }
    return answers.isEmpty ? nil : "[" + answers.joined(separator: ",") + "]"
  }

  /// What is copied in an instant and rendered afterwards is what the cut shows.
  private func compareInstant(
    _ query: QueryRequest, _ reply: QueryReply, _ id: RequestID
  ) throws(QueryStopped) {
    guard case .shown(let result, let images, _) = try QueryEngine().answer(query, books, stop: StopFlag())
    else { return }
    var other = JSONWriter()
    AnswerWriter.page(result, images, reply, id, books: books, into: &other)
    #expect(other.text() == writer.text())
  }

  private mutating func answer(_ request: DecodedRequest) {
    let id = request.id ?? .null
    switch request.call {
    case .failure(let error): AnswerWriter.error(error, id, into: &writer)
    case .success(.write(let command, let reply)):
      let key = request.key.map { IdempotencyKey(text: $0, contentDigest: reply.paramsDigest) }
      do throws(Refusal) {
        let execution = try books.execute(command, key: key)
        AnswerWriter.execution(
          execution, reply, id, books: books, wantsMeta: request.wantsMeta, into: &writer)
      } catch {
        AnswerWriter.error(WireError(error, to: reply), id, into: &writer)
      }
    case .success(.read(let call)): AnswerWriter.read(call, .current(books), id, into: &writer)
    case .success(.query(let query, let reply)):
      let cut = books.cut()
      do throws(QueryStopped) {
        let result = try QueryEngine().run(query, on: cut, stop: StopFlag())
        AnswerWriter.page(result, of: query.table, reply, id, cut: cut, into: &writer)
        try compareInstant(query, reply, id)
      } catch {
        AnswerWriter.error(.cancelled, id, into: &writer)
      }
    case .success(.question(let call)):
      let engine = QueryEngine()
      let moment = engine.moment(call.questions, of: books)
      guard let found = try? engine.answer(moment, stop: StopFlag()),
        (try? call.write(found, moment, id, wantsPosition: request.wantsMeta, into: &writer)) != nil
      else { return AnswerWriter.error(.cancelled, id, into: &writer) }
    case .success(.server(.ping)):
      AnswerWriter.beginResult(id, into: &writer)
      writer.string("pong")
      AnswerWriter.endResult(position: nil, into: &writer)
    case .success(.server(.discover)):
      AnswerWriter.beginResult(id, into: &writer)
      MethodTable.openRPC(into: &writer)
      AnswerWriter.endResult(position: nil, into: &writer)
    case .success(.server), .success(.changes):
      AnswerWriter.error(.forbidden("this is answered by the server"), id, into: &writer)
    }
    if request.id == nil { writer.removeAll() }
  }
}
