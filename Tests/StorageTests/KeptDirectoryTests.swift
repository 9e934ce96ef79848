// A data directory that was written once and kept: every later version must read it and see the same.

import Ledger
import Platform
import TestSupport
import Testing

@testable import Storage

struct KeptDirectoryTests {
  /// Position and digest of the books in Data/format-1, whose format must stay readable for ever.
  private static let position: UInt64 = 36
  private static let digest: UInt64 = 5_066_341_224_722_618_472

  private static var kept: String {
    PathName.join(PathName.directory(of: #filePath), "Data/format-1")
  }

  @Test
  func aDirectoryOfFormatOneOpensForEver() throws {
    // A copy, because opening takes a lock file.
    let temporary = try TemporaryDirectory()
    let kept = try DataDirectory(existing: Self.kept)
    for name in try kept.names() {
      if try kept.status(of: name)?.kind == .directory {
        let copy = try temporary.directory.makeDirectory(name)
        let inner = try DataDirectory(existing: kept.path(of: name))
        for file in try inner.names() {
          try copy.replaceFile(file, with: try #require(try inner.readFile(file)))
        }
      } else {
        try temporary.directory.replaceFile(name, with: try #require(try kept.readFile(name)))
      }
    }
    let opened = try Recovery.open(temporary.path, clock: ManualClock())
    #expect(opened.report.faults.isEmpty)
    let cut = opened.books.cut()
    #expect(cut.position == Self.position)
    #expect(cut.digest() == Self.digest)
    #expect(opened.books.checkInvariants(on: cut).isEmpty)
  }

  /// How Data/format-1 was made: run with LEDGERLINE_KEEP set to a directory that does not exist.
  @Test(.enabled(if: CurrentProcess.environment("LEDGERLINE_KEEP") != nil))
  func makeTheKeptDirectory() throws {
    let path = try #require(CurrentProcess.environment("LEDGERLINE_KEEP"))
    var sample = SampleBooks(Seed(1))
    sample.grow(40)
    let opened = try Recovery.open(path, clock: sample.clock)
    let cut = sample.books.cut()
    try opened.store.create(cut)
    print("position \(cut.position) digest \(cut.digest())")
  }
}
