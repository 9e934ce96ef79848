// Many clients at once: money is neither made nor lost, no reader sees half a transfer, each client its own
// order.

import Ledger
import LedgerlineClient
import Platform
import Server
import Synchronization
import TestSupport
import Testing

@Suite struct ConcurrencyTests {
  private static let currencies = ["USD", "EUR"]
  private static let balanceCount = 40
  private static let roundCount = 40
  private static let roundSize = 25

  /// Runs each body on a thread of its own; failures become issues of the test.
  private static func together(_ bodies: [@Sendable () throws -> Void]) throws {
    let failures = Guarded<[String]>([])
    let failuresOf: @Sendable (@Sendable () throws -> Void) -> Void = { body in
      do { try body() } catch { failures.withLock { $0.append("\(error)") } }
    }
    let threads = try bodies.map { body in try Platform.Thread(name: "client") { failuresOf(body) } }
    for thread in threads { thread.join() }
    #expect(failures.withLock { $0 } == [])
  }

  private static func prepare(_ server: TestServer) throws {
    let client = try server.connect()
    try client.call("ledgers.create", #"{"ledger_id":"ldg_a","name":"A"}"#)
    for currency in currencies {
      for number in 0..<balanceCount {
        let made = try client.call(
          "balances.create",
          #"{"balance_id":"bln_\#(currency)\#(number)","ledger_id":"ldg_a","currency":"\#(currency)"}"#)
        #expect(made["result"] != nil)
      }
    }
  }

  private static func post(_ server: TestServer, _ poster: Int, _ seed: Seed) throws {
    var random = SeededGenerator(Seed(seed.value &+ UInt64(poster)))
    let client = try server.connect()
    for round in 0..<roundCount {
      var lines: [UInt8] = []
      for item in 0..<roundSize {
        let id = round * roundSize + item
        let currency = currencies.randomElement(using: &random)!
        let from = Int.random(in: 0..<balanceCount, using: &random)
        let to = (from + Int.random(in: 1..<balanceCount, using: &random)) % balanceCount
        let source = Int.random(in: 0..<5, using: &random) == 0 ? "@world" : "bln_\(currency)\(from)"
        let params =
          #"{"source":"\#(source)","destination":"bln_\#(currency)\#(to)","currency":"\#(currency)","#
          + #""precise_amount":"\#(Int.random(in: 1...1000, using: &random))","#
          + #""reference":"p\#(poster)-\#(id)","allow_overdraft":true}"#
        lines += (request(id, "transactions.create", params) + "\n").utf8
      }
      try client.send(lines)
      for item in 0..<roundSize {
        let answer = try client.answer()
        #expect(answer["id"]?.int == round * roundSize + item)
        #expect(answer["result"]?["status"]?.string == "APPLIED", "\(answer.text)")
      }
    }
  }

  /// Every answer is one cut: the balances of a currency add up to nothing.
  private static func watch(_ server: TestServer, isStream: Bool, until isOver: () -> Bool) throws {
    let client = try server.connect()
    repeat {
      for currency in currencies {
        let filter = #"{"field":"currency","operator":"eq","value":"\#(currency)"}"#
        // A pattern sends the query to a query thread.
        let pattern = #"{"field":"balance_id","operator":"like","value":"%"}"#
        let filters = Bool.random() ? filter : "\(filter),\(pattern)"
        let limit = isStream ? "" : #","limit":1000"#
        let params = #"{"filters":[\#(filters)],"fields":["balance"]\#(limit)}"#
        try client.send(request(1, "balances.filter", params, #""stream":\#(isStream)"#))
        var rows: [JSONNode] = []
        while true {
          let message = try client.answer()
          guard let more = message["params"]?["rows"]?.array else {
            rows += message["result"]?.array ?? []
            break
          }
          rows += more
        }
        #expect(rows.count >= balanceCount)
        #expect(rows.reduce(0) { $0 + (Int($1["balance"]?.string ?? "") ?? 1) } == 0)
      }
    } while !isOver()
  }

  @Test(arguments: [1, 2])
  func moneyIsNeitherMadeNorLost(loopCount: Int) throws {
    let seed = Seed(UInt64(loopCount))
    let server = try TestServer {
      $0.loopCount = loopCount
      $0.queryThreadCount = 2
    }
    try Self.prepare(server)
    let postersLeft = Atomic<Int>(3)
    var bodies: [@Sendable () throws -> Void] = []
    for poster in 0..<3 {
      bodies.append {
        defer { postersLeft.subtract(1, ordering: .acquiringAndReleasing) }
        try Self.post(server, poster, seed)
      }
    }
    for isStream in [false, true] {
      bodies.append {
        try Self.watch(server, isStream: isStream) { postersLeft.load(ordering: .acquiring) == 0 }
      }
    }
    bodies.append {
      let client = try server.connect()
      repeat {
        #expect(try client.call("snapshots.create", #"{"wait":true}"#)["result"] != nil)
      } while postersLeft.load(ordering: .acquiring) > 0
    }
    try Self.together(bodies)
    #expect(server.books.counts.transactions == 3 * Self.roundCount * Self.roundSize)
    #expect(server.books.checkInvariants(on: server.books.cut()) == [])
    #expect(server.stop())
    // All is back, in the same sums.
    let again = try TestServer(in: server.directory)
    #expect(again.books.counts.transactions == 3 * Self.roundCount * Self.roundSize)
    try Self.watch(again, isStream: false) { true }
  }

  @Test func aStopUnderLoadLosesNothingThatWasAnswered() throws {
    let server = try TestServer { $0.loopCount = 2 }
    let answered = Guarded<[String]>([])
    let begun = Atomic<Int>(0)
    var bodies: [@Sendable () throws -> Void] = []
    for client in 0..<4 {
      bodies.append {
        let connection = try server.connect()
        for number in 0..<100_000 {
          let id = "ldg_\(client)-\(number)"
          do {
            let answer = try connection.call("ledgers.create", #"{"ledger_id":"\#(id)","name":"L"}"#)
            #expect(answer["result"]?["ledger_id"]?.string == id)
          } catch { return }
          answered.withLock { $0.append(id) }
          begun.add(1, ordering: .relaxed)
        }
      }
    }
    bodies.append {
      #expect(eventually { begun.load(ordering: .relaxed) > 200 })
      #expect(server.stop())
    }
    try Self.together(bodies)
    let again = try TestServer(in: server.directory)
    let client = try again.connect()
    let ids = answered.withLock { $0 }
    for id in ids {
      #expect(try client.call("ledgers.get", #"{"ledger_id":"\#(id)"}"#)["result"] != nil, "\(id)")
    }
    #expect(again.books.counts.ledgers == ids.count + 1, "what was carried out was answered")
  }

  @Test func aStopAnswersWhatWaitsAndWhatRuns() throws {
    let server = try TestServer()
    let waiter = try server.connect()
    try waiter.send(request(1, "ledgers.list", "{}", #""min_position":99"#), request(2, "server.ping"))
    let saver = try server.connect()
    try saver.send(request(3, "snapshots.create", #"{"wait":true}"#))
    let halfway = try server.connect()
    try halfway.send(Array(#"{"id":4,"#.utf8))
    let watcher = try server.connect()
    #expect(
      try eventually {
        try watcher.call("server.stats")["result"]?["queues"]?["unanswered_requests"]?.int ?? 0 >= 1
      })
    #expect(server.stop())
    #expect(try waiter.answer()["error"]?["data"]?["code"]?.string == "BUSY")
    #expect(try waiter.answer()["result"]?.string == "pong")
    #expect(try waiter.isEnded())
    let saved = try saver.answer()
    #expect(saved["result"] != nil || saved["error"]?["data"]?["code"]?.string == "STORAGE_FAILED")
    #expect(try saver.isEnded())
    #expect(try halfway.isEnded())
  }

  @Test func aStopDoesNotWaitForOneWhoDoesNotRead() throws {
    let server = try TestServer { $0.bounds.stopTime = .milliseconds(100) }
    let client = try server.connect()
    try client.send(Array((0..<50).map { request($0, "rpc.discover") + "\n" }.joined().utf8))
    #expect(try client.line() != nil)
    #expect(server.stop())
  }
}
