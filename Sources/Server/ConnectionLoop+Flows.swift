// Large results: streams that flow into the socket, and rows that go into a descriptor.

import Ledger
import Platform
import Query
import Synchronization
import Wire

/// A delivery that waits for its descriptor.
struct WaitingDelivery {
  let delivery: RowDelivery
  let since: MonotonicTime
}

extension ConnectionLoop {
  // MARK: Beginning

  /// Begins a stream or a delivery of rows.
  mutating func beginFlow(
    _ query: QueryRequest, _ reply: QueryReply, _ request: DecodedRequest, _ connection: inout Connection,
    _ place: AnswerPlace?, from start: MonotonicTime
  ) throws(WireError) {
    if place?.part != nil { throw .notStreamable }
    let cut = shared.books.cut()
    if request.output != nil {
      return try deliver(.rows(query, reply, cut), request, &connection, place, from: start)
    }
    guard let flow = flow(request, &connection, place, from: start) else { return }
    let job = StreamJob(answer: StreamedAnswer(flow, query, reply, cut: cut))
    submit(job, request, &connection, flow.place, flow.stop, cut: cut, from: start)
  }

  /// Begins to write lines into the descriptor that came with the request.
  mutating func deliver(
    _ source: DeliverySource, _ request: DecodedRequest, _ connection: inout Connection,
    _ place: AnswerPlace?, from start: MonotonicTime
  ) throws(WireError) {
    if place?.part != nil { throw .notStreamable }
    guard let format = request.output else { preconditionFailure("rows go somewhere") }
    let (descriptor, kind) = try sink(request)
    guard let flow = flow(request, &connection, place, from: start) else { return }
    let job = DeliveryJob(delivery: RowDelivery(flow, source, format, into: descriptor, kind))
    submit(job, request, &connection, flow.place, flow.stop, cut: source.cut, from: start)
  }

  private func flow(
    _ request: DecodedRequest, _ connection: inout Connection, _ place: AnswerPlace?,
    from start: MonotonicTime
  ) -> FlowRequest? {
    guard let id = request.id else { return nil }
    return FlowRequest(
      connection: connection.number, place: place ?? AnswerPlace(slot: connection.answers.open()), id: id,
      method: request.method, wantsMeta: request.wantsMeta, receivedAt: start,
      stop: StopFlag(deadline: request.timeout.map { start + $0 }, clock: shared.clock), inbox: inbox)
  }

  private func sink(
    _ request: DecodedRequest
  ) throws(WireError) -> (PassedDescriptor, PassedDescriptor.Kind) {
    guard let descriptor = request.descriptor else {
      throw .descriptor("no descriptor came with the request: pass one by SCM_RIGHTS with its first byte")
    }
    do throws(SystemError) {
      if let kind = try descriptor.kind() { return (descriptor, kind) }
    } catch {
      throw .descriptor("the descriptor is not open for writing")
    }
    throw .descriptor("the descriptor is neither a file nor a pipe nor a socket")
  }

  /// Gives a request the descriptor that came with its line.
  func findDescriptor(for request: inout DecodedRequest, _ connection: inout Connection) {
    if request.output == nil { return }
    request.descriptor = connection.passed.take()
    if request.descriptor == nil, connection.passed.hasRefused, case .success = request.call {
      request.call = .failure(
        .busy("too many descriptors are open, or more than one came at once", retryAfter: .milliseconds(100)))
    }
  }

  // MARK: Streams

  /// A piece of a stream has come from its query thread.
  mutating func take(_ answer: StreamedAnswer) {
    answer.state = .ready
    guard let client = connections[answer.flow.connection] else { return }
    client.connection.answers.beginStream(answer)
    resume(&client.connection)
  }

  /// Writes the piece of a stream that is due, and has the next one made.
  mutating func write(_ stream: StreamedAnswer, _ connection: inout Connection) {
    let piece = stream.takePiece()
    switch try? connection.socket.write(piece.span) {
    case .bytes(let count):
      connection.backlogMoved = now
      if count < piece.count { connection.answers.putFirst(piece[count...]) }
    case .wouldBlock:
      connection.backlogMoved = now
      connection.answers.putFirst(piece[...])
    case .peerGone, nil: hangUp(&connection)
    }
    if stream.isLast {
      connection.answers.endStream(stream)
      countAway(&connection, -1)
      shared.running.remove(connection.number, stream.place)
    } else {
      stream.state = .making
      services.queries.resubmit(StreamJob(answer: stream))
    }
  }

  /// Ends the streams that were cancelled, have no time left or whose cut has expired: at once, even if
  /// nobody reads what was made before.
  func endStoppedStreams(_ connection: inout Connection) {
    for stream in connection.answers.streams where stream.state == .ready && !stream.isLast {
      do throws(QueryStopped) { try stream.flow.stop.check() } catch { stream.end(with: error) }
    }
  }

  // MARK: Deliveries that wait

  /// A delivery waits for its position to be committed, or for somebody to read.
  mutating func hold(_ delivery: RowDelivery) {
    switch delivery.wait {
    case .commit:
      uncommitted.append(delivery)
      leastAwaited = min(leastAwaited, delivery.position)
    case .room:
      let token = shared.nextConnection.add(1, ordering: .relaxed).oldValue
      guard let descriptor = delivery.descriptorNumber,
        (try? events.add(descriptor, token: token, interest: .write)) != nil
      else { return resume(delivery) }
      waitingDeliveries[token] = WaitingDelivery(delivery: delivery, since: now)
    }
    lookAtDeliveries()
  }

  private func resume(_ delivery: RowDelivery) {
    services.queries.resubmit(DeliveryJob(delivery: delivery))
  }

  /// The descriptor takes bytes again, or its other end is gone.
  mutating func wakeDelivery(_ token: UInt64) {
    guard let waiting = takeDelivery(token) else { return }
    resume(waiting)
  }

  private mutating func takeDelivery(_ token: UInt64) -> RowDelivery? {
    guard let waiting = waitingDeliveries.removeValue(forKey: token) else { return nil }
    if let descriptor = waiting.delivery.descriptorNumber { try? events.remove(descriptor) }
    return waiting.delivery
  }

  /// Goes on with what is committed, and ends what was stopped or has waited for too long.
  mutating func lookAtDeliveries() {
    if !uncommitted.isEmpty {
      let waiting = uncommitted
      uncommitted = []
      let committed = shared.committedPosition
      for delivery in waiting {
        if delivery.position <= committed || hasFailed || DeliveryJob(delivery: delivery).isOver {
          resume(delivery)
        } else {
          uncommitted.append(delivery)
          leastAwaited = min(leastAwaited, delivery.position)
        }
      }
    }
    if waitingDeliveries.isEmpty { return }
    var ended: [RowDelivery] = []
    for (token, waiting) in waitingDeliveries {
      waiting.delivery.isStuck = now - waiting.since > shared.configuration.bounds.unreadTime
      guard waiting.delivery.isStuck || DeliveryJob(delivery: waiting.delivery).isOver else { continue }
      if let delivery = takeDelivery(token) { ended.append(delivery) }
    }
    var output = JSONWriter(capacity: 512)
    // Nothing is written any more, so this is short; but an expired cut leaves lines that still may be.
    for delivery in ended where delivery.goOn(shared, &output, until: now) { resume(delivery) }
  }
}

extension WireError {
  static func descriptor(_ text: String) -> WireError {
    WireError(.invalidParams, "GEN_VALIDATION_ERROR", text, [Member("errors", texts: [text])])
  }
}
