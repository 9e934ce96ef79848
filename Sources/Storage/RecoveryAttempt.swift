// One start: which snapshot, then the journal from its position, and whether that is all that was written.

import Ledger
import Platform

/// Finds the books of a data directory. Nothing on the disk changes before everything is loaded, replayed and
/// found complete.
struct RecoveryAttempt {
  let survey: DirectorySurvey
  let segments: JournalSurvey
  let clock: any TimeSource
  let options: RecoveryOptions
  var report: RecoveryReport
  /// What the snapshots begin with, after `run`.
  private(set) var state: SnapshotStore.State

  private var damagedNames: [String]
  /// Facts after this position are to be left out: asked for now, or by a start that did not finish it.
  private let target: UInt64?
  private let identifier: DirectoryIdentifier?

  init(
    survey: DirectorySurvey, segments: JournalSurvey, clock: any TimeSource, options: RecoveryOptions,
    report: RecoveryReport
  ) {
    self.survey = survey
    self.segments = segments
    self.clock = clock
    self.options = options
    self.report = report
    damagedNames = survey.damagedNames
    identifier = survey.identifier ?? segments.identifier
    target = [options.target, survey.manifest.manifest?.cut].compactMap { $0 }.min()
    let manifest = Manifest(sequence: 0, directory: identifier ?? .random(), snapshots: [])
    state = SnapshotStore.State(manifest: manifest, summaries: [], damagedNames: [])
  }

  static func seed() -> (UInt64, UInt64) { (KernelRandom.word(), KernelRandom.word()) }

  /// Whether there is, or was, a journal.
  private var hasJournal: Bool {
    survey.manifest.manifest?.journal ?? 0 > 0 || segments.entries.contains { $0.state != .unused }
  }

  /// - Returns: the books, nil when they are to be begun; and where their journal goes on.
  mutating func run() throws(StorageError) -> (books: Books?, start: JournalStart) {
    report.faults = survey.faults
    if survey.manifest.isMissing, survey.faults.isEmpty, hasJournal {
      report.faults.append(
        StorageFault(
          path: survey.directory.path(of: Manifest.fileName),
          finding: "the file is missing, segments of the journal are there"))
    }
    let base = try loadBase()
    let start = clock.monotonicTime()
    let observer = options.observer
    let outcome = JournalReplay(segments).run(base.books, upTo: target) { count in
      observer(.replaying(factCount: count))
    }
    report.replayTime = clock.monotonicTime() - start
    report.replayedFactCount = outcome.factCount
    let kept = Array(survey.candidates[base.place...].prefix(SnapshotStore.keptCount).reversed())
    if let target { return (base.books, try leaveOut(target, base.books, outcome, kept)) }
    return try goOn(base.books, outcome, kept)
  }

  // MARK: The snapshot

  /// The newest snapshot that can be loaded, or empty books where the journal begins with the first fact.
  private mutating func loadBase() throws(StorageError) -> (books: Books, place: Int) {
    let start = clock.monotonicTime()
    for (place, candidate) in survey.candidates.enumerated() {
      if let target, candidate.summary.position > target { continue }
      let books: Books
      do throws(StorageError) {
        books = try load(candidate)
      } catch {
        guard case .damaged(let fault) = error else { throw error }
        report.faults.append(fault)
        damagedNames.append(candidate.name)
        continue
      }
      report.loaded = SnapshotDescription(candidate.summary)
      report.loadingTime = clock.monotonicTime() - start
      if candidate.isUnlisted {
        report.notes.append(
          "\(candidate.name) is whole, though the manifest does not list it, and was loaded")
      }
      return (books, place)
    }
    try expectNoSnapshotIsNeeded()
    return (Books(emptyWith: clock, seed: Self.seed()), survey.candidates.count)
  }

  private func load(_ candidate: SnapshotCandidate) throws(StorageError) -> Books {
    let observer = options.observer
    let (name, total) = (candidate.name, candidate.summary.tables.reduce(0) { $0 + $1.rowCount })
    let counter = RowCounter()
    return try SnapshotReader(survey.directory, candidate).load(clock: clock) { rowCount in
      observer(.loading(name: name, rowCount: counter.add(rowCount), of: total))
    }
  }

  /// Without a snapshot everything must be in the journal, or there was never anything.
  private func expectNoSnapshotIsNeeded() throws(StorageError) {
    let oldest = segments.entries.lazy.compactMap { $0.beginning?.firstPosition }.first
    if oldest == 1 { return }
    let promised = survey.manifest.manifest?.snapshots.isEmpty == false
    let isEmpty = !promised && survey.candidates.isEmpty && damagedNames.isEmpty
    if let target, hasJournal || !isEmpty {
      throw .unreachable(
        position: target, reason: "no good snapshot is that old, and the journal does not begin with fact 1")
    }
    guard isEmpty, survey.manifest.manifest != nil, report.faults.isEmpty else {
      throw .noGoodSnapshot(path: survey.directory.path, faults: report.faults)
    }
  }

  // MARK: The journal's end

  private mutating func goOn(
    _ books: Books, _ outcome: ReplayOutcome, _ kept: [SnapshotCandidate]
  ) throws(StorageError) -> (books: Books?, start: JournalStart) {
    let reachable = books.position > 0 ? books.position : nil
    if let failure = outcome.failure {
      guard case .damaged(let fault) = failure else { throw failure }
      throw .journalBroken(
        path: survey.directory.path, faults: report.faults + [fault], reachable: reachable)
    }
    guard let end = outcome.end else { preconditionFailure("the journal was read to its end, or failed") }
    let lost = lostWrites(end)
    if !lost.isEmpty {
      throw .journalBroken(path: survey.directory.path, faults: report.faults + lost, reachable: reachable)
    }
    report.tornTail = end.tornTail
    report.segmentCount = end.segments.count
    report.segmentByteCount = end.segments.reduce(0) { $0 + $1.byteCount }
    report.fellBack = !hasJournal && isOutdated(books.position)
    if !hasJournal, let loaded = report.loaded, report.fellBack {
      report.notes.append("there is no journal yet: what was written after \(loaded.name) cannot be replayed")
    }
    try end.secure(segments)
    let newest = segments.entries.last { $0.beginning != nil }?.number ?? 0
    if kept.contains(where: \.isUnlisted) {
      // Its writer died before the sync of its name: the manifest must not outlast it.
      try StorageError.wrapping { () throws(SystemError) in try survey.directory.sync() }
    }
    try writeManifest(kept, journal: newest, cut: nil)
    let isEmpty = books.position == 0
    return (isEmpty ? nil : books, end.start(at: isEmpty ? 0 : books.position))
  }

  /// What shows that the journal once went on further than it does.
  private func lostWrites(_ end: JournalEnd) -> [StorageFault] {
    guard hasJournal else { return [] }
    let promise = JournalPromise(survey, loaded: report.loaded?.position, damagedNames: damagedNames)
    return promise.broken(by: end, segments)
  }

  /// Whether something newer than what was loaded was there: listed, damaged, or both.
  private func isOutdated(_ position: UInt64) -> Bool {
    let newestListed = survey.manifest.manifest?.snapshots.last?.sequence ?? 0
    let loaded = survey.candidates.first { $0.summary.position == report.loaded?.position }
    return newestListed > loaded?.summary.sequence ?? 0
      || damagedNames.contains { SnapshotName.position($0) ?? 0 > position }
  }

  // MARK: Leaving out

  private mutating func leaveOut(
    _ target: UInt64, _ books: Books, _ outcome: ReplayOutcome, _ kept: [SnapshotCandidate]
  ) throws(StorageError) -> JournalStart {
    let position = books.position
    let isAsked = options.target != nil
    try expectReached(target, position, outcome)
    let cut = PositionCut(
      directory: survey.directory, identifier: identifier ?? state.manifest.directory, position: position,
      chain: outcome.chain, survey: segments, greatest: outcome.greatest)
    let later = snapshotNames(after: position)
    let last = cut.lastKnown(outcome.lastRead, snapshotNames: later)
    if survey.manifest.manifest?.cut == nil, outcome.failure == nil, let end = outcome.end,
      !cut.isNeeded(lastRead: outcome.lastRead, snapshotNames: later), lostWrites(end).isEmpty
    {
      report.notes.append("nothing lies after position \(target): nothing was left out")
      return try goOn(books, outcome, kept).start
    }
    if let failure = outcome.failure { report.notes.append("left out: \(failure.description)") }
    try secureMixedSegment(position)
    let newest = segments.entries.last { $0.beginning?.firstPosition ?? .max <= position }?.number ?? 0
    try writeManifest(kept, journal: cut.chain == nil ? 0 : newest, cut: position)
    let names = try cut.setAside(snapshotNames: later)
    let start = try cut.begin()
    try writeManifest(kept, journal: start.nextSegment - 1, cut: nil)
    report.leftOut = LeftOut(
      requestedPosition: target, position: position, lastPosition: last, names: names)
    report.segmentCount = start.segments.count
    report.segmentByteCount = start.segments.reduce(0) { $0 + $1.byteCount }
    damagedNames.removeAll { later.contains($0) }
    state.damagedNames = damagedNames
    if !isAsked { report.notes.append("an earlier start was asked for this and died before it was done") }
    return start
  }

  private func expectReached(
    _ target: UInt64, _ position: UInt64, _ outcome: ReplayOutcome
  ) throws(StorageError) {
    if position == 0 {
      throw .unreachable(position: target, reason: "no whole command ends at or before it")
    }
    // Whole commands only: the facts between lie in the middle of one, which the reader has seen go on.
    if position == target || outcome.lastRead > target { return }
    if let failure = outcome.failure {
      throw .unreachable(
        position: target, reason: "only position \(position) can be reached: \(failure.description)")
    }
    throw .unreachable(position: target, reason: "the last fact that was written is \(position)")
  }

  /// Names of all snapshots after a position, damaged ones included.
  private func snapshotNames(after position: UInt64) -> [String] {
    let listed = survey.manifest.manifest?.snapshots.map { SnapshotName.of(position: $0.position) } ?? []
    let names = Set(listed + survey.candidates.map(\.name) + damagedNames + survey.ignored)
    return names.filter { SnapshotName.position($0) ?? 0 > position }.sorted()
  }

  /// What counts in the segment that stays must be on the disk, as after any start.
  private func secureMixedSegment(_ position: UInt64) throws(StorageError) {
    guard let entry = segments.entries.last(where: { $0.beginning?.firstPosition ?? .max <= position }) else {
      return
    }
    let extent = SegmentExtent(
      number: entry.number, byteCount: entry.byteCount, firstPosition: 0, lastPosition: position)
    let end = JournalEnd(
      position: position, chain: 0, incarnation: 0, greatestGroup: 0, greatestSegment: 0, isCleanStop: false,
      tornTail: nil, segments: [], prepared: [], lastSegment: extent, usedByteCount: entry.byteCount,
      readByteCount: 0)
    try end.secure(segments)
  }

  // MARK: The manifest

  /// Writes what counts from now on, unless the disk says so already. What is damaged stays listed until a
  /// snapshot takes its place, so that each start tells of it.
  private mutating func writeManifest(
    _ kept: [SnapshotCandidate], journal: UInt64, cut: UInt64?
  ) throws(StorageError) {
    let before = survey.manifest.manifest
    let isLeavingOut = target != nil
    var entries = kept.map { $0.summary.manifestEntry }
    if !isLeavingOut {
      let others = before?.snapshots.filter { !entries.contains($0) } ?? []
      entries = (others + entries).sorted { $0.sequence < $1.sequence }.suffix(Manifest.entryLimit)
    }
    var manifest = Manifest(
      sequence: max(survey.greatestSequence, state.manifest.sequence),
      directory: identifier ?? state.manifest.directory,
      journal: isLeavingOut ? journal : max(journal, before?.journal ?? 0), cut: cut, snapshots: entries)
    if isLeavingOut || manifest != before || !survey.manifest.faults.isEmpty {
      manifest.sequence += 1
      try StorageError.wrapping { () throws(SystemError) in try manifest.write(in: survey.directory) }
    }
    state = SnapshotStore.State(
      manifest: manifest, summaries: kept.map(\.summary), damagedNames: damagedNames)
  }
}

/// Adds up rows from several threads.
private final class RowCounter: Sendable {
  private let count = Guarded(0)

  /// The sum, `rowCount` included.
  func add(_ rowCount: Int) -> Int {
    count.withLock { count in
      count += rowCount
      return count
    }
  }
}
