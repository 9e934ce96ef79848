// Random work for a driven server: commands of all kinds, commits, segments, seals, snapshots.

import Ledger
import LedgerSupport
import Platform
import TestSupport

@testable import Storage

struct Workload {
  private var source: CommandSource
  private let clock: ManualClock
  /// Chance of a snapshot in a thousand steps.
  var snapshotChance = 12
  var syncs = true

  init(_ seed: Seed, clock: ManualClock) {
    source = CommandSource(seed)
    self.clock = clock
  }

  /// A command alone.
  mutating func command() -> (Command, IdempotencyKey?) { source.command() }

  /// One step.
  mutating func step(_ server: DrivenServer) throws(StorageError) {
    switch source.roll(1000) {
    case ..<snapshotChance: try server.takeSnapshot()
    case ..<(snapshotChance + 20): try server.seal()
    case ..<(snapshotChance + 40): try server.prepare()
    case ..<(snapshotChance + 60): try server.sync()
    case ..<(snapshotChance + 90): clock.advance(by: .milliseconds(source.roll(5000)))
    case ..<(snapshotChance + 150): try server.commitOnce()
    case ..<(snapshotChance + 250): try server.commit()
    default:
      let (command, key) = source.command()
      try server.execute(command, key)
    }
  }
}
