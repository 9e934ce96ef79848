// Answers to `balances.query` and `balances.explain`.

import Columns
import Ledger
import Query

extension AnswerWriter {
  /// Writes the answers to a batch: `{"results":[{"name"?,"result","explain"?}]}`.
  /// - Parameters:
  ///   - found: an answer to each member.
  ///   - byteLimit: bytes of the answer, at most.
  /// - Throws: `busy` when the answer becomes longer; nothing has been written then.
  package static func batch(
    _ found: MomentAnswers, of batch: QuestionBatch, _ moment: QuestionMoment, _ id: RequestID,
    position: UInt64? = nil, byteLimit: Int, into writer: inout JSONWriter
  ) throws(WireError) {
    let mark = writer.count
    beginResult(id, into: &writer)
    writer.beginObject()
    writer.key("results")
    writer.beginArray()
    for (index, member) in batch.members.enumerated() {
      writer.beginObject()
      if let name = member.name {
        writer.key("name")
        writer.string(name)
      }
      writer.key("result")
      append(
        found.answers[index], found.images[index], to: member.question, member.reply, moment, into: &writer)
      if batch.explains {
        writer.key("explain")
        append(found.tests[index], found.answers[index], into: &writer)
      }
      writer.endObject()
      if writer.count - mark > byteLimit {
        writer.rewind(to: mark)
        throw WireError.busy(
          "the answers of the batch have more than \(byteLimit) bytes; ask for less at a time",
          retryAfter: .milliseconds(1))
      }
    }
    writer.endArray()
    writer.endObject()
    endResult(position: position, into: &writer)
  }

  private static func append(
    _ answer: Answer, _ images: PageImages?, to question: Question, _ reply: QueryReply,
    _ moment: QuestionMoment, into writer: inout JSONWriter
  ) {
    switch (answer, question) {
    case (.rows(let result), _) where images != nil:
      if let images { append(result, images, reply, moment.books, into: &writer) }
    case (.rows(let result), _):
      guard let cut = moment.cut else { preconditionFailure("rows are read through a cut") }
      append(result, of: question.table, reply, cut, into: &writer)
    case (.groups(let result), .groups(let request)): append(result, of: request, moment.books, into: &writer)
    case (.groups, .rows): preconditionFailure("answers fit their questions")
    }
  }

  /// Writes how a question was answered.
  package static func explanation(
    _ found: MomentAnswers, _ id: RequestID, position: UInt64? = nil, into writer: inout JSONWriter
  ) {
    beginResult(id, into: &writer)
    append(found.tests[0], found.answers[0], into: &writer)
    endResult(position: position, into: &writer)
  }

  /// Appends plan and trace as an object.
  private static func append(_ tests: [String], _ answer: Answer, into writer: inout JSONWriter) {
    let trace = answer.trace
    writer.beginObject()
    writer.key("plan")
    writer.beginObject()
    writer.key("path")
    writer.plainString(trace.path.name)
    writer.key("count_path")
    writer.plainString(trace.countPath.name)
    writer.key("estimates")
    writer.beginObject()
    writer.key("rows")
    writer.integer(trace.estimate.rows)
    writer.key("matches")
    if let matches = trace.estimate.matches { writer.integer(matches) } else { writer.null() }
    writer.key("ns")
    writer.integer(trace.estimate.nanoseconds)
    writer.endObject()
    writer.key("tests")
    writer.beginArray()
    for test in tests { writer.string(test) }
    writer.endArray()
    writer.endObject()
    appendActual(trace, into: &writer)
    writer.key("row_count")
    switch answer {
    case .rows(let result):
      writer.integer(result.rows.count)
      if let count = result.totalCount {
        writer.key("total_count")
        writer.integer(count)
      }
    case .groups(let result): writer.integer(result.count)
    }
    writer.endObject()
  }

  private static func appendActual(_ trace: QueryTrace, into writer: inout JSONWriter) {
    writer.key("actual")
    writer.beginObject()
    writer.key("rows_scanned")
    writer.integer(trace.rowsScanned)
    writer.key("rows_matched")
    writer.integer(trace.rowsMatched)
    writer.key("rows_touched")
    writer.integer(trace.rowsTouched)
    writer.key("chunks_pruned")
    writer.integer(trace.chunksPruned)
    writer.key("fell_through")
    writer.bool(trace.hasFallenThrough)
    writer.key("instant")
    writer.bool(trace.isInstant)
    writer.endObject()
    writer.key("steps")
    writer.beginArray()
    for step in trace.steps {
      writer.beginObject()
      writer.key("name")
      writer.plainString(step.name)
      writer.key("ns")
      writer.integer(step.nanoseconds)
      writer.endObject()
    }
    writer.endArray()
  }
}
