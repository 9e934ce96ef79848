// One client: its socket, the bytes that came, the answers that wait.

import Ledger
import Platform
import Query
import Wire

/// The state of a connection, touched by its loop's thread alone.
struct Connection: ~Copyable {
  let number: UInt64
  let socket: UnixSocket
  let peer: Peer
  var lines: LineDecoder
  var answers = AnswerQueue()
  /// What epoll is asked to tell.
  var interest: Interest = .read
  /// The client writes no more; what it asked is answered, then the connection closes.
  var hasEnded = false
  /// Nobody is there to read: writes that were sent are carried out, nothing is answered.
  var isGone = false
  /// The server stops: nothing more is read.
  var isDraining = false
  /// When the unfinished line began to arrive.
  var lineBegan: MonotonicTime?
  /// When the socket last took answers, or they began to wait for it.
  var backlogMoved = MonotonicTime(nanoseconds: 0)
  /// What this connection has added to `Shared.unfinishedLineByteCount`.
  var chargedByteCount = 0
  /// Requests whose answers come from other threads, and streams that have not ended.
  var awayCount = 0
  /// The batch that is being carried out, when it could not be finished in one turn.
  var batch: BatchProgress?
  /// The write that waits for room in the journal; nothing behind it is carried out.
  var parked: ParkedWrite?
  /// Subscriptions, and streams of changes that have not ended.
  var feeds: [ChangeFeed] = []
  /// Lines or a batch go on in the loop's next turn, after the other connections.
  var isPostponed = false
  /// Descriptors that came with requests that are not carried out yet.
  var passed: PassedDescriptors
  /// The loop's list of connections whose answers wait for a position has this one.
  var isHolding = false

  init(
    number: UInt64, socket: consuming UnixSocket, peer: Peer, longestLine: Int,
    passed: consuming PassedDescriptors
  ) {
    self.number = number
    self.socket = socket
    self.peer = peer
    self.passed = passed
    lines = LineDecoder(longestLine: longestLine)
  }

  /// The socket did not take all answers that may leave; until it has, no request is read.
  var hasBacklog: Bool { answers.leavingByteCount > 0 }

  /// Whether the next request may be taken: its answer has somewhere to go.
  func takesRequests(_ bounds: Configuration.Bounds) -> Bool {
    !hasBacklog && parked == nil && answers.count < bounds.unfinishedRequests
      && awayCount < bounds.unfinishedQueries
      && answers.waitingByteCount < bounds.waitingAnswerByteCount
  }

  /// Nothing is left to read or to answer.
  var isFinished: Bool {
    if isPostponed || batch != nil || parked != nil { return false }
    return hasEnded && isGone || (hasEnded || isDraining) && answers.isEmpty && feeds.isEmpty
  }
}

/// A write that was not admitted yet: the journal prepares room, or has too much to write.
struct ParkedWrite {
  let request: DecodedRequest
  /// Of its answer; nil for a notification.
  let place: AnswerPlace?
  /// Ends the waiting: its time, a cancellation, a stop.
  let stop: StopFlag
  let receivedAt: MonotonicTime
}

/// A batch and how far it has been carried out.
struct BatchProgress {
  let requests: [DecodedRequest]
  /// The place of its answers; nil when there are none.
  let slot: UInt64?
  /// Bytes of answers that waited when it began.
  let waitingBefore: Int
  /// The next request.
  var next = 0
  /// The next answer.
  var part = 0
  /// What the run of reads shares that goes on here.
  var cut: Cut?

  init(_ requests: [DecodedRequest], slot: UInt64?, waitingBefore: Int) {
    self.requests = requests
    self.slot = slot
    self.waitingBefore = waitingBefore
  }
}

/// Where a loop keeps a connection. A turn works on `connection` itself, so it lives until its turn is over,
/// even when it is closed meanwhile.
final class Client {
  var connection: Connection

  init(_ connection: consuming Connection) { self.connection = connection }
}
