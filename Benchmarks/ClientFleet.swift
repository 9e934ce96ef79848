// Many connections driven by one thread that costs little: each keeps its window of requests on their way.

import Platform

/// Blocking connections behind one epoll; only what is readable is read.
final class ClientFleet {
  private final class Member {
    var client: SocketClient
    /// Requests of this connection: every n-th of those that are driven.
    var next = 0
    var sentAt: [MonotonicTime] = []
    var answered = 0

    init(_ client: consuming SocketClient) { self.client = client }
  }

  private let members: [Member]
  private let events: EventLoop
  private let clock = SystemClock()

  init(path: String, count: Int) throws {
    events = try EventLoop(capacity: 64)
    members = try (0..<count).map { _ in Member(try SocketClient(path: path)) }
    for (token, member) in members.enumerated() {
      try member.client.watch(in: events, token: UInt64(token))
    }
  }

  var errorCount: Int { members.reduce(0) { $0 + $1.client.errorCount } }

  /// One request on the first connection, its answer.
  func call(_ request: String) throws -> String { try members[0].client.call(request) }

  /// Sends `lines`, `window` of them in flight on each connection, and reads all answers.
  /// - Returns: the time of each request from its sending to its answer, and the seconds in all.
  func drive(_ lines: ArraySlice<[UInt8]>, window: Int) throws -> (Timings, Double) {
    var timings = Timings()
    let start = clock.monotonicTime()
    for (number, member) in members.enumerated() {
      member.next = lines.startIndex + number
      member.sentAt = []
      member.answered = 0
      try send(window, lines, member)
    }
    var missing = lines.count
    while missing > 0 {
      if members.count == 1 {
        missing -= try receive(members[0], lines, &timings)
        continue
      }
      let wakefulness = try events.wait(timeout: .seconds(30))
      if wakefulness.eventCount == 0 { throw ClientFailure.hungUp }
      for index in 0..<wakefulness.eventCount {
        missing -= try receive(members[Int(events.event(at: index).token)], lines, &timings)
      }
    }
    return (timings, Double((clock.monotonicTime() - start).wholeNanoseconds) / 1e9)
  }

  /// Reads what has come and sends as many new requests.
  private func receive(_ member: Member, _ lines: ArraySlice<[UInt8]>, _ timings: inout Timings) throws -> Int
  {
    let came = try member.client.receive()
    let now = clock.monotonicTime()
    for _ in 0..<came {
      timings.add(now - member.sentAt[member.answered])
      member.answered += 1
    }
    if came > 0 { try send(came, lines, member) }
    return came
  }

  private func send(_ limit: Int, _ lines: ArraySlice<[UInt8]>, _ member: Member) throws {
    let now = clock.monotonicTime()
    var count = 0
    var joined: [UInt8] = []
    while count < limit, member.next < lines.endIndex {
      if limit == 1 {
        member.sentAt.append(now)
        try member.client.send(lines[member.next][...])
      } else {
        joined += lines[member.next]
        member.sentAt.append(now)
      }
      member.next += members.count
      count += 1
    }
    if !joined.isEmpty { try member.client.send(joined[...]) }
  }
}
