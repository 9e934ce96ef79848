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
  /// What the loaded books do not keep of their own rules.
  package var brokenInvariants: [String] = []
  package var notes: [String] = []
  /// Bytes of blocks that were read and checked.
  package var byteCount = 0

  package var isSound: Bool { faults.isEmpty && brokenInvariants.isEmpty }
}

/// Checking data directories.
package enum Check {
  /// Looks at the directory this often when a server removes what is being checked.
  private static let roundLimit = 4

  /// Reads and checks every byte of the manifest and of all snapshots, then loads the newest one and checks
  /// the invariants of the books. Takes no lock and writes nothing, so it may run beside a server and on a
  /// read-only file system; what a server removes meanwhile is not a fault.
  /// - Parameter disk: where the directory lies; nil means the kernel's file system.
  /// - Parameter observer: called with the bytes of each block that was checked.
  /// - Throws: `.directory`, `.failed`, `.foreign` when the directory cannot be looked at.
  /// - Complexity: O(bytes of the snapshots + rows).
  package static func check(
    _ path: String, on disk: (any VirtualDisk)? = nil, clock: any TimeSource = SystemClock(),
    observer: @escaping (_ byteCount: Int) -> Void = { _ in }
  ) throws(StorageError) -> CheckReport {
    let directory: DataDirectory
    do throws(DirectoryError) { directory = try DataDirectory(existing: path, on: disk) } catch {
      throw .directory(error)
    }
    var round = 0
    while true {
      round += 1
      let survey = try settledSurvey(directory)
      let (report, isStable) = try check(survey, clock, observer)
      if isStable || round == roundLimit { return report }
    }
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

  /// - Returns: the report, and whether the directory still lists what it listed before.
  private static func check(
    _ survey: DirectorySurvey, _ clock: any TimeSource, _ observer: (Int) -> Void
  ) throws(StorageError) -> (CheckReport, isStable: Bool) {
    var report = CheckReport(path: survey.directory.path, faults: survey.faults)
    report.notes += survey.leftovers.map {
      "\($0) was left behind by a process that died, or is being written"
    }
    report.notes += survey.ignored.map { "\($0) does not count and was not checked" }
    if survey.isFresh { report.notes.append("there is no manifest and no snapshot: nothing to check") }
    var good: [SnapshotCandidate] = []
    for candidate in survey.candidates {
      let faults = verify(survey, candidate, &report, observer)
      report.faults += faults
      if faults.isEmpty {
        good.append(candidate)
        report.snapshots.append(SnapshotDescription(candidate.summary))
      }
    }
    if let newest = good.first { try load(newest, survey, clock, &report) }
    if report.isSound { return (report, true) }
    let after = try settledSurvey(survey.directory)
    let isStable = after.manifest == survey.manifest && after.candidates == survey.candidates
    return (report, isStable)
  }

  private static func verify(
    _ survey: DirectorySurvey, _ candidate: SnapshotCandidate, _ report: inout CheckReport,
    _ observer: (Int) -> Void
  ) -> [StorageFault] {
    let reader: SnapshotReader
    do throws(StorageError) { reader = try SnapshotReader(survey.directory, candidate) } catch {
      return [error.fault(in: survey.directory.path(of: candidate.name))]
    }
    var byteCount = 0
    let faults = reader.verify { count in
      byteCount += count
      observer(count)
    }
    report.byteCount += byteCount
    return faults
  }

  private static func load(
    _ candidate: SnapshotCandidate, _ survey: DirectorySurvey, _ clock: any TimeSource,
    _ report: inout CheckReport
  ) throws(StorageError) {
    let books: Books
    do throws(StorageError) {
      books = try SnapshotReader(survey.directory, candidate).load(clock: clock)
    } catch {
      report.faults.append(error.fault(in: survey.directory.path(of: candidate.name)))
      return
    }
    report.loaded = SnapshotDescription(candidate.summary)
    report.brokenInvariants = books.checkInvariants(on: books.cut())
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
