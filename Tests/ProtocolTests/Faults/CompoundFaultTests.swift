// One fault upon another: kills during the start after a kill, stops at the worst moments.

import Foundation
import LedgerlineClient
import Platform
import TestSupport
import Testing

@Suite struct CompoundFaultTests {
  private static let script = FaultScript(stepCount: 130, snapshotEvery: 30)

  /// Where in the start the kill comes: any call, by whichever thread makes its n-th.
  private static let calls = [
    "openat", "pwrite64", "fdatasync", "fsync", "rename", "unlink", "write", "ftruncate",
  ]

  @Test(arguments: Seed.sample(Effort.choose(2, long: 100)))
  func killsDuringStartsAfterKillsLoseNothing(seed: Seed) throws {
    guard Strace.isThere(for: "kills during a start") else { return }
    var random = seed.generator
    let directory = try TemporaryDirectory()
    let books = FaultedBooks(Self.script, in: directory)
    let data = directory.path(of: "data")
    let first = try #require(try books.start())
    books.drive(try first.connect(), upTo: Int.random(in: 30..<100, using: &random))
    first.signal(SIGKILL)
    _ = first.end()
    var killed = 0
    for _ in 0..<5 {
      let names = try FileManager.default.contentsOfDirectory(atPath: data) + ["MANIFEST.tmp"]
      let call = Self.calls.randomElement(using: &random)!
      // Where a start has few of them, the kill comes with the work after it.
      let number = Int.random(in: 1...(call == "openat" ? 12 : 4), using: &random)
      let strace = Strace(
        log: directory.path(of: "strace"),
        paths: [data] + Self.paths(names, in: data), fault: "\(call):signal=SIGKILL:when=\(number)")
      let server = try ServerProcess(in: directory, FaultedBooks.options, shell: strace.shell, waits: false)
      if let client = try? server.connectWhenReady() {
        books.drive(client, upTo: books.words.count + 10)
        server.signal(SIGKILL)
      }
      killed += books.end(server).code == 128 + SIGKILL ? 1 : 0
    }
    try books.settle()
    #expect(books.findings == [], "\(seed): \(killed) kills")
  }

  /// The names there are, those inside of snapshots, and the segments that come next.
  private static func paths(_ names: [String], in data: String) -> [String] {
    var names = names
    for name in names where name.hasPrefix("snapshot-") {
      let inner = (try? FileManager.default.contentsOfDirectory(atPath: PathName.join(data, name))) ?? []
      names += inner.map { "\(name)/\($0)" }
    }
    let last = names.compactMap { Int($0.dropFirst(8).prefix(8)) }.max() ?? 0
    for number in last + 1...last + 3 {
      let name = "journal-" + String(String(100_000_000 + number).dropFirst()) + ".seg"
      names += [name, name + ".tmp"]
    }
    return names.map { PathName.join(data, $0) }
  }

  /// SIGTERM at any moment of a start, then once more: it stops, or it is ended, and nothing is lost.
  @Test(arguments: Seed.sample(Effort.choose(3, long: 100)))
  func aStopDuringAStartLosesNothing(seed: Seed) throws {
    var random = seed.generator
    let directory = try TemporaryDirectory()
    let books = FaultedBooks(Self.script, in: directory)
    let first = try #require(try books.start())
    books.drive(try first.connect(), upTo: 100)
    first.signal(SIGKILL)
    _ = first.end()
    for _ in 0..<3 {
      let server = try ServerProcess(in: directory, FaultedBooks.options, waits: false)
      usleep(UInt32.random(in: 1000...60_000, using: &random))
      server.signal(SIGTERM)
      usleep(UInt32.random(in: 0...5000, using: &random))
      server.signal(SIGTERM)
      let end = books.end(server)
      // Before the program has said what a signal means to it, the kernel ends it.
      #expect([0, 128 + SIGTERM].contains(end.code), "\(seed): \(end.code) \(end.errors)")
    }
    try books.settle()
    #expect(books.findings == [], "\(seed)")
  }

  /// SIGTERM, twice, while snapshots are taken and clients write.
  @Test(arguments: Seed.sample(Effort.choose(3, long: 100)), [SIGTERM, SIGINT])
  func aStopDuringASnapshotAnswersWhatWasRead(seed: Seed, signal: Int32) throws {
    var random = seed.generator
    let directory = try TemporaryDirectory()
    let books = FaultedBooks(Self.script, in: directory)
    let server = try #require(try books.start())
    let client = try server.connect()
    books.drive(client, upTo: 30)
    let saver = try server.connect()
    try saver.send(
      (0..<3).map { request($0, "snapshots.create", #"{"wait":true}"#) + "\n" }.joined().utf8.map { $0 })
    let pause = UInt32.random(in: 0...8000, using: &random)
    let stopping = try Platform.Thread(name: "stop") { [processID = server.processID] in
      usleep(pause)
      kill(processID, signal)
      usleep(pause / 2)
      kill(processID, signal)
    }
    books.drive(client)
    stopping.join()
    let end = books.end(server)
    #expect(end.code == 0, "\(seed): \(end.errors)")
    try books.settle()
    #expect(books.findings == [], "\(seed)")
  }
}
