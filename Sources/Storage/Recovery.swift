// Opening a data directory: lock it, find the newest good snapshot, load it, say what was found.

import Ledger
import Platform

/// An open data directory. Its lock is held as long as this lives.
package struct OpenedDirectory: ~Copyable {
  package let books: Books
  package let store: SnapshotStore
  package let report: RecoveryReport
  private var lock: DirectoryLock?

  init(books: Books, store: SnapshotStore, lock: consuming DirectoryLock, report: RecoveryReport) {
    self.books = books
    self.store = store
    self.lock = consume lock
    self.report = report
  }

  /// Hands the lock over, once, to who keeps the directory open.
  package mutating func takeLock() -> DirectoryLock {
    guard let lock = lock.take() else { preconditionFailure("a lock is handed over once") }
    return lock
  }
}

/// Opening data directories.
package enum Recovery {
  /// Opens the directory at `path`, made with mode 0700 if it is missing (its parent must exist).
  ///
  /// Files that are not ours are left alone. Nothing damaged is removed or changed.
  /// - Parameter clock: becomes the clock of the books.
  /// - Parameter disk: where the directory lies; nil means the kernel's file system.
  /// - Throws: `.directory(.locked)` with the first server's pid; `.noGoodSnapshot`, `.damaged`, `.foreign`
  ///   when starting would lose what was there.
  /// - Complexity: O(rows), on two threads.
  package static func open(
    _ path: String, on disk: (any VirtualDisk)? = nil, clock: any TimeSource = SystemClock()
  ) throws(StorageError) -> OpenedDirectory {
    try open(path, on: disk, clock: clock) { _ in }
  }

  /// As `open`, with a hook after each step of publishing a snapshot, for tests.
  package static func open(
    _ path: String, on disk: (any VirtualDisk)? = nil, clock: any TimeSource,
    afterStep: @escaping @Sendable (PublishingStep) throws(StorageError) -> Void
  ) throws(StorageError) -> OpenedDirectory {
    let directory: DataDirectory
    let lock: DirectoryLock
    do throws(DirectoryError) {
      directory = try DataDirectory(creating: path, on: disk)
      lock = try DirectoryLock(directory)
    } catch {
      throw .directory(error)
    }
    let survey = try DirectorySurvey(directory)
    var report = RecoveryReport(path: path)
    try removeLeftovers(survey, &report)
    let opened = try load(survey, clock: clock, &report)
    let store = SnapshotStore(directory, clock: clock, state: opened.state, afterStep: afterStep)
    return OpenedDirectory(books: opened.books, store: store, lock: lock, report: report)
  }

  private static func removeLeftovers(
    _ survey: DirectorySurvey, _ report: inout RecoveryReport
  ) throws(StorageError) {
    if !survey.leftovers.isEmpty {
      // A rename that is lost with the power must not give the name of a snapshot back to half of one.
      try StorageError.wrapping { () throws(SystemError) in try survey.directory.sync() }
    }
    for name in survey.leftovers {
      try StorageError.wrapping { () throws(SystemError) in
        if try survey.directory.status(of: name)?.kind == .directory {
          try survey.directory.removeDirectory(name)
        } else {
          try survey.directory.removeFile(name)
        }
      }
      report.notes.append("\(name), left behind by a process that died, was removed")
    }
    report.notes += survey.ignored.map { "\($0) does not count and is left alone" }
  }

  private static func load(
    _ survey: DirectorySurvey, clock: any TimeSource, _ report: inout RecoveryReport
  ) throws(StorageError) -> (books: Books, state: SnapshotStore.State) {
    report.faults = survey.faults
    if survey.isFresh { return try create(survey, clock: clock, &report) }
    var damagedNames = survey.damagedNames
    let start = clock.monotonicTime()
    for (place, candidate) in survey.candidates.enumerated() {
      let books: Books
      do throws(StorageError) {
        books = try SnapshotReader(survey.directory, candidate).load(clock: clock)
      } catch {
        guard case .damaged(let fault) = error else { throw error }
        report.faults.append(fault)
        damagedNames.append(candidate.name)
        continue
      }
      report.loaded = SnapshotDescription(candidate.summary)
      report.loadingTime = clock.monotonicTime() - start
      report.fellBack = isOutdated(candidate, survey, damagedNames)
      if candidate.isUnlisted {
        report.notes.append(
          "\(candidate.name) is whole, though the manifest does not list it, and was loaded")
      }
      let good = survey.candidates[place...].map(\.summary)
      return (books, state(survey, good, damagedNames))
    }
    let promised = survey.manifest.manifest?.snapshots.isEmpty == false
    guard !promised, survey.candidates.isEmpty, let manifest = survey.manifest.manifest, report.faults.isEmpty
    else { throw .noGoodSnapshot(path: survey.directory.path, faults: report.faults) }
    let state = SnapshotStore.State(manifest: manifest, summaries: [], damagedNames: [])
    return (newBooks(clock), state)
  }

  /// Whether something newer than the candidate was there: listed, damaged, or both.
  private static func isOutdated(
    _ candidate: SnapshotCandidate, _ survey: DirectorySurvey, _ damagedNames: [String]
  ) -> Bool {
    let newestListed = survey.manifest.manifest?.snapshots.last?.sequence ?? 0
    return newestListed > candidate.summary.sequence
      || damagedNames.contains { SnapshotName.position($0) ?? 0 > candidate.summary.position }
  }

  private static func create(
    _ survey: DirectorySurvey, clock: any TimeSource, _ report: inout RecoveryReport
  ) throws(StorageError) -> (books: Books, state: SnapshotStore.State) {
    report.isNew = true
    let manifest = Manifest(sequence: 0, directory: .random(), snapshots: [])
    try StorageError.wrapping { () throws(SystemError) in try manifest.create(in: survey.directory) }
    return (newBooks(clock), SnapshotStore.State(manifest: manifest, summaries: [], damagedNames: []))
  }

  private static func newBooks(_ clock: any TimeSource) -> Books {
    Books(clock: clock, seed: (KernelRandom.word(), KernelRandom.word()))
  }

  private static func state(
    _ survey: DirectorySurvey, _ good: [SnapshotSummary], _ damagedNames: [String]
  ) -> SnapshotStore.State {
    let kept = good.prefix(SnapshotStore.keptCount).reversed()
    let manifest = Manifest(
      sequence: survey.greatestSequence, directory: survey.identifier ?? .random(),
      journal: survey.manifest.manifest?.journal ?? 0, snapshots: kept.map { $0.manifestEntry })
    return SnapshotStore.State(
      manifest: manifest, summaries: Array(kept), damagedNames: damagedNames)
  }
}
