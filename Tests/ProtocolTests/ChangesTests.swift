// The change stream through the socket: every committed fact once and in order, however it is asked for.

import Foundation
import LedgerlineClient
import Platform
import TestSupport
import Testing

@Suite struct ChangesTests {
  private static func transfer(_ reference: String, _ destination: String = "@till") -> String {
    #"{"source":"@world","destination":"\#(destination)","currency":"USD","precise_amount":"5","#
      + #""reference":"\#(reference)","allow_overdraft":true}"#
  }

  /// All changes from a position on, page by page.
  private func changes(
    _ client: TestClient, from start: Int = 1, limit: Int = 1000
  ) throws -> (changes: [JSONNode], next: Int) {
    var changes: [JSONNode] = []
    var next = start
    while true {
      let answer = try client.call("changes.read", #"{"from_position":\#(next),"limit":\#(limit)}"#)
      let result = try #require(answer["result"], "\(answer.text)")
      let page = try #require(result["changes"]?.array)
      let committed = try #require(result["committed_position"]?.int)
      changes += page
      #expect(page.count <= limit)
      let end = try #require(result["next_position"]?.int)
      #expect(end == next + page.count)
      next = end
      if next > committed { return (changes, next) }
      #expect(!page.isEmpty, "\(answer.text)")
    }
  }

  private func grow(_ client: TestClient, _ count: Int, _ prefix: String) throws {
    for number in 0..<count {
      let answer = try client.call("transactions.create", Self.transfer("\(prefix)-\(number)"))
      #expect(answer["result"] != nil, "\(answer.text)")
    }
  }

  @Test func pagesAndStreamsGiveEveryChangeOnceAndInOrder() throws {
    let server = try TestServer()
    let client = try server.connect()
    try grow(client, 30, "a")
    let (all, next) = try changes(client)
    #expect(all.compactMap { $0["position"]?.int } == Array(1..<next))
    #expect(all.first?["type"]?.string == "ledger.created")
    #expect(all.count { $0["type"]?.string == "transaction.applied" } == 30)
    for limit in [1, 3, 7] { #expect(try changes(client, limit: limit).changes == all) }
    #expect(try changes(client, from: 10).changes == Array(all[9...]))
    try client.send(request(9, "changes.read", #"{"from_position":2,"limit":20}"#, #""stream":true"#))
    var rows: [JSONNode] = []
    var answer = try client.answer()
    while answer["method"]?.string == "stream" {
      rows += answer["params"]?["rows"]?.array ?? []
      answer = try client.answer()
    }
    #expect(rows == Array(all[1..<21]))
    #expect(answer["result"]?["count"]?.int == 20)
    #expect(answer["result"]?["next_position"]?.int == 22)
    // Beyond the end there is nothing, which is no error.
    let later = try client.call("changes.read", #"{"from_position":\#(next + 5)}"#)
    #expect(later["result"]?["changes"]?.array == [] && later["result"]?["next_position"]?.int == next + 5)
    server.stop()
  }

  @Test func aReadWaitsForThePositionThatItAsksFor() throws {
    let server = try TestServer()
    let (client, writer) = (try server.connect(), try server.connect())
    let (_, next) = try changes(client)
    try client.send(request(1, "changes.read", #"{"from_position":\#(next)}"#, #""min_position":\#(next)"#))
    try grow(writer, 1, "late")
    let answer = try client.answer()
    #expect(answer["result"]?["changes"]?.array?.first?["position"]?.int == next, "\(answer.text)")
    server.stop()
  }

  @Test func aSubscriberGetsWhatHasBeenAndWhatComesBetweenItsAnswers() throws {
    let server = try TestServer()
    let (client, writer) = (try server.connect(), try server.connect())
    try grow(writer, 10, "before")
    try client.send(request(7, "changes.subscribe", #"{"from_position":3}"#))
    var expected = 3
    var answered: [Int] = []
    try client.send(request(8, "server.ping"))
    #expect(try client.answer()["result"]?["from_position"]?.int == 3)
    try client.send(request(9, "transactions.create", Self.transfer("own")))
    try grow(writer, 20, "after")
    let (all, next) = try changes(writer)
    while expected < next || answered.count < 2 {
      let message = try client.answer()
      if let id = message["id"]?.int {
        answered.append(id)
        continue
      }
      #expect(message["params"]?["subscription"]?.int == 7)
      for change in message["params"]?["changes"]?.array ?? [] {
        #expect(change == all[expected - 1])
        expected += 1
      }
      #expect(message["params"]?["next_position"]?.int == expected)
    }
    #expect(answered == [8, 9])
    server.stop()
  }

  @Test func aSubscriptionEndsByItsIdAndTellsWhereItStopped() throws {
    let server = try TestServer()
    let client = try server.connect()
    // The first fact of new books may be synced after the first client has come.
    try grow(client, 1, "w")
    let answer = try client.call("changes.subscribe")
    let next = answer["result"]?["from_position"]?.int
    #expect(next != nil && next == answer["result"]?["committed_position"]?.int.map { $0 + 1 })
    try client.send(request(2, "server.cancel", #"{"id":1}"#))
    var messages = [try client.answer(), try client.answer()]
    if messages[0]["id"] == nil { messages.swapAt(0, 1) }
    #expect(messages[0]["result"]?["cancelled"]?.int == 1)
    let params = try #require(messages[1]["params"])
    #expect(params["error"]?["data"]?["code"]?.string == "CANCELLED")
    #expect(params["next_position"]?.int == next && params["changes"]?.array == [])
    // Nothing comes any more, and the id is free.
    try grow(client, 1, "x")
    let from = try client.call("changes.subscribe")["result"]?["from_position"]?.int
    #expect(from != nil && from != next)
    server.stop()
    let last = try client.answer()
    #expect(last["params"]?["error"]?["data"]?["code"]?.string == "BUSY", "\(last.text)")
    #expect(last["params"]?["next_position"]?.int == from)
    #expect(try client.isEnded())
  }

  @Test func anEndOfInputDoesNotEndASubscription() throws {
    let server = try TestServer()
    let (client, writer) = (try server.connect(), try server.connect())
    try client.send(request(1, "changes.subscribe"))
    client.finishWriting()
    #expect(try client.answer()["result"] != nil)
    try grow(writer, 3, "x")
    var count = 0
    while count < 5 { count += try client.answer()["params"]?["changes"]?.array?.count ?? 0 }
    server.stop()
  }

  /// C1: a subscriber that does not read holds up nobody and costs no memory; when it reads, it has missed
  /// nothing.
  @Test func aSlowSubscriberHoldsUpNobodyAndMissesNothing() throws {
    let server = try TestServer()
    let (slow, writer) = (try server.connect(), try server.connect())
    try slow.send(request(1, "changes.subscribe", #"{"from_position":1}"#))
    let text = String(repeating: "x", count: 1000)
    for number in 0..<30 {
      let items = (0..<100).map { item in
        #"{"source":"@world","destination":"@till","currency":"USD","precise_amount":"1","#
          + #""reference":"s\#(number)-\#(item)","allow_overdraft":true,"description":"\#(text)"}"#
      }
      let answer = try writer.call(
        "transactions.create_many", #"{"atomic":true,"transactions":[\#(items.joined(separator: ","))]}"#)
      #expect(answer["result"]?["created"]?.int == 100, "\(answer.text.prefix(300))")
    }
    let (_, next) = try changes(writer, from: 3000)
    let stats = try writer.call("server.stats")["result"]
    #expect(stats?["queues"]?["unanswered_requests"]?.int == 0, "\(stats?["queues"]?.text ?? "")")
    var expected = 1
    #expect(try slow.answer()["result"] != nil)
    while expected < next {
      let message = try slow.answer()
      #expect(message.text.utf8.count < 52 << 10)
      for change in message["params"]?["changes"]?.array ?? [] {
        #expect(change["position"]?.int == expected)
        expected += 1
      }
    }
    server.stop()
  }

  @Test func manySubscribersOnOneConnectionEachGetEverything() throws {
    let server = try TestServer()
    let (client, writer) = (try server.connect(), try server.connect())
    for id in 1...16 {
      try client.send(request(id, "changes.subscribe", #"{"from_position":\#(id % 3 + 1)}"#))
    }
    try client.send(request(17, "changes.subscribe"))
    try grow(writer, 20, "m")
    let next = try changes(writer).next
    var expected = (0...16).map { $0 % 3 + 1 }
    var refusal: JSONNode?
    while refusal == nil || expected[1...].contains(where: { $0 < next }) {
      let message = try client.answer()
      if message["error"] != nil { refusal = message }
      guard let id = message["params"]?["subscription"]?.int else { continue }
      for change in message["params"]?["changes"]?.array ?? [] {
        #expect(change["position"]?.int == expected[id])
        expected[id] += 1
      }
    }
    #expect(refusal?["id"]?.int == 17 && refusal?["error"]?["data"]?["code"]?.string == "BUSY")
    server.stop()
  }

  @Test func wrongParamsAreNamed() throws {
    let server = try TestServer()
    let client = try server.connect()
    let wrong = [
      ("changes.read", "{}", "from_position is required"),
      ("changes.read", #"{"from_position":0}"#, "from_position must be an integer of 1 or more, found 0"),
      ("changes.read", #"{"from_position":1,"limit":1001}"#, "limit must be between 1 and 1000"),
      ("changes.read", #"{"from_position":1,"to":2}"#, "unknown member to"),
      (
        "changes.subscribe", #"{"from_position":"1"}"#,
        "from_position must be an integer of 1 or more, found \"1\""
      ),
      ("changes.subscribe", #"{"limit":1}"#, "unknown member limit"),
    ]
    for (method, params, text) in wrong {
      let answer = try client.call(method, params)
      #expect(
        answer["error"]?["data"]?["errors"]?.array?.first?.string?.hasPrefix(text) == true, "\(answer.text)")
    }
    let stream = try client.call("changes.subscribe", "{}", #""stream":true"#)
    #expect(stream["error"]?["code"]?.int == -32602)
    // Of a server that has just started, the first fact may not be committed yet.
    let page = request(1, "changes.read", #"{"from_position":1}"#, #""min_position":1"#)
    try client.send("[\(page),\(request(2, "changes.subscribe"))]")
    let batch = try #require(try client.answer().array)
    #expect(batch[0]["result"]?["changes"]?.array?.isEmpty == false)
    #expect(batch[1]["error"]?["code"]?.int == -32600)
    server.stop()
  }
}
