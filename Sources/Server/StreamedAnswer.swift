// An answer whose rows flow in notifications, made only as fast as the client reads.

import Columns
import Ledger
import Platform
import Query
import Wire

/// A request whose rows come some at a time, with what is needed to answer it.
struct FlowRequest: Sendable {
  let connection: UInt64
  let place: AnswerPlace
  let id: RequestID
  let method: MethodName?
  let wantsMeta: Bool
  let receivedAt: MonotonicTime
  let stop: StopFlag
  let inbox: LoopInbox
}

/// The rows of a query that was asked with `stream`, and how far they have been sent. Pieces of some lines
/// are made on query threads, the next one when the loop has taken the one before it; used by one of them at
/// a time.
final class StreamedAnswer: @unchecked Sendable {
  // @unchecked: a message hands it to the loop, the queue of jobs hands it back.
  enum State { case making, ready }

  /// Bytes of a piece, about: ten notifications.
  static let pieceByteCount = 512 << 10
  /// Rows for a notification that is worth its frame; more are looked for while there is time.
  private static let leastRows = 128

  let flow: FlowRequest
  let query: QueryRequest
  let reply: QueryReply
  /// Position of what the rows show.
  let position: UInt64
  /// Whose turn it is; the loop's.
  var state = State.making
  /// Lines that were made and not sent.
  private(set) var piece: [UInt8] = []
  /// Nothing comes after the piece.
  private(set) var isLast = false
  /// Nil when no more rows are read.
  private var cut: Cut?
  private var rows: RowStream?
  private var sentRowCount = 0
  private var sequence = 0
  private var isCounted = false

  init(_ flow: FlowRequest, _ query: QueryRequest, _ reply: QueryReply, cut: Cut) {
    self.flow = flow
    self.query = query
    self.reply = reply
    self.cut = cut
    position = cut.position
  }

  // Rows were read by whoever is done by now.
  deinit { cut?.doneReading() }

  var id: RequestID { flow.id }
  var place: AnswerPlace { flow.place }

  func takePiece() -> [UInt8] {
    let taken = piece
    piece = []
    return taken
  }

  /// Makes the next piece.
  /// - Returns: whether it has paused before there was anything to send.
  func makePiece(_ shared: Shared, _ output: inout JSONWriter, until end: MonotonicTime) -> Bool {
    do throws(QueryStopped) {
      let isPaused = try write(shared, &output, until: end)
      if isPaused, output.isEmpty { return true }
      count(shared, isError: false)
    } catch {
      finish(with: error, &output)
      count(shared, isError: true)
    }
    piece += output.copied()
    output.removeAll()
    return false
  }

  /// Counted when the first rows are there: the rest takes as long as the client likes.
  private func count(_ shared: Shared, isError: Bool) {
    if isCounted { return }
    isCounted = true
    shared.statistics.count(flow.method, since: flow.receivedAt, isError: isError)
  }

  /// Appends lines up to the size of a piece.
  /// - Returns: whether the time was over before that.
  private func write(
    _ shared: Shared, _ output: inout JSONWriter, until end: MonotonicTime
  ) throws(QueryStopped) -> Bool {
    try flow.stop.check()
    guard let cut else { return false }
    if rows == nil {
      rows = try shared.queries.stream(query, on: cut, stop: flow.stop)
      shared.queryCounts.count(rows?.path, as: .stream)
    }
    while output.count < Self.pieceByteCount {
      try flow.stop.check()
      if rows?.isAtEnd != false {
        writeEnd(&output)
        return false
      }
      if rows?.hasMore == true, (rows?.waiting.count ?? 0) < Self.leastRows {
        let isPaused = shared.clock.monotonicTime() >= end
        if !isPaused {
          try rows?.findMore()
          continue
        }
        if rows?.waiting.isEmpty != false { return true }
      }
      let count = AnswerWriter.streamLine(
        rows?.waiting ?? [], of: query.table, reply, id, sequence: sequence, cut: cut, into: &output)
      rows?.take(count)
      sentRowCount += count
      sequence += 1
    }
    return false
  }

  private func writeEnd(_ output: inout JSONWriter) {
    AnswerWriter.streamEnd(
      sentRowCount, rows?.tail ?? QueryTail(), reply, id, position: flow.wantsMeta ? position : nil,
      into: &output)
    letGo()
  }

  /// Ends the stream with an error behind what was made.
  func finish(with stopped: QueryStopped, _ output: inout JSONWriter) {
    AnswerWriter.error(
      .ended(stopped, rowCount: sentRowCount, cursor: rows?.cursorAfterTaken), id, into: &output)
    letGo()
  }

  /// Ends the stream that is not being made, because it was stopped; its last lines are kept until they are
  /// sent.
  func end(with stopped: QueryStopped) {
    var output = JSONWriter(capacity: 256)
    finish(with: stopped, &output)
    piece += output.copied()
  }

  private func letGo() {
    isLast = true
    rows = nil
    cut?.doneReading()
    cut = nil
  }
}

/// Makes the next piece of a stream.
struct StreamJob: PausableJob {
  let answer: StreamedAnswer

  var connection: UInt64 { answer.flow.connection }
  var stop: StopFlag { answer.flow.stop }

  func goOn(_ shared: Shared, _ output: inout JSONWriter, until end: MonotonicTime) -> Bool {
    if answer.makePiece(shared, &output, until: end) { return true }
    answer.flow.inbox.post(.streamMade(answer))
    return false
  }
}

extension WireError {
  /// Why rows came to an early end.
  /// - Parameters:
  ///   - rowCount: rows that were given.
  ///   - cursor: goes on after the last of them.
  static func ended(_ stopped: QueryStopped, rowCount: Int, cursor: Cursor?) -> WireError {
    var error = WireError(stopped)
    if stopped == .foreignCursor { return error }
    if stopped == .cutExpired, cursor != nil {
      error.message =
        "the view of this answer was held too long beside the writes; go on from data.next_cursor, in a view "
        + "of its own"
    }
    error.members.append(Member("rows", json: String(rowCount)))
    if let cursor { error.members.append(Member("next_cursor", text: cursor.text)) }
    return error
  }
}
