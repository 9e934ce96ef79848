// The test of the test: what the crash loop's checker must find, planted.

import LedgerlineClient
import TestSupport
import Testing

@Suite struct CrashCheckerTests {
  private static func transfer(_ reference: String, amount: Int = 7, isSure: Bool = true) -> CrashTransfer {
    CrashTransfer(
      reference: reference, source: "@world", destination: CrashScript.accounts[0], currency: "USD",
      amount: amount, description: "", isSure: isSure)
  }

  /// A server that has carried out the operations, and what its client knows of them.
  private func server(_ operations: [CrashOperation]) throws -> (TestServer, CrashLog) {
    let server = try TestServer()
    let client = try server.connect()
    for (place, name) in CrashScript.accounts.enumerated() {
      try client.call(
        "balances.create",
        #"{"balance_id":"\#(name)","ledger_id":"general_ledger_id","currency":"#
          + #""\#(CrashScript.currencies[place % 3])"}"#
      )
    }
    var log = CrashLog()
    for var operation in operations {
      try client.send(operation.line(id: 1))
      let (_, fault) = operation.take(try client.answer())
      #expect(fault == nil)
      log.operations.append(operation)
    }
    return (server, log)
  }

  /// What the checker says of `log` on that server.
  private func faults(_ server: TestServer, _ log: CrashLog) throws -> [String] {
    let client = try server.connect()
    var checker = CrashChecker()
    try checker.check([log], client)
    let follower = CrashFollower()
    checker.note(try follower.catchUp(client))
    try checker.checkBooks(client, follower.books)
    return checker.faults
  }

  private static let honest = [
    CrashOperation(kind: .single, transfers: [transfer("a")], key: nil),
    CrashOperation(kind: .atomic, transfers: [transfer("b"), transfer("c")], key: "k"),
    CrashOperation(kind: .separate, transfers: [transfer("d"), transfer("e")], key: nil),
  ]

  /// Changes what the client remembers, and expects the checker to say something that holds `text`.
  private func expect(_ text: String, _ plant: (inout CrashLog) -> Void) throws {
    var (server, log) = try server(Self.honest)
    plant(&log)
    let faults = try faults(server, log)
    #expect(faults.contains { $0.contains(text) }, "\(faults)")
    server.stop()
  }

  @Test func aServerThatKeptEverythingIsFoundInOrder() throws {
    let (server, log) = try server(Self.honest)
    #expect(try faults(server, log) == [])
    server.stop()
  }

  @Test func anAcknowledgedTransferThatIsGoneIsFound() throws {
    try expect("was followed as nothing") {
      $0.operations.append(
        CrashOperation(
          kind: .single, transfers: [Self.transfer("gone")], key: nil, outcome: .acknowledged(["txn_gone"])))
    }
  }

  @Test func anotherContentOrIdThanWasAcknowledgedIsFound() throws {
    try expect("was acknowledged as") {
      $0.operations[0] = CrashOperation(
        kind: .single, transfers: [Self.transfer("a", amount: 8)], key: nil, outcome: $0.operations[0].outcome
      )
    }
    try expect("was acknowledged as") { $0.operations[0].outcome = .acknowledged(["txn_other"]) }
  }

  @Test func whatNobodySentIsFound() throws {
    try expect("nobody has sent") { $0.operations.removeFirst() }
  }

  @Test func whatWasRefusedAndIsThereIsFound() throws {
    try expect("was refused and is there") { $0.operations[0].outcome = .refused("TXN_INSUFFICIENT_FUNDS") }
  }

  @Test(arguments: [true, false])
  func halfABatchIsFound(isAtomic: Bool) throws {
    try expect("half a batch") { log in
      log.operations[isAtomic ? 1 : 2] = CrashOperation(
        kind: isAtomic ? .atomic : .separate,
        transfers: [Self.transfer(isAtomic ? "b" : "d"), Self.transfer("missing")], key: nil)
    }
  }

  @Test func aGapAmongWhatHasSurvivedIsFound() throws {
    try expect("which was sent before it, is not") { log in
      let missing = CrashOperation(kind: .single, transfers: [Self.transfer("missing")], key: nil)
      log.operations[0].outcome = .unknown
      log.operations.insert(missing, at: 0)
    }
  }

  @Test func whatAReadHasShownAndIsGoneIsFound() throws {
    try expect("a read showed") { $0.shownTransactions["unseen"] = "txn_1" }
    try expect("a read showed") { $0.shownBalances[CrashScript.accounts[0]] = (99, "1") }
    try expect("a read showed") { $0.shownBalances[CrashScript.accounts[0]] = (6, "1") }
    try expect("was named before the crash") { $0.position = 1_000_000 }
  }

  @Test func lostMetadataIsFound() throws {
    try expect("metadata of") {
      $0.operations.append(
        CrashOperation(
          kind: .metadata(CrashScript.ownBalance(of: 0), 3), transfers: [], key: nil,
          outcome: .acknowledged([])))
    }
  }

  @Test func aLostBalanceIsFound() throws {
    try expect("was acknowledged and is gone") {
      $0.operations.append(
        CrashOperation(kind: .balance("bln_lost"), transfers: [], key: nil, outcome: .acknowledged([])))
    }
  }
}
