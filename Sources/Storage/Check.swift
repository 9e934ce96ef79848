// Checking a data directory without changing anything in it, also while a server uses it.

import Ledger
import Platform

/// What a check found.
package struct CheckReport: Sendable, Equatable {
  package var path: String
  /// Everything damaged, missing or inconsistent, each with its file and offset.
  package var faults: [StorageFault] = []
  /// Snapshots whose every block was read, newest first.
  package var snapshots: [SnapshotDescription] = []
  /// What was loaded; nil when nothing could be.
  package var loaded: SnapshotDescription?
  /// Segments that hold facts, oldest first.
  package var segments: [SegmentExtent] = []
  /// Facts that were replayed on top of what was loaded.
  package var replayedFactCount = 0
  /// Position of the last fact in the books that were checked.
  package var position: UInt64 = 0
  /// The older snapshot and the journal were found to give the newest snapshot.
  package var comparedPosition: UInt64?
  /// What the loaded books do not keep of their own rules.
  package var brokenInvariants: [String] = []
  package var notes: [String] = []
  /// Bytes that were read and checked.
  package var byteCount = 0

  package var isSound: Bool { faults.isEmpty && brokenInvariants.isEmpty }

  /// Adds a fault that is not known yet.
  mutating func add(_ fault: StorageFault) {
    if !faults.contains(fault) { faults.append(fault) }
  }
}

/// Checking data directories.
package enum Check {
  /// Looks at the directory this often when a server changes what is being checked.
  private static let roundLimit = 4

  /// Reads and checks every byte of the manifest, of all snapshots and of all segments, then loads the newest
  /// snapshot, replays the journal and checks the books; and brings the older snapshot forward by the
  /// journal, which must give the newest. Takes no lock and writes nothing, so it may run beside a server and
  /// on a read-only file system; what a server removes meanwhile is not a fault.
  /// - Parameter observer: called with the bytes that were checked, now and then.
  /// - Throws: `.directory`, `.failed`, `.foreign` when the directory cannot be looked at.
  /// - Complexity: O(bytes of snapshots and segments + rows).
  package static func check(
    _ path: String, on disk: (any VirtualDisk)? = nil, clock: any TimeSource = SystemClock(),
    observer: @escaping (_ byteCount: Int) -> Void = { _ in }
  ) throws(StorageError) -> CheckReport {
    let directory: DataDirectory
    do throws(DirectoryError) { directory = try DataDirectory(existing: path, on: disk) } catch {
      throw .directory(error)
    }
    var before: CheckReport?
    for _ in 1..<roundLimit {
      var check = DirectoryCheck(try settledSurvey(directory), clock)
      do throws(StorageError) { try check.run(observer) } catch {
        // A file that a server removed at this moment is not there any more the next time.
        guard case .failed = error, before == nil else { throw error }
        before = check.report
        continue
      }
      let report = check.report
      // What is wrong is looked at twice: a server may have been changing it.
      let isKnown = report.faults == before?.faults && report.brokenInvariants == before?.brokenInvariants
      if report.isSound || isKnown { return report }
      before = report
    }
    var check = DirectoryCheck(try settledSurvey(directory), clock)
    try check.run(observer)
    return check.report
  }

  /// A survey; a manifest that is being written at this moment is read again.
  private static func settledSurvey(_ directory: DataDirectory) throws(StorageError) -> DirectorySurvey {
    for _ in 1..<roundLimit {
      let survey = try DirectorySurvey(directory)
      if survey.faults.isEmpty { return survey }
      Thread.yield()
    }
    return try DirectorySurvey(directory)
  }
}

extension StorageError {
  /// The fault that this error is, or the error as a fault of `path`.
  func fault(in path: String) -> StorageFault {
    switch self {
    case .damaged(let fault), .foreign(let fault): fault
    case .directory, .failed, .noGoodSnapshot, .journalBroken, .unreachable, .busy, .cancelled, .stopped:
      StorageFault(path: path, finding: description)
    }
  }
}
