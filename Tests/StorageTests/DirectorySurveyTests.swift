// What a start makes of directories that are not as one server left them.

import Ledger
import Platform
import TestSupport
import Testing

@testable import Storage

struct DirectorySurveyTests {
  @Test
  func aMissingDirectoryIsMadePrivate() throws {
    let temporary = try TemporaryDirectory()
    let opened = try Recovery.open(temporary.path(of: "new"), clock: ManualClock())
    #expect(opened.report.isNew && opened.report.faults.isEmpty)
    #expect(try temporary.directory.status(of: "new")?.permissions == 0o700)
    #expect(opened.books.cut().balanceCount == 0)
  }

  @Test
  func emptyBooksStayTheSameDirectory() throws {
    let temporary = try TemporaryDirectory()
    let path = temporary.path(of: "new")
    let identifier = try Recovery.open(path, clock: ManualClock()).store.identifier
    let again = try Recovery.open(path, clock: ManualClock())
    #expect(!again.report.isNew && again.report.faults.isEmpty)
    #expect(again.store.identifier == identifier)
  }

  @Test
  func filesOfOthersAreLeftAlone() throws {
    let temporary = try TemporaryDirectory()
    let strangers = ["notes.txt", "other.tmp", "snapshot-x", "snapshot-007", "snapshots"]
    for name in strangers { try temporary.directory.replaceFile(name, with: [1, 2, 3]) }
    let opened = try Recovery.open(temporary.path, clock: ManualClock())
    try opened.store.create(opened.books.cut())
    for name in strangers {
      let bytes = try temporary.directory.readFile(name)
      #expect(bytes == [1, 2, 3])
    }
  }

  @Test
  func leftoversAreRemovedAndSaidSo() throws {
    let sample = try SampleDirectory(commands: 8)
    _ = try sample.directory.makeDirectory("snapshot-99.tmp")
    try sample.directory.replaceFile("snapshot-99.tmp/balances.table", with: [0])
    let (state, report) = try sample.start()
    #expect(state == 1 && report.faults.isEmpty)
    #expect(report.notes.count == 1)
    #expect(try sample.directory.status(of: "snapshot-99.tmp") == nil)
  }

  @Test
  func aLostManifestIsReplacedByWhatIsThere() throws {
    for bytes in [nil, [], [UInt8](repeating: 0, count: 8192), [UInt8](repeating: 65, count: 8192)] {
      let sample = try SampleDirectory(commands: 8)
      if let bytes {
        try sample.directory.replaceFile(Manifest.fileName, with: bytes)
      } else {
        try sample.directory.removeFile(Manifest.fileName)
      }
      #expect(try Check.check(sample.path).isSound == false, "\(bytes?.count ?? -1)")
      do {
        let opened = try Recovery.open(sample.path, clock: sample.clock)
        #expect(opened.books.cut().digest() == sample.digests[1])
        #expect(!opened.report.faults.isEmpty)
        var more = SampleBooks(Seed(2), books: opened.books, clock: sample.clock)
        more.grow(20)
        try opened.store.create(opened.books.cut())
      }
      let again = try Recovery.open(sample.path, clock: sample.clock)
      #expect(!again.report.fellBack)
      #expect(again.store.snapshots.count == 2)
    }
  }

  @Test
  func aLostNewestCopyOfTheManifestLosesNothing() throws {
    let sample = try SampleDirectory(commands: 8)
    let bytes = try #require(try sample.directory.readFile(Manifest.fileName))
    for copy in 0..<2 {
      var damaged = bytes
      damaged[copy * 4096 + 50] ^= 1
      try sample.directory.replaceFile(Manifest.fileName, with: damaged)
      let (state, report) = try sample.start()
      #expect(state == 1 && report.faults.count == 1, "copy \(copy)")
      #expect(report.faults[0].offset == copy * 4096)
    }
  }

  @Test
  func aManifestWithoutAnySnapshotThatItListsIsRefused() throws {
    let sample = try SampleDirectory(commands: 8)
    for name in sample.names { try sample.directory.removeDirectory(name) }
    #expect(throws: StorageError.self) { try sample.start() }
    let report = try Check.check(sample.path)
    #expect(report.faults.count == 2)
  }

  @Test
  func anEmptyManifestThatIsDamagedIsNotTakenForAFreshDirectory() throws {
    let temporary = try TemporaryDirectory()
    _ = try Recovery.open(temporary.path, clock: ManualClock()).report
    try temporary.directory.replaceFile(Manifest.fileName, with: [UInt8](repeating: 1, count: 8192))
    #expect(throws: StorageError.self) { _ = try Recovery.open(temporary.path, clock: ManualClock()) }
  }
}
