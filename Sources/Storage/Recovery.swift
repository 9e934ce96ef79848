// Opening a data directory: lock it, load the newest good snapshot, replay the journal, say what was found.

import Ledger
import Platform

/// How a directory is opened.
package struct RecoveryOptions: Sendable {
  /// `--recover-to`: leave out every fact after this position, for good. Nil keeps all.
  package var target: UInt64?
  /// Read the journal past the page cache, where the file system can.
  package var direct: Bool
  /// Called now and then while loading and replaying, on any thread, one call at a time.
  package var observer: @Sendable (RecoveryProgress) -> Void

  package init(
    target: UInt64? = nil, direct: Bool = true,
    observer: @escaping @Sendable (RecoveryProgress) -> Void = { _ in }
  ) {
    self.target = target
    self.direct = direct
    self.observer = observer
  }
}

/// How far a start has come.
package enum RecoveryProgress: Sendable, Equatable {
  /// Rows of a snapshot that are loaded, of so many.
  case loading(name: String, rowCount: Int, of: Int)
  /// Facts of the journal that are applied; nobody knows yet how many there are.
  case replaying(factCount: Int)
}

/// An open data directory. Its lock is held as long as this lives.
package struct OpenedDirectory: ~Copyable {
  /// Their facts go into `log` from now on.
  package let books: Books
  package let store: SnapshotStore
  package let report: RecoveryReport
  package let log: FactLog
  /// Where the journal goes on.
  package let start: JournalStart
  private var lock: DirectoryLock?

  init(
    books: Books, store: SnapshotStore, log: FactLog, start: JournalStart, lock: consuming DirectoryLock,
    report: RecoveryReport
  ) {
    self.books = books
    self.store = store
    self.log = log
    self.start = start
    self.lock = consume lock
    self.report = report
  }

  /// Hands the lock over, once, to who keeps the directory open.
  package mutating func takeLock() -> DirectoryLock {
    guard let lock = lock.take() else { preconditionFailure("a lock is handed over once") }
    return lock
  }

  /// Starts the journal and lets the snapshots go with it. Once, before the first command.
  package func startJournal(_ options: JournalOptions = JournalOptions()) throws(StorageError) -> Journal {
    let journal = try Journal(store.directory, store.identifier, log: log, start: start, options: options)
    store.attach(SnapshotJournal(journal))
    return journal
  }
}

/// Opening data directories.
package enum Recovery {
  /// Opens the directory at `path`, made with mode 0700 if it is missing (its parent must exist).
  ///
  /// Files that are not ours are left alone. Nothing damaged is removed or changed.
  /// - Parameters:
  ///   - disk: where the directory lies; nil means the kernel's file system.
  ///   - clock: becomes the clock of the books.
  /// - Throws: `.directory(.locked)` with the first server's pid; `.noGoodSnapshot`, `.journalBroken`,
  ///   `.damaged`, `.foreign` when starting would lose what was there; `.unreachable` for a target.
  /// - Complexity: O(rows + facts to replay), on two threads or more.
  package static func open(
    _ path: String, on disk: (any VirtualDisk)? = nil, clock: any TimeSource = SystemClock(),
    options: RecoveryOptions = RecoveryOptions()
  ) throws(StorageError) -> OpenedDirectory {
    try open(path, on: disk, clock: clock, options: options) { _ in }
  }

  /// As `open`, with a hook after each step of publishing a snapshot, for tests.
  package static func open(
    _ path: String, on disk: (any VirtualDisk)? = nil, clock: any TimeSource,
    options: RecoveryOptions = RecoveryOptions(),
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
    let segments = try JournalSurvey(directory, survey.identifier, direct: options.direct)
    var report = RecoveryReport(path: path)
    try removeLeftovers(survey, segments, &report)
    if survey.isFresh && segments.entries.isEmpty {
      let manifest = Manifest(sequence: 0, directory: .random(), snapshots: [])
      try StorageError.wrapping { () throws(SystemError) in try manifest.create(in: directory) }
      report.isNew = true
    }
    var attempt = RecoveryAttempt(
      survey: report.isNew ? try DirectorySurvey(directory) : survey, segments: segments, clock: clock,
      options: options, report: report)
    let (books, start) = try attempt.run()
    let log = FactLog()
    let opened = books ?? Books(clock: clock, seed: RecoveryAttempt.seed(), log: log)
    if books != nil {
      opened.attach(log)
      opened.openBalanceOrder()
    }
    attempt.report.position = opened.position
    let store = SnapshotStore(directory, clock: clock, state: attempt.state, afterStep: afterStep)
    return OpenedDirectory(
      books: opened, store: store, log: log, start: start, lock: lock, report: attempt.report)
  }

  private static func removeLeftovers(
    _ survey: DirectorySurvey, _ segments: JournalSurvey, _ report: inout RecoveryReport
  ) throws(StorageError) {
    let names = survey.leftovers + segments.leftovers
    if !names.isEmpty {
      // A rename that is lost with the power must not give the name of a snapshot back to half of one.
      try StorageError.wrapping { () throws(SystemError) in try survey.directory.sync() }
    }
    for name in names {
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
}
