// Books with their journal and snapshots on a simulated disk, and what they were at every position.

import Ledger
import Platform
import TestSupport
import Testing

@testable import Storage

/// What books were after each command.
struct BooksHistory {
  private(set) var digests: [UInt64: UInt64] = [:]
  private(set) var positions: [UInt64] = []

  var last: UInt64 { positions.last ?? 0 }

  mutating func note(_ books: Books) {
    let cut = books.cut()
    guard digests[cut.position] == nil else { return }
    digests[cut.position] = cut.digest()
    positions.append(cut.position)
  }

  /// Forgets what comes after a position.
  mutating func cut(after position: UInt64) {
    positions.removeAll { $0 > position }
    digests = digests.filter { $0.key <= position }
  }

  /// The end of the last command at or before a position.
  func commandEnd(_ position: UInt64) -> UInt64 { positions.last { $0 <= position } ?? 0 }
}

/// A directory on a simulated disk, written by one run after the other.
struct RecoveryBench {
  static let path = "/books"
  var disk = SimulatedDisk()
  let clock = ManualClock()
  var history = BooksHistory()
  var seed: UInt64

  init(_ seed: Seed) { self.seed = seed.value }

  /// One run: opens, carries out commands, takes snapshots after some of them, then stops or is killed.
  /// - Parameter snapshotsAfter: numbers of commands after which a snapshot is taken.
  @discardableResult
  mutating func run(
    commands: Int, snapshotsAfter: Set<Int> = [], isKilled: Bool = false, target: UInt64? = nil
  ) throws -> RecoveryReport {
    let opened = try Recovery.open(
      Self.path, on: disk, clock: clock, options: RecoveryOptions(target: target))
    let journal = try opened.startJournal(JournalBench.options)
    if let target { history.cut(after: target) }
    seed += 1
    var sample = SampleBooks(Seed(seed), books: opened.books, clock: clock)
    try journal.waitUntilDurable(opened.books.position)
    history.note(opened.books)
    for number in 0..<commands {
      sample.grow(1)
      try journal.waitUntilDurable(opened.books.position)
      history.note(opened.books)
      if snapshotsAfter.contains(number) { try opened.store.create(opened.books.cut()) }
    }
    if isKilled {
      let left = disk.copy()
      try journal.stop()
      disk = left
    } else {
      try journal.stop()
      disk = disk.copy()
    }
    return opened.report
  }

  /// What a start finds: position, digest, report.
  func start(
    _ disk: SimulatedDisk? = nil, target: UInt64? = nil
  ) throws -> (position: UInt64, digest: UInt64, report: RecoveryReport) {
    let opened = try Recovery.open(
      Self.path, on: (disk ?? self.disk).copy(), clock: clock, options: RecoveryOptions(target: target))
    let cut = opened.books.cut()
    #expect(opened.books.checkInvariants(on: cut).isEmpty)
    return (cut.position, cut.digest(), opened.report)
  }

  func names(_ disk: SimulatedDisk? = nil) throws -> [String] {
    try DataDirectory(existing: Self.path, on: disk ?? self.disk).names()
  }

  func path(_ name: String) -> String { PathName.join(Self.path, name) }
}
