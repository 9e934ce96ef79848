// One round of a check: the files, then the books in them.

import Ledger
import Platform

/// Checks what one look at a directory found.
struct DirectoryCheck {
  let survey: DirectorySurvey
  let clock: any TimeSource
  private(set) var report: CheckReport
  private var good: [SnapshotCandidate] = []
  /// The directory is a copy that was made while a server wrote: where the journal was being written, older
  /// and newer blocks stand side by side.
  private let isOfCopy: Bool
  /// What is put down to that.
  private var tolerated: [StorageFault] = []

  init(_ survey: DirectorySurvey, _ clock: any TimeSource) {
    self.survey = survey
    self.clock = clock
    isOfCopy = DirectoryLock.isOfCopy(survey.directory)
    report = CheckReport(path: survey.directory.path, faults: survey.faults)
    if isOfCopy, !survey.candidates.isEmpty {
      // The server removed or made a snapshot while the copy was made.
      report.faults.removeAll { $0.finding == DirectorySurvey.missingFinding }
      report.notes += survey.faults.filter { $0.finding == DirectorySurvey.missingFinding }.map {
        "this is a copy that was made while a server ran, or of what a crash left: \($0.description)"
      }
    }
  }

  mutating func run(_ observer: (Int) -> Void) throws(StorageError) {
    let directory = survey.directory
    // Before the segments are: what the snapshots and the manifest promise, the journal must hold.
    for candidate in survey.candidates {
      let faults = verify(candidate, observer)
      report.faults += faults
      if faults.isEmpty {
        good.append(candidate)
        report.snapshots.append(SnapshotDescription(candidate.summary))
      }
    }
    let segments = try JournalSurvey(directory, survey.identifier)
    report.notes += (survey.leftovers + segments.leftovers).map {
      "\($0) was left behind by a process that died, or is being written"
    }
    report.notes += survey.ignored.map { "\($0) does not count and was not checked" }
    if survey.isFresh && segments.entries.isEmpty {
      report.notes.append("there is no manifest, no snapshot and no journal: nothing to check")
      return
    }
    if survey.manifest.isMissing, survey.isFresh {
      report.add(
        StorageFault(
          path: directory.path(of: Manifest.fileName),
          finding: "the file is missing, segments of the journal are there"))
    }
    let end = verify(segments, observer)
    try checkBooks(segments, end)
  }

  // MARK: Files

  private mutating func verify(_ candidate: SnapshotCandidate, _ observer: (Int) -> Void) -> [StorageFault] {
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

  /// Reads every segment from the oldest on. After damage it goes on with the next segment, so that all of it
  /// is named.
  /// - Returns: how the journal ends, nil when that was not reached.
  private mutating func verify(_ segments: JournalSurvey, _ observer: (Int) -> Void) -> JournalEnd? {
    for entry in segments.entries {
      if case .damaged(let fault) = entry.state { report.add(fault) }
    }
    var position: UInt64?
    while true {
      var reader = JournalReader(segments, after: position)
      var read = 0
      do throws(StorageError) {
        while try reader.next() != nil {
          observer(reader.readByteCount - read)
          read = reader.readByteCount
        }
        report.byteCount += reader.readByteCount
        if let end = reader.end {
          note(end)
          return end
        }
        return nil
      } catch {
        report.byteCount += reader.readByteCount
        let fault = error.fault(in: segments.directory.path)
        if tolerates(fault, segments) { return nil }
        report.add(fault)
        guard case .damaged = error,
          let place = segments.entries.firstIndex(where: { $0.path == fault.path }),
          let next = segments.entries[(place + 1)...].first(where: { $0.beginning != nil })?.beginning,
          next.firstPosition > position ?? 0, next.firstPosition > 1
        else { return nil }
        position = next.firstPosition - 1
      }
    }
  }

  /// Whether damage lies where a server was writing when the directory was copied.
  private mutating func tolerates(_ fault: StorageFault, _ segments: JournalSurvey) -> Bool {
    let newest = segments.entries.filter { $0.state != .unused }.suffix(2)
    guard isOfCopy, newest.contains(where: { $0.path == fault.path }) else { return false }
    tolerated.append(fault)
    return true
  }

  private mutating func note(_ end: JournalEnd) {
    report.segments = end.segments.filter { extent in extent.firstPosition <= extent.lastPosition }
    guard let torn = end.tornTail else { return }
    report.notes.append(
      "the journal ends in the middle of a write: \(torn.byteCount) bytes from byte \(torn.offset) of "
        + "\"\(torn.path)\" do not count, and nobody was told that they are safe")
  }

  // MARK: Books

  private mutating func checkBooks(_ segments: JournalSurvey, _ end: JournalEnd?) throws(StorageError) {
    let oldest = segments.entries.lazy.compactMap { $0.beginning?.firstPosition }.first
    let hasJournal =
      survey.manifest.manifest?.journal ?? 0 > 0
      || segments.entries.contains { $0.state != .unused }
    guard let newest = good.first else {
      guard oldest == 1 else { return }
      return checkEnd(segments, replay(onto: Books(emptyWith: clock, seed: RecoveryAttempt.seed()), segments))
    }
    guard let books = load(newest) else { return }
    report.loaded = SnapshotDescription(newest.summary)
    let digest = books.cut().digest()
    if hasJournal {
      checkEnd(segments, replay(onto: books, segments))
    } else {
      report.position = books.position
      report.brokenInvariants = books.checkInvariants(on: books.cut())
    }
    guard hasJournal, end != nil, good.count > 1 else { return }
    compare(good[1], with: newest, digest: digest, segments)
  }

  private mutating func load(_ candidate: SnapshotCandidate) -> Books? {
    do throws(StorageError) {
      return try SnapshotReader(survey.directory, candidate).load(clock: clock)
    } catch {
      report.add(error.fault(in: survey.directory.path(of: candidate.name)))
      return nil
    }
  }

  /// Brings the books to the journal's end and checks them there.
  private mutating func replay(onto books: Books, _ segments: JournalSurvey) -> ReplayOutcome {
    let outcome = JournalReplay(segments).run(books, upTo: nil) { _ in }
    if let failure = outcome.failure {
      let fault = failure.fault(in: segments.directory.path)
      if tolerated.contains(fault) {
        report.notes.append(
          "this is a copy that was made while a server ran, or of what a crash left: from fact "
            + "\(books.position + 1) on the journal was being written and does not count here "
            + "(\(fault.description)); a start on this copy takes --recover-to \(books.position)")
      } else {
        report.add(fault)
      }
    }
    report.replayedFactCount = outcome.factCount
    report.position = books.position
    if books.position > 0 { report.brokenInvariants = books.checkInvariants(on: books.cut()) }
    return outcome
  }

  private mutating func checkEnd(_ segments: JournalSurvey, _ outcome: ReplayOutcome) {
    guard let end = outcome.end else { return }
    let promise = JournalPromise(survey, loaded: report.loaded?.position, damagedNames: survey.damagedNames)
    for fault in promise.broken(by: end, segments) {
      if isOfCopy {
        report.notes.append(
          "this is a copy that was made while a server ran, or of what a crash left; the journal was copied "
            + "before the rest: \(fault.description); a start on this copy takes --recover-to "
            + "\(report.position)")
      } else {
        report.add(fault)
      }
    }
  }

  /// The older snapshot and the journal must give the newest snapshot.
  private mutating func compare(
    _ older: SnapshotCandidate, with newest: SnapshotCandidate, digest: UInt64, _ segments: JournalSurvey
  ) {
    guard let books = load(older) else { return }
    let outcome = JournalReplay(segments).run(books, upTo: newest.summary.position) { _ in }
    if let failure = outcome.failure, books.position < newest.summary.position {
      let fault = failure.fault(in: segments.directory.path)
      if outcome.factCount == 0 {
        report.notes.append("\(older.name) cannot be brought forward by the journal: \(fault.description)")
      } else {
        report.add(fault)
      }
      return
    }
    guard books.position == newest.summary.position else { return }
    report.comparedPosition = newest.summary.position
    if books.cut().digest() != digest {
      report.brokenInvariants.append(
        "\(older.name) and the journal after it give other books than \(newest.name)")
    }
  }
}
