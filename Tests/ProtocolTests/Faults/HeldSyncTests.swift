// A sync that takes two seconds, in the real program: what depends on it waits, everything else does not.

import Foundation
import LedgerlineClient
import Platform
import TestSupport
import Testing

@Suite struct HeldSyncTests {
  private static let delay = Duration.seconds(2)
  /// Rows are noted as changed by chunk: this one is far from those that are written.
  private static let farBalance = "bln_3999"

  private static func fill(_ directory: TemporaryDirectory) throws {
    let server = try ServerProcess(in: directory)
    let client = try server.connect()
    try client.call("ledgers.create", #"{"ledger_id":"ldg_a","name":"A"}"#)
    let balances = (0..<4000).map { #"{"balance_id":"bln_\#($0)","ledger_id":"ldg_a","currency":"USD"}"# }
    try client.call("balances.create_many", #"{"balances":[\#(balances.joined(separator: ","))]}"#)
    server.signal(SIGTERM)
    #expect(server.end().code == 0)
  }

  private static func transfer(_ reference: String, _ source: String = "bln_0") -> String {
    request(
      1, "transactions.create",
      #"{"source":"\#(source)","destination":"bln_1","currency":"USD","precise_amount":"5","#
        + #""reference":"\#(reference)","allow_overdraft":true}"#)
  }

  private static func get(_ balance: String) -> String {
    request(1, "balances.get", #"{"balance_id":"\#(balance)"}"#)
  }

  /// Whatever shows that the transfer of this round was carried out.
  private static func dependents(_ round: Int) -> [String] {
    [
      get("bln_0"), get("bln_1"), transfer("held-\(round)"), transfer("held-\(round)", "bln_2"),
      request(1, "transactions.get_by_reference", #"{"reference":"held-\#(round)"}"#),
      request(1, "balances.filter", #"{"filters":[]}"#),
      request(1, "transactions.list", "{}", #""stream":true"#),
      "[\(get(farBalance)),\(get("bln_1"))]",
      request(1, "ledgers.create", #"{"name":"B"}"#),
    ]
  }

  @Test func whatDependsOnAHeldSyncWaitsAndNothingElseDoes() throws {
    guard Strace.isThere(for: "a sync held for two seconds") else { return }
    let directory = try TemporaryDirectory()
    try Self.fill(directory)
    let data = directory.path(of: "data")
    let strace = Strace(
      log: directory.path(of: "strace"),
      paths: (1...9).map { PathName.join(data, "journal-0000000\($0).seg") },
      fault: "fdatasync:delay_enter=2s:when=1+")
    let server = try ServerProcess(in: directory, shell: strace.shell)
    let other = try server.connect()
    var times: [Duration] = []
    var greetings: [Duration] = []
    for round in 0..<Effort.choose(1, long: 8) {
      let position = try Self.position(other)
      let start = SystemClock().monotonicTime()
      let writer = try server.connect()
      try writer.send(Self.transfer("held-\(round)"))
      #expect(try eventually { try Self.position(other) > position })
      let waiting = try Self.dependents(round).map { line in
        let client = try server.connect()
        try client.send(line)
        return client
      }
      while SystemClock().monotonicTime() - start < Self.delay - .milliseconds(300) {
        let asked = SystemClock().monotonicTime()
        let found = try other.call("balances.get", #"{"balance_id":"\#(Self.farBalance)"}"#)
        let answered = SystemClock().monotonicTime()
        let greeting = try server.connect().call("server.ping")
        times.append(answered - asked)
        greetings.append(SystemClock().monotonicTime() - answered)
        #expect(found["result"]?["balance"]?.string == "0" && greeting["result"]?.string == "pong")
        for client in [writer] + waiting { #expect(try !client.hasInput(), "round \(round)") }
        usleep(5000)
      }
      #expect(try writer.answer()["result"]?["status"]?.string == "APPLIED")
      #expect(SystemClock().monotonicTime() - start >= Self.delay - .milliseconds(50))
      #expect(try waiting[0].answer()["result"]?["balance"]?.string == "\(-5 * (round + 1))")
      #expect(try waiting[1].answer()["result"]?["balance"]?.string == "\(5 * (round + 1))")
      for client in waiting[2...] { #expect(try client.line() != nil) }
    }
    server.signal(SIGKILL)
    _ = server.end()
    times.sort()
    greetings.sort()
    print(
      "sync held: \(times.count) other reads, median \(times[times.count / 2]), slowest \(times.last!);",
      "new connections, median \(greetings[greetings.count / 2]), slowest \(greetings.last!)")
    // The machine may be busy; what waited for the sync would take two seconds.
    #expect(times[0] < .milliseconds(1))
    #expect(times[times.count / 2] < .milliseconds(50))
    #expect(greetings[greetings.count / 2] < .milliseconds(50))
  }

  private static func position(_ client: TestClient) throws -> Int {
    try client.call("server.stats")["result"]?["journal"]?["position"]?.int ?? 0
  }
}
