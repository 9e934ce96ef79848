// Clients that flood, stall, leave, never finish: the server answers what it must, and its memory stays
// bounded.

import Ledger
import LedgerlineClient
import Platform
import Server
import TestSupport
import Testing

@Suite struct HostileClientTests {
  /// About 80 KB of answer for 34 bytes of request.
  private static func discoveries(_ count: Int) -> [UInt8] {
    Array((0..<count).map { request($0, "rpc.discover") + "\n" }.joined().utf8)
  }

  @Test func allIsAnsweredToOneWhoReadsLate() throws {
    let server = try TestServer()
    let client = try server.connect()
    // More answers than the kernel's buffer and the server's bound hold, of requests that fit one read.
    try client.send(Self.discoveries(100))
    for id in 0..<100 { #expect(try client.answer()["id"] == .int(id)) }
  }

  @Test func allIsAnsweredToOneWhoEndsItsInputAndReadsLate() throws {
    let server = try TestServer()
    let client = try server.connect()
    try client.send(Self.discoveries(100))
    client.finishWriting()
    for id in 0..<100 { #expect(try client.answer()["id"] == .int(id)) }
    #expect(try client.isEnded())
  }

  @Test func aLastLineWithoutItsEndIsAnsweredAtTheEndOfTheInput() throws {
    let server = try TestServer()
    let client = try server.connect()
    try client.send(Array(request(1, "server.ping").utf8))
    client.finishWriting()
    #expect(try client.line() == #"{"jsonrpc":"2.0","id":1,"result":"pong"}"#)
    #expect(try client.isEnded())
  }

  @Test func aClientThatReadsNothingIsNoLongerReadAndNobodyElseNotices() throws {
    let server = try TestServer()
    let flooder = try server.connect()
    try flooder.socket.setNonblocking(true)
    let line = Array((request(1, "rpc.discover") + "\n").utf8)
    let requests = Array(repeatElement(line, count: 1000).joined())
    let other = try server.connect()
    var sent = 0
    var idle = 0
    // The flooder sends until the server has not taken a byte for a hundred pings.
    while idle < 100 {
      if case .bytes(let count) = try flooder.socket.write(
        requests.span.extracting(sent % line.count..<requests.count))
      {
        sent += count
        idle = 0
      } else {
        idle += 1
      }
      #expect(try other.call("server.ping")["result"]?.string == "pong")
      #expect(sent < 16 << 20, "a client that does not read is read for ever")
      if sent >= 16 << 20 { return }
    }
  }

  @Test func anAnswerThatNobodyReadsEndsTheConnectionAfterItsTime() throws {
    let server = try TestServer { $0.bounds.unreadTime = .milliseconds(100) }
    let flooder = try server.connect()
    try flooder.send(Self.discoveries(100))
    let other = try server.connect()
    #expect(try eventually { try Self.connectionCount(other) == 1 })
  }

  @Test func aLineThatIsNotFinishedEndsTheConnectionAfterItsTime() throws {
    let server = try TestServer { $0.bounds.lineTime = .milliseconds(100) }
    let client = try server.connect()
    try client.send(Array(#"{"id":1,"#.utf8))
    #expect(try client.isEnded())
  }

  @Test func linesThatWaitForAnAnswerAreNotUnfinished() throws {
    let server = try TestServer {
      $0.bounds.lineTime = .milliseconds(100)
      $0.bounds.unfinishedRequests = 1
    }
    let client = try server.connect()
    try client.send(
      request(1, "balances.get", #"{"balance_id":"bln_no"}"#, #""min_position":2,"timeout_ms":2500"#),
      request(2, "server.ping"))
    #expect(try client.answer()["error"]?["data"]?["code"]?.string == "DEADLINE_EXCEEDED")
    #expect(try client.answer()["result"]?.string == "pong")
  }

  @Test func aBusyPipelineWhoseReadsEndInsideLinesIsNotCutOff() throws {
    let server = try TestServer { $0.bounds.lineTime = .milliseconds(300) }
    let client = try server.connect()
    let line = request(1, "server.ping") + "\n"
    // At no moment is a line whole and nothing after it; each lasts much less than its time.
    try client.send(Array(line.utf8.prefix(10)))
    let end = SystemClock().monotonicTime() + .milliseconds(2500)
    while SystemClock().monotonicTime() < end {
      try client.send(Array(line.utf8.dropFirst(10)) + Array(line.utf8.prefix(10)))
      #expect(try client.line() != nil)
    }
  }

  @Test func aLineOfTheLimitIsTakenAndALongerOneIsReadPast() throws {
    let server = try TestServer()
    let client = try server.connect()
    func ping(byteCount: Int) -> [UInt8] {
      let head = Array(#"{"id":1,"method":"server.ping","x":""#.utf8)
      let filler = [UInt8](repeating: UInt8(ascii: "a"), count: byteCount - head.count - 2)
      return head + filler + Array("\"}\n".utf8)
    }
    try client.send(ping(byteCount: 16 << 20))
    #expect(try client.answer()["result"]?.string == "pong")
    for size in [16 << 20 | 1, 17 << 20, 100 << 20] {
      try client.send(ping(byteCount: size))
      let answer = try client.answer()
      #expect(answer["id"] == .null)
      #expect(answer["error"]?["code"]?.int == -32600)
      #expect(try client.call("server.ping")["result"]?.string == "pong")
    }
    let other = try server.connect()
    #expect(try eventually { try Self.queues(other)["unfinished_line_bytes"]?.int == 0 })
  }

  @Test func aRequestByteByByteAndAThousandInOneWriteAreAnswered() throws {
    let server = try TestServer()
    let client = try server.connect()
    for byte in Array((request(7, "server.ping") + "\r\n").utf8) { try client.send([byte]) }
    #expect(try client.answer()["id"]?.int == 7)
    try client.send(Array((0..<1000).map { request($0, "server.ping") + "\n" }.joined().utf8))
    for id in 0..<1000 { #expect(try client.answer()["id"]?.int == id) }
  }

  @Test func unfinishedLinesOfAllConnectionsAreBounded() throws {
    let server = try TestServer { $0.bounds.unfinishedLineByteCount = 4 << 20 }
    let half = [UInt8](repeating: UInt8(ascii: "["), count: 1 << 20)
    let clients = try (0..<12).map { _ in try server.connect() }
    for client in clients { try? client.send(half) }
    let watcher = try server.connect()
    #expect(try eventually { try Self.queues(watcher)["busy"]?.int ?? 0 > 0 })
    // Whoever is left finishes his line.
    var busy = 0
    for client in clients {
      try? client.send([UInt8(ascii: "\n")])
      switch (try? client.answer())?["error"]?["data"]?["code"]?.string {
      case "BUSY": busy += 1
      case "PARSE_ERROR": continue
      case let other: Issue.record("\(other ?? "no answer")")
      }
    }
    #expect(busy > 0 && busy < clients.count)
    #expect(try watcher.call("server.ping")["result"]?.string == "pong")
  }

  @Test func anErrorForOneWhoDoesNotReadIsNotSentToAnother() throws {
    let server = try TestServer { $0.bounds.unfinishedLineByteCount = 1 << 20 }
    let flooder = try server.connect()
    // Answers that fill the socket, and behind them a line that breaks the bound.
    try flooder.send(Self.discoveries(5))
    try flooder.socket.setNonblocking(true)
    let line = [UInt8](repeating: UInt8(ascii: "["), count: 4 << 20)
    let other = try server.connect()
    var sent = 0
    var idle = 0
    // It goes on until the server has not taken a byte for fifty pings of another.
    var id = 0
    while idle < 50 {
      if sent < line.count, case .bytes(let count) = try flooder.socket.write(line.span.extracting(sent...)) {
        sent += count
        idle = 0
      } else {
        idle += 1
      }
      try other.send(request(id, "server.ping"))
      #expect(try other.answer()["id"]?.int == id)
      id += 1
    }
  }

  @Test func writesOfOneWhoHangsUpAreCarriedOut() throws {
    let server = try TestServer()
    var lines = ""
    for number in 0..<800 {
      lines += request(number, "ledgers.create", #"{"name":"Ledger","ledger_id":"ldg_\#(number)"}"#) + "\n"
    }
    do {
      let client = try server.connect()
      try client.send(Array(lines.utf8))
      try client.send(Array(request(1, "ledgers.create", #"{"name":"cut off"}"#).utf8))
    }
    #expect(eventually { server.books.counts.ledgers >= 801 })
    let other = try server.connect()
    #expect(try eventually { try Self.connectionCount(other) == 1 })
  }

  @Test func oneWhoLeavesInTheMiddleOfAnswersIsForgotten() throws {
    let server = try TestServer()
    for _ in 0..<50 {
      let client = try server.connect()
      try client.send(Self.discoveries(20))
      _ = try client.line()
    }
    let other = try server.connect()
    #expect(try eventually { try Self.connectionCount(other) == 1 })
    #expect(try Self.queues(other)["unanswered_requests"]?.int == 0)
  }

  @Test func connectionsBeyondTheBoundAreToldSo() throws {
    let server = try TestServer { $0.bounds.connections = 3 }
    var clients = try (0..<3).map { _ in try server.connect() }
    for client in clients { try client.call("server.ping") }
    let fourth = try server.connect()
    #expect(try fourth.answer()["error"]?["data"]?["code"]?.string == "BUSY")
    #expect(try fourth.isEnded())
    clients.removeLast()
    #expect(eventually { (try? server.connect().call("server.ping"))?["result"] != nil })
  }

  private static func queues(_ client: TestClient) throws -> JSONNode {
    try client.call("server.stats")["result"]?["queues"] ?? .null
  }

  private static func connectionCount(_ client: TestClient) throws -> Int? {
    try queues(client)["connections"]?.int
  }
}

@Suite struct FairnessTests {
  /// Many turns of a connection, in a debug build and in a release build.
  private static let batch =
    "["
    + Array(repeating: request(1, "balances.get", #"{"balance_id":"bln_no"}"#), count: 8_000)
    .joined(separator: ",") + "]"

  @Test func aLongBatchDoesNotHoldUpTheOthers() throws {
    let server = try TestServer()
    let greedy = try server.connect()
    let other = try server.connect()
    try greedy.send(Array((Self.batch + "\n").utf8))
    var answeredMeanwhile = 0
    try greedy.socket.setReadTimeout(.microseconds(100))
    while true {
      #expect(try other.call("server.ping")["result"]?.string == "pong")
      do {
        guard let line = try greedy.line() else { break }
        #expect(line.utf8.count > 8_000 * 100)
        break
      } catch TestClient.Failure.tooLate {
        answeredMeanwhile += 1
      }
    }
    #expect(answeredMeanwhile > 1)
  }

  @Test func aBatchOfOneWhoHangsUpIsCarriedOut() throws {
    let server = try TestServer()
    do {
      let client = try server.connect()
      let create = #"{"method":"ledgers.create","params":{"name":"L"}}"#
      let batch = Array(repeating: create, count: 5000).joined(separator: ",")
      try client.send(
        "[\(batch)]", #"{"method":"ledgers.create","params":{"ledger_id":"ldg_last","name":"L"}}"#)
    }
    #expect(eventually { server.books.counts.ledgers == 5002 })
  }

  @Test func aBatchWithMoreQueriesThanAConnectionMayHaveIsAnswered() throws {
    let server = try TestServer {
      $0.bounds.unfinishedQueries = 2
      $0.bounds.queuedQueries = 2
    }
    let client = try server.connect()
    let filters = #"{"filters":[{"field":"name","operator":"like","value":"%e%"}],"limit":1}"#
    let queries = (0..<50).map { request($0, "ledgers.filter", filters) }
    try client.send("[\(queries.joined(separator: ","))]", request(99, "server.ping"))
    let answers = try client.answer().array ?? []
    #expect(answers.map { $0["id"]?.int } == Array(0..<50))
    #expect(answers.allSatisfy { $0["result"]?.array?.count == 1 }, "\(answers.first?.text ?? "")")
    #expect(try client.answer()["id"]?.int == 99)
  }

  @Test func aStopFinishesTheBatchThatHasBegun() throws {
    let server = try TestServer()
    let client = try server.connect()
    try client.send(Array((Self.batch + "\n").utf8))
    let other = try server.connect()
    #expect(
      try eventually {
        try other.call("server.stats")["result"]?["methods"]?["balances.get"]?["count"]?.int ?? 0 > 0
      })
    let answered = try Platform.Thread(name: "stop") { server.stop() }
    #expect(try client.answer().array?.count == 8_000)
    answered.join()
  }
}
