// A data directory opened for a driven server.

import Ledger
import Platform
import TestSupport

@testable import Storage

/// What a start brings: books, the log that they write into, and where the journal goes on. Holds the lock of
/// the directory.
final class OpenedBooks {
  let books: Books
  let log: FactLog
  let store: SnapshotStore
  let start: JournalStart
  let report: RecoveryReport
  private let lock: DirectoryLock

  init(_ disk: SimulatedDisk, clock: ManualClock) throws(StorageError) {
    var opened = try Recovery.open(DrivenServer.path, on: disk, clock: clock)
    books = opened.books
    log = opened.log
    store = opened.store
    start = opened.start
    report = opened.report
    lock = opened.takeLock()
  }
}
