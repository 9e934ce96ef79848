// A small data directory at rest, to be damaged, and the judgement of what a start makes of it then.

import Ledger
import Platform
import TestSupport

@testable import Storage

/// A data directory with two snapshots and some segments, what it was at earlier moments, and the states that
/// its books went through.
struct DamageSample: Sendable {
  let disk: SimulatedDisk
  let clock = ManualClock()
  let history = History()
  /// The disk after some of the steps, oldest first.
  private(set) var earlier: [SimulatedDisk] = []
  let position: UInt64
  let digest: UInt64
  /// Blocks of the last group, by file, which nothing behind it vouches for when the server was killed.
  private(set) var doubtful: [String: Set<Int>] = [:]

  /// - Parameter isKilled: without the seal of a clean stop.
  init(_ seed: Seed, steps: Int = 110, isKilled: Bool) throws {
    let live = SimulatedDisk()
    let opened = try OpenedBooks(live, clock: clock)
    var options = Tiny.journal
    options.firstSegmentByteCount = 12 << 10
    options.segmentByteCount = 20 << 10
    let server = try DrivenServer(opened, history: history, options: options)
    var work = Workload(seed, clock: clock)
    work.snapshotChance = 0
    for step in 0..<steps {
      try work.step(server)
      if step == steps / 4 || step == steps / 2 { try server.takeSnapshot() }
      if step % 5 == 0 { earlier.append(live.afterPowerLoss(.keepingAll)) }
    }
    try server.commit()
    try server.prepare()
    let before = live.afterPowerLoss(.losingAll)
    while server.books.position == server.durablePosition {
      let (command, key) = work.command()
      try server.execute(command, key)
    }
    if isKilled { try server.commit() } else { try server.stop() }
    disk = live.afterPowerLoss(.losingAll)
    position = server.books.position
    digest = server.books.cut().digest()
    if isKilled { doubtful = Self.changedBlocks(before, disk) }
  }

  private static func changedBlocks(_ before: SimulatedDisk, _ after: SimulatedDisk) -> [String: Set<Int>] {
    var changed: [String: Set<Int>] = [:]
    for path in after.filePaths where path.hasSuffix(".seg") {
      let (old, new) = (before.contents(path) ?? [], after.contents(path) ?? [])
      for block in 0..<(new.count / 4096) {
        let range = block * 4096..<(block + 1) * 4096
        if old.count < range.upperBound || old[range] != new[range] {
          changed[path, default: []].insert(block)
        }
      }
    }
    return changed
  }

  /// Files that count, with their bytes.
  var files: [(path: String, bytes: [UInt8])] {
    disk.filePaths.filter { !$0.hasSuffix(DirectoryLock.fileName) }.compactMap { path in
      disk.contents(path).map { (path, $0) }
    }
  }

  // MARK: Judging

  /// What a kind of damage may lead to, beside the right state and a refusal that names it.
  enum Leniency {
    case none
    /// The state before the last group, said to be torn off.
    case lastGroup
    /// A state that once stood: writes that came after it were lost, and nothing tells of them. The last
    /// group may also have become zeros, as though it had never been written.
    case lostWrites
  }

  /// Starts on a copy that `damage` has been done to.
  /// - Returns: what is wrong with the outcome; nil when nothing is.
  func objection(
    _ path: String, _ leniency: Leniency = .none, checks: Bool = false, damage: (SimulatedDisk) -> Void
  ) -> String? {
    let damaged = disk.copy()
    damage(damaged)
    let checked = checks ? damaged.copy() : nil
    let finding = Examiner.start(damaged, clock)
    if let checked, let objection = disagreement(checked, finding) { return objection }
    switch finding {
    case .books(let position, let digest, let report):
      if position == self.position, digest == self.digest { return nil }
      if leniency == .lastGroup, report.tornTail != nil, doubtful.keys.contains(path),
        history.objection(position: position, digest: digest, since: 0) == nil
      {
        return nil
      }
      if leniency == .lostWrites, history.objection(position: position, digest: digest, since: 0) == nil {
        return nil
      }
      return "another state: position \(position) of \(self.position), \(report.lines)"
    case .refusal(let error):
      return names(error, path) ? nil : "the refusal does not name the file: \(error)"
    }
  }

  private func names(_ error: StorageError, _ path: String) -> Bool {
    switch error {
    case .damaged(let fault), .foreign(let fault): !fault.path.isEmpty
    case .journalBroken(_, let faults, _), .noGoodSnapshot(_, let faults):
      faults.contains { $0.path == path || PathName.directory(of: $0.path) == PathName.directory(of: path) }
    case .failed(let error): error.path != nil
    case .directory, .unreachable, .busy, .cancelled, .stopped: false
    }
  }

  /// What a start refuses, a check names; and a check changes nothing.
  private func disagreement(_ damaged: SimulatedDisk, _ finding: Finding) -> String? {
    let before = damaged.changeCount
    defer { if damaged.changeCount != before { preconditionFailure("a check has changed the disk") } }
    do throws(StorageError) {
      let report = try Check.check(DrivenServer.path, on: damaged, clock: clock)
      if case .refusal(let error) = finding, report.isSound {
        return "refused, but checked as sound: \(error)"
      }
      if case .books(_, _, let found) = finding, !found.faults.isEmpty, report.isSound {
        return "the start names faults, the check none: \(found.faults)"
      }
      return nil
    } catch {
      if case .refusal = finding { return nil }
      return "the check gives up: \(error)"
    }
  }
}
