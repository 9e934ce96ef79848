// Carrying out requests: writes and short reads at once, long queries on the query threads.

import Columns
import Ledger
import Platform
import Query
import Storage
import Synchronization
import Wire

/// What became of a write.
enum WriteAttempt {
  case done
  /// By the books; it has been answered.
  case refused
  /// Nothing was done: the journal has to make room first.
  case hasNoRoom
}

extension ConnectionLoop {
  mutating func carryOut(_ decoded: DecodedLine, _ connection: inout Connection) {
    switch decoded {
    case .failure(let error, let id):
      answer(&connection) { output in AnswerWriter.error(error, id, into: &output) }
      shared.statistics.count(nil, since: now, isError: true, now: now)
    case .single(var request):
      findDescriptor(for: &request, &connection)
      var cut: Cut?
      carryOut(request, &connection, place: nil, cut: &cut)
    case .batch(let requests):
      let answerCount = requests.count { $0.id != nil }
      let waiting = connection.answers.waitingByteCount
      let slot =
        answerCount == 0 ? nil : connection.answers.openBatch(answerCount: answerCount)
      connection.batch = BatchProgress(requests, slot: slot, waitingBefore: waiting)
      goOnWithBatch(&connection)
    }
  }

  /// A batch has one array of answers; each run of adjacent reads shares one cut. It pauses when the
  /// connection's turn is over, and while too many of its queries are at work.
  mutating func goOnWithBatch(_ connection: inout Connection) {
    let bounds = shared.configuration.bounds
    guard var batch = connection.batch.take() else { return }
    while batch.next < batch.requests.count {
      let isFull = connection.awayCount >= bounds.unfinishedQueries
      let isPaused = isFull && !connection.isGone
      if isPaused || slice.isOver() {
        connection.batch = batch
        return
      }
      let request = batch.requests[batch.next]
      batch.next += 1
      // A lone read needs no cut; a run of them takes one at its first.
      if !request.isRead {
        batch.cut = nil
      } else if batch.cut == nil, batch.next < batch.requests.count, batch.requests[batch.next].isRead {
        batch.cut = shared.books.cut()
      }
      let place = place(batch.slot, &batch.part, request)
      let byteCount = connection.answers.waitingByteCount - batch.waitingBefore
      if request.isRead, byteCount > bounds.batchAnswerByteCount {
        shared.busyCount.wrappingAdd(1, ordering: .relaxed)
        shared.statistics.count(request.method, since: now, isError: true)
        let busy = WireError.busy("the answers of the batch are too large", retryAfter: .milliseconds(1))
        refuse(&connection, request, place, busy)
      } else {
        carryOut(request, &connection, place: place, cut: &batch.cut)
      }
    }
  }

  private func place(_ slot: UInt64?, _ part: inout Int, _ request: DecodedRequest) -> AnswerPlace? {
    guard let slot, request.id != nil else { return nil }
    defer { part += 1 }
    return AnswerPlace(slot: slot, part: part)
  }

  /// - Parameters:
  ///   - place: of an answer in a batch; nil for a request of its own, whose place is the next one.
  ///   - cut: the cut that a run of reads shares, if there is one.
  mutating func carryOut(
    _ request: DecodedRequest, _ connection: inout Connection, place: AnswerPlace?,
    cut: inout Cut?
  ) {
    let start = shared.clock.monotonicTime()
    do throws(WireError) {
      if let position = request.minimumPosition, request.isRead {
        if position > visiblePosition(to: request) {
          return try wait(request, for: position, &connection, place, from: start)
        }
        // Another loop has written since the run's cut was taken.
        if let shared = cut, shared.position < position { cut = self.shared.books.cut() }
      }
      switch try request.call.get() {
      case .write(let command, let reply):
        if request.wantsStream { throw .notStreamable }
        switch try attempt(request, command, reply, &connection, place) {
        case .done: break
        case .refused: return shared.statistics.count(request.method, since: start, isError: true)
        case .hasNoRoom: return park(request, &connection, place, from: start)
        }
      case .read(let call):
        if connection.isGone { return }
        if request.wantsStream { throw .notStreamable }
        let isFound = try read(call, request, &connection, place, cut: cut)
        shared.statistics.count(request.method, since: start, isError: !isFound)
        return
      case .query(let query, let reply):
        if connection.isGone || request.id == nil { return }
        if request.wantsStream || request.output != nil {
          return try beginFlow(query, reply, request, &connection, place, from: start)
        }
        try run(query, reply, request, &connection, place, cut: cut, from: start)
        return
      case .question(let call):
        if connection.isGone || request.id == nil { return }
        return try ask(call, request, &connection, place, cut: cut, from: start)
      case .changes(let call): return try carryOut(call, request, &connection, place, from: start)
      case .server(let call):
        if request.wantsStream { throw .notStreamable }
        if try serve(call, request, &connection, place, from: start) { return }
      }
      shared.statistics.count(request.method, since: start, isError: false)
    } catch {
      shared.statistics.count(request.method, since: start, isError: true)
      if error.code == .busy { shared.busyCount.wrappingAdd(1, ordering: .relaxed) }
      refuse(&connection, request, place, error)
    }
  }

  // MARK: One row

  /// - Returns: whether there is such a row.
  private mutating func read(
    _ call: ReadCall, _ request: DecodedRequest, _ connection: inout Connection, _ place: AnswerPlace?,
    cut: Cut?
  ) throws(WireError) -> Bool {
    let view = cut.map(RowView.cut) ?? .current(shared.books)
    let position = request.wantsMeta ? cut?.position ?? shared.books.position : nil
    var isFound = true
    try respond(&connection, request, place) { id, output throws(WireError) in
      let sight = AnswerWriter.read(call, view, id, position: position, into: &output)
      isFound = sight.isFound
      return max(sight.position, position ?? 0)
    }
    return isFound
  }

  // MARK: Writes

  /// Carries a write out and answers it, if the journal has room for it.
  mutating func attempt(
    _ request: DecodedRequest, _ command: Command, _ reply: WriteReply,
    _ connection: inout Connection, _ place: AnswerPlace?
  ) throws(WireError) -> WriteAttempt {
    guard connection.peer.mayWrite else {
      throw .forbidden("this user may only read")
    }
    let books = shared.books
    let key = request.key.map { IdempotencyKey(text: $0, contentDigest: reply.paramsDigest) }
    let byteBound = Books.encodedByteBound(of: command, key: key)
    guard try admit(byteBound) else { return .hasNoRoom }
    let execution: Execution
    do throws(Refusal) {
      defer { shared.journal.settle(byteBound: byteBound) }
      execution = try books.execute(command, key: key)
    } catch {
      // A refusal shows what the books hold, so it waits as an answer does.
      refuse(&connection, request, place, WireError(error, to: reply), position: books.position)
      return .refused
    }
    try respond(&connection, request, place) { id, output throws(WireError) in
      AnswerWriter.execution(execution, reply, id, books: books, wantsMeta: request.wantsMeta, into: &output)
      // Not that of the execution: its rows are shown as they stand after it.
      return books.position
    }
    return .done
  }

  /// Reserves room in the journal for a write.
  /// - Returns: whether there is room; if not, it is being made, and the loop is woken when there is.
  private func admit(_ byteBound: Int) throws(WireError) -> Bool {
    if try admitNow(byteBound) { return true }
    // Asked again after the journal was told: the room may have come in between.
    inbox.awaitRoom(true)
    return try admitNow(byteBound)
  }

  private func admitNow(_ byteBound: Int) throws(WireError) -> Bool {
    // Who writes faster than the journal waits for it; who reads does not notice.
    if shared.journal.isCrowded, !shared.hasJournalFailed { return false }
    switch shared.journal.admit(byteBound: byteBound) {
    case .admitted: return true
    case .later: return false
    case .busy: throw .busy("the journal has too much to write", retryAfter: .milliseconds(20))
    case .full(let error): throw .storageFailed("the journal has no room: \(error)", isOutcomeKnown: true)
    case .failed(let error): throw .storageFailed("the journal has failed: \(error)", isOutcomeKnown: true)
    }
  }

  // MARK: Queries

  /// Answers a short query at once and hands any other to the query threads.
  /// - Parameter cut: the one that a run of reads shares; nil for a request of its own, which needs none if
  ///   it is short.
  private mutating func run(
    _ query: QueryRequest, _ reply: QueryReply, _ request: DecodedRequest,
    _ connection: inout Connection, _ place: AnswerPlace?, cut: Cut?, from start: MonotonicTime
  ) throws(WireError) {
    let stop = StopFlag(deadline: request.timeout.map { start + $0 }, clock: shared.clock)
    let books = shared.books
    switch try answer(query, cut, stop) {
    case .shown(let result, let images, let position):
      try respond(&connection, request, place) { id, output throws(WireError) in
        AnswerWriter.page(
          result, images, reply, id, books: books, position: request.wantsMeta ? position : nil,
          into: &output)
        return position
      }
      shared.queryCounts.count(result.trace.path, as: .page)
      return shared.statistics.count(request.method, since: start, isError: false)
    case .found(let result, let cut):
      try respond(&connection, request, place) { id, output throws(WireError) in
        AnswerWriter.page(
          result, of: query.table, reply, id, cut: cut, position: request.wantsMeta ? cut.position : nil,
          into: &output)
        return cut.position
      }
      shared.queryCounts.count(result.trace.path, as: .page)
      return shared.statistics.count(request.method, since: start, isError: false)
    case .later(let plan, let cut):
      let place = place ?? AnswerPlace(slot: connection.answers.open())
      let job = QueryJob(
        connection: connection.number, place: place, id: request.id, method: request.method, request: query,
        plan: plan, reply: reply, cut: cut, stop: stop, inbox: inbox, wantsMeta: request.wantsMeta,
        receivedAt: start)
      submit(job, request, &connection, place, stop, cut: cut, from: start)
    }
  }

  /// Hands a job to the query threads, or refuses it when too many wait.
  mutating func submit(
    _ job: any PooledJob, _ request: DecodedRequest, _ connection: inout Connection, _ place: AnswerPlace,
    _ stop: StopFlag, cut: Cut?, from start: MonotonicTime
  ) {
    let number = connection.number
    shared.running.add(number, entry(request, &connection, place, stop, cut: cut))
    countAway(&connection, 1)
    if services.queries.submit(job) { return }
    countAway(&connection, -1)
    shared.running.remove(number, place)
    shared.busyCount.wrappingAdd(1, ordering: .relaxed)
    shared.statistics.count(request.method, since: start, isError: true)
    refuse(&connection, request, place, services.queries.busy)
  }

  /// What a loop does with a query.
  private enum LoopAnswer {
    case shown(QueryResult, PageImages, position: UInt64)
    case found(QueryResult, Cut)
    /// For the query threads; the plan, if one was made, is for the cut.
    case later(Plan?, Cut)
  }

  /// Answers a query that costs less than handing it over.
  private func answer(
    _ query: QueryRequest, _ cut: Cut?, _ stop: StopFlag
  ) throws(WireError) -> LoopAnswer {
    // Patterns and metadata make planning itself long.
    if QueryEngine.isLongToPlan(query) { return .later(nil, cut ?? shared.books.cut()) }
    do throws(QueryStopped) {
      let plan: Plan
      let held: Cut
      if let cut {
        plan = try shared.queries.plan(query, on: cut, stop: stop)
        held = cut
      } else {
        switch try shared.queries.answer(query, shared.books, stop: stop) {
        case .shown(let result, let images, let position):
          return .shown(result, images, position: position)
        case .found(let result, let cut): return .found(result, cut)
        case .planned(let made, let cut): (plan, held) = (made, cut)
        }
      }
      if plan.estimatedNanoseconds > Self.shortQueryNanoseconds { return .later(plan, held) }
      return .found(try shared.queries.run(plan, on: held, stop: stop), held)
    } catch {
      throw WireError(error)
    }
  }

  // MARK: Answers

  /// Puts the answer that `write` makes in its place; nothing for a notification. `write` says from which
  /// committed position on the answer may leave.
  mutating func respond(
    _ connection: inout Connection, _ request: DecodedRequest, _ place: AnswerPlace?,
    _ write: (RequestID, inout JSONWriter) throws(WireError) -> UInt64
  ) throws(WireError) {
    guard let id = request.id, !connection.isGone else { return }
    try put(&connection, place) { output throws(WireError) in try write(id, &output) }
  }

  /// Answers with an error; nothing for a notification.
  /// - Parameter position: of what the error tells of the books.
  mutating func refuse(
    _ connection: inout Connection, _ request: DecodedRequest, _ place: AnswerPlace?,
    _ error: WireError, position: UInt64 = 0
  ) {
    guard let id = request.id, !connection.isGone else { return }
    put(&connection, place) { output in
      AnswerWriter.error(error, id, into: &output)
      return position
    }
  }
}

extension DecodedRequest {
  /// Whether the request only looks: it may share a cut, and may wait for a position.
  var isRead: Bool {
    switch call {
    case .success(.read), .success(.query), .success(.question), .success(.changes): true
    case .success(.write), .success(.server), .failure: false
    }
  }
}

extension WireError {
  static let notStreamable = WireError(
    .invalidParams, "GEN_VALIDATION_ERROR",
    "stream and to are for list and filter methods, outside of batches",
    [Member("errors", texts: ["stream and to are for list and filter methods, outside of batches"])])

  static let stopping = WireError.busy("the server is stopping", retryAfter: .seconds(1))

  init(_ stopped: QueryStopped) {
    switch stopped {
    case .cancelled: self = .cancelled
    case .deadlineExceeded: self = .deadlineExceeded
    case .cutExpired:
      self = .busy(
        "the query's view was held too long beside the writes; try again", retryAfter: .seconds(1))
    case .tooManyGroups:
      let text =
        "params/group_by: it gives more than \(AggregateRequest.groupLimit) groups; filter more rows out or "
        + "group by less"
      self.init(
        .invalidParams, "GEN_VALIDATION_ERROR", text,
        [Member("errors", texts: [text]), Member("path", text: "/params/group_by")])
    case .foreignCursor:
      let text =
        "params/cursor: it was given out for another request; filters, sort and fields must stay the same"
      self.init(.invalidParams, "GEN_VALIDATION_ERROR", text, [Member("errors", texts: [text])])
    }
  }
}
