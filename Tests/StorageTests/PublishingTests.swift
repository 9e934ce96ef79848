// A process that dies between any two steps of publishing a snapshot leaves a state that was whole.

import Ledger
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Storage

struct PublishingTests {
  @Test(arguments: PublishingStep.allCases)
  func deathAfterAnyStepLeavesAWholeState(step: PublishingStep) throws {
    let temporary = try TemporaryDirectory()
    let path = temporary.path(of: "books")
    let clock = ManualClock()
    var digests: [UInt64] = []
    do {
      let arming = Arming()
      let opened = try Recovery.open(path, clock: clock) { done throws(StorageError) in
        if done == step, arming.isArmed.load(ordering: .acquiring) { throw .stopped }
      }
      var sample = SampleBooks(Seed(3), books: opened.books, clock: clock)
      for _ in 0..<2 {
        sample.grow(20)
        let cut = opened.books.cut()
        digests.append(cut.digest())
        try opened.store.create(cut)
      }
      sample.grow(20)
      digests.append(opened.books.cut().digest())
      arming.isArmed.store(true, ordering: .releasing)
      #expect(throws: StorageError.stopped) { try opened.store.create(opened.books.cut()) }
      // What this process would do next does not happen: it is dead.
    }
    #expect(try Check.check(path).isSound, "\(step)")
    let before = try DataDirectory(existing: path).names()
    #expect(try Check.check(path).isSound, "\(step)")
    #expect(try DataDirectory(existing: path).names() == before, "a check changes nothing")
    let again = try Recovery.open(path, clock: clock)
    #expect(again.report.faults.isEmpty && !again.report.fellBack, "\(step): \(again.report.lines)")
    let state = digests.firstIndex(of: again.books.cut().digest())
    let isRenamed =
      step != .madeTemporary && step != .wroteTables && step != .wroteSummary && step != .isDurable
      && step != .syncedTemporary && step != .clearedName
    #expect(state == (isRenamed ? 2 : 1), "\(step)")
    // And the next snapshot is as good as any.
    var more = SampleBooks(Seed(4), books: again.books, clock: clock)
    more.grow(30)
    let digest = again.books.cut().digest()
    try again.store.create(again.books.cut())
    let kept = try DataDirectory(existing: path).names().filter { SnapshotName.position($0) != nil }
    #expect(kept.count <= 3, "\(step): \(kept)")
    #expect(try Check.check(path).isSound, "\(step)")
    #expect(again.books.cut().digest() == digest)
  }
}

/// Set once the process is to die.
private final class Arming: Sendable {
  let isArmed = Atomic<Bool>(false)
}
