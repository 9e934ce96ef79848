// Fuzz target: any lines are decoded by both engines alike, and each is answered with one line of JSON.

import Ledger
import Platform
import Query
import Wire

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@_cdecl("FuzzRequests_main")
func main(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
  var count = count
  var arguments = unsafe arguments
  return unsafe runDriver(&count, &arguments) { bytes, byteCount in
    unsafe answer(Array(UnsafeBufferPointer(start: bytes, count: byteCount)))
    return 0
  }
}

/// Books that all inputs write to: the answers are checked, not what they say.
private let books = Books(clock: ManualClock(), seed: (1, 2))

private func answer(_ input: [UInt8]) {
  var lines = LineDecoder(longestLine: 1 << 16)
  lines.append(input)
  lines.finish()
  var fast = RequestDecoder()
  var slow = RequestDecoder(engine: .scanner)
  var writer = JSONWriter()
  while let event = lines.next() {
    guard case .line(let range) = event else { continue }
    switch (fast.decode(range, of: lines), slow.decode(range, of: lines)) {
    case (.failure(let error, let id), .failure(let other, let otherID)):
      precondition(error == other && id == otherID, "\(error) by simdjson, \(other) by the scanner")
      AnswerWriter.error(error, id, into: &writer)
    case (.single(let request), .single(let other)): answer(request, other, into: &writer)
    case (.batch(let requests), .batch(let others)):
      precondition(requests.count == others.count, "batches of one length")
      for (request, other) in zip(requests, others) { answer(request, other, into: &writer) }
    default: preconditionFailure("the engines read two kinds of lines")
    }
    check(&writer)
  }
}

private func answer(_ request: DecodedRequest, _ other: DecodedRequest, into writer: inout JSONWriter) {
  precondition(request.id == other.id && request.method == other.method, "one id, one method")
  let id = request.id ?? .null
  switch (request.call, other.call) {
  case (.failure(let error), .failure(let otherError)):
    precondition(error == otherError, "\(error) by simdjson, \(otherError) by the scanner")
    AnswerWriter.error(error, id, into: &writer)
  case (.success(let call), .success): carryOut(call, request, id, into: &writer)
  default: preconditionFailure("one engine's request is right, the other's is wrong")
  }
}

private func carryOut(
  _ call: Call, _ request: DecodedRequest, _ id: RequestID, into writer: inout JSONWriter
) {
  switch call {
  case .server, .changes: return
  case .read(let read): AnswerWriter.read(read, .current(books), id, into: &writer)
  case .write(let command, let reply):
    let key = request.key.map { IdempotencyKey(text: $0, contentDigest: reply.paramsDigest) }
    do throws(Refusal) {
      let execution = try books.execute(command, key: key)
      AnswerWriter.execution(execution, reply, id, books: books, wantsMeta: true, into: &writer)
    } catch {
      AnswerWriter.error(WireError(error, to: reply), id, into: &writer)
    }
  case .question(let call):
    let engine = QueryEngine()
    let moment = engine.moment(call.questions, of: books)
    guard let found = try? engine.answer(moment, stop: StopFlag()) else {
      preconditionFailure("nothing stops a question here")
    }
    // Too long an answer is an error, and nothing has been written then.
    try? call.write(found, moment, id, wantsPosition: true, into: &writer)
  case .query(let query, let reply):
    let cut = books.cut()
    guard let result = try? QueryEngine().run(query, on: cut, stop: StopFlag()) else {
      preconditionFailure("nothing stops a query here")
    }
    AnswerWriter.page(result, of: query.table, reply, id, cut: cut, into: &writer)
  }
}

/// Every answer so far is one line of JSON.
private func check(_ writer: inout JSONWriter) {
  var document = JSONDocument(engine: .scanner)
  for line in writer.text().split(separator: "\n") {
    do { try document.parse(copying: String(line)) } catch { preconditionFailure("\(error): \(line)") }
  }
  writer.removeAll()
}
