// Rows that the server writes into a descriptor that its client has passed.

import Foundation
import Ledger
import LedgerlineClient
import Platform
import Server
import TestSupport
import Testing

@Suite struct DescriptorTests {
  static let balanceCount = 9000

  static func loaded(_ configure: (inout Configuration) -> Void = { _ in }) throws -> TestServer {
    let server = try TestServer(configure: configure)
    let client = try server.connect()
    for first in stride(from: 0, to: balanceCount, by: 3000) {
      let items = (first..<first + 3000).map { number in
        let metadata = number % 10 == 0 ? #","meta_data":{"note":"a, \"b\"","n":\#(number)}"# : ""
        let currency = number % 3 == 0 ? "EUR" : "USD"
        return #"{"balance_id":"bln_\#(number)","ledger_id":"general_ledger_id","#
          + #""currency":"\#(currency)"\#(metadata)}"#
      }
      let answer = try client.call(
        "balances.create_many", #"{"balances":[\#(items.joined(separator: ","))]}"#)
      try #require(answer["result"]?["created"]?.int == 3000, "\(answer.text)")
    }
    return server
  }

  /// Sends a line with a descriptor beside its first byte.
  static func send(_ line: String, passing descriptor: CInt, _ client: TestClient) throws {
    let bytes = Array((line + "\n").utf8)
    guard case .bytes(let count) = try client.socket.write(bytes.span, passing: descriptor) else {
      throw TestClient.Failure.tooLate
    }
    if count < bytes.count { try client.send(Array(bytes[count...])) }
  }

  static let toDescriptor = #""to":"fd""#

  /// Reads once.
  static func readSome(_ descriptor: CInt) -> [UInt8] {
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    let count = unsafe chunk.withUnsafeMutableBytes { bytes in
      unsafe Foundation.read(descriptor, bytes.baseAddress, bytes.count)
    }
    return Array(chunk[..<max(0, count)])
  }

  /// Reads until nobody writes any more.
  static func readAll(_ descriptor: CInt) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      let some = readSome(descriptor)
      if some.isEmpty { return bytes }
      bytes += some
    }
  }

  /// Whether all passed descriptors have been closed.
  static func isEmpty(_ server: TestServer) throws -> Bool {
    try eventually {
      let stats = try server.connect().call("server.stats")
      return stats["result"]?["queries"]?["descriptors"]?.int == 0
    }
  }

  @Test func aFileGetsEveryRowAsTheStreamWouldGiveIt() throws {
    let server = try Self.loaded()
    let client = try Client(path: server.server.socketPath)
    let params = try JSONNode.parse(#"{"filters":[],"sort_by":"created_at","sort_order":"asc"}"#)
    var rows: [JSONNode] = []
    var options = CallOptions()
    options.wantsStream = true
    _ = try client.call("balances.filter", params, options: options) { rows += $0 }
    #expect(rows.count == Self.balanceCount)
    let path = server.directory.path(of: "rows.ndjson")
    let file = try OpenFile(path, .replace)
    let delivery = try client.write(
      "balances.filter", params, into: DescriptorOutput(file.descriptor, .ndjson))
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(delivery.rowCount == rows.count && delivery.byteCount == text.utf8.count)
    #expect(text == rows.map { $0.text + "\n" }.joined())
    #expect(try Self.isEmpty(server))
  }

  @Test func aPipeGetsCommaSeparatedValuesAtTheSpeedOfItsReader() throws {
    let server = try Self.loaded()
    let client = try server.connect()
    var (reading, writing): (PassedDescriptor, PassedDescriptor?) = try PassedDescriptor.pipe()
    try Self.send(
      request(
        7, "balances.list", #"{"fields":["balance_id","currency","meta_data"],"include_count":true}"#,
        Self.toDescriptor + #","format":"csv""#), passing: writing!.number, client)
    // Only the server's copy is left, so its end is the end.
    writing = nil
    #expect(try !client.hasInput())
    let text = String(decoding: Self.readAll(reading.number), as: UTF8.self)
    let answer = try client.answer()
    let lines = text.split(separator: "\n")
    #expect(lines.count == Self.balanceCount + 1)
    #expect(lines[0] == "balance_id,currency,meta_data")
    #expect(lines[1] == "bln_8999,USD,{}")
    #expect(lines.last == #"bln_0,EUR,"{""note"":""a, \""b\"""",""n"":0}""#)
    #expect(answer["result"]?["count"]?.int == Self.balanceCount)
    #expect(answer["result"]?["total_count"]?.int == Self.balanceCount)
    #expect(answer["result"]?["bytes"]?.int == text.utf8.count)
  }

  @Test func aSocketGetsGroups() throws {
    let server = try Self.loaded()
    let client = try server.connect()
    let params = #"{"filters":[],"group_by":["currency"],"metrics":["count","sum:balance"]}"#
    for (format, expected) in [
      ("csv", "currency,count,sum:balance\nEUR,3000,0\nUSD,6000,0\n"),
      (
        "ndjson",
        #"{"currency":"EUR","count":3000,"sum:balance":"0"}"# + "\n"
          + #"{"currency":"USD","count":6000,"sum:balance":"0"}"# + "\n"
      ),
    ] {
      let answer = try UnixSocket.pair().split { first, second in
        try Self.send(
          request(1, "balances.aggregate", params, Self.toDescriptor + #","format":"\#(format)""#),
          passing: first.descriptor, client)
        first.close()
        #expect(String(decoding: Self.readAll(second.descriptor), as: UTF8.self) == expected)
        return try client.answer()
      }
      #expect(answer["result"]?["count"]?.int == 2 && answer["result"]?["bytes"]?.int == expected.utf8.count)
    }
  }

  @Test func aPipeThatNobodyReadsHoldsUpNobodyAndEndsWithAnError() throws {
    let server = try Self.loaded { $0.bounds.unreadTime = .milliseconds(300) }
    let clients = try (0..<3).map { _ in try server.connect() }
    let pipes = try (0..<3).map { _ in try PassedDescriptor.pipe() }
    for (client, pipe) in zip(clients, pipes) {
      try Self.send(request(1, "balances.list", "{}", Self.toDescriptor), passing: pipe.1.number, client)
    }
    // One query thread, three pipes that are full: another's report goes through.
    let other = try server.connect()
    let pattern = #"{"filters":[{"field":"balance_id","operator":"like","value":"%_7%"}],"limit":1}"#
    #expect(try other.call("balances.filter", pattern)["result"]?.array?.count == 1)
    for client in clients {
      let answer = try client.answer()
      #expect(answer["error"]?["code"]?.int == -32007, "\(answer.text)")
      #expect(answer["error"]?["data"]?["bytes"]?.int ?? 0 > 0)
    }
    // Optimised, they would go with their last use, and nobody could read.
    withExtendedLifetime(pipes) {}
    #expect(try Self.isEmpty(server))
  }

  @Test func aReaderThatGoesEndsTheRequestAndNotTheServer() throws {
    let server = try Self.loaded()
    let client = try server.connect()
    var (reading, writing): (PassedDescriptor?, PassedDescriptor) = try PassedDescriptor.pipe()
    try Self.send(request(1, "balances.list", "{}", Self.toDescriptor), passing: writing.number, client)
    _ = Self.readSome(reading!.number)
    reading = nil
    let answer = try client.answer()
    #expect(answer["error"]?["code"]?.int == -32008, "\(answer.text)")
    #expect(answer["error"]?["message"]?.string == "the descriptor was closed at its other end")
    #expect(try client.call("server.ping")["result"]?.string == "pong")
    #expect(try Self.isEmpty(server))
  }

  @Test func aCancellationAndATimeoutEndADeliveryThatWaits() throws {
    let server = try Self.loaded()
    let client = try server.connect()
    let number = try client.call("server.info")["result"]?["connection"]?.int ?? 0
    let pipe = try PassedDescriptor.pipe()
    try Self.send(request(5, "balances.list", "{}", Self.toDescriptor), passing: pipe.writing.number, client)
    let other = try server.connect()
    #expect(
      try other.call("server.cancel", #"{"id":5,"connection":\#(number)}"#)["result"]?["cancelled"]?.int == 1)
    #expect(try client.answer()["error"]?["code"]?.int == -32008)
    let second = try PassedDescriptor.pipe()
    try Self.send(
      request(6, "balances.list", "{}", Self.toDescriptor + #","timeout_ms":50"#),
      passing: second.writing.number, client)
    #expect(try client.answer()["error"]?["code"]?.int == -32007)
    #expect(try Self.isEmpty(server))
  }

  @Test func aHangUpEndsADeliveryThatWaits() throws {
    let server = try Self.loaded()
    let pipe = try PassedDescriptor.pipe()
    do {
      let client = try server.connect()
      try Self.send(
        request(5, "balances.list", "{}", Self.toDescriptor), passing: pipe.writing.number, client)
      #expect(
        try eventually {
          try server.connect().call("server.stats")["result"]?["queries"]?["descriptors"]?.int == 1
        })
    }
    #expect(try Self.isEmpty(server))
  }

  @Test func whatCannotBeWrittenToIsRefused() throws {
    let server = try Self.loaded()
    let client = try server.connect()
    func refusal(_ descriptor: CInt?) throws -> String? {
      let line = request(1, "balances.list", "{}", Self.toDescriptor)
      if let descriptor { try Self.send(line, passing: descriptor, client) } else { try client.send(line) }
      let answer = try client.answer()
      #expect(answer["error"]?["code"]?.int == -32602, "\(answer.text)")
      return answer["error"]?["message"]?.string
    }
    #expect(try refusal(nil)?.hasPrefix("no descriptor came with the request") == true)
    let pipe = try PassedDescriptor.pipe()
    #expect(try refusal(pipe.reading.number) == "the descriptor is not open for writing")
    let null = unsafe open("/dev/null", O_WRONLY)
    #expect(try refusal(null) == "the descriptor is neither a file nor a pipe nor a socket")
    close(null)
    for (method, envelope, text) in [
      ("balances.list", #""to":"file""#, #"to must be "fd", found "file""#),
      ("balances.list", #""format":"csv""#, #"format goes with "to": "fd""#),
      ("balances.list", #""to":"fd","format":"xml""#, #"format must be csv or ndjson, found "xml""#),
      ("balances.list", #""to":"fd","stream":true"#, "to and stream exclude each other"),
      ("server.ping", #""to":"fd""#, "to is only for methods that list, filter or aggregate"),
    ] {
      let answer = try client.call(method, "{}", envelope)
      #expect(answer["error"]?["message"]?.string == text, "\(answer.text)")
    }
    #expect(try Self.isEmpty(server))
  }

  @Test func descriptorsThatNobodyAskedForAreClosedAtOnce() throws {
    let server = try TestServer()
    let clients = try (0..<20).map { _ in try server.connect() }
    for round in 0..<50 {
      for client in clients {
        let pipe = try PassedDescriptor.pipe()
        // With a line that asks for none, with half a line, with a batch, with blanks.
        let lines = [request(round, "server.ping"), "", "[" + request(round, "server.ping") + "]"]
        try Self.send(lines[round % 3], passing: pipe.writing.number, client)
        if round % 3 != 1 { _ = try client.answer() }
      }
    }
    #expect(try Self.isEmpty(server))
  }

  @Test func moreThanOneAtATimeAndTooManyAreClosed() throws {
    let server = try TestServer {
      $0.bounds.waitingDescriptors = 2
      $0.bounds.passedDescriptors = 3
    }
    let client = try server.connect()
    // Beside the bytes of one unfinished line.
    let line = Array((request(1, "ledgers.list", "{}", Self.toDescriptor) + "\n").utf8)
    let pipes = try (0..<10).map { _ in try PassedDescriptor.pipe() }
    for (place, pipe) in pipes.enumerated() {
      _ = try client.socket.write(line.span.extracting(place..<place + 1), passing: pipe.1.number)
    }
    let other = try server.connect()
    #expect(
      try eventually { try other.call("server.stats")["result"]?["queries"]?["descriptors"]?.int == 2 })
    try client.send(Array(line[10...]))
    #expect(try client.answer()["result"]?["count"]?.int == 1)
    withExtendedLifetime(pipes) {}
    #expect(try Self.isEmpty(server))
  }
}
