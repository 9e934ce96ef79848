// The test of the tests: what the comparison of words and books must find, it finds.

import Foundation
import LedgerlineClient
import Platform
import TestSupport
import Testing

@Suite struct FaultedBooksTests {
  /// Steps of the script: 12 is a transfer, 13 and 20 are batches, 16 makes a ledger.
  private static let script = FaultScript(stepCount: 40, snapshotEvery: 25)

  /// What the comparison says after the script and then `change`.
  private static func findings(_ change: (FaultedBooks, TestClient) throws -> Void) throws -> [String] {
    let books = FaultedBooks(script, in: try TemporaryDirectory())
    let server = try #require(try books.start())
    let client = try server.connect()
    books.drive(client, upTo: 35)
    try change(books, client)
    try books.compare(client)
    server.signal(SIGKILL)
    _ = books.end(server)
    return books.findings
  }

  @Test func whatIsRightIsNotComplainedAbout() throws {
    #expect(try Self.findings { _, _ in } == [])
    #expect(try Self.findings { books, _ in books.pretend(.unknown, of: 12) } == [])
    #expect(try Self.findings { books, _ in books.pretend(.unknown, of: 36) } == [])
  }

  @Test(arguments: [12, 13, 16, 20, 34])
  func whatIsThereAndWasSaidNotToBeIsFound(step: Int) throws {
    let findings = try Self.findings { books, _ in books.pretend(.notApplied, of: step) }
    #expect(findings == ["step \(step) was said not to be applied and is there"])
    let unsent = try Self.findings { books, _ in books.pretend(nil, of: step) }
    #expect(unsent == ["step \(step) was never sent and is there"])
  }

  @Test(arguments: [35, 36, 37, 38, 39])
  func whatIsAcknowledgedAndLostIsFound(step: Int) throws {
    let findings = try Self.findings { books, _ in books.pretend(.done, of: step) }
    #expect(findings == ["step \(step) was acknowledged and is lost"])
  }

  @Test func aTransferThatWasDoneTwiceIsFound() throws {
    let findings = try Self.findings { _, client in
      let again = #"{"source":"bln_0","destination":"bln_1","currency":"USD","precise_amount":"12","#
      _ = try client.call("transactions.create", again + #""reference":"twice","allow_overdraft":true}"#)
    }
    #expect(findings.count == 2 && findings.allSatisfy { $0.hasPrefix("bln_") }, "\(findings)")
  }

  @Test func halfABatchIsFound() throws {
    // Step 40 would be a batch; a part of it comes alone.
    let longer = FaultScript(stepCount: 41, snapshotEvery: 25)
    let books = FaultedBooks(longer, in: try TemporaryDirectory())
    let server = try #require(try books.start())
    let client = try server.connect()
    books.drive(client, upTo: 40)
    let part = #"{"source":"bln_4","destination":"bln_0","currency":"USD","precise_amount":"40","#
    _ = try client.call("transactions.create", part + #""reference":"r40-0","allow_overdraft":true}"#)
    try books.compare(client)
    #expect(books.findings.contains { $0.hasPrefix("step 40 is half there: 1 of 3") }, "\(books.findings)")
    server.signal(SIGKILL)
    _ = books.end(server)
  }
}
