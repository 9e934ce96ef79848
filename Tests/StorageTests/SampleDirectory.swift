// A data directory with two small snapshots whose digests are known, to be damaged.

import Ledger
import Platform
import TestSupport

@testable import Storage

/// Two snapshots of growing books; the files of the newer one can be read, changed and put back.
struct SampleDirectory {
  let temporary: TemporaryDirectory
  let path: String
  let directory: DataDirectory
  let clock: ManualClock
  /// Older first.
  var digests: [UInt64] = []
  var names: [String] = []

  init(_ seed: Seed = Seed(5), commands: Int = 30) throws {
    temporary = try TemporaryDirectory()
    path = temporary.path(of: "books")
    clock = ManualClock()
    let opened = try Recovery.open(path, clock: clock)
    directory = try DataDirectory(existing: path)
    var sample = SampleBooks(seed, books: opened.books, clock: clock)
    for _ in 0..<2 {
      sample.grow(commands)
      let cut = opened.books.cut()
      digests.append(cut.digest())
      names.append(try opened.store.create(cut).name)
    }
  }

  /// Every file of the newer snapshot.
  var files: [String] {
    [SnapshotSummary.fileName] + SnapshotTable.allCases.map(\.fileName)
  }

  func bytes(_ file: String, of snapshot: Int = 1) throws -> [UInt8] {
    guard let bytes = try directory.readFile(PathName.join(names[snapshot], file), limit: 1 << 24) else {
      throw StorageError.damaged(StorageFault(path: file, finding: "the file is missing"))
    }
    return bytes
  }

  /// Gives a file of the newer snapshot other bytes. In place: replacing it would make ext4 sync each time.
  func put(_ bytes: [UInt8], _ file: String) throws {
    let target = try OpenFile(PathName.join(PathName.join(path, names[1]), file), .readWrite)
    try target.write(bytes, at: 0)
    if try target.size() != bytes.count { try target.truncate(to: bytes.count) }
  }

  /// Changes one byte of a file of the newer snapshot.
  func put(_ byte: UInt8, at place: Int, _ file: String) throws {
    let target = try OpenFile(PathName.join(PathName.join(path, names[1]), file), .readWrite)
    try target.write([byte], at: place)
  }

  /// What a start makes of the directory as it is now: which of the two states, or the refusal.
  func start() throws -> (state: Int?, report: RecoveryReport) {
    let opened = try Recovery.open(path, clock: clock)
    let digest = opened.books.cut().digest()
    return (digests.firstIndex(of: digest), opened.report)
  }

  /// The newer snapshot, checked without being loaded.
  func faults() throws -> [StorageFault] {
    let survey = try DirectorySurvey(directory)
    guard let newest = survey.candidates.first, newest.name == names[1] else { return survey.faults }
    return survey.faults + (try SnapshotReader(directory, newest)).verify()
  }

  /// The faults of one table file of the newer snapshot.
  func faults(_ table: SnapshotTable, _ summary: SnapshotSummary) throws -> [StorageFault] {
    let candidate = SnapshotCandidate(name: names[1], summary: summary, isUnlisted: false)
    return try SnapshotReader(directory, candidate).verify(table)
  }
}
