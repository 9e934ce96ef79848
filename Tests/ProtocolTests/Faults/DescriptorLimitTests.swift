// No descriptor is left while the journal wants segments and snapshots want files: no damage, and it goes on.

import Foundation
import LedgerlineClient
import Platform
import TestSupport
import Testing

@Suite struct DescriptorLimitTests {
  private static let limit = 64

  /// Connects until the server has no descriptor for one more: it holds them all, or hangs up on the last.
  private static func fill(_ server: ServerProcess, _ crowd: inout [TestClient]) throws {
    for _ in 0..<2 * limit {
      let client = try server.connect()
      crowd.append(client)
      try? client.send(request(1, "server.ping"))
      #expect(try eventually { try client.hasInput() || server.descriptorCount() >= limit })
      if try server.descriptorCount() >= limit { return }
      guard let answer = try? client.line(), !answer.isEmpty else { return }
    }
    Issue.record("\(2 * limit) clients were served with \(limit) descriptors")
  }

  @Test func withoutDescriptorsNothingIsLostAndItGoesOnWhenThereAreSome() throws {
    let directory = try TemporaryDirectory()
    let books = FaultedBooks(FaultScript(stepCount: 160, snapshotEvery: 35), in: directory)
    let server = try ServerProcess(in: directory, FaultedBooks.options, shell: "ulimit -n \(Self.limit)")
    let client = try server.connect()
    books.drive(client, upTo: 40)
    // The rest is turned away; again and again, for what a segment or a snapshot held when the crowd came is
    // free after it.
    var crowd: [TestClient] = []
    for end in stride(from: 40, through: books.script.steps.count, by: 5) {
      try Self.fill(server, &crowd)
      books.drive(client, upTo: end)
    }
    let refused = books.words.values.count { $0 == .notApplied }
    #expect(books.words.values.allSatisfy { $0 != .unknown })
    #expect(try client.call("balances.get", #"{"balance_id":"bln_0"}"#)["result"] != nil)
    #expect(refused > 0)
    withExtendedLifetime(crowd) {}
    crowd = []
    let start = SystemClock().monotonicTime()
    var rounds = 0
    #expect(
      eventually {
        books.askAgain()
        books.drive(client)
        rounds += 1
        return books.words.values.allSatisfy { $0 == .done }
      })
    print(
      "descriptors: \(refused) of \(books.script.steps.count) steps were refused without,",
      "all done \(SystemClock().monotonicTime() - start) after, in \(rounds) rounds")
    server.signal(SIGKILL)
    _ = server.end()
    try books.settle()
    #expect(books.findings == [])
  }
}
