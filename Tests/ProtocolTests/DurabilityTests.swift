// What a client has been told is on the disk: nothing that shows a write leaves before its sync, whatever
// happens to the disk.

import Foundation
import LedgerlineClient
import Platform
import Server
import Storage
import TestSupport
import Testing

@Suite struct DurabilityTests {
  /// A server on a disk in memory, with two balances, and an open client.
  private final class Bench {
    let held = HeldDisk()
    let server: TestServer
    let client: TestClient

    init(configure: (inout Configuration) -> Void = { _ in }) throws {
      let directory = try TemporaryDirectory()
      let disk = held.disk
      try disk.makeDirectory("/held")
      server = try TestServer(in: directory) {
        $0.disk = disk
        $0.dataDirectory = "/held/data"
        $0.socketPath = directory.path(of: "socket")
        configure(&$0)
      }
      client = try server.connect()
      for line in Self.preparation { try client.send(line) }
      for _ in Self.preparation { #expect(try client.answer()["result"] != nil) }
    }

    /// A test that fails while a sync is held must end too.
    deinit { held.letGo() }

    private static let preparation =
      [request(1, "ledgers.create", #"{"ledger_id":"ldg_a","name":"A"}"#)]
      + ["bln_a", "bln_b"].map {
        request(1, "balances.create", #"{"balance_id":"\#($0)","ledger_id":"ldg_a","currency":"USD"}"#)
      }
      // Enough rows that others are far from those that are written: changes are noted by chunk.
      + [
        request(
          1, "balances.create_many",
          #"{"balances":["#
            + (0..<4000).map {
              #"{"balance_id":"bln_\#($0)","ledger_id":"ldg_a","currency":"USD"}"#
            }.joined(separator: ",") + "]}")
      ]
  }

  private static func transfer(_ reference: String, _ envelope: String = "") -> String {
    request(
      1, "transactions.create",
      #"{"source":"bln_a","destination":"bln_b","currency":"USD","precise_amount":"5","#
        + #""reference":"\#(reference)","allow_overdraft":true}"#, envelope)
  }

  private static func get(_ balance: String) -> String {
    request(2, "balances.get", #"{"balance_id":"\#(balance)"}"#)
  }

  private static func shows(_ answer: JSONNode, _ balance: String) -> Bool {
    answer["result"]?["balance"]?.string == balance
  }

  // MARK: A sync that takes its time

  @Test func nothingThatShowsAWriteLeavesBeforeItsSync() throws {
    let bench = try Bench()
    bench.held.hold()
    try bench.client.send(Self.transfer("one"))
    bench.held.waitUntilHeld()
    // Each on a connection of its own, so that none waits behind another.
    let dependent = [
      Self.get("bln_a"), Self.transfer("one"),
      Self.transfer("one").replacingOccurrences(of: #""5""#, with: #""6""#),
      request(1, "transactions.get_by_reference", #"{"reference":"one"}"#),
      request(1, "balances.filter", #"{"filters":[]}"#),
      request(1, "balances.filter", #"{"filters":[]}"#, #""stream":true"#),
      "[\(Self.get("bln_3999")),\(Self.get("bln_b"))]",
      request(1, "balances.get", #"{"balance_id":"bln_3999"}"#, #""min_position":4006"#),
      request(1, "ledgers.create", #"{"name":"B"}"#),
    ]
    let clients = try dependent.map { line in
      let client = try bench.server.connect()
      try client.send(line)
      return client
    }
    let other = try bench.server.connect()
    for _ in 0..<200 {
      #expect(Self.shows(try other.call("balances.get", #"{"balance_id":"bln_3999"}"#), "0"))
      #expect(try other.call("server.ping")["result"]?.string == "pong")
    }
    let stats = try other.call("server.stats")["result"]?["journal"]
    #expect((stats?["lag"]?.int ?? 0) >= 1 && stats?["state"]?.string == "running")
    // What the server says of itself at once is no position that a crash could give to other facts.
    let ping = try other.call("server.ping", "{}", #""meta":true"#)
    let committed = try #require(stats?["committed_position"]?.int)
    #expect(ping["position"]?.int == committed)
    #expect(try other.call("server.info")["result"]?["position"]?.int == committed)
    for client in [bench.client] + clients { #expect(try client.hasNothingYet()) }
    bench.held.letGo()
    #expect(try bench.client.answer()["result"]?["status"]?.string == "APPLIED")
    #expect(Self.shows(try clients[0].answer(), "-5"))
    #expect(try clients[1].answer()["result"]?["replayed"]?.text == "true")
    #expect(try clients[2].answer()["error"]?["data"]?["code"]?.string == "TXN_DUPLICATE_REFERENCE")
    for client in clients[3...] { #expect(try client.answer()["error"] == nil) }
  }

  @Test func answersThatShowNothingWaitBehindThoseThatDo() throws {
    let bench = try Bench()
    bench.held.hold()
    try bench.client.send(
      Self.get("bln_7"), Self.transfer("one"), request(3, "server.ping"), Self.get("bln_7"))
    #expect(Self.shows(try bench.client.answer(), "0"))
    bench.held.waitUntilHeld()
    #expect(try bench.client.hasNothingYet())
    bench.held.letGo()
    #expect(try bench.client.answer()["result"]?["status"]?.string == "APPLIED")
    #expect(try bench.client.answer()["id"]?.int == 3)
    #expect(Self.shows(try bench.client.answer(), "0"))
  }

  @Test(arguments: [Durability.none, .interval(.milliseconds(5))])
  func withoutThePromiseNothingWaits(durability: Durability) throws {
    let bench = try Bench { $0.journal.durability = durability }
    bench.held.hold()
    for number in 0..<10 {
      try bench.client.send(Self.transfer("\(number)"))
      #expect(try bench.client.answer()["result"]?["status"]?.string == "APPLIED")
    }
    #expect(Self.shows(try bench.client.call("balances.get", #"{"balance_id":"bln_b"}"#), "50"))
    bench.held.letGo()
    #expect(bench.server.stop())
  }

  @Test func manyWritesOfManyClientsAreAllAnswered() throws {
    for loopCount in [1, 3] {
      let bench = try Bench { $0.loopCount = loopCount }
      let clients = try (0..<20).map { _ in try bench.server.connect() }
      for round in 0..<5 {
        bench.held.hold()
        for (number, client) in clients.enumerated() {
          for item in 0..<20 { try client.send(Self.transfer("\(round).\(number).\(item)")) }
        }
        bench.held.waitUntilHeld()
        bench.held.letGo()
        for client in clients {
          for _ in 0..<20 { #expect(try client.answer()["result"]?["status"]?.string == "APPLIED") }
        }
      }
      #expect(Self.shows(try bench.client.call("balances.get", #"{"balance_id":"bln_b"}"#), "10000"))
      #expect(bench.server.stop())
    }
  }

  @Test func aStopAnswersWhatIsHeld() throws {
    let bench = try Bench()
    bench.held.hold()
    try bench.client.send(Self.transfer("one"), Self.get("bln_b"))
    bench.held.waitUntilHeld()
    bench.server.server.stop()
    bench.held.letGo()
    #expect(try bench.client.answer()["result"]?["status"]?.string == "APPLIED")
    #expect(Self.shows(try bench.client.answer(), "5"))
    #expect(try bench.client.isEnded())
    #expect(bench.server.stop())
  }

  // MARK: A disk that fails

  @Test func aFailedSyncTellsThatTheOutcomeIsUnknownAndEndsTheServer() throws {
    let bench = try Bench()
    bench.held.disk.plant(DiskFault(.sync, turn: 1, isForever: true, place: SegmentName.name(1)))
    bench.held.hold()
    try bench.client.send(Self.transfer("one"), "[\(Self.get("bln_b")),\(Self.get("bln_7"))]")
    bench.held.waitUntilHeld()
    let reader = try bench.server.connect()
    try reader.send(Self.get("bln_b"))
    let query = try bench.server.connect()
    try query.send(request(9, "balances.filter", #"{"filters":[]}"#, #""stream":true"#))
    let waiter = try bench.server.connect()
    try waiter.send(request(8, "balances.get", #"{"balance_id":"bln_7"}"#, #""min_position":100000"#))
    let other = try bench.server.connect()
    #expect(Self.shows(try other.call("balances.get", #"{"balance_id":"bln_7"}"#), "0"))
    bench.held.letGo()
    let unknown = try bench.client.answer()
    #expect(unknown["id"]?.int == 1 && Self.outcome(unknown) == "unknown")
    let batch = try bench.client.answer()
    #expect(batch.array?.compactMap { Self.outcome($0) } == ["unknown", "unknown"])
    for client in [reader, query, waiter] { #expect(Self.outcome(try client.answer()) == "unknown") }
    for client in [bench.client, reader, query, waiter, other] { #expect(try client.isEnded()) }
    #expect(bench.server.end() == .journalFailed)
  }

  @Test func theFirstWriteAfterAFailedOneIsRefusedUnapplied() throws {
    let bench = try Bench()
    bench.held.disk.plant(DiskFault(.write, turn: 1, isForever: true, place: "journal-"))
    // The server ends within a second, so it may be gone before it has read the second.
    try bench.client.send(Self.transfer("one"), Self.transfer("two"))
    #expect(Self.outcome(try bench.client.answer()) == "unknown")
    if let line = try? bench.client.line() {
      #expect(["unknown", "not_applied"].contains(Self.outcome(try JSONNode.parse(line))))
    }
    #expect(bench.server.end() == .journalFailed)
  }

  private static func outcome(_ answer: JSONNode) -> String? {
    guard answer["error"]?["data"]?["code"]?.string == "STORAGE_FAILED" else { return nil }
    return answer["error"]?["data"]?["outcome"]?.string
  }

  // MARK: A full disk

  @Test func aFullDiskRefusesWritesAndReadsGoOnUntilThereIsRoom() throws {
    let bench = try Bench {
      $0.journal.firstSegmentByteCount = 1 << 20
      $0.journal.segmentByteCount = 1 << 20
      $0.journal.minimumFreeByteCount = 0
    }
    bench.held.disk.setCapacity(bench.held.disk.usedByteCount)
    var applied = 0
    var refusal: JSONNode?
    while refusal == nil {
      let answer = try bench.client.answer(to: Self.transfer("\(applied)"))
      if answer["result"] == nil { refusal = answer } else { applied += 1 }
    }
    #expect(refusal.flatMap { Self.outcome($0) } == "not_applied")
    #expect(refusal?["error"]?["code"]?.int == -32005)
    let balance = try bench.client.call("balances.get", #"{"balance_id":"bln_b"}"#)
    #expect(Self.shows(balance, "\(applied * 5)"))
    #expect(try bench.client.call("server.info")["result"]?["journal"]?["state"]?.string == "full")
    bench.held.disk.setCapacity(1 << 40)
    #expect(
      try eventually { try bench.client.answer(to: Self.transfer("\(applied)"))["result"] != nil })
    #expect(bench.server.stop())
  }

  // MARK: Admission

  @Test func aWriteWaitsInItsPlaceUntilTheJournalHasRoom() throws {
    let bench = try Bench {
      $0.journal.firstSegmentByteCount = 1 << 20
      $0.journal.segmentByteCount = 1 << 20
    }
    // No segment can be made while syncs are held; what comes meanwhile fills those that are there.
    bench.held.hold()
    let writers = try (0..<3).map { try Writer(bench.server, name: "\($0)", count: 400) }
    bench.held.waitUntilHeld()
    let other = try bench.server.connect()
    #expect(
      try eventually {
        try other.call("server.stats")["result"]?["queues"]?["unanswered_requests"]?.int == writers.count
      })
    for _ in 0..<50 {
      #expect(Self.shows(try other.call("balances.get", #"{"balance_id":"bln_3999"}"#), "0"))
    }
    bench.held.letGo()
    for writer in writers { #expect(writer.end() == writer.count) }
    #expect(bench.server.stop())
  }

  @Test func whoWritesFasterThanTheDiskIsReadLessAndWhoReadsDoesNotNotice() throws {
    let bench = try Bench {
      $0.journal.softPendingByteCount = 64 << 10
      $0.bounds.waitingAnswerByteCount = 64 << 20
    }
    bench.held.hold()
    let writer = try Writer(bench.server, name: "w", count: 400)
    bench.held.waitUntilHeld()
    func pending() throws -> Int {
      try bench.client.call("server.stats")["result"]?["journal"]?["pending_bytes"]?.int ?? .max
    }
    #expect(try eventually { try pending() > 64 << 10 })
    for _ in 0..<100 {
      #expect(Self.shows(try bench.client.call("balances.get", #"{"balance_id":"bln_3999"}"#), "0"))
    }
    #expect(try pending() < 128 << 10)
    bench.held.letGo()
    #expect(writer.end() == writer.count)
    #expect(bench.server.stop())
  }

  @Test func aParkedWriteCanBeCancelledAndCanExpire() throws {
    let bench = try Bench { $0.journal.softPendingByteCount = 0 }
    bench.held.hold()
    // One is in the group whose sync is held, one waits in the log, so the next is not let in.
    try bench.client.send(Self.transfer("one"))
    bench.held.waitUntilHeld()
    let second = try bench.server.connect()
    try second.send(Self.transfer("two"))
    let other = try bench.server.connect()
    #expect(
      try eventually {
        try other.call("server.stats")["result"]?["journal"]?["pending_bytes"]?.int ?? 0 > 0
      })
    let expiring = try bench.server.connect()
    try expiring.send(Self.transfer("three", #""timeout_ms":30"#), request(2, "server.ping"))
    #expect(try expiring.answer()["error"]?["data"]?["code"]?.string == "DEADLINE_EXCEEDED")
    #expect(try expiring.answer()["result"]?.string == "pong")
    let cancelled = try bench.server.connect()
    let number = try #require(try cancelled.call("server.info")["result"]?["connection"]?.int)
    try cancelled.send(Self.transfer("four").replacingOccurrences(of: #""id":1"#, with: #""id":77"#))
    #expect(
      try eventually {
        try other.call("server.cancel", #"{"id":77,"connection":\#(number)}"#)["result"]?["cancelled"]?.int
          == 1
      })
    #expect(try cancelled.answer()["error"]?["data"]?["code"]?.string == "CANCELLED")
    // A write whose client has gone is carried out all the same.
    try bench.server.connect().send(Self.transfer("five"))
    bench.held.letGo()
    for client in [bench.client, second] { #expect(try client.answer()["result"] != nil) }
    #expect(
      try eventually {
        try other.call("transactions.get_by_reference", #"{"reference":"five"}"#)["result"] != nil
      })
    for reference in ["three", "four"] {
      let answer = try other.call("transactions.get_by_reference", #"{"reference":"\#(reference)"}"#)
      #expect(answer["error"]?["data"]?["code"]?.string == "TXN_NOT_FOUND")
    }
    #expect(bench.server.stop())
  }
}

/// A client on a thread of its own that sends more than the kernel holds for it, then reads the answers.
private final class Writer: Sendable {
  let count: Int
  private let answered = Gate(0)
  private let thread: Gate<Platform.Thread?>

  init(_ server: TestServer, name: String, count: Int) throws {
    self.count = count
    let filler = String(repeating: "x", count: 4000)
    var lines = ""
    for item in 0..<count {
      // Answers are short, because they are read only when all is sent.
      let params =
        #"{"transactions":[{"source":"bln_a","destination":"bln_b","currency":"USD","precise_amount":"1","#
        + #""reference":"\#(name).\#(item)","allow_overdraft":true,"meta_data":{"x":"\#(filler)"}}],"#
        + #""return":"none"}"#
      lines += request(item, "transactions.create_many", params) + "\n"
    }
    let bytes = Array(lines.utf8)
    thread = Gate(nil)
    let (path, answered) = (server.server.socketPath, answered)
    let started = try Platform.Thread(name: "writer") {
      guard let client = try? TestClient(path: path), (try? client.send(bytes)) != nil else { return }
      for item in 0..<count {
        guard let answer = try? client.answer(), answer["id"]?.int == item, answer["result"] != nil else {
          return
        }
        answered.withLock { $0 += 1 }
      }
    }
    thread.withLock { $0 = started }
  }

  /// Waits for the last answer, and tells how many there were, in order.
  func end() -> Int {
    thread.withLock { thread in
      let taken = thread
      thread = nil
      return taken
    }?.join()
    return answered.withLock { $0 }
  }
}

extension TestClient {
  /// Whether nothing has come, although others were answered that asked later.
  fileprivate func hasNothingYet() throws -> Bool { try !hasInput() }

  fileprivate func answer(to line: String) throws -> JSONNode {
    try send(line)
    return try answer()
  }
}
