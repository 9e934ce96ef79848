// The reports of the docs, run by the real program on a real server.

import Foundation
import LedgerlineClient
import TestSupport
import Testing

@Suite struct ReportProcessTests {
  private func books() throws -> ServerProcess {
    let server = try ServerProcess()
    let client = try server.connect()
    try client.call("ledgers.create", #"{"ledger_id":"ldg_shop","name":"Shop"}"#, "")
    for index in 0..<12 {
      try client.call(
        "balances.create",
        #"{"balance_id":"bln_\#(index)","ledger_id":"ldg_shop","currency":"\#(index < 8 ? "USD" : "EUR")"}"#,
        "")
    }
    for index in 0..<10 {
      try client.call(
        "transactions.create",
        #"{"source":"@world","destination":"bln_\#(index)","currency":"\#(index < 8 ? "USD" : "EUR")","#
          + #""precise_amount":\#(1000 * (index + 1)),"reference":"r\#(index)","allow_overdraft":true}"#, "")
    }
    return server
  }

  private func run(_ words: [String], _ server: ServerProcess) throws -> (
    code: Int32, output: String, errors: String
  ) {
    let process = Process()
    process.executableURL = ServerProcess.program
    process.arguments = ["report"] + words + ["--socket", server.socketPath]
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let faults = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text, faults)
  }

  private static let reports = ["trial-balance", "top-holders", "dormant-balances", "daily-flows"]

  private func path(_ name: String) -> String {
    DocumentationPages.url(of: "docs/reports/\(name).json").path()
  }

  @Test func everyReportOfTheDocsRunsInEveryFormat() throws {
    let server = try books()
    for name in Self.reports {
      for format in ["table", "csv", "json", "html"] {
        let result = try run([path(name), "--format", format], server)
        #expect(result.code == 0, "\(name) \(format): \(result.errors)")
        #expect(!result.output.isEmpty, "\(name) \(format)")
      }
    }
  }

  @Test func theTrialBalanceBalances() throws {
    let server = try books()
    let result = try run([path("trial-balance"), "--only", "by_currency", "--format", "csv"], server)
    #expect(
      result.output
        == "Currency,Balances,Debits,Credits,Difference\nEUR,5,19000,19000,0\nUSD,9,36000,36000,0\n",
      "\(result.output) \(result.errors)")
    let ledgers = try run([path("trial-balance"), "--only", "by_ledger", "--format", "json"], server)
    #expect(
      ledgers.output.contains(#""sum:balance": "36000""#)
        && ledgers.output.contains(#""sum:balance": "-36000""#))
  }

  @Test func faultsNameFileAndPlace() throws {
    let server = try books()
    let file = server.directory.path(of: "bad.json")
    try Data(
      #"{"queries":[{"name":"q","filters":[{"field":"curency","operator":"eq","value":"USD"}]}]}"#.utf8
    )
    .write(to: URL(filePath: file))
    let refused = try run([file], server)
    #expect(
      refused.code == 3 && refused.errors.contains("invalid filter field: curency"), "\(refused.errors)")
    let missing = try run([server.directory.path(of: "nothing.json")], server)
    #expect(missing.code == 1 && missing.errors.contains("nothing.json"), "\(missing.errors)")
    let unset = try run([path("top-holders"), "--set", "curency=EUR"], server)
    #expect(unset.code == 1 && unset.errors.contains("did you mean currency?"), "\(unset.errors)")
  }
}
