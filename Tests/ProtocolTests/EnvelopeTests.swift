// What stands beside the params of a request: time limits, cancelling, streams, keys, positions, and the
// order of answers when some are made by other threads.

import Ledger
import LedgerlineClient
import Platform
import Server
import TestSupport
import Testing

@Suite struct EnvelopeTests {
  private static let balanceCount = 20_000
  /// Too many patterns to look at on the event loop.
  private static let pattern = #"{"field":"balance_id","operator":"like","value":"%_9%"}"#
  private static let query = #"{"filters":[\#(pattern)],"sort_by":"balance_id","limit":5}"#

  /// A server with `balanceCount` balances, `bln_0` and so on.
  private static func loaded(
    clock: any TimeSource = SystemClock(), _ configure: (inout Configuration) -> Void = { _ in }
  ) throws -> TestServer {
    let server = try TestServer(clock: clock, configure: configure)
    let client = try server.connect()
    try client.call("ledgers.create", #"{"ledger_id":"ldg_a","name":"A"}"#)
    for start in stride(from: 0, to: balanceCount, by: 5000) {
      let balances = (start..<start + 5000).map {
        #"{"balance_id":"bln_\#($0)","ledger_id":"ldg_a","currency":"USD"}"#
      }
      let made = try client.call(
        "balances.create_many", #"{"balances":[\#(balances.joined(separator: ","))]}"#)
      #expect(made["result"]?["created"]?.int == 5000)
    }
    return server
  }

  /// Cursors of other queries keep the only query thread busy for as long as its answers are wanted.
  private static func occupy(_ server: TestServer, with count: Int) throws -> TestClient {
    let client = try server.connect()
    for id in 0..<count { try client.send(request(id, "balances.filter", Self.query)) }
    return client
  }

  // MARK: Order

  @Test func answersComeInTheOrderOfRequestsWhoeverMakesThem() throws {
    let server = try Self.loaded()
    let client = try server.connect()
    for id in stride(from: 0, to: 60, by: 3) {
      try client.send(
        request(id, "balances.filter", Self.query),
        request(id + 1, "ledgers.create", #"{"name":"L\#(id)"}"#),
        request(id + 2, "server.ping"))
    }
    for id in 0..<60 {
      let answer = try client.answer()
      #expect(answer["id"]?.int == id)
      #expect(answer["result"] != nil)
    }
  }

  @Test func aQuerySeesWhatWasWrittenBeforeItAndNotWhatCameAfter() throws {
    let server = try Self.loaded()
    let client = try server.connect()
    let count = #"{"filters":[\#(Self.pattern)],"include_count":true,"limit":1}"#
    let first = try client.call("balances.filter", count)["result"]?["total_count"]?.int ?? 0
    func create(_ id: Int) -> String {
      request(
        id, "balances.create", #"{"balance_id":"bln_x9\#(id)","ledger_id":"ldg_a","currency":"USD"}"#)
    }
    try client.send(
      create(1), request(2, "balances.filter", count), create(3), request(4, "balances.filter", count))
    _ = try client.answer()
    #expect(try client.answer()["result"]?["total_count"]?.int == first + 1)
    _ = try client.answer()
    #expect(try client.answer()["result"]?["total_count"]?.int == first + 2)
  }

  @Test func aBatchIsAnsweredInOneArrayWhoeverMakesItsParts() throws {
    let server = try Self.loaded()
    let client = try server.connect()
    try client.send(
      "["
        + [
          request(1, "balances.filter", Self.query), #"{"method":"server.ping"}"#,
          request(2, "balances.get", #"{"balance_id":"bln_1"}"#), request(3, "no.such"), "5",
          request(4, "balances.filter", Self.query, #""stream":true"#),
          #"{"method":"ledgers.create","params":{"name":"noticed"}}"#,
        ].joined(separator: ",") + "]", request(9, "ledgers.list"))
    let answers = try client.answer().array ?? []
    #expect(answers.map { $0["id"] } == [.int(1), .int(2), .int(3), .null, .int(4)])
    #expect(answers[0]["result"]?.array?.count == 5)
    #expect(answers[1]["result"]?["balance_id"]?.string == "bln_1")
    #expect(answers[2]["error"]?["code"]?.int == -32601)
    #expect(answers[3]["error"]?["code"]?.int == -32600)
    #expect(answers[4]["error"]?["code"]?.int == -32602)
    #expect(try client.answer()["result"]?.array?.count == 3)
  }

  @Test func aBatchOfNotificationsHasNoAnswer() throws {
    let server = try TestServer()
    let client = try server.connect()
    try client.send(
      #"[{"method":"ledgers.create","params":{"name":"A"}},{"method":"no.such"}]"#,
      #"{"method":"ledgers.create","params":{"name":"B"}}"#, request(1, "ledgers.list"))
    #expect(try client.answer()["result"]?.array?.count == 3)
  }

  @Test func adjacentReadsOfABatchShareACut() throws {
    let server = try TestServer { $0.loopCount = 2 }
    let writer = try server.connect()
    let reader = try server.connect()
    try writer.call("ledgers.create", #"{"ledger_id":"ldg_a","name":"A"}"#)
    let thread = try Platform.Thread(name: "writer") {
      guard let client = try? server.connect() else { return }
      for number in 0..<300 {
        _ = try? client.call("metadata.update", #"{"id":"ldg_a","meta_data":{"n":\#(number)}}"#)
      }
    }
    defer { thread.join() }
    let get = request(1, "ledgers.get", #"{"ledger_id":"ldg_a"}"#, #""meta":true"#)
    for _ in 0..<100 {
      try reader.send("[\(Array(repeating: get, count: 20).joined(separator: ","))]")
      let answers = try reader.answer().array ?? []
      #expect(answers.count == 20)
      #expect(Set(answers.map(\.text)).count == 1)
    }
  }

  @Test func theAnswersOfABatchAreBounded() throws {
    let server = try TestServer { $0.bounds.batchAnswerByteCount = 100_000 }
    let client = try server.connect()
    let gets = Array(repeating: request(1, "ledgers.list"), count: 2000)
    try client.send("[\(gets.joined(separator: ","))]")
    let answers = try client.answer().array ?? []
    #expect(answers.count == 2000)
    #expect(answers.first?["result"] != nil)
    #expect(answers.last?["error"]?["data"]?["code"]?.string == "BUSY")
  }

  // MARK: Time limits and cancelling

  @Test func aQueryThatWaitsTooLongIsNotBegun() throws {
    let server = try Self.loaded()
    let busy = try Self.occupy(server, with: 16)
    let client = try server.connect()
    let answer = try client.call("balances.filter", Self.query, #""timeout_ms":1"#)
    #expect(answer["error"]?["code"]?.int == -32007)
    #expect(answer["error"]?["data"]?["code"]?.string == "DEADLINE_EXCEEDED")
    for _ in 0..<16 { #expect(try busy.answer()["result"] != nil) }
  }

  @Test func cancellingStopsWhatWaitsOnThisAndOnOtherConnections() throws {
    let server = try TestServer()
    let client = try server.connect()
    let other = try server.connect()
    let number = try client.call("server.info")["result"]?["connection"]?.int ?? 0
    let wait = request(7, "ledgers.list", "{}", #""min_position":1000"#)
    try client.send(wait, request(8, "server.cancel", #"{"id":7}"#))
    #expect(try client.answer()["error"]?["code"]?.int == -32008)
    #expect(try client.answer()["result"]?["cancelled"]?.int == 1)
    try client.send(wait, #"{"id":"x","method":"ledgers.list","min_position":1000}"#)
    let cancel = #"{"id":7,"connection":\#(number)}"#
    #expect(
      try eventually { try other.call("server.cancel", cancel)["result"]?["cancelled"]?.int == 1 })
    #expect(try client.answer()["error"]?["data"]?["code"]?.string == "CANCELLED")
    #expect(
      try other.call("server.cancel", #"{"id":"x","connection":\#(number)}"#)["result"]?["cancelled"]?.int
        == 1)
    #expect(try client.answer()["error"]?["code"]?.int == -32008)
    #expect(try client.call("server.cancel", #"{"id":7}"#)["result"]?["cancelled"]?.int == 0)
  }

  @Test func aCancelledQueryInTheQueueDoesNotWaitForAThread() throws {
    let server = try Self.loaded()
    let client = try server.connect()
    for id in 0..<15 { try client.send(request(id, "balances.filter", Self.query)) }
    try client.send(request(15, "server.cancel", #"{"id":14}"#))
    var cancelled = 0
    for id in 0..<15 {
      let answer = try client.answer()
      #expect(answer["id"]?.int == id)
      if answer["error"]?["code"]?.int == -32008 { cancelled += 1 }
    }
    #expect(try client.answer()["result"]?["cancelled"]?.int == cancelled)
  }

  @Test func aHangUpCancelsQueries() throws {
    let server = try Self.loaded()
    do { _ = try Self.occupy(server, with: 10) }
    let client = try server.connect()
    #expect(
      try eventually {
        let queues = try client.call("server.stats")["result"]?["queues"]
        return queues?["queued_queries"]?.int == 0 && queues?["running_queries"]?.int == 0
          && queues?["unanswered_requests"]?.int == 0 && queues?["connections"]?.int == 1
      })
  }

  @Test func queriesBeyondTheQueueAreToldSo() throws {
    let server = try Self.loaded { $0.bounds.queuedQueries = 2 }
    let clients = try (0..<4).map { _ in try Self.occupy(server, with: 4) }
    var busy = 0
    for client in clients {
      for id in 0..<4 {
        let answer = try client.answer()
        #expect(answer["id"]?.int == id)
        if answer["result"] != nil { continue }
        #expect(answer["error"]?["code"]?.int == -32004)
        #expect(answer["error"]?["data"]?["retry_after_ms"]?.int ?? 0 > 0)
        busy += 1
      }
    }
    #expect(busy > 0 && busy < 16)
  }

  // MARK: Positions and keys

  @Test func aReadWaitsForAPositionThatAnotherConnectionBrings() throws {
    let server = try TestServer { $0.loopCount = 2 }
    let writer = try server.connect()
    let reader = try server.connect()
    let first = try writer.call("ledgers.create", #"{"name":"A"}"#, #""meta":true"#)
    let position = try #require(first["position"]?.int)
    try reader.send(
      request(1, "ledgers.list", "{}", #""min_position":\#(position + 1),"meta":true"#),
      request(2, "server.ping"))
    #expect(
      try eventually {
        try writer.call("server.stats")["result"]?["queues"]?["unanswered_requests"]?.int == 1
      })
    try writer.call("ledgers.create", #"{"name":"B"}"#)
    let answer = try reader.answer()
    #expect(answer["id"]?.int == 1)
    #expect(answer["result"]?.array?.count == 3)
    #expect(answer["position"]?.int ?? 0 >= position + 1)
    #expect(try reader.answer()["id"]?.int == 2)
    // In a batch, beside reads that need not wait.
    let batch =
      request(3, "ledgers.list") + ","
      + request(4, "ledgers.list", "{}", #""min_position":\#(position + 2)"#)
    try reader.send("[\(batch)]")
    try writer.call("ledgers.create", #"{"name":"C"}"#)
    let answers = try reader.answer().array ?? []
    #expect(answers.count == 2)
    #expect(answers[1]["result"]?.array?.count == 4)
  }

  @Test func waitingForAPositionEndsWithItsTimeAndWithTheConnection() throws {
    let server = try TestServer()
    let client = try server.connect()
    let late = try client.call("ledgers.list", "{}", #""min_position":9999,"timeout_ms":20"#)
    #expect(late["error"]?["code"]?.int == -32007)
    do {
      let leaver = try server.connect()
      try leaver.send(request(1, "ledgers.list", "{}", #""min_position":9999"#))
      #expect(
        try eventually {
          try client.call("server.stats")["result"]?["queues"]?["unanswered_requests"]?.int == 1
        })
    }
    #expect(
      try eventually {
        try client.call("server.stats")["result"]?["queues"]?["unanswered_requests"]?.int == 0
      })
  }

  @Test func aKeyIsAnsweredWithItsFirstOutcome() throws {
    let server = try TestServer()
    let client = try server.connect()
    let first = try client.call("ledgers.create", #"{"name":"A"}"#, #""key":"k""#)
    let again = try client.call("ledgers.create", #"{"name":"A"}"#, #""key":"k""#)
    #expect(first["result"]?["ledger_id"]?.string == again["result"]?["ledger_id"]?.string)
    let other = try client.call("ledgers.create", #"{"name":"B"}"#, #""key":"k""#)
    #expect(other["error"]?["code"]?.int == -32002)
    #expect(server.books.counts.ledgers == 2)
    let inMeta = try client.call("ledgers.create", #"{"name":"A","_meta":{"key":"k"}}"#)
    #expect(inMeta["result"]?["ledger_id"]?.string == first["result"]?["ledger_id"]?.string)
  }

  // MARK: Streams

  @Test func aStreamGivesEveryRowInOrderAndThenItsCount() throws {
    let server = try Self.loaded()
    let client = try server.connect()
    let params = #"{"filters":[],"sort_by":"created_at","sort_order":"asc","fields":["balance_id"]}"#
    try client.send(
      request(1, "balances.filter", params, #""stream":true,"meta":true"#), request(2, "server.ping"))
    var rows = 0
    var sequence = 0
    while true {
      let line = try #require(try client.line())
      #expect(line.utf8.count < 48 << 10)
      let message = try JSONNode.parse(line)
      guard message["method"]?.string == "stream" else {
        #expect(message["id"]?.int == 1)
        #expect(message["result"]?["count"]?.int == Self.balanceCount)
        #expect(message["position"]?.int == Int(server.books.position))
        break
      }
      #expect(message["params"]?["id"]?.int == 1)
      #expect(message["params"]?["seq"]?.int == sequence)
      sequence += 1
      for row in message["params"]?["rows"]?.array ?? [] {
        #expect(row["balance_id"]?.string == "bln_\(rows)")
        rows += 1
      }
    }
    #expect(rows == Self.balanceCount)
    #expect(try client.answer()["result"]?.string == "pong")
  }

  @Test func aStreamStopsWhenItIsCancelledInTheMiddle() throws {
    let server = try Self.loaded()
    let client = try server.connect()
    let number = try client.call("server.info")["result"]?["connection"]?.int ?? 0
    // Some 10 MB: far more than the socket takes without a reader.
    try client.send(request(5, "balances.list", "{}", #""stream":true"#))
    let first = try client.answer()
    #expect(first["method"]?.string == "stream")
    let other = try server.connect()
    let cancelled = try other.call("server.cancel", #"{"id":5,"connection":\#(number)}"#)
    #expect(cancelled["result"]?["cancelled"]?.int == 1)
    var rows = first["params"]?["rows"]?.array?.count ?? 0
    while true {
      let message = try client.answer()
      guard let more = message["params"]?["rows"]?.array?.count else {
        #expect(message["id"]?.int == 5)
        #expect(message["error"]?["code"]?.int == -32008)
        break
      }
      rows += more
    }
    #expect(rows < Self.balanceCount)
    #expect(try client.call("server.ping")["result"]?.string == "pong")
  }

  @Test func streamsAndQueriesOfOneConnectionAreBoundedAndAllAreAnswered() throws {
    let server = try Self.loaded { $0.bounds.unfinishedQueries = 3 }
    let client = try server.connect()
    let page = #"{"filters":[],"limit":2000,"fields":["balance_id"]}"#
    for id in 0..<40 { try client.send(request(id, "balances.filter", page, #""stream":true"#)) }
    let watcher = try server.connect()
    #expect(
      try watcher.call("server.stats")["result"]?["queues"]?["unanswered_requests"]?.int ?? 99 <= 3)
    for id in 0..<40 {
      var rows = 0
      while true {
        let message = try client.answer()
        guard let more = message["params"]?["rows"]?.array?.count else {
          #expect(message["id"]?.int == id)
          #expect(message["result"]?["count"]?.int == rows)
          break
        }
        rows += more
      }
      #expect(rows == 2000)
    }
  }

  @Test func aStreamThatNobodyReadsHoldsNoQueryForever() throws {
    let server = try Self.loaded { $0.bounds.unreadTime = .milliseconds(100) }
    let reader = try server.connect()
    try reader.send(request(5, "balances.list", "{}", #""stream":true"#))
    let other = try server.connect()
    #expect(
      try eventually {
        let queues = try other.call("server.stats")["result"]?["queues"]
        return queues?["connections"]?.int == 1 && queues?["unanswered_requests"]?.int == 0
      })
  }
}
