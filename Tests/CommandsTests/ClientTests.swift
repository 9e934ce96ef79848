// The client against a tiny server in the same process, over a socket pair.

import LedgerlineClient
import Platform
import Testing

private func result(_ request: JSONNode, _ text: String) -> String {
  #"{"jsonrpc":"2.0","id":\#(request["id"]?.text ?? "null"),"result":\#(text)}"#
}

@Test func resultsAndRefusalsComeBackAsTheyWereSent() throws {
  try withTestServer { request in
    switch request["method"]?.string {
    case "echo": [result(request, request["params"]?.text ?? "null")]
    case "refuse":
      [
        #"{"jsonrpc":"2.0","id":\#(request["id"]!.text),"error":{"code":-32003,"message":"no","#
          + #""data":{"code":"TXN_INSUFFICIENT_FUNDS","available":"5"}}}"#
      ]
    default: [result(request, "\"pong\"")]
    }
  } _: { client in
    let params = try JSONNode.parse(
      #"{"a":123456789012345678901234567890,"b":"\u00e9\n","c":[1.50,null,true]}"#)
    #expect(try client.call("echo", params).result == params)
    do {
      _ = try client.call("refuse")
      Issue.record("a refusal is thrown")
    } catch let refusal as Refusal {
      #expect(refusal.code == -32003 && refusal.name == "TXN_INSUFFICIENT_FUNDS")
      #expect(refusal.details?["available"] == .string("5"))
    }
    #expect(try client.call("server.ping").result == .string("pong"))
  }
}

@Test func fullPipesOnBothSidesDoNotBlock() throws {
  // Each request and each answer is larger than a socket's buffer, and many are under way at once.
  let large = String(repeating: "x", count: 1 << 20)
  try withTestServer { request in
    [result(request, request["params"]!.text)]
  } _: { client in
    var sent = 0
    var answered: [Int] = []
    try client.pipeline(
      window: 8,
      next: {
        guard sent < 24 else { return nil }
        defer { sent += 1 }
        return PipelinedRequest("echo", params: Array("{\"n\":\(sent),\"text\":\"\(large)\"}".utf8))
      },
      answered: { index, answer in
        let node = try answer.get().result
        #expect(node["n"]?.int == index && node["text"]?.string?.utf8.count == large.utf8.count)
        answered.append(index)
      })
    #expect(answered == Array(0..<24))
  }
}

@Test func pipelineKeepsItsWindowAndItsOrder() throws {
  try withTestServer { request in
    [result(request, request["params"]!["n"]!.text)]
  } _: { client in
    for window in [1, 2, 7, 1000] {
      var sent = 0
      var done = 0
      try client.pipeline(
        window: window,
        next: {
          guard sent < 500 else { return nil }
          #expect(sent - done < window)
          defer { sent += 1 }
          return PipelinedRequest("n", params: Array("{\"n\":\(sent)}".utf8))
        },
        answered: { index, answer in
          let number = try answer.get().result.int
          #expect(number == index)
          done += 1
        })
      #expect(done == 500)
    }
  }
}

@Test func streamedRowsComeBeforeTheAnswer() throws {
  try withTestServer { request in
    #expect(request["stream"] == .bool(true))
    let id = request["id"]!.text
    let pieces = (0..<3).map {
      #"{"method":"stream","params":{"id":\#(id),"seq":\#($0),"rows":[{"n":\#($0)},{"n":9}]}}"#
    }
    return pieces + [result(request, #"{"count":6}"#)]
  } _: { client in
    var rows: [JSONNode] = []
    var options = CallOptions()
    options.wantsStream = true
    let answer = try client.call("balances.filter", .object([]), options: options) { rows += $0 }
    #expect(rows.count == 6 && rows.compactMap { $0["n"]?.int } == [0, 9, 1, 9, 2, 9])
    #expect(answer.result["count"]?.int == 6)
  }
}

@Test func optionsStandBesideTheParams() throws {
  try withTestServer { request in
    [result(request, request.text)]
  } _: { client in
    var options = CallOptions()
    options.timeout = .milliseconds(250)
    options.key = "k\"1"
    options.minPosition = 7
    options.wantsMeta = true
    let sent = try client.call("m", .object([]), options: options).result
    #expect(sent["timeout_ms"]?.int == 250 && sent["key"]?.string == "k\"1" && sent["min_position"]?.int == 7)
    #expect(sent["meta"] == .bool(true) && sent["jsonrpc"]?.string == "2.0" && sent["stream"] == nil)
  }
}

@Test func answersToAnotherRequestBreakTheConnection() throws {
  try withTestServer { _ in
    [#"{"jsonrpc":"2.0","id":99,"result":1}"#]
  } _: { client in
    #expect(throws: ClientError.self) { try client.call("m") }
  }
}

@Test func closedConnectionTellsHowManyRequestsHadNoAnswer() throws {
  let (client, server) = try testEnds()
  server.hangUp()
  #expect(throws: ClientError.connectionLost(path: "", unanswered: 1)) { try client.connect().call("m") }
}

@Test func missingServerIsSaidSo() {
  #expect(throws: ClientError.cannotConnect(.noServer(path: "/nonexistent/l.sock", isStale: false))) {
    try Client(path: "/nonexistent/l.sock")
  }
}

@Test func socketPathComesFromOptionThenEnvironmentThenStandard() {
  #expect(SocketPath.resolve(option: "/a", environment: { _ in "/b" }) == "/a")
  #expect(SocketPath.resolve(option: nil, environment: { $0 == "LEDGERLINE_SOCKET" ? "/b" : nil }) == "/b")
  #expect(SocketPath.resolve(option: "", environment: { _ in "" }) == "./ledgerline-data/ledgerline.sock")
}
