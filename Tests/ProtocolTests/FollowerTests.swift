// A system that follows the books by nothing but the change stream has the books.

import Foundation
import LedgerlineClient
import Platform
import Server
import Storage
import TestSupport
import Testing

@Suite struct FollowerTests {
  /// Writes commands of all kinds on one connection until it is told to stop.
  private struct Writer {
    let number: Int
    var generator: SeededGenerator
    private var made = 0

    init(_ number: Int, _ generator: SeededGenerator) {
      self.number = number
      self.generator = generator
    }

    mutating func work(_ client: TestClient, _ count: Int) throws {
      for _ in 0..<count {
        made += 1
        let (method, params) = step()
        let key = Int.random(in: 0..<6, using: &generator) == 0 ? #""key":"\#(number)-\#(made)""# : ""
        // Refusals are part of the mix.
        try client.call(method, params, key)
      }
    }

    private mutating func step() -> (String, String) {
      let name = "w\(number)_\(made)"
      switch Int.random(in: 0..<14, using: &generator) {
      case 0: return ("ledgers.create", #"{"ledger_id":"ldg_\#(name)","name":"L \#(name)"}"#)
      case 1: return ("ledgers.update", #"{"ledger_id":"ldg_\#(earlier())","name":"other"}"#)
      case 2:
        return ("identities.create", #"{"identity_id":"idt_\#(name)","first_name":"F","meta_data":{"a":1}}"#)
      case 3: return ("identities.delete", #"{"identity_id":"idt_\#(earlier())"}"#)
      case 4:
        return (
          "balances.create",
          #"{"balance_id":"bln_\#(name)","ledger_id":"general_ledger_id","currency":"\#(currency)","#
            + #""meta_data":{"n":2}}"#
        )
      case 5:
        return (
          "balances.update_identity",
          #"{"balance_id":"bln_\#(earlier())","identity_id":"idt_\#(earlier())"}"#
        )
      case 6:
        let id = ["bln_", "idt_", "ldg_"].randomElement(using: &generator) ?? "bln_"
        return ("metadata.update", #"{"id":"\#(id)\#(earlier())","meta_data":{"n":\#(made),"m":null}}"#)
      case 7, 8:
        let atomic = Bool.random(using: &generator)
        let items = (0..<Int.random(in: 1...30, using: &generator)).map { transfer("\(name)-\($0)") }
        return (
          "transactions.create_many",
          #"{"atomic":\#(atomic),"transactions":[\#(items.joined(separator: ","))]}"#
        )
      default: return ("transactions.create", transfer(name))
      }
    }

    private var currency: String { made % 2 == 0 ? "USD" : "EUR" }

    /// A name that may be there.
    private mutating func earlier() -> String {
      "w\(number)_\(Int.random(in: max(1, made - 40)...made, using: &generator))"
    }

    private mutating func transfer(_ reference: String) -> String {
      let names = ["@world", "@till", "@bank", "bln_\(earlier())"]
      let source = names.randomElement(using: &generator) ?? "@world"
      let destination = names.randomElement(using: &generator) ?? "@till"
      let amount = String(Int.random(in: 1...Int.max, using: &generator)) + "00000000000000000000"
      return #"{"source":"\#(source)","destination":"\#(destination)","currency":"\#(currency)","#
        + #""precise_amount":"\#(amount)","reference":"\#(reference)","allow_overdraft":true}"#
    }
  }

  private func startServer(in directory: TemporaryDirectory?) throws -> TestServer {
    try TestServer(in: directory) { configuration in
      configuration.snapshotInterval = .facts(1500)
      configuration.journal.firstSegmentByteCount = 64 << 10
      configuration.journal.segmentByteCount = 128 << 10
      configuration.journal.recentByteCount = 128 << 10
      configuration.loopCount = 2
    }
  }

  /// Under concurrent writers, across restarts, while old segments are removed behind it.
  @Test(arguments: Seed.sample(1))
  func aFollowerHasExactlyTheBalancesOfTheServer(_ seed: Seed) throws {
    var generator = seed.generator
    let follower = CrashFollower()
    var directory: TemporaryDirectory?
    var writers = (0..<4).map { Writer($0, SeededGenerator(Seed(generator.next()))) }
    for _ in 0..<3 {
      let server = try startServer(in: directory)
      directory = server.directory
      let path = server.server.socketPath
      let results = Guarded<[Int: Writer]>([:])
      let following = try Platform.Thread(name: "follower") { follower.follow(path) }
      let threads = try writers.map { start in
        try Platform.Thread(name: "writer-\(start.number)") {
          var writer = start
          do {
            try writer.work(try TestClient(path: path), 300)
          } catch {
            Issue.record("\(error)")
          }
          results.withLock { $0[writer.number] = writer }
        }
      }
      for thread in threads { thread.join() }
      writers = results.withLock { results in (0..<writers.count).compactMap { results[$0] } }
      let client = try server.connect()
      let end = try #require(try client.call("server.info")["result"]?["position"]?.int)
      #expect(eventually { follower.books.map { $0.position >= end } != false || !follower.faults.isEmpty })
      #expect(follower.faults == [], "\(seed)")
      let books = try #require(follower.books, "nothing was overtaken")
      let listed = try client.call("balances.list", #"{"limit":1000}"#)["result"]?.array ?? []
      #expect(listed.count > 3 && listed.count < 1000)
      #expect(books.differences(from: listed) == [], "\(seed)")
      let info = try client.call("server.info")["result"]
      #expect(end == books.position)
      #expect(info?["counts"]?["transactions"]?.int == books.transactions.count)
      #expect(server.stop())
      following.join()
    }
    // What the follower has is not to be had any more from the beginning.
    let server = try startServer(in: directory)
    let client = try server.connect()
    let refused = try client.call("changes.read", #"{"from_position":1}"#)
    #expect(refused["error"]?["data"]?["code"]?.string == "CHANGES_NOT_KEPT", "\(refused.text.prefix(300))")
    let oldest = try #require(refused["error"]?["data"]?["oldest_position"]?.int)
    #expect(oldest > 1 && oldest <= follower.books?.position ?? 0)
    let subscription = try client.call("changes.subscribe", #"{"from_position":\#(oldest - 1)}"#)
    #expect(subscription["error"]?["data"]?["code"]?.string == "CHANGES_NOT_KEPT")
    let kept = try client.call("changes.read", #"{"from_position":\#(oldest),"limit":1}"#)
    #expect(kept["result"]?["changes"]?.array?.first?["position"]?.int == oldest)
    server.stop()
  }
}

@Suite struct ChangesExportProcessTests {
  private func export(_ server: ServerProcess, _ options: [String]) throws -> (code: Int32, output: String) {
    let process = Process()
    let output = Pipe()
    process.executableURL = ServerProcess.program
    process.arguments = ["export", "--changes", "--socket", server.socketPath] + options
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }

  /// Exported bit by bit, with kills and torn files in between, the lines are a twin's changes.
  @Test func aFileThatIsGoneOnWithHoldsEveryChangeOnce() throws {
    var server = try ServerProcess()
    let directory = server.directory
    let path = directory.path(of: "changes.ndjson")
    for round in 0..<4 {
      let client = try server.connect()
      for number in 0..<50 {
        try client.call(
          "transactions.create",
          #"{"source":"@world","destination":"@till","currency":"USD","precise_amount":"\#(number + 1)","#
            + #""reference":"e\#(round)-\#(number)","allow_overdraft":true}"#)
      }
      if round == 2 {
        server.signal(SIGKILL)
        _ = server.end()
        server = try ServerProcess(in: directory)
      }
      let (code, output) = try export(server, ["--output", path, "--resume"])
      #expect(code == 0, "\(output)")
      // As an interruption would leave it.
      let file = try OpenFile(path, .readWrite)
      try file.truncate(to: try file.size() - 30)
    }
    #expect(try export(server, ["--output", path, "--resume"]).code == 0)
    var follower = BooksFollower()
    let text = try String(contentsOfFile: path, encoding: .utf8)
    for line in text.split(separator: "\n") { try follower.take(try JSONNode.parse(line)) }
    let listed = try server.connect().call("balances.list")["result"]?.array ?? []
    #expect(follower.differences(from: listed) == [])
    #expect(follower.transactions.count == 200)
    let some = try export(server, ["--from", "5", "--to", "7"])
    #expect(some.output == text.split(separator: "\n")[4..<7].map { $0 + "\n" }.joined(), "\(some.output)")
  }
}
