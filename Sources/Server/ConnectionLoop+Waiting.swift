// What a loop does when the journal has gone on: answers leave, reads that waited are carried out, writes
// find room; and what it does when the journal has failed.

import Ledger
import Platform
import Query
import Storage
import Synchronization
import Wire

/// A request that waits until a journal position is committed.
struct PositionWaiter: Sendable {
  let connection: UInt64
  let place: AnswerPlace
  let request: DecodedRequest
  let position: UInt64
  let stop: StopFlag
  let receivedAt: MonotonicTime
}

extension ConnectionLoop {
  // MARK: Sleeping and waking

  /// Waits for events, and for the journal when something waits for it. The journal wakes the loop only while
  /// it sleeps here, and only for a position that it sleeps for.
  mutating func waitForEvents() -> Wakefulness? {
    if leastAwaited == .max { return try? events.wait(timeout: timeout) }
    if let wakefulness = spinThroughSync() { return wakefulness }
    inbox.await(leastAwaited)
    // What was committed before the journal could see that is asked for here.
    let isThere = shared.committedPosition >= leastAwaited
    let wakefulness = try? events.wait(timeout: isThere ? .zero : timeout)
    inbox.await(.max)
    return wakefulness
  }

  /// Looks at the position and at the sockets in turn for the time of a usual sync, when answers wait for
  /// nothing else: a sleep would add a wake-up to each answer, and to the requests that come meanwhile.
  /// - Returns: what the sockets brought; nil when it is time to sleep.
  private mutating func spinThroughSync() -> Wakefulness? {
    guard spin.isWorthwhile, !holding.isEmpty, waiters.isEmpty, postponed.isEmpty, awayCount == 0
    else { return nil }
    return spin.wait(clock: shared.clock, events: events) { [shared, leastAwaited] in
      shared.committedPosition >= leastAwaited
    }
  }

  /// Goes on with whatever the journal's progress allows.
  /// - Parameter isWoken: somebody has said so, it is not only possible.
  mutating func lookAtJournal(isWoken: Bool) {
    if !hasFailed, shared.hasJournalFailed { fail() }
    releaseCommitted()
    if isWoken, !parked.isEmpty { retryParked() }
  }

  /// Goes on with what has waited for a position that is committed by now.
  mutating func releaseCommitted() {
    let committed = shared.committedPosition
    if committed >= leastAwaited { release(committed) }
  }

  // MARK: Answers that are held

  /// Notes that the connection's first answer waits for a position.
  mutating func hold(_ connection: inout Connection, until position: UInt64) {
    leastAwaited = min(leastAwaited, position)
    if connection.isHolding { return }
    connection.isHolding = true
    holding.append(connection.number)
  }

  /// Lets the answers leave that have waited for no more than `committed`, and carries out the reads.
  private mutating func release(_ committed: UInt64) {
    let numbers = holding
    holding.removeAll(keepingCapacity: true)
    leastAwaited = .max
    for number in numbers {
      guard let client = connections[number] else { continue }
      let awaited = client.connection.answers.awaitedPosition
      client.connection.isHolding = false
      if let awaited, awaited > committed {
        hold(&client.connection, until: awaited)
      } else {
        resume(&client.connection)
      }
    }
    lookAtWaiters()
    lookAtDeliveries()
  }

  // MARK: Reads that wait for a position

  mutating func wait(
    _ request: DecodedRequest, for position: UInt64, _ connection: inout Connection,
    _ place: AnswerPlace?, from start: MonotonicTime
  ) throws(WireError) {
    guard request.id != nil, !connection.isGone else { return }
    if isDraining { throw .stopping }
    if waiters.count >= shared.configuration.bounds.queuedQueries {
      throw .busy("too many reads wait for a position", retryAfter: .milliseconds(50))
    }
    let place = place ?? AnswerPlace(slot: connection.answers.open())
    let stop = StopFlag(deadline: request.timeout.map { start + $0 }, clock: shared.clock)
    shared.running.add(connection.number, entry(request, &connection, place, stop))
    leastAwaited = min(leastAwaited, position)
    waiters.append(
      PositionWaiter(
        connection: connection.number, place: place, request: request, position: position, stop: stop,
        receivedAt: start))
  }

  /// Carries out what waited for a position that has come, and answers what has waited too long.
  mutating func lookAtWaiters() {
    if waiters.isEmpty { return }
    let waiting = waiters
    waiters = []
    for waiter in waiting {
      guard let client = connections[waiter.connection] else { continue }
      look(at: waiter, &client.connection)
    }
  }

  private mutating func look(at waiter: PositionWaiter, _ connection: inout Connection) {
    do {
      try waiter.stop.check()
      let isThere = visiblePosition(to: waiter.request) >= waiter.position
      if !isThere && !isDraining && !hasFailed {
        leastAwaited = min(leastAwaited, waiter.position)
        waiters.append(waiter)
        return
      }
      shared.running.remove(waiter.connection, waiter.place)
      if isThere {
        carryOut(waiter, &connection)
      } else {
        // Nobody new can come to write what is waited for.
        refuse(&connection, waiter.request, waiter.place, hasFailed ? .journalFailed : .stopping)
      }
    } catch {
      shared.running.remove(waiter.connection, waiter.place)
      shared.statistics.count(waiter.request.method, since: waiter.receivedAt, isError: true)
      refuse(&connection, waiter.request, waiter.place, WireError(error))
    }
    resume(&connection)
  }

  private mutating func carryOut(_ waiter: PositionWaiter, _ connection: inout Connection) {
    var request = waiter.request
    // The time of waiting counts.
    if let deadline = waiter.stop.deadline { request.timeout = deadline - shared.clock.monotonicTime() }
    var cut: Cut?
    carryOut(request, &connection, place: waiter.place, cut: &cut)
  }

  // MARK: Writes that wait for room

  /// Keeps a write that was not admitted until the journal has room for it.
  mutating func park(
    _ request: DecodedRequest, _ connection: inout Connection, _ place: AnswerPlace?,
    from start: MonotonicTime
  ) {
    let hasAnswer = request.id != nil && !connection.isGone
    let place = place ?? (hasAnswer ? AnswerPlace(slot: connection.answers.open()) : nil)
    let stop = StopFlag(deadline: request.timeout.map { start + $0 }, clock: shared.clock)
    if let place {
      shared.running.add(connection.number, entry(request, &connection, place, stop, isWrite: true))
    }
    connection.parked = ParkedWrite(request: request, place: place, stop: stop, receivedAt: start)
    parked.append(connection.number)
  }

  /// Carries out the writes for which there is room now, in the order in which they came.
  mutating func retryParked() {
    let numbers = parked
    parked.removeAll(keepingCapacity: true)
    for number in numbers {
      guard let client = connections[number] else { continue }
      retry(&client.connection)
    }
    if parked.isEmpty { inbox.awaitRoom(false) }
  }

  private mutating func retry(_ connection: inout Connection) {
    guard let write = connection.parked, case .success(.write(let command, let reply)) = write.request.call
    else { return }
    var isError = true
    do throws(WireError) {
      do throws(QueryStopped) { try write.stop.check() } catch { throw WireError(error) }
      switch try attempt(write.request, command, reply, &connection, write.place) {
      case .done: isError = false
      case .refused: break
      case .hasNoRoom: return parked.append(connection.number)
      }
    } catch {
      if error.code == .busy { shared.busyCount.wrappingAdd(1, ordering: .relaxed) }
      refuse(&connection, write.request, write.place, error)
    }
    shared.statistics.count(write.request.method, since: write.receivedAt, isError: isError)
    if let place = write.place { shared.running.remove(connection.number, place) }
    connection.parked = nil
    resume(&connection)
  }

  func entry(
    _ request: DecodedRequest, _ connection: inout Connection, _ place: AnswerPlace,
    _ stop: StopFlag, cut: Cut? = nil, isWrite: Bool = false
  ) -> RunningRequests.Entry {
    let user = connection.peer.credentials.userID
    return .init(
      id: request.id, place: place, stop: stop, inbox: inbox, user: user, isWrite: isWrite,
      cutTakenAt: cut?.takenAt)
  }

  // MARK: When the journal has failed

  /// Answers everything that waits for the journal: nothing more will be committed.
  private mutating func fail() {
    hasFailed = true
    retryParked()
    lookAtWaiters()
    lookAtDeliveries()
    for (_, client) in connections { resume(&client.connection) }
    holding = []
    leastAwaited = .max
  }

  /// Answers with an error what is held on the connection, and what is finished there after the failure.
  mutating func failHeld(_ connection: inout Connection) {
    while let stream = connection.answers.failHeld(
      shared.committedPosition, { id, output in AnswerWriter.error(.journalFailed, id, into: &output) })
    {
      countAway(&connection, -1)
      shared.running.remove(connection.number, stream.place)
    }
  }
}

extension WireError {
  /// What waits when the journal fails: the books in memory have it, the disk may not.
  static let journalFailed = WireError.storageFailed(
    "the journal has failed and the server stops; ask again by reference after its next start",
    isOutcomeKnown: false)
}
