// Memory runs out under load: the program may end, what it has acknowledged is there at the next start.

import Foundation
import LedgerlineClient
import Platform
import TestSupport
import Testing

@Suite struct MemoryLimitTests {
  private static let batchSize = 500

  private static func batch(_ number: Int) -> String {
    let transactions = (0..<batchSize).map {
      #"{"source":"@world","destination":"bln_\#($0 % 7)","currency":"USD","precise_amount":"1","#
        + #""reference":"m\#(number)-\#($0)","allow_overdraft":true,"description":"\#(number) of many"}"#
    }
    return request(
      number, "transactions.create_many",
      #"{"atomic":true,"return":"none","transactions":[\#(transactions.joined(separator: ","))]}"#)
  }

  /// Sends batches until there are many, or the server ends.
  private static func load(_ server: ServerProcess) -> (acknowledged: Int, sent: Int) {
    var acknowledged = 0
    var sent = 0
    // Wherever it ends: the counts say how far it came.
    _ = try? {
      let client = try server.connectWhenReady()
      try client.call("ledgers.create", #"{"ledger_id":"ldg_m","name":"M"}"#)
      for number in 0..<7 {
        try client.call(
          "balances.create", #"{"balance_id":"bln_\#(number)","ledger_id":"ldg_m","currency":"USD"}"#)
      }
      while sent < 600 {
        sent += 1
        try client.send(batch(sent - 1))
        guard try client.answer()["result"] != nil else { return }
        acknowledged = sent
      }
    }()
    return (acknowledged, sent)
  }

  /// - Parameter limit: of the address space, in KiB; a server that has just started has about 150,000.
  @Test(arguments: Effort.choose([190_000], long: [160_000, 175_000, 190_000, 220_000, 260_000]))
  func whatWasAcknowledgedBeforeMemoryRanOutIsThere(limit: Int) throws {
    let directory = try TemporaryDirectory()
    let server = try ServerProcess(
      in: directory, ["--query-threads", "1"], shell: "ulimit -v \(limit)", waits: false)
    let (acknowledged, sent) = Self.load(server)
    server.signal(SIGKILL)
    let code = server.end().code
    print("\(limit) KiB: code \(code) after \(acknowledged) batches of \(Self.batchSize)")
    let again = try ServerProcess(in: directory)
    let reader = try again.connect()
    for number in 0..<sent {
      let found = try [0, Self.batchSize / 2, Self.batchSize - 1].map { part in
        let reference = #"{"reference":"m\#(number)-\#(part)"}"#
        return try reader.call("transactions.get_by_reference", reference)["result"] != nil
      }
      #expect(Set(found).count == 1, "batch \(number) is half there")
      #expect(found[0] || number >= acknowledged, "batch \(number) was acknowledged and is lost")
    }
    again.signal(SIGTERM)
    #expect(again.end().code == 0)
  }
}
