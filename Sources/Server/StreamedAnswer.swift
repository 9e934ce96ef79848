// An answer whose rows flow in notifications, made only as fast as the client reads.

import Columns
import Ledger
import Platform
import Query
import Wire

/// The rows of a query that was asked with `stream`, and how far they have been sent. Handed from the query
/// thread to the loop, and used by one of them at a time.
final class StreamedAnswer: @unchecked Sendable {
  // @unchecked: the message that hands it over is the only way from one thread to the other.
  let id: RequestID
  let place: AnswerPlace
  let request: QueryRequest
  let reply: QueryReply
  let result: QueryResult
  let cut: Cut
  let stop: StopFlag
  let wantsMeta: Bool
  /// Rows sent so far.
  var sentRowCount = 0
  /// Number of the next notification, from 0.
  var sequence = 0

  init(
    id: RequestID, place: AnswerPlace, request: QueryRequest, reply: QueryReply, result: QueryResult,
    cut: Cut, stop: StopFlag,
    wantsMeta: Bool
  ) {
    self.id = id
    self.place = place
    self.request = request
    self.reply = reply
    self.result = result
    self.cut = cut
    self.stop = stop
    self.wantsMeta = wantsMeta
  }

  // Rows were read by the loop that sent them, after the query thread was done.
  deinit { cut.doneReading() }

  var rest: ArraySlice<RowIndex> { result.rows[sentRowCount...] }
}

extension StreamedAnswer {
  /// Whether the stream may go on.
  func check() throws(WireError) {
    do throws(QueryStopped) {
      try stop.check()
    } catch {
      throw WireError(error)
    }
  }

  /// Writes the next notification, or the last line when all rows are out.
  /// - Returns: whether more is to come.
  func writeNext(into output: inout JSONWriter) -> Bool {
    if sentRowCount == result.rows.count {
      AnswerWriter.streamEnd(result, reply, id, position: wantsMeta ? cut.position : nil, into: &output)
      return false
    }
    sentRowCount += AnswerWriter.streamLine(
      rest, of: request.table, reply, id, sequence: sequence, cut: cut, into: &output)
    sequence += 1
    return true
  }
}
