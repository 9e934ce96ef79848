// Every system call that changes files fails once, or for ever, or is the last: nothing acknowledged is lost.

import Foundation
import LedgerlineClient
import Platform
import TestSupport
import Testing

@Suite struct InjectedFaultTests {
  private static let script = FaultScript(
    stepCount: Effort.choose(120, long: 200), snapshotEvery: Effort.choose(25, long: 45))

  /// The run without faults, once for all tests; it must be without findings too.
  private static let map = Result { () throws -> FaultMap in
    let directory = try TemporaryDirectory()
    let books = FaultedBooks(script, in: directory)
    let strace = Strace(log: directory.path(of: "strace"), paths: [], fault: nil)
    let server = try #require(try books.start(strace))
    let client = try server.connect()
    books.drive(client)
    let journal = try client.call("server.info")["result"]?["journal"]
    server.signal(SIGTERM)
    let end = books.end(server)
    #expect(end.code == 0, "\(end.errors)")
    try books.settle()
    #expect(books.findings == [])
    return FaultMap(
      try strace.noted(), data: directory.path(of: "data"), isDirect: journal?["direct"] == .bool(true))
  }

  /// `AREA:CALL:NUMBER:EFFECT`, the one fault that is asked for.
  private static let wanted = CurrentProcess.environment("LEDGERLINE_FAULT")

  private static func chosen(_ effect: FaultEffect, _ seed: Seed) throws -> [FaultSite] {
    let map = try map.get()
    var sites = map.sites.filter { effect.canMeet($0, isDirect: map.isDirect) }
    if let wanted { return sites.filter { "\($0):\(effect)" == wanted } }
    if Effort.isLong { return sites }
    var random = seed.generator
    sites.shuffle(using: &random)
    // One from each area first: most calls are the journal's.
    var areas: Set<FaultArea> = []
    let firsts = sites.filter { areas.insert($0.area).inserted }
    return Array(firsts.prefix(effect == .killed ? 4 : 2))
  }

  @Test(arguments: FaultEffect.all)
  func aFaultInAnyCallLosesNothing(effect: FaultEffect) throws {
    guard Strace.isThere(for: "faults in system calls, \(effect)") else { return }
    let seed = Seed.sample(1)[0]
    var runCount = 0
    var reachedCount = 0
    var codes: [Int32: Int] = [:]
    var longest = Duration.zero
    for site in try Self.chosen(effect, seed) {
      let run = try FaultedRun(Self.map.get(), site, effect, Self.script)
      #expect(run.findings == [], "\(seed) \(run.repetition)")
      runCount += 1
      reachedCount += run.wasReached ? 1 : 0
      codes[run.code, default: 0] += 1
      longest = max(longest, run.longestStart)
      if Effort.isTalkative { print("\(site):\(effect) reached \(run.wasReached), code \(run.code)") }
    }
    print(
      "\(effect): \(reachedCount) of \(runCount) met, exit codes \(codes), longest start \(longest)"
    )
  }
}
