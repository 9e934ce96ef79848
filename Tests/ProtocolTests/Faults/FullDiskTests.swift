// A disk that is full: nothing is half applied, reads go on, writes go on by themselves when there is room.

import Foundation
import LedgerlineClient
import Platform
import TestSupport
import Testing

@Suite(.serialized) struct FullDiskTests {
  private static let byteCount = 12 << 20
  private static let script = FaultScript(stepCount: 200, snapshotEvery: 45)

  /// How many bytes are left after so many steps.
  struct FillPoint: CustomStringConvertible {
    let kind: SmallDisk.Kind
    let stepCount: Int
    let free: Int

    var description: String { "\(kind.rawValue), \(free) bytes free after \(stepCount) steps" }
  }

  private static let points: [FillPoint] = {
    let frees = [
      0, 4096, 32 << 10, 60 << 10, 72 << 10, 100 << 10, 140 << 10, 200 << 10, 300 << 10, 500 << 10,
    ]
    let all = SmallDisk.Kind.allCases.flatMap { kind in
      [20, 44, 130].flatMap { steps in frees.map { FillPoint(kind: kind, stepCount: steps, free: $0) } }
    }
    if Effort.isLong { return all }
    return [all[0], all[4], all[15], all[22], all[30], all[34], all[46]]
  }()

  private static func books(on disk: SmallDisk) throws -> FaultedBooks {
    try FaultedBooks(
      script, in: TemporaryDirectory(at: PathName.join(disk.path, "books")), on: disk)
  }

  /// Whether everything is done, after so long.
  private static func timeUntilDone(_ books: FaultedBooks, _ client: TestClient, _ room: SmallDisk) throws
    -> Duration
  {
    books.askAgain()
    let next = books.script.steps.first { books.words[$0.number] == nil && !$0.isSnapshot }
    try room.makeRoom()
    let start = SystemClock().monotonicTime()
    guard let next else { return .zero }
    _ = eventually {
      books.askAgain()
      books.drive(client, upTo: next.number + 1)
      return books.words[next.number] != .notApplied
    }
    return SystemClock().monotonicTime() - start
  }

  @Test(arguments: points)
  func aFullDiskRefusesWritesAndNothingElse(point: FillPoint) throws {
    guard let disk = SmallDisk.mounted(point.kind, byteCount: Self.byteCount, for: "full disk, \(point)")
    else {
      return
    }
    let books = try Self.books(on: disk)
    let server = try #require(try books.start())
    let client = try server.connect()
    books.drive(client, upTo: point.stepCount)
    try disk.leave(point.free)
    books.drive(client)
    let refused = books.words.values.count { $0 == .notApplied }
    #expect(books.words.values.allSatisfy { $0 != .unknown } && books.words.count == Self.script.steps.count)
    #expect(refused > 0 || point.free > 16 << 10)
    for _ in 0..<10 { #expect(try client.call("balances.get", #"{"balance_id":"bln_0"}"#)["result"] != nil) }
    // A snapshot may have made room at the very end, if there was some to begin with.
    if point.free == 0 {
      let state = try client.call("server.info")["result"]?["journal"]?["state"]?.string
      #expect(state == "full", "\(state ?? "none")")
    }
    let time = try Self.timeUntilDone(books, client, disk)
    #expect(time < .seconds(1))
    books.askAgain()
    books.drive(client)
    #expect(books.words.values.allSatisfy { $0 == .done })
    print("\(point): \(refused) steps refused, writes go on \(time) after there was room")
    server.signal(SIGKILL)
    _ = server.end()
    try books.settle()
    #expect(books.findings == [], "\(point)")
  }

  /// The disk is full when the server starts: after a kill, and after a clean stop.
  @Test(arguments: SmallDisk.Kind.allCases, [SIGKILL, SIGTERM])
  func aStartOnAFullDiskServesReads(kind: SmallDisk.Kind, signal: Int32) throws {
    guard let disk = SmallDisk.mounted(kind, byteCount: Self.byteCount, for: "start on a full \(kind)") else {
      return
    }
    let books = try Self.books(on: disk)
    let first = try #require(try books.start())
    books.drive(try first.connect(), upTo: 100)
    first.signal(signal)
    _ = books.end(first)
    try disk.leave(0)
    let second = try ServerProcess(in: books.directory, FaultedBooks.options, waits: false)
    let client = try second.connectWhenReady()
    #expect(try client.call("balances.get", #"{"balance_id":"bln_0"}"#)["result"] != nil)
    books.drive(client)
    #expect(books.words.values.contains(.notApplied) && !books.words.values.contains(.unknown))
    let time = try Self.timeUntilDone(books, client, disk)
    #expect(time < .seconds(1))
    print("\(kind), start on a full disk: writes go on \(time) after there was room")
    second.signal(SIGKILL)
    _ = second.end()
    try books.settle()
    #expect(books.findings == [])
  }

  @Test func roomThatIsToBeLeftFreeIsLeftFree() throws {
    // How far the prepared segments reach depends on when each was made: now and then to the next snapshot.
    for _ in 0..<4 where try leavesRoomFree() { return }
    Issue.record("writes were never refused")
  }

  /// - Returns: false when the room that was prepared was enough for all writes, so that nothing was seen.
  private func leavesRoomFree() throws -> Bool {
    let test = "--min-free"
    guard let disk = SmallDisk.mounted(.tmpfs, byteCount: Self.byteCount, for: test) else { return true }
    let least = 2 << 20
    let books = try Self.books(on: disk)
    let server = try #require(try books.start(nil, ["--min-free", "\(least)"]))
    let client = try server.connect()
    books.drive(client, upTo: 44)
    try disk.leave(least + 40 << 10)
    let before = try disk.freeByteCount
    // No snapshot: it may use what is left free for it.
    books.drive(client, upTo: 89)
    guard books.words.values.contains(.notApplied) else {
      server.signal(SIGKILL)
      _ = server.end()
      return false
    }
    #expect(try disk.freeByteCount >= min(before, least))
    #expect(try client.call("snapshots.create", #"{"wait":true}"#)["result"] != nil)
    let time = try Self.timeUntilDone(books, client, disk)
    #expect(time < .seconds(1))
    server.signal(SIGKILL)
    _ = server.end()
    try books.settle()
    #expect(books.findings == [])
    return true
  }
}
