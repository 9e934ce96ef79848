// The change stream: pages, streams and subscriptions, all made on query threads.

import Platform
import Query
import Storage
import Synchronization
import Wire

extension ConnectionLoop {
  /// Subscriptions that one connection may have.
  private static let subscriptionLimit = 16

  mutating func carryOut(
    _ call: ChangesCall, _ request: DecodedRequest, _ connection: inout Connection, _ place: AnswerPlace?,
    from start: MonotonicTime
  ) throws(WireError) {
    guard let id = request.id, !connection.isGone else { return }
    switch call {
    case .read(let position, let limit):
      if request.wantsStream {
        if place?.part != nil { throw .notStreamable }
        beginStream(from: position, limit: limit, request, id, &connection, place, start)
      } else {
        readPage(from: position, limit: limit, request, id, &connection, place, start)
      }
    case .subscribe(let position):
      if place?.part != nil {
        throw .invalidRequest("changes.subscribe is a request of its own, not part of a batch")
      }
      try subscribe(from: position, request, id, &connection, place, start)
    }
  }

  private mutating func readPage(
    from position: UInt64, limit: Int, _ request: DecodedRequest, _ id: RequestID,
    _ connection: inout Connection, _ place: AnswerPlace?, _ start: MonotonicTime
  ) {
    let place = place ?? AnswerPlace(slot: connection.answers.open())
    let stop = StopFlag(deadline: request.timeout.map { start + $0 }, clock: shared.clock)
    shared.running.add(connection.number, changesEntry(id, &connection, place, stop))
    countAway(&connection, 1)
    let job = ChangesPageJob(
      connection: connection.number, place: place, id: id, method: request.method, start: position,
      limit: limit, wantsMeta: request.wantsMeta, changes: services.changes, stop: stop, inbox: inbox,
      receivedAt: start)
    if services.queries.submit(job) { return }
    countAway(&connection, -1)
    shared.running.remove(connection.number, place)
    shared.busyCount.wrappingAdd(1, ordering: .relaxed)
    shared.statistics.count(request.method, since: start, isError: true)
    refuse(&connection, request, place, .changesBusy)
  }

  private mutating func beginStream(
    from position: UInt64, limit: Int, _ request: DecodedRequest, _ id: RequestID,
    _ connection: inout Connection, _ place: AnswerPlace?, _ start: MonotonicTime
  ) {
    let place = place ?? AnswerPlace(slot: connection.answers.open())
    let stop = StopFlag(deadline: request.timeout.map { start + $0 }, clock: shared.clock)
    let shape = ChangeFeed.Shape.stream(limit: limit, through: services.changes.readablePosition)
    let feed = ChangeFeed(
      request, id, place, shape, from: position, of: services.changes, stop: stop, receivedAt: start)
    shared.running.add(connection.number, changesEntry(id, &connection, place, stop))
    countAway(&connection, 1)
    connection.feeds.append(feed)
    makeNext(of: feed, &connection)
  }

  private mutating func subscribe(
    from asked: UInt64?, _ request: DecodedRequest, _ id: RequestID, _ connection: inout Connection,
    _ place: AnswerPlace?, _ start: MonotonicTime
  ) throws(WireError) {
    if connection.isDraining { throw .stopping }
    if connection.feeds.count(where: \.isSubscription) >= Self.subscriptionLimit {
      throw .busy("too many subscriptions on this connection", retryAfter: .seconds(1))
    }
    let committed = services.changes.readablePosition
    let position = asked ?? committed + 1
    let oldest = services.changes.oldestPosition
    if position < oldest { throw .changesNotKept(oldest: oldest) }
    // Its place, which no other request has, is what it is found by when it is to be cancelled.
    let place = place ?? AnswerPlace(slot: connection.answers.open())
    let stop = StopFlag(deadline: nil, clock: shared.clock)
    let feed = ChangeFeed(
      request, id, place, .subscription, from: position, of: services.changes, stop: stop, receivedAt: start)
    try respond(&connection, request, place) { id, output throws(WireError) in
      AnswerWriter.subscribed(
        id, from: position, committed: committed, position: request.wantsMeta ? committed : nil, into: &output
      )
      return 0
    }
    shared.statistics.count(request.method, since: start, isError: false)
    shared.running.add(connection.number, changesEntry(id, &connection, place, stop, isAnswered: true))
    connection.feeds.append(feed)
    makeNext(of: feed, &connection)
  }

  private func changesEntry(
    _ id: RequestID, _ connection: inout Connection, _ place: AnswerPlace, _ stop: StopFlag,
    isAnswered: Bool = false
  ) -> RunningRequests.Entry {
    let user = connection.peer.credentials.userID
    return .init(id: id, place: place, stop: stop, inbox: inbox, user: user, isAnswered: isAnswered)
  }

  // MARK: Pieces

  /// Has the next piece made, if there is anything to make it of.
  private mutating func makeNext(of feed: ChangeFeed, _ connection: inout Connection) {
    precondition(feed.state == .idle, "one piece at a time")
    if feed.isSubscription, !feed.hasNews {
      // What is committed from now on wakes this loop; what was committed just now is seen here.
      watch.arm()
      subscribers.insert(connection.number)
      if !feed.hasNews { return }
    }
    feed.state = .making
    let job = ChangeFeedJob(connection: connection.number, feed: feed, inbox: inbox)
    if services.queries.submit(job) { return }
    feed.state = .idle
    if feed.isSubscription {
      // Tried again with the next commit, or within a second.
      watch.arm()
      subscribers.insert(connection.number)
    } else {
      end(feed, with: .changesBusy, &connection)
    }
  }

  /// A piece has come back from its query thread.
  mutating func take(_ feed: ChangeFeed, _ connection: inout Connection) {
    feed.state = feed.piece.isEmpty ? .idle : .ready
    if !feed.isSubscription, feed.isLast {
      finish(feed, &connection)
    } else if feed.state == .idle {
      makeNext(of: feed, &connection)
    }
    resume(&connection)
  }

  /// The last piece of a stream takes its place among the answers.
  private mutating func finish(_ feed: ChangeFeed, _ connection: inout Connection) {
    shared.statistics.count(feed.method, since: feed.receivedAt, isError: feed.hasFailed)
    connection.answers.finish(feed.place, feed.piece, position: 0)
    countAway(&connection, -1)
    remove(feed, &connection)
  }

  private func remove(_ feed: ChangeFeed, _ connection: inout Connection) {
    shared.running.remove(connection.number, feed.place)
    connection.feeds.removeAll { $0 === feed }
  }

  /// Ends a feed whose next piece is not being made; its last line is kept until the socket takes it.
  private mutating func end(_ feed: ChangeFeed, with error: WireError, _ connection: inout Connection) {
    let mark = output.count
    feed.end(with: error, &output)
    feed.piece += output.take(from: mark)
    feed.state = .ready
    if !feed.isSubscription { finish(feed, &connection) }
  }

  /// Writes the next piece that is due to the socket and has another one made.
  /// - Returns: whether there may be more to write.
  mutating func writeChanges(_ connection: inout Connection) -> Bool {
    if connection.hasBacklog || connection.feeds.isEmpty { return false }
    guard let index = indexOfDueFeed(&connection) else { return false }
    let feed = connection.feeds.remove(at: index)
    let piece = feed.takePiece()
    switch try? connection.socket.write(piece.span) {
    case .bytes(let count):
      connection.backlogMoved = now
      if count < piece.count { connection.answers.putFirst(piece[count...]) }
    case .wouldBlock:
      connection.backlogMoved = now
      connection.answers.putFirst(piece[...])
    case .peerGone, nil: hangUp(&connection)
    }
    if feed.isLast {
      shared.running.remove(connection.number, feed.place)
    } else {
      // Behind the others, so that they have their turn.
      connection.feeds.append(feed)
      makeNext(of: feed, &connection)
    }
    return !connection.isGone
  }

  /// The feed whose piece is made and comes next: a subscription's answer goes first, and a stream waits for
  /// the answers before it.
  private func indexOfDueFeed(_ connection: inout Connection) -> Int? {
    let front = connection.answers.frontSlot
    let isFrontEmpty = connection.answers.isFrontEmpty
    let (left, end) = (connection.answers.leftByteCount, connection.answers.frontByteCount)
    return connection.feeds.firstIndex { feed in
      guard feed.state == .ready else { return false }
      guard feed.isSubscription else { return feed.place.slot == front && isFrontEmpty }
      return feed.place.slot < front && feed.hasBegun(leftByteCount: left, frontByteCount: end)
    }
  }

  /// Ends what was cancelled or has no time left, and with the server every subscription.
  mutating func endStopped(_ connection: inout Connection) {
    for feed in connection.feeds where feed.state != .making && !feed.isLast {
      do throws(QueryStopped) {
        try feed.stop.check()
        if connection.isDraining, feed.isSubscription { end(feed, with: .stopping, &connection) }
      } catch {
        end(feed, with: WireError(error), &connection)
      }
    }
  }

  // MARK: Commits

  /// The last position that a request can see: followers see what is committed, others what is applied.
  func visiblePosition(to request: DecodedRequest) -> UInt64 {
    if case .success(.changes) = request.call { return services.changes.readablePosition }
    return shared.committedPosition
  }

  /// Something was committed: the subscriptions that had everything go on.
  mutating func wakeSubscribers() {
    let numbers = subscribers
    subscribers.removeAll(keepingCapacity: true)
    for number in numbers {
      guard let client = connections[number] else { continue }
      wakeFeeds(&client.connection)
    }
  }

  private mutating func wakeFeeds(_ connection: inout Connection) {
    for feed in connection.feeds where feed.isSubscription && feed.state == .idle {
      makeNext(of: feed, &connection)
    }
  }
}

extension WireError {
  fileprivate static let changesBusy = WireError.busy(
    "the query queue is full", retryAfter: .milliseconds(50))
}
