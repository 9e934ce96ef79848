// Calls that are questions: what they ask, and how their answers are written.

import Query

/// Everything that is asked of a moment of the books and not answered by one page of rows.
package enum QuestionCall: Sendable {
  case groups(AggregateRequest)
  case batch(QuestionBatch)
  case explanation(Question)

  /// Bytes of a batch's answer, at most.
  package static let batchByteLimit = 64 << 20

  package var questions: [Question] {
    switch self {
    case .groups(let request): [.groups(request)]
    case .batch(let batch): batch.members.map(\.question)
    case .explanation(let question): [question]
    }
  }

  /// Writes the answer.
  /// - Parameters:
  ///   - moment: what `questions` was asked of; `found` are the answers.
  ///   - wantsPosition: for requests that ask for it by `meta`.
  /// - Throws: `busy` when the answer is too long; nothing has been written then.
  package func write(
    _ found: MomentAnswers, _ moment: QuestionMoment, _ id: RequestID, wantsPosition: Bool,
    into writer: inout JSONWriter
  ) throws(WireError) {
    let position = wantsPosition ? moment.position : nil
    switch self {
    case .groups(let request):
      AnswerWriter.groups(found, of: request, id, books: moment.books, position: position, into: &writer)
    case .batch(let batch):
      try AnswerWriter.batch(
        found, of: batch, moment, id, position: position, byteLimit: Self.batchByteLimit, into: &writer)
    case .explanation: AnswerWriter.explanation(found, id, position: position, into: &writer)
    }
  }
}
