// The snapshots of a data directory: making the next one count, letting go of the oldest.

import Ledger
import Platform

/// A snapshot on disk.
package struct SnapshotDescription: Sendable, Equatable {
  /// Name of its directory.
  package var name: String
  package var position: UInt64
  package var identifier: UInt64
  /// Wall time of its cut.
  package var createdAt: Microseconds
  package var byteCount: Int
  package var balanceCount: Int
  package var transactionCount: Int
  package var ledgerCount: Int
  package var identityCount: Int

  init(_ summary: SnapshotSummary) {
    name = SnapshotName.of(position: summary.position)
    position = summary.position
    identifier = summary.snapshot
    createdAt = summary.createdAt
    byteCount = summary.byteCount
    balanceCount = summary.rowCount(.balances)
    transactionCount = summary.rowCount(.transactions)
    ledgerCount = summary.rowCount(.ledgers)
    identityCount = summary.rowCount(.identities)
  }
}

/// Names in a data directory.
enum SnapshotName {
  private static let prefix = "snapshot-"
  private static let temporarySuffix = ".tmp"

  static func of(position: UInt64) -> String { prefix + String(position) }
  static func temporary(_ name: String) -> String { name + temporarySuffix }
  /// Where a damaged snapshot goes when a good one has taken its place.
  static func setAside(_ name: String, by snapshot: UInt64) -> String {
    "damaged-\(name)-\(hexadecimal(snapshot))"
  }

  /// The position in the name of a damaged snapshot that was set aside; nil for any other name.
  static func setAsidePosition(_ name: String) -> UInt64? {
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "damaged", parts[1] == "snapshot", parts[3].utf8.count == 16 else {
      return nil
    }
    return UInt64(parts[2])
  }

  /// The position in a snapshot's name; nil for any other name.
  static func position(_ name: String) -> UInt64? {
    guard name.hasPrefix(prefix), let position = UInt64(name.dropFirst(prefix.count)),
      of(position: position) == name
    else { return nil }
    return position
  }

  /// Whether a name is that of a snapshot that was being written or removed.
  static func isLeftover(_ name: String) -> Bool {
    name.hasSuffix(temporarySuffix) && position(String(name.dropLast(temporarySuffix.count))) != nil
  }
}

/// The steps by which a snapshot comes to count; a process may die between any two of them.
package enum PublishingStep: Sendable, CaseIterable, Equatable {
  case madeTemporary, wroteTables, wroteSummary, syncedTemporary, isDurable
  case clearedName, renamed, syncedParent, wroteManifest
  case renamedOlder, removedOlder, syncedRemoval, removedSegments
}

/// Keeps the newest snapshots of a data directory whose lock its caller holds. Any thread; one snapshot at a
/// time.
package final class SnapshotStore: Sendable {
  /// Good snapshots that are kept.
  package static let keptCount = 2

  package let directory: DataDirectory
  package let identifier: DirectoryIdentifier
  private let clock: any TimeSource
  private let state: Gate<State>
  /// Called after each step; tests throw here to stop as a crash would.
  private let afterStep: @Sendable (PublishingStep) throws(StorageError) -> Void

  struct State: Sendable {
    /// What counts now.
    var manifest: Manifest
    /// The snapshots of the manifest, in its order.
    var summaries: [SnapshotSummary]
    /// Names of damaged snapshots that a good one is to replace.
    var damagedNames: [String]
    var isWriting = false
    /// Nil before there is one, and where none is kept.
    var journal: SnapshotJournal?
  }

  init(
    _ directory: DataDirectory, clock: any TimeSource, state: State,
    afterStep: @escaping @Sendable (PublishingStep) throws(StorageError) -> Void = { _ in }
  ) {
    self.directory = directory
    identifier = state.manifest.directory
    self.clock = clock
    self.state = Gate(state)
    self.afterStep = afterStep
  }

  /// From now on a snapshot counts only when the journal has what it holds, and the journal lets go of what
  /// two snapshots hold.
  package func attach(_ journal: SnapshotJournal) { state.withLock { $0.journal = journal } }

  /// The snapshots that count, newest first.
  package var snapshots: [SnapshotDescription] {
    state.withLock { $0.summaries.reversed().map(SnapshotDescription.init) }
  }

  /// Position of the newest snapshot that counts; nil when there is none.
  package var newestPosition: UInt64? { state.withLock { $0.summaries.last?.position } }

  /// Whether a snapshot is being written.
  package var isWriting: Bool { state.withLock { $0.isWriting } }

  /// Writes a snapshot of the cut and makes it count; the newest one when that is already of this position.
  ///
  /// When it throws, the snapshots that counted before still do, unless the failure came after the manifest
  /// was written. What a failure leaves under a temporary name goes with the next snapshot or the next start.
  /// - Throws: `.busy`, `.cancelled` by the observer, `.failed`.
  /// - Complexity: O(rows). Holds the cut; let it go afterwards.
  @discardableResult
  package func create(
    _ cut: Cut, options: SnapshotOptions = SnapshotOptions(),
    observer: @escaping SnapshotObserver = { _ in true }
  ) throws(StorageError) -> SnapshotDescription {
    let before = try state.withLock { state throws(StorageError) in
      if state.isWriting { throw .busy }
      state.isWriting = true
      return state
    }
    defer { state.withLock { $0.isWriting = false } }
    if let newest = before.summaries.last, newest.position == cut.position {
      return SnapshotDescription(newest)
    }
    var summary = SnapshotSummary(
      directory: identifier, snapshot: KernelRandom.word(), sequence: before.manifest.sequence + 1,
      position: cut.position, createdAt: clock.wallTime(), latestInstant: cut.lastInstant, tables: [])
    try write(cut, &summary, options, observer)
    try publish(summary, before)
    return SnapshotDescription(summary)
  }

  // MARK: Writing under a temporary name

  private func write(
    _ cut: Cut, _ summary: inout SnapshotSummary, _ options: SnapshotOptions,
    _ observer: @escaping SnapshotObserver
  ) throws(StorageError) {
    let temporary = SnapshotName.temporary(SnapshotName.of(position: summary.position))
    let target = try StorageError.wrapping { () throws(SystemError) in
      if try directory.status(of: temporary) != nil { try directory.removeDirectory(temporary) }
      return try directory.makeDirectory(temporary)
    }
    do throws(StorageError) {
      try afterStep(.madeTemporary)
      let writer = SnapshotWriter(
        cut, into: target, identifier: identifier, snapshot: summary.snapshot, options: options,
        observer: observer)
      summary.tables = try writer.write()
      try afterStep(.wroteTables)
      let bytes = summary.encoded()
      try StorageError.wrapping { () throws(SystemError) in
        let file = try target.open(SnapshotSummary.fileName, .createNew)
        try file.write(bytes)
        try file.sync()
        try file.close()
      }
      try afterStep(.wroteSummary)
      try StorageError.wrapping { () throws(SystemError) in try target.sync() }
      try afterStep(.syncedTemporary)
    } catch {
      // Gives the room back at once: a full disk may be the reason.
      if error != .stopped { try? directory.removeDirectory(temporary) }
      throw error
    }
  }

  // MARK: Making it count

  private func publish(_ summary: SnapshotSummary, _ before: State) throws(StorageError) {
    // A snapshot must never hold what the journal could still lose: what was told to nobody would be true
    // after a crash, and positions would be given twice.
    if !PlantedFaults.has(.undurableSnapshot) { try before.journal?.waitUntilDurable(summary.position) }
    try afterStep(.isDurable)
    let name = SnapshotName.of(position: summary.position)
    var damagedNames = before.damagedNames
    if try isTaken(name) {
      // Something damaged, or something that never counted: kept for whoever wants to look at it.
      try setAside(name, by: summary.snapshot)
      damagedNames.removeAll { $0 == name }
    }
    try afterStep(.clearedName)
    try StorageError.wrapping { () throws(SystemError) in
      try directory.rename(SnapshotName.temporary(name), to: name)
    }
    try afterStep(.renamed)
    try StorageError.wrapping { () throws(SystemError) in try directory.sync() }
    try afterStep(.syncedParent)
    let kept = (before.summaries + [summary]).suffix(Self.keptCount)
    let dropped = before.summaries.dropLast(kept.count - 1)
    let manifest = Manifest(
      sequence: summary.sequence, directory: identifier,
      journal: max(
        before.manifest.journal, before.journal?.newestNumber(upTo: summary.position) ?? 0),
      snapshots: kept.map { $0.manifestEntry })
    try StorageError.wrapping { () throws(SystemError) in try manifest.write(in: directory) }
    state.withLock { state in
      state.manifest = manifest
      state.summaries = Array(kept)
      state.damagedNames = []
    }
    try afterStep(.wroteManifest)
    for damaged in damagedNames where try isTaken(damaged) {
      try setAside(damaged, by: summary.snapshot)
    }
    try remove(dropped.map { SnapshotName.of(position: $0.position) })
    guard kept.count == Self.keptCount, let older = kept.first else { return }
    try removeSetAside(upTo: older.position)
    try before.journal?.removeSegments(older.position)
    try afterStep(.removedSegments)
  }

  private func isTaken(_ name: String) throws(StorageError) -> Bool {
    try StorageError.wrapping { () throws(SystemError) in try directory.status(of: name) != nil }
  }

  private func setAside(_ name: String, by snapshot: UInt64) throws(StorageError) {
    try StorageError.wrapping { () throws(SystemError) in
      try directory.rename(name, to: SnapshotName.setAside(name, by: snapshot))
    }
  }

  /// Removes damaged snapshots that were set aside, when two good ones that are no older stand.
  private func removeSetAside(upTo position: UInt64) throws(StorageError) {
    try StorageError.wrapping { () throws(SystemError) in
      for name in try directory.names() {
        guard let damaged = SnapshotName.setAsidePosition(name), damaged <= position,
          try directory.status(of: name)?.kind == .directory
        else { continue }
        try directory.removeDirectory(name)
      }
    }
  }

  /// Removes snapshots that no longer count: renamed and synced first, so that half a one is never taken for
  /// a snapshot, neither after a kill nor after a power loss.
  private func remove(_ names: [String]) throws(StorageError) {
    var renamed: [String] = []
    for name in names where try isTaken(name) {
      let temporary = SnapshotName.temporary(name)
      try StorageError.wrapping { () throws(SystemError) in
        if try directory.status(of: temporary) != nil { try directory.removeDirectory(temporary) }
        try directory.rename(name, to: temporary)
      }
      renamed.append(temporary)
      try afterStep(.renamedOlder)
    }
    try StorageError.wrapping { () throws(SystemError) in try directory.sync() }
    if renamed.isEmpty { return try afterStep(.syncedRemoval) }
    for temporary in renamed {
      try StorageError.wrapping { () throws(SystemError) in try directory.removeDirectory(temporary) }
      try afterStep(.removedOlder)
    }
    try StorageError.wrapping { () throws(SystemError) in try directory.sync() }
    try afterStep(.syncedRemoval)
  }
}

extension SnapshotSummary {
  var manifestEntry: ManifestEntry {
    ManifestEntry(
      position: position, snapshot: snapshot, sequence: sequence,
      summaryChecksum: Checksum.xxh3(encoded()))
  }
}
