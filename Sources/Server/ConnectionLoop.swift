// One event loop: reads what its connections have, runs it to completion, writes the answers.

import Ledger
import Platform
import Query
import Synchronization
import Wire

/// A loop's state, which lives on its thread. Level-triggered epoll; one write for one read; no locks but
/// those of the books.
@safe struct ConnectionLoop: ~Copyable {
  /// Reads of one connection in one turn, so that a busy one does not starve the others.
  static let readsPerTurn = 4
  /// How often queued queries are looked at whose time may have passed.
  static let queueLook = Duration.milliseconds(20)
  /// A query that is estimated to take longer goes to a query thread: a hand-over costs up to 45 µs.
  static let shortQueryNanoseconds = 50_000

  let shared: Shared
  let services: Services
  let inbox: LoopInbox
  var events: EventLoop
  var connections: [UInt64: Client] = [:]
  var decoder: RequestDecoder
  /// Answers being made; empty between two connections.
  var output = JSONWriter(capacity: 64 << 10)
  /// Asks to be told of commits.
  let watch: CommitWatch
  /// Connections with a subscription that waits for a commit.
  var subscribers: Set<UInt64> = []
  /// Requests that wait for a journal position.
  var waiters: [PositionWaiter] = []
  /// Rows for descriptors that wait for a journal position.
  var uncommitted: [RowDelivery] = []
  /// Rows for descriptors that wait for a reader, by the token of their event.
  var waitingDeliveries: [UInt64: WaitingDelivery] = [:]
  /// Connections whose first answer waits for a journal position.
  var holding: [UInt64] = []
  /// No answer and no read waits for a lesser position.
  var leastAwaited = UInt64.max
  /// Connections with a write that waits for room in the journal.
  var parked: [UInt64] = []
  /// The journal has failed, and what waited for it was told.
  var hasFailed = false
  var spin: SyncSpin
  var now: MonotonicTime
  var isDraining = false
  /// Requests of all connections that are answered from elsewhere.
  var awayCount = 0
  /// The turn of the connection that is being served.
  var slice: TimeSlice
  /// Connections whose turn was over before their lines were.
  var postponed: [UInt64] = []
  var nextTick: MonotonicTime
  var nextLook: MonotonicTime
  /// Set when draining: what still runs then is cancelled.
  var drainDeadline: MonotonicTime?
  var isHurrying = false

  init(shared: Shared, services: Services, events: consuming EventLoop, inbox: LoopInbox) {
    self.shared = shared
    self.services = services
    self.inbox = inbox
    watch = shared.commitWatches.add(inbox)
    self.events = events
    decoder = RequestDecoder()
    now = shared.clock.monotonicTime()
    nextTick = now
    nextLook = now
    slice = TimeSlice(clock: shared.clock)
    spin = SyncSpin(loopCount: shared.configuration.loopCount)
  }

  /// Runs until the server has stopped and every connection is closed.
  mutating func run() {
    while !(isDraining && connections.isEmpty) {
      guard let wakefulness = waitForEvents() else { continue }
      now = shared.clock.monotonicTime()
      for index in 0..<wakefulness.eventCount {
        handle(events.event(at: index))
        // Who waits for a sync that is over need not wait for the others' requests.
        releaseCommitted()
      }
      if wakefulness.isWoken { takeMessages() }
      lookAtJournal(isWoken: wakefulness.isWoken)
      if !postponed.isEmpty { resumePostponed() }
      if now >= nextLook { lookAtQueue() }
      if now >= nextTick { tick() }
      if let drainDeadline, now >= drainDeadline { hurry() }
    }
  }

  var timeout: Duration? {
    if !postponed.isEmpty { return .zero }
    if awayCount > 0 || !waitingDeliveries.isEmpty || !waiters.isEmpty || !parked.isEmpty {
      return Self.queueLook
    }
    if isDraining { return .milliseconds(50) }
    return connections.isEmpty ? nil : max(.zero, nextTick - now)
  }

  /// Requests whose time has passed while they waited.
  mutating func lookAtQueue() {
    nextLook = now + Self.queueLook
    if awayCount > 0 { services.queries.dropStopped() }
    lookAtWaiters()
    lookAtDeliveries()
    if !parked.isEmpty { retryParked() }
  }

  // MARK: Events

  mutating func handle(_ event: ReadyEvent) {
    guard let client = connections[event.token] else { return wakeDelivery(event.token) }
    handle(event, &client.connection)
  }

  mutating func handle(_ event: ReadyEvent, _ connection: inout Connection) {
    if event.isBroken { hangUp(&connection) }
    // Lines that came while answers waited are carried out as soon as the answers are gone.
    if event.isWritable { advance(&connection) }
    if event.isReadable || event.isBroken, !read(&connection) { return }
    settle(&connection)
  }

  /// The peer is gone: its queries stop, its writes do not.
  func hangUp(_ connection: inout Connection) {
    if connection.isGone { return }
    connection.isGone = true
    connection.answers.dropFront()
    connection.passed.dropAll()
    shared.running.cancelAll(connection.number)
  }

  /// - Returns: whether the connection is still there.
  mutating func read(_ connection: inout Connection) -> Bool {
    for _ in 0..<Self.readsPerTurn {
      guard mayRead(&connection) else { return true }
      let room = unsafe connection.lines.freeRoom()
      switch unsafe try? connection.socket.read(into: room, &connection.passed) {
      case .wouldBlock: return true
      case .bytes(let count) where count > 0:
        connection.lines.received(count)
        advance(&connection)
        guard charge(&connection) else { return false }
        if count < room.count { return true }
      case .bytes:
        connection.hasEnded = true
        if !connection.isGone { connection.lines.finish() }
        advance(&connection)
        return true
      case .peerGone, nil:
        // What was cut off in the middle of a line is not a line.
        hangUp(&connection)
        connection.hasEnded = true
        advance(&connection)
        return true
      }
    }
    return true
  }

  func mayRead(_ connection: inout Connection) -> Bool {
    if connection.hasEnded || connection.isDraining
      || connection.isPostponed
    {
      return false
    }
    return connection.isGone || connection.takesRequests(shared.configuration.bounds)
  }

  /// Writes what is finished and carries out the lines that have come, as long as answers have somewhere to
  /// go. Whenever it ends with lines left, an answer or the socket is waited for, and it is called again
  /// then.
  mutating func advance(_ connection: inout Connection) {
    let bounds = shared.configuration.bounds
    var hasTakenLines = false
    slice = TimeSlice(clock: shared.clock)
    flush(&connection)
    while mayGoOn(&connection) {
      if slice.isOver() {
        postpone(&connection)
        break
      }
      guard takeLine(&connection) else {
        timeLine(&connection, isNew: hasTakenLines)
        return flush(&connection)
      }
      hasTakenLines = true
      // What is finished may make room for more requests, and there will be no other call for it.
      if output.count >= bounds.answerBatchByteCount || !connection.takesRequests(bounds) {
        flush(&connection)
      }
    }
    // The rest of the input waits for us, not for the client.
    connection.lineBegan = nil
  }

  func mayGoOn(_ connection: inout Connection) -> Bool {
    let bounds = shared.configuration.bounds
    if connection.parked != nil { return false }
    if connection.isGone { return true }
    // A batch's answers go out when it is finished, so it is not held up by their size.
    if connection.batch != nil {
      return connection.awayCount < bounds.unfinishedQueries
    }
    return connection.takesRequests(bounds)
  }

  /// Lets the other connections have their turn first.
  mutating func postpone(_ connection: inout Connection) {
    flush(&connection)
    if connection.isPostponed { return }
    connection.isPostponed = true
    postponed.append(connection.number)
  }

  mutating func resumePostponed() {
    let numbers = postponed
    postponed = []
    for number in numbers {
      guard let client = connections[number] else { continue }
      client.connection.isPostponed = false
      resume(&client.connection)
    }
  }

  /// Carries out the next line, or more of the batch that has begun; false when no line has come.
  mutating func takeLine(_ connection: inout Connection) -> Bool {
    if connection.batch != nil {
      goOnWithBatch(&connection)
      return true
    }
    switch connection.lines.next() {
    case nil:
      dropUnwanted(&connection)
      return false
    case .tooLong:
      let error = WireError.lineTooLong(limit: connection.lines.longestLine)
      answer(&connection) { output in AnswerWriter.error(error, .null, into: &output) }
      shared.statistics.count(nil, since: now, isError: true, now: now)
    case .line(let range):
      let decoded = decoder.decode(range, of: connection.lines)
      carryOut(decoded, &connection)
    }
    dropUnwanted(&connection)
    return true
  }

  /// Closes the descriptors that came with lines that did not ask for them.
  func dropUnwanted(_ connection: inout Connection) {
    if connection.passed.isEmpty { return }
    connection.passed.drop(leftByteCount: connection.lines.waitingByteCount)
  }

  /// Notes since when the end of a line is waited for.
  func timeLine(_ connection: inout Connection, isNew: Bool) {
    if !connection.lines.isInsideLine {
      connection.lineBegan = nil
    } else if isNew || connection.lineBegan == nil {
      connection.lineBegan = now
    }
  }

  /// Counts the memory held for input; closes the connection whose line would break the bound.
  /// - Returns: whether the connection is still there.
  mutating func charge(_ connection: inout Connection) -> Bool {
    let bound = shared.configuration.bounds.unfinishedLineByteCount
    guard let total = account(&connection), total > bound else { return true }
    if !connection.lines.isInsideLine {
      connection.lines.releaseMemory()
      _ = account(&connection)
      return true
    }
    let error = WireError.busy("too many bytes of unfinished lines", retryAfter: .seconds(1))
    shared.busyCount.wrappingAdd(1, ordering: .relaxed)
    answer(&connection) { output in AnswerWriter.error(error, .null, into: &output) }
    flush(&connection)
    close(&connection)
    return false
  }

  /// - Returns: the bytes that all connections hold now, if this one holds more than before.
  func account(_ connection: inout Connection) -> Int? {
    let held = connection.lines.heldByteCount
    let charged = max(0, held - shared.configuration.bounds.smallLineByteCount)
    let change = charged - connection.chargedByteCount
    if change == 0 { return nil }
    connection.chargedByteCount = charged
    let total = shared.unfinishedLineByteCount.add(change, ordering: .relaxed).newValue
    return change > 0 ? total : nil
  }

  // MARK: After each turn

  /// Asks epoll for what the connection waits for now, or closes it.
  mutating func settle(_ connection: inout Connection) {
    guard connections[connection.number] != nil else { return }
    if connection.isFinished { return close(&connection) }
    var interest: Interest = []
    if mayRead(&connection) { interest.insert(.read) }
    if connection.hasBacklog
      || connection.answers.dueStream(shared.committedPosition).map({ $0.state == .ready }) == true
    {
      interest.insert(.write)
    }
    if let position = connection.answers.awaitedPosition { hold(&connection, until: position) }
    if interest == connection.interest { return }
    connection.interest = interest
    try? events.modify(
      connection.socket.descriptor, token: connection.number, interest: interest)
  }

  mutating func close(_ connection: inout Connection) {
    let number = connection.number
    guard connections.removeValue(forKey: number) != nil else { return }
    shared.running.forget(number)
    countAway(&connection, -connection.awayCount)
    shared.unfinishedLineByteCount.subtract(connection.chargedByteCount, ordering: .relaxed)
    shared.connectionCount.subtract(1, ordering: .relaxed)
  }

  /// Once a second: lines that never end, answers that nobody reads, memory of quiet connections.
  mutating func tick() {
    nextTick = now + .seconds(1)
    let bounds = shared.configuration.bounds
    expireCuts(bounds)
    for (_, client) in connections { look(&client.connection, bounds) }
    decoder.shrink()
    wakeSubscribers()
  }

  mutating func look(_ connection: inout Connection, _ bounds: Configuration.Bounds) {
    if let began = connection.lineBegan, now - began > bounds.lineTime {
      close(&connection)
    } else if connection.hasBacklog && now - connection.backlogMoved > bounds.unreadTime {
      close(&connection)
    } else if !connection.lines.isInsideLine {
      connection.lines.releaseMemory()
      _ = account(&connection)
    }
    connection.answers.releaseMemory()
  }

  /// Ends what holds a cut for too long: replaced blocks pile up behind it.
  func expireCuts(_ bounds: Configuration.Bounds) {
    let isTooHeavy = shared.books.retainedByteCount > bounds.retainedByteCount
    let count = shared.running.expireCuts(now: now, greatestAge: bounds.cutAge, isTooHeavy: isTooHeavy)
    if count == 0 { return }
    shared.log.log(.warning, "queries ended: their cut was held too long", [("count", "\(count)")])
  }
}
