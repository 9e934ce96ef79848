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
  private static let readsPerTurn = 4
  /// Bytes of streamed rows made in one turn.
  private static let streamBytesPerTurn = 1 << 20
  /// How often queued queries are looked at whose time may have passed.
  private static let queueLook = Duration.milliseconds(20)
  /// A query that is estimated to take longer goes to a query thread: a hand-over costs up to 45 µs.
  static let shortQueryNanoseconds = 50_000

  let shared: Shared
  let services: Services
  let inbox: LoopInbox
  var events: EventLoop
  var connections: [UInt64: UnsafeMutablePointer<Connection>] = unsafe [:]
  var decoder: RequestDecoder
  /// Answers being made; empty between two connections.
  var output = JSONWriter(capacity: 64 << 10)
  /// Requests that wait for a journal position.
  var waiters: [PositionWaiter] = []
  var now: MonotonicTime
  var isDraining = false
  /// Requests of all connections that are answered from elsewhere.
  var awayCount = 0
  /// The turn of the connection that is being served.
  var slice: TimeSlice
  /// Connections whose turn was over before their lines were.
  private var postponed: [UInt64] = []
  private var nextTick: MonotonicTime
  private var nextLook: MonotonicTime
  /// Set when draining: what still runs then is cancelled.
  private var drainDeadline: MonotonicTime?
  private var isHurrying = false

  init(shared: Shared, services: Services, events: consuming EventLoop, inbox: LoopInbox) {
    self.shared = shared
    self.services = services
    self.inbox = inbox
    self.events = events
    decoder = RequestDecoder()
    now = shared.clock.monotonicTime()
    nextTick = now
    nextLook = now
    slice = TimeSlice(clock: shared.clock)
  }

  /// Runs until the server has stopped and every connection is closed.
  mutating func run() {
    while unsafe !(isDraining && connections.isEmpty) {
      guard let wakefulness = try? events.wait(timeout: timeout) else { continue }
      now = shared.clock.monotonicTime()
      for index in 0..<wakefulness.eventCount { handle(events.event(at: index)) }
      if wakefulness.isWoken { takeMessages() }
      if !waiters.isEmpty { lookAtWaiters() }
      if !postponed.isEmpty { resumePostponed() }
      if now >= nextLook { lookAtQueue() }
      if now >= nextTick { tick() }
    }
  }

  private var timeout: Duration? {
    if !postponed.isEmpty { return .zero }
    if !waiters.isEmpty { return .milliseconds(2) }
    if awayCount > 0 { return Self.queueLook }
    if isDraining { return .milliseconds(50) }
    return unsafe connections.isEmpty ? nil : max(.zero, nextTick - now)
  }

  /// Queries whose time has passed before a thread took them.
  private mutating func lookAtQueue() {
    nextLook = now + Self.queueLook
    if awayCount > 0 { services.queries.dropStopped() }
  }

  // MARK: Events

  private mutating func handle(_ event: ReadyEvent) {
    guard let connection = unsafe connections[event.token] else { return }
    if event.isBroken { unsafe hangUp(connection) }
    // Lines that came while answers waited are carried out as soon as the answers are gone.
    if event.isWritable { unsafe advance(connection) }
    if event.isReadable || event.isBroken, unsafe !read(connection) { return }
    unsafe settle(connection)
  }

  /// The peer is gone: its queries stop, its writes do not.
  private func hangUp(_ connection: UnsafeMutablePointer<Connection>) {
    if unsafe connection.pointee.isGone { return }
    unsafe connection.pointee.isGone = true
    unsafe connection.pointee.backlog = []
    unsafe connection.pointee.backlogStart = 0
    unsafe shared.running.cancelAll(connection.pointee.number)
  }

  /// - Returns: whether the connection is still there.
  private mutating func read(_ connection: UnsafeMutablePointer<Connection>) -> Bool {
    for _ in 0..<Self.readsPerTurn {
      guard unsafe mayRead(connection) else { return true }
      let room = unsafe connection.pointee.lines.freeRoom()
      switch unsafe try? connection.pointee.socket.read(into: room) {
      case .wouldBlock: return true
      case .bytes(let count) where count > 0:
        unsafe connection.pointee.lines.received(count)
        unsafe advance(connection)
        guard unsafe charge(connection) else { return false }
        if count < room.count { return true }
      case .bytes:
        unsafe connection.pointee.hasEnded = true
        if unsafe !connection.pointee.isGone { unsafe connection.pointee.lines.finish() }
        unsafe advance(connection)
        return true
      case .peerGone, nil:
        // What was cut off in the middle of a line is not a line.
        unsafe hangUp(connection)
        unsafe connection.pointee.hasEnded = true
        unsafe advance(connection)
        return true
      }
    }
    return true
  }

  private func mayRead(_ connection: UnsafeMutablePointer<Connection>) -> Bool {
    if unsafe connection.pointee.hasEnded || connection.pointee.isDraining
      || connection.pointee.isPostponed
    {
      return false
    }
    return unsafe connection.pointee.isGone || connection.pointee.takesRequests(shared.configuration.bounds)
  }

  /// Writes what is finished and carries out the lines that have come, as long as answers have somewhere to
  /// go. Whenever it ends with lines left, an answer or the socket is waited for, and it is called again
  /// then.
  mutating func advance(_ connection: UnsafeMutablePointer<Connection>) {
    let bounds = shared.configuration.bounds
    var hasTakenLines = false
    slice = TimeSlice(clock: shared.clock)
    unsafe flush(connection)
    while unsafe mayGoOn(connection) {
      if slice.isOver() {
        unsafe postpone(connection)
        break
      }
      guard unsafe takeLine(connection) else {
        unsafe timeLine(connection, isNew: hasTakenLines)
        return unsafe flush(connection)
      }
      hasTakenLines = true
      // What is finished may make room for more requests, and there will be no other call for it.
      if unsafe output.count >= bounds.answerBatchByteCount || !connection.pointee.takesRequests(bounds) {
        unsafe flush(connection)
      }
    }
    // The rest of the input waits for us, not for the client.
    unsafe connection.pointee.lineBegan = nil
  }

  private func mayGoOn(_ connection: UnsafeMutablePointer<Connection>) -> Bool {
    let bounds = shared.configuration.bounds
    if unsafe connection.pointee.isGone { return true }
    // A batch's answers go out when it is finished, so it is not held up by their size.
    if unsafe connection.pointee.batch != nil {
      return unsafe connection.pointee.awayCount < bounds.unfinishedQueries
    }
    return unsafe connection.pointee.takesRequests(bounds)
  }

  /// Lets the other connections have their turn first.
  private mutating func postpone(_ connection: UnsafeMutablePointer<Connection>) {
    unsafe flush(connection)
    if unsafe connection.pointee.isPostponed { return }
    unsafe connection.pointee.isPostponed = true
    unsafe postponed.append(connection.pointee.number)
  }

  private mutating func resumePostponed() {
    let numbers = postponed
    postponed = []
    for number in numbers {
      guard let connection = unsafe connections[number] else { continue }
      unsafe connection.pointee.isPostponed = false
      unsafe resume(connection)
    }
  }

  /// Carries out the next line, or more of the batch that has begun; false when no line has come.
  private mutating func takeLine(_ connection: UnsafeMutablePointer<Connection>) -> Bool {
    if unsafe connection.pointee.batch != nil {
      unsafe goOnWithBatch(connection)
      return true
    }
    switch unsafe connection.pointee.lines.next() {
    case nil: return false
    case .tooLong:
      let error = unsafe WireError.lineTooLong(limit: connection.pointee.lines.longestLine)
      unsafe answer(connection) { output in AnswerWriter.error(error, .null, into: &output) }
      shared.statistics.count(nil, since: now, isError: true, now: now)
    case .line(let range):
      let decoded = unsafe decoder.decode(range, of: connection.pointee.lines)
      unsafe carryOut(decoded, connection)
    }
    return true
  }

  /// Notes since when the end of a line is waited for.
  private func timeLine(_ connection: UnsafeMutablePointer<Connection>, isNew: Bool) {
    if unsafe !connection.pointee.lines.isInsideLine {
      unsafe connection.pointee.lineBegan = nil
    } else if unsafe isNew || connection.pointee.lineBegan == nil {
      unsafe connection.pointee.lineBegan = now
    }
  }

  /// Counts the memory held for input; closes the connection whose line would break the bound.
  /// - Returns: whether the connection is still there.
  private mutating func charge(_ connection: UnsafeMutablePointer<Connection>) -> Bool {
    let bound = shared.configuration.bounds.unfinishedLineByteCount
    guard let total = unsafe account(connection), total > bound else { return true }
    if unsafe !connection.pointee.lines.isInsideLine {
      unsafe connection.pointee.lines.releaseMemory()
      _ = unsafe account(connection)
      return true
    }
    let error = WireError.busy("too many bytes of unfinished lines", retryAfter: .seconds(1))
    shared.busyCount.wrappingAdd(1, ordering: .relaxed)
    unsafe answer(connection) { output in AnswerWriter.error(error, .null, into: &output) }
    unsafe flush(connection)
    unsafe close(connection)
    return false
  }

  /// - Returns: the bytes that all connections hold now, if this one holds more than before.
  private func account(_ connection: UnsafeMutablePointer<Connection>) -> Int? {
    let held = unsafe connection.pointee.lines.heldByteCount
    let charged = max(0, held - shared.configuration.bounds.smallLineByteCount)
    let change = unsafe charged - connection.pointee.chargedByteCount
    if change == 0 { return nil }
    unsafe connection.pointee.chargedByteCount = charged
    let total = shared.unfinishedLineByteCount.add(change, ordering: .relaxed).newValue
    return change > 0 ? total : nil
  }

  // MARK: Answers

  /// Puts an answer in its order: straight into the output when nothing waits before it.
  mutating func answer(
    _ connection: UnsafeMutablePointer<Connection>, _ write: (inout JSONWriter) -> Void
  ) {
    if unsafe connection.pointee.answers.isEmpty {
      write(&output)
    } else {
      unsafe connection.pointee.answers.appendFinished(line(write))
    }
  }

  /// The bytes that `write` makes, apart from the output.
  mutating func line(_ write: (inout JSONWriter) -> Void) -> [UInt8] {
    let mark = output.count
    write(&output)
    let line = unsafe [UInt8](output.unsafeBytes[mark...])
    output.rewind(to: mark)
    return line
  }

  /// Writes out the backlog, then what is finished, then what streams; keeps what the socket does not take.
  mutating func flush(_ connection: UnsafeMutablePointer<Connection>) {
    if unsafe connection.pointee.isGone {
      output.removeAll()
      return
    }
    unsafe writeBacklog(connection)
    if unsafe connection.pointee.hasBacklog {
      if !output.isEmpty {
        unsafe connection.pointee.backlog.append(contentsOf: output.copied())
        output.removeAll()
      }
      return
    }
    let limit = shared.configuration.bounds.answerBatchByteCount
    var streamed = 0
    while unsafe !connection.pointee.hasBacklog {
      unsafe connection.pointee.answers.takeFinished(into: &output, byteLimit: limit)
      if output.isEmpty, let stream = unsafe connection.pointee.answers.dueStream {
        if streamed >= Self.streamBytesPerTurn { break }
        unsafe pump(stream, connection)
        streamed += output.count
      }
      if output.isEmpty { break }
      unsafe writeOutput(connection)
    }
  }

  private func writeBacklog(_ connection: UnsafeMutablePointer<Connection>) {
    guard unsafe connection.pointee.hasBacklog else { return }
    let start = unsafe connection.pointee.backlogStart
    let result = unsafe try? connection.pointee.socket.write(
      connection.pointee.backlog.span.extracting(start..<connection.pointee.backlog.count))
    switch result {
    case .bytes(let count):
      unsafe connection.pointee.backlogStart += count
      unsafe connection.pointee.backlogMoved = now
      if unsafe connection.pointee.backlogStart == connection.pointee.backlog.count {
        unsafe connection.pointee.backlog = []
        unsafe connection.pointee.backlogStart = 0
      }
    case .wouldBlock: break
    case .peerGone, nil: unsafe hangUp(connection)
    }
  }

  private mutating func writeOutput(_ connection: UnsafeMutablePointer<Connection>) {
    switch unsafe try? connection.pointee.socket.write(output.unsafeBytes) {
    case .bytes(let count): output.consume(count)
    case .wouldBlock: break
    case .peerGone, nil:
      unsafe hangUp(connection)
      output.removeAll()
    }
    if !output.isEmpty {
      unsafe connection.pointee.backlog = output.copied()
      unsafe connection.pointee.backlogStart = 0
      unsafe connection.pointee.backlogMoved = now
      output.removeAll()
    }
  }

  /// The next rows of a stream into the output, or its last line.
  private mutating func pump(_ stream: StreamedAnswer, _ connection: UnsafeMutablePointer<Connection>) {
    do throws(WireError) {
      try stream.check()
      if stream.writeNext(into: &output) {
        return
      }
    } catch {
      AnswerWriter.error(error, stream.id, into: &output)
    }
    unsafe connection.pointee.answers.endDueStream()
    unsafe countAway(connection, -1)
    unsafe shared.running.remove(connection.pointee.number, stream.place)
  }

  /// Counts a request that is answered from elsewhere, or one that has been.
  mutating func countAway(_ connection: UnsafeMutablePointer<Connection>, _ change: Int) {
    unsafe connection.pointee.awayCount += change
    awayCount += change
  }

  // MARK: After each turn

  /// Asks epoll for what the connection waits for now, or closes it.
  mutating func settle(_ connection: UnsafeMutablePointer<Connection>) {
    guard unsafe connections[connection.pointee.number] != nil else { return }
    if unsafe connection.pointee.isFinished { return unsafe close(connection) }
    var interest: Interest = []
    if unsafe mayRead(connection) { interest.insert(.read) }
    if unsafe connection.pointee.hasBacklog || connection.pointee.answers.dueStream != nil {
      interest.insert(.write)
    }
    if unsafe interest == connection.pointee.interest { return }
    unsafe connection.pointee.interest = interest
    unsafe try? events.modify(
      connection.pointee.socket.descriptor, token: connection.pointee.number, interest: interest)
  }

  mutating func close(_ connection: UnsafeMutablePointer<Connection>) {
    let number = unsafe connection.pointee.number
    guard unsafe connections.removeValue(forKey: number) != nil else { return }
    shared.running.forget(number)
    unsafe countAway(connection, -connection.pointee.awayCount)
    unsafe shared.unfinishedLineByteCount.subtract(connection.pointee.chargedByteCount, ordering: .relaxed)
    shared.connectionCount.subtract(1, ordering: .relaxed)
    unsafe connection.deinitialize(count: 1)
    unsafe connection.deallocate()
  }

  /// Once a second: lines that never end, answers that nobody reads, memory of quiet connections.
  private mutating func tick() {
    nextTick = now + .seconds(1)
    let bounds = shared.configuration.bounds
    expireCuts(bounds)
    for unsafe(_, connection) in unsafe connections {
      if let began = unsafe connection.pointee.lineBegan, now - began > bounds.lineTime {
        unsafe close(connection)
      } else if unsafe connection.pointee.hasBacklog
        && now - connection.pointee.backlogMoved > bounds.unreadTime
      {
        unsafe close(connection)
      } else if unsafe !connection.pointee.lines.isInsideLine {
        unsafe connection.pointee.lines.releaseMemory()
        _ = unsafe account(connection)
      }
    }
    decoder.shrink()
    if let drainDeadline, now >= drainDeadline { hurry() }
  }

  /// Ends what holds a cut for too long: replaced blocks pile up behind it.
  private func expireCuts(_ bounds: Configuration.Bounds) {
    let isTooHeavy = shared.books.retainedByteCount > bounds.retainedByteCount
    let count = shared.running.expireCuts(now: now, greatestAge: bounds.cutAge, isTooHeavy: isTooHeavy)
    if count == 0 { return }
    shared.log.log(.warning, "queries ended: their cut was held too long", [("count", "\(count)")])
  }

  // MARK: Messages

  private mutating func takeMessages() {
    for message in inbox.takeAll() {
      switch message {
      case .adopt(let descriptor, let peer): adopt(UnixSocket(adopting: descriptor), peer)
      case .finished(let number, let place, let line):
        guard let connection = unsafe connections[number] else { continue }
        unsafe connection.pointee.answers.finish(place, line)
        unsafe countAway(connection, -1)
        unsafe resume(connection)
      case .streamReady(let number, let slot, let answer):
        guard let connection = unsafe connections[number] else { continue }
        unsafe connection.pointee.answers.beginStream(slot, answer)
        unsafe resume(connection)
      case .lookAgain(let number):
        services.queries.dropStopped()
        guard let connection = unsafe connections[number] else { continue }
        unsafe resume(connection)
      case .drain: drain()
      }
    }
  }

  /// An answer came: write it, and take the requests that waited for it.
  private mutating func resume(_ connection: UnsafeMutablePointer<Connection>) {
    unsafe advance(connection)
    unsafe settle(connection)
  }

  private mutating func adopt(_ socket: consuming UnixSocket, _ peer: Peer) {
    let number = shared.nextConnection.add(1, ordering: .relaxed).oldValue
    let descriptor = socket.descriptor
    let connection = UnsafeMutablePointer<Connection>.allocate(capacity: 1)
    unsafe connection.initialize(
      to: Connection(
        number: number, socket: socket, peer: peer, longestLine: shared.configuration.longestLine))
    do {
      try events.add(descriptor, token: number, interest: .read)
      unsafe connections[number] = unsafe connection
      if isDraining { unsafe beginDraining(connection) }
    } catch {
      shared.log.log(.warning, "connection not watched", [("reason", "\(error)")])
      shared.connectionCount.subtract(1, ordering: .relaxed)
      unsafe connection.deinitialize(count: 1)
      unsafe connection.deallocate()
    }
  }

  /// Takes nothing new; what was read is finished, then each connection closes.
  private mutating func drain() {
    isDraining = true
    drainDeadline = now + shared.configuration.bounds.stopTime
    for unsafe(_, connection) in unsafe connections { unsafe beginDraining(connection) }
  }

  private mutating func beginDraining(_ connection: UnsafeMutablePointer<Connection>) {
    guard unsafe read(connection) else { return }
    unsafe connection.pointee.isDraining = true
    unsafe settle(connection)
  }

  /// The time to stop is over: what still runs is cancelled and answered so; a second later all are closed.
  private mutating func hurry() {
    for unsafe(number, connection) in unsafe connections {
      if isHurrying { unsafe close(connection) } else { shared.running.cancelAll(number) }
    }
    isHurrying = true
    drainDeadline = now + .seconds(1)
  }
}
