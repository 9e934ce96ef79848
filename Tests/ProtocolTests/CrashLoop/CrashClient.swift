// A client of the crash loop: writes and reads until its server dies, and remembers what it was told.

import LedgerlineClient
import Platform
import Synchronization
import TestSupport

/// What one client has seen in one round.
struct CrashLog: Sendable {
  var operations: [CrashOperation] = []
  /// Transactions that a read has shown, by reference.
  var shownTransactions: [String: String] = [:]
  /// The last that a read has shown of each balance.
  var shownBalances: [String: (version: Int, balance: String)] = [:]
  /// The last journal position that an answer has named.
  var position = 0
  var faults: [String] = []
}

/// How many transfers each client has made so far in this round: others guess references from it.
final class CrashCounters: Sendable {
  private let counts = Guarded<[Int: Int]>([:])

  func set(_ client: Int, _ count: Int) { counts.withLock { $0[client] = count } }
  func count(_ client: Int) -> Int { counts.withLock { $0[client] ?? 0 } }
}

/// Runs on a thread of its own, on its own connection.
struct CrashClient {
  private enum Question {
    case write
    case transaction(String)
    case balance(String)
  }

  private static let greatestWindow = 8
  static let operationLimit = 2000

  let number: Int
  let clientCount: Int
  let counters: CrashCounters
  private var script: CrashScript
  private var generator: SeededGenerator
  private var log = CrashLog()
  private var asked: [Question] = []
  private var answeredCount = 0
  /// The oldest write that has no answer.
  private var nextWrite = 0

  init(
    _ number: Int, of clientCount: Int, _ round: Int, count: Int, counters: CrashCounters,
    generator: SeededGenerator
  ) {
    self.number = number
    self.clientCount = clientCount
    self.counters = counters
    self.generator = generator
    script = CrashScript(client: number, round: round, count: count, generator: generator)
    // The script and the reads draw from different numbers.
    _ = self.generator.next()
  }

  /// Works until the connection ends.
  mutating func run(_ path: String) -> CrashLog {
    do {
      let client = try TestClient(path: path)
      let window = Int.random(in: 1...Self.greatestWindow, using: &generator)
      while log.operations.count < Self.operationLimit {
        while asked.count - answeredCount < window { try ask(client) }
        try take(try client.answer())
      }
      // More of the same would only make the checks long: wait for the end.
      while true { try take(try client.answer()) }
    } catch {
      // The server has died, or has not come up yet.
    }
    return log
  }

  private mutating func ask(_ client: TestClient) throws {
    let id = asked.count + 1
    switch Int.random(in: 0..<5, using: &generator) {
    case 0:
      let other = Int.random(in: 0..<clientCount, using: &generator)
      let last = max(1, counters.count(other))
      let reference = CrashScript.reference(
        other, script.round, Int.random(in: max(1, last - 20)...last, using: &generator))
      asked.append(.transaction(reference))
      try client.send(request(id, "transactions.get_by_reference", #"{"reference":"\#(reference)"}"#))
    case 1:
      guard let balance = CrashScript.accounts.randomElement(using: &generator) else { return }
      asked.append(.balance(balance))
      try client.send(request(id, "balances.get", #"{"balance_id":"\#(balance)"}"#, #""meta":true"#))
    default:
      let operation = script.next()
      counters.set(number, script.made)
      asked.append(.write)
      // Noted before it is sent: from here on it may be there.
      log.operations.append(operation)
      try client.send(operation.line(id: id))
    }
  }

  private mutating func take(_ answer: JSONNode) throws {
    guard answer["id"]?.int == answeredCount + 1 else {
      log.faults.append("answer \(answeredCount + 1) should come: \(answer.text.prefix(300))")
      throw TestClient.Failure.unexpectedEnd
    }
    let question = asked[answeredCount]
    answeredCount += 1
    if let position = answer["position"]?.int { log.position = max(log.position, position) }
    switch question {
    case .write:
      if let fault = log.operations[nextWrite].take(answer).fault { log.faults.append(fault) }
      nextWrite += 1
    case .transaction(let reference):
      if let id = answer["result"]?["transaction_id"]?.string { log.shownTransactions[reference] = id }
    case .balance(let name):
      guard let version = answer["result"]?["version"]?.int,
        let balance = answer["result"]?["balance"]?.string
      else {
        log.faults.append("no balance: \(answer.text.prefix(300))")
        return
      }
      log.shownBalances[name] = (version, balance)
    }
  }
}
