// A server in the benchmark's own process, with balances to move money between.

import Platform
import Server
import Storage

/// A server with its balances.
final class BenchmarkServer {
  let path: String
  private let server: LedgerlineServer
  private let thread: Thread

  init(_ durability: Durability, _ directory: DataDirectory, balanceCount: Int) throws {
    var configuration = Configuration(dataDirectory: directory.path(of: "\(durability)"))
    configuration.socketPath = directory.path(of: "\(durability).sock")
    configuration.queryThreadCount = 1
    configuration.journal.durability = durability
    let log = ServerLog(format: .text, clock: SystemClock()) { _ in }
    let server = try LedgerlineServer.start(configuration, log: log)
    self.server = server
    path = server.socketPath
    thread = try Thread(name: "server") { _ = server.run() }
    try load(balanceCount)
  }

  private func load(_ balanceCount: Int) throws {
    let fleet = try ClientFleet(path: path, count: 1)
    _ = try fleet.call(#"{"id":1,"method":"ledgers.create","params":{"ledger_id":"ldg_1","name":"L"}}"#)
    for first in stride(from: 0, to: balanceCount, by: 8000) {
      let items = (first..<min(first + 8000, balanceCount)).map {
        #"{"ledger_id":"ldg_1","currency":"USD","balance_id":"\#(SocketBenchmark.balance($0))"}"#
      }
      let line =
        #"{"id":1,"method":"balances.create_many","params":{"atomic":false,"balances":["#
        + items.joined(separator: ",") + "]}}\n"
      _ = try fleet.drive([Array(line.utf8)], window: 1)
    }
    if fleet.errorCount > 0 { throw ClientFailure.answeredWithErrors }
  }

  /// What the journal says of itself.
  func journalStatistics() throws -> String {
    let stats = try ClientFleet(path: path, count: 1).call(#"{"id":1,"method":"server.stats"}"#)
    guard let start = stats.range(ofText: "\"journal\":{"), let end = stats[start...].firstIndex(of: "}")
    else { return "" }
    return "    " + stats[start..<end]
  }

  func end() {
    server.stop()
    thread.join()
  }
}
