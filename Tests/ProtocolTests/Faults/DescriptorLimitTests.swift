// No descriptor is left while the journal wants segments and snapshots want files: no damage, and it goes on.

import Foundation
import LedgerlineClient
import Platform
import TestSupport
import Testing

@Suite struct DescriptorLimitTests {
  @Test func withoutDescriptorsNothingIsLostAndItGoesOnWhenThereAreSome() throws {
    let directory = try TemporaryDirectory()
    let books = FaultedBooks(FaultScript(stepCount: 160, snapshotEvery: 35), in: directory)
    let server = try ServerProcess(in: directory, FaultedBooks.options, shell: "ulimit -n 64")
    let client = try server.connect()
    books.drive(client, upTo: 40)
    // More than there are descriptors for: the rest waits in the kernel's queue.
    var crowd = try (0..<200).map { _ in try server.connect() }
    #expect(try eventually { try server.descriptorCount() >= 64 })
    books.drive(client)
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
