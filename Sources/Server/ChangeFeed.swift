// Changes on their way to one client, made piece by piece as the client takes them.

import Ledger
import Platform
import Query
import Storage
import Wire

/// A subscription, or a `changes.read` that streams. Handed from the loop to a query thread, which makes one
/// piece, and back: never two at once, so a client that does not read costs one piece of memory.
final class ChangeFeed: @unchecked Sendable {
  // @unchecked: used by one thread at a time; the job and the message that end it are the way between them.

  /// Bytes of one notification, about.
  static let pieceByteLimit = AnswerWriter.streamLineLimit

  enum Shape {
    /// Goes on for ever; its request was answered when it began.
    case subscription
    /// As many as were asked for, at most to the position that was committed then; then the answer.
    case stream(limit: Int, through: UInt64)
  }

  enum State {
    /// Nothing is made: the client has taken everything, or there is nothing new.
    case idle
    /// A query thread makes the next piece.
    case making
    /// The next piece waits for the socket.
    case ready
  }

  let id: RequestID
  let place: AnswerPlace
  let shape: Shape
  let method: MethodName?
  let stop: StopFlag
  let wantsMeta: Bool
  let receivedAt: MonotonicTime
  private let cursor: ChangeCursor
  private let changes: ChangeReader
  var state = State.idle
  /// Whole lines; empty when there was nothing new.
  var piece: [UInt8] = []
  /// The piece is the last one.
  private(set) var isLast = false
  /// It ended with an error.
  private(set) var hasFailed = false
  private var sentCount = 0
  private var sequence = 0
  /// Where the answer to the subscription ends, in bytes since the connection began.
  private var answerEnd: UInt64?

  init(
    _ request: DecodedRequest, _ id: RequestID, _ place: AnswerPlace, _ shape: Shape, from start: UInt64,
    of changes: ChangeReader, stop: StopFlag, receivedAt: MonotonicTime
  ) {
    self.id = id
    self.place = place
    self.shape = shape
    self.changes = changes
    self.stop = stop
    self.receivedAt = receivedAt
    method = request.method
    wantsMeta = request.wantsMeta
    cursor = changes.cursor(from: start)
  }

  var isSubscription: Bool { if case .subscription = shape { true } else { false } }

  /// Position of the first change that is not in a piece yet.
  var nextPosition: UInt64 { cursor.position }

  /// Whether a change has been committed that is not in a piece yet.
  var hasNews: Bool { changes.readablePosition >= cursor.position }

  /// The piece that is ready, which is gone then.
  func takePiece() -> [UInt8] {
    let piece = piece
    self.piece = []
    state = .idle
    return piece
  }

  /// Whether the answer to the subscription has left. When this is asked first, that answer waits before the
  /// slots, where they end at the latest.
  func hasBegun(leftByteCount: UInt64, frontByteCount: UInt64) -> Bool {
    let end = answerEnd ?? frontByteCount
    answerEnd = end
    return leftByteCount >= end
  }

  /// Makes the next piece. Reads from disk when what is next is old.
  func makePiece(_ books: Books, _ output: inout JSONWriter) {
    do throws(WireError) {
      do throws(QueryStopped) { try stop.check() } catch { throw WireError(error) }
      do throws(ChangeFault) {
        switch shape {
        case .subscription: try notify(books, &output)
        case .stream(let limit, let through): try streamOn(books, limit, through, &output)
        }
      } catch {
        throw WireError(error)
      }
    } catch {
      // Half a line is none.
      output.removeAll()
      end(with: error, &output)
    }
    piece = output.copied()
    output.removeAll()
  }

  /// Writes the last line: why no more comes.
  func end(with error: WireError, _ output: inout JSONWriter) {
    isLast = true
    hasFailed = true
    switch shape {
    case .subscription: AnswerWriter.subscriptionEnd(id, error, next: cursor.position, into: &output)
    case .stream: AnswerWriter.error(error, id, into: &output)
    }
  }

  private func notify(_ books: Books, _ output: inout JSONWriter) throws(ChangeFault) {
    let mark = output.count
    AnswerWriter.beginNotifiedChanges(id, into: &output)
    let count = try append(books, limit: .max, through: changes.readablePosition, &output)
    if count == 0 { return output.rewind(to: mark) }
    AnswerWriter.endNotifiedChanges(next: cursor.position, into: &output)
  }

  private func streamOn(
    _ books: Books, _ limit: Int, _ through: UInt64, _ output: inout JSONWriter
  ) throws(ChangeFault) {
    let mark = output.count
    AnswerWriter.beginStreamedChanges(id, sequence: sequence, into: &output)
    let count = try append(books, limit: limit - sentCount, through: through, &output)
    sentCount += count
    sequence += 1
    if count == 0 {
      output.rewind(to: mark)
    } else {
      AnswerWriter.endStreamedChanges(into: &output)
    }
    guard sentCount == limit || cursor.position > through else { return }
    isLast = true
    AnswerWriter.changesStreamEnd(
      id, count: sentCount, next: cursor.position, committed: through,
      position: wantsMeta ? through : nil, into: &output)
  }

  /// Appends changes up to the size of a piece, at least one if there is one.
  /// - Returns: how many.
  private func append(
    _ books: Books, limit: Int, through: UInt64, _ output: inout JSONWriter
  ) throws(ChangeFault) -> Int {
    var renderer = ChangeRenderer(books)
    let start = output.count
    var count = 0
    while count < limit {
      let mark = output.count
      guard let kept = try cursor.next(through: through) else { break }
      renderer.append(kept, into: &output)
      if count > 0, output.count - start > Self.pieceByteLimit - 256 {
        output.rewind(to: mark)
        cursor.putBack(kept)
        break
      }
      count += 1
    }
    return count
  }
}

/// Makes the next piece of a feed.
struct ChangeFeedJob: PooledJob {
  let connection: UInt64
  let feed: ChangeFeed
  let inbox: LoopInbox

  var stop: StopFlag { feed.stop }

  func run(_ shared: Shared, _ output: inout JSONWriter) {
    feed.makePiece(shared.books, &output)
    inbox.post(.changesMade(connection: connection, feed))
  }
}

/// Answers one `changes.read`.
struct ChangesPageJob: PooledJob {
  let connection: UInt64
  let place: AnswerPlace
  let id: RequestID
  let method: MethodName?
  let start: UInt64
  let limit: Int
  let wantsMeta: Bool
  let changes: ChangeReader
  let stop: StopFlag
  let inbox: LoopInbox
  let receivedAt: MonotonicTime

  func run(_ shared: Shared, _ output: inout JSONWriter) {
    var isError = false
    do throws(WireError) {
      try answer(shared.books, &output)
    } catch {
      isError = true
      output.removeAll()
      AnswerWriter.error(error, id, into: &output)
    }
    shared.statistics.count(method, since: receivedAt, isError: isError)
    shared.running.remove(connection, place)
    inbox.post(.finished(connection: connection, place, line: output.copied(), position: 0))
    output.removeAll()
  }

  private func answer(_ books: Books, _ output: inout JSONWriter) throws(WireError) {
    let committed = changes.readablePosition
    let cursor = changes.cursor(from: start)
    var renderer = ChangeRenderer(books)
    AnswerWriter.beginChanges(id, into: &output)
    for number in 0..<limit {
      if output.count >= AnswerWriter.changesByteLimit { break }
      if number & 63 == 0 {
        do throws(QueryStopped) { try stop.check() } catch { throw WireError(error) }
      }
      do throws(ChangeFault) {
        guard let kept = try cursor.next(through: committed) else { break }
        renderer.append(kept, into: &output)
      } catch {
        throw WireError(error)
      }
    }
    AnswerWriter.endChanges(
      next: cursor.position, committed: committed, position: wantsMeta ? committed : nil, into: &output)
  }
}

extension ChangeRenderer {
  fileprivate mutating func append(_ kept: KeptFact, into output: inout JSONWriter) {
    append(kept.fact, at: kept.position, endsCommand: kept.endsCommand, into: &output)
  }
}

extension WireError {
  init(_ fault: ChangeFault) {
    switch fault {
    case .notKept(let oldest): self = .changesNotKept(oldest: oldest)
    case .unreadable(let reason):
      self.init(.storage, "CHANGES_UNREADABLE", "changes cannot be read: \(reason)")
    }
  }
}
