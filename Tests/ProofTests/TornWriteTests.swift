// The last write before a crash, torn in every way: the start drops what was not acknowledged and says so.

import Ledger
import LedgerSupport
import Platform
import TestSupport
import Testing

@testable import Storage

struct TornWriteTests {
  /// A disk before and after the last group was written to it.
  private struct LastWrite {
    let sample: History
    let clock = ManualClock()
    var before: SimulatedDisk
    var path = ""
    var old: [UInt8] = []
    var new: [UInt8] = []
    /// Where the bytes differ.
    var bytes = 0..<0
    var position: UInt64

    /// - Parameter opensSegment: the group is the first of its segment.
    init(_ seed: Seed, opensSegment: Bool) throws {
      let live = SimulatedDisk()
      let history = History()
      let opened = try OpenedBooks(live, clock: clock)
      let server = try DrivenServer(opened, history: history)
      var work = Workload(seed, clock: clock)
      work.snapshotChance = 0
      if !opensSegment {
        for _ in 0..<60 { try work.step(server) }
        try server.commit()
      }
      try server.prepare()
      before = live.afterPowerLoss(.keepingAll)
      position = server.durablePosition
      // Some commands, one of them of some blocks.
      for _ in 0..<8 {
        let (command, key) = work.command()
        try server.execute(command, key)
      }
      let name = String(repeating: "a long name ", count: 300)
      try server.execute(.createLedger(NewLedger(name: name)), nil)
      let seen = Guarded<SimulatedDisk?>(nil)
      live.watch { [unowned live] call, moment in
        if call.kind == .write, moment == .after, seen.withLock({ $0 == nil }) {
          let image = live.afterPowerLoss(.keepingAll)
          seen.withLock { $0 = image }
        }
      }
      try server.commit()
      live.watch(nil)
      sample = history
      guard let after = seen.withLock({ $0 }) else { return }
      for path in after.filePaths where after.contents(path) != before.contents(path) {
        guard path.hasSuffix(".seg"), let old = before.contents(path), let new = after.contents(path),
          let first = zip(old, new).enumerated().first(where: { $0.element.0 != $0.element.1 })?.offset,
          let last = new.indices.last(where: { old[$0] != new[$0] })
        else { continue }
        (self.path, self.old, self.new, bytes) = (path, old, new, first..<last + 1)
      }
    }

    /// What is wrong with a start on the disk with these bytes in the file.
    func objection(_ contents: [UInt8]) -> String? {
      let disk = before.copy()
      disk.setContents(path, contents)
      switch Examiner.start(disk, clock) {
      case .refusal(let error): return "refused: \(error)"
      case .books(let found, let digest, let report):
        if found < position { return "facts after \(found) are lost" }
        if let objection = sample.objection(position: found, digest: digest, since: 0) { return objection }
        // A segment's head alone is no end of anything.
        let isCut = found < sample.newest && contents[4096...] != old[4096...]
        return isCut && report.tornTail == nil && found == position ? "nothing is said of the torn end" : nil
      }
    }
  }

  @Test(arguments: [false, true])
  func anyFirstPartOfTheLastWriteIsCut(opensSegment: Bool) throws {
    let write = try LastWrite(Seed(3), opensSegment: opensSegment)
    try #require(write.bytes.count > 3000)
    var objections: [String] = []
    for end in stride(
      from: write.bytes.lowerBound, through: write.bytes.upperBound, by: Effort.choose(7, long: 1))
    {
      let contents = Array(write.new[..<end] + write.old[end...])
      if let objection = write.objection(contents) { objections.append("cut at byte \(end): \(objection)") }
      if objections.count > 3 { break }
    }
    #expect(objections == [])
  }

  @Test(arguments: [false, true])
  func anySectorsOfTheLastWriteMayBeMissing(opensSegment: Bool) throws {
    let write = try LastWrite(Seed(4), opensSegment: opensSegment)
    let sectors = Array(write.bytes.lowerBound / 512..<(write.bytes.upperBound + 511) / 512)
    var generator = Seed(4).generator
    var objections: [String] = []
    func tear(_ chosen: [Int], _ fill: (Int) -> UInt8) {
      var contents = write.new
      for sector in chosen {
        for offset in sector * 512..<min(contents.count, sector * 512 + 512) {
          contents[offset] = fill(offset)
        }
      }
      if let objection = write.objection(contents) { objections.append("sectors \(chosen): \(objection)") }
    }
    for sector in sectors {
      tear([sector]) { _ in 0 }
      tear([sector]) { write.old[$0] }
      tear([sector]) { _ in UInt8.random(in: 0...255, using: &generator) }
    }
    for _ in 0..<Effort.choose(150, long: 100_000) where objections.count < 4 {
      let chosen = sectors.filter { _ in Bool.random(using: &generator) }
      tear(chosen) { write.old[$0] }
    }
    #expect(objections == [])
  }
}
