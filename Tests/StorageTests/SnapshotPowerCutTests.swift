// Power cut before and after every call of making snapshots: what counted still does, whole.

import Ledger
import Platform
import TestSupport
import Testing

@testable import Storage

struct SnapshotPowerCutTests {
  /// What a start may find: the books of the newest snapshot that was said to count, or of the one on its
  /// way.
  private struct Promise: Sendable {
    var acknowledged: (position: UInt64, digest: UInt64)?
    var underWay: (position: UInt64, digest: UInt64)?
  }

  private static let path = "/books"

  @Test(arguments: Seed.sample(2))
  func aCutAtAnyCallLeavesTheNewestSnapshot(seed: Seed) throws {
    let disk = SimulatedDisk()
    let clock = ManualClock()
    let promise = Guarded(Promise())
    let cuts = Guarded(0)
    disk.watch { [unowned disk] call, moment in
      guard call.kind.isChange else { return }
      for loss in Self.losses(seed, call, moment) {
        cuts.withLock { $0 += 1 }
        Self.examine(
          disk.afterPowerLoss(loss), promise.withLock { $0 }, clock, deeper: cuts.withLock { $0 % 25 == 0 },
          "\(seed) \(moment) call \(call.number), \(call.kind) of \(call.path), \(loss)")
      }
    }
    let opened = try Recovery.open(Self.path, on: disk, clock: clock)
    var sample = SampleBooks(seed, books: opened.books, clock: clock)
    for _ in 0..<3 {
      sample.grow(12)
      let cut = opened.books.cut()
      promise.withLock { $0.underWay = (cut.position, cut.digest()) }
      try opened.store.create(cut)
      promise.withLock { $0 = Promise(acknowledged: $0.underWay) }
    }
    disk.watch(nil)
    #expect(cuts.withLock { $0 } > 1000)
  }

  private static func losses(_ seed: Seed, _ call: DiskCall, _ moment: DiskCall.Moment) -> [PowerLoss] {
    let number = UInt64(call.number * 2 + (moment == .after ? 1 : 0))
    return [.losingAll, .keepingAll] + (0..<2).map { .random(Seed(seed.value &+ number << 20 &+ $0)) }
  }

  /// Starts on the disk, compares, goes on, and starts again.
  private static func examine(
    _ disk: SimulatedDisk, _ promise: Promise, _ clock: ManualClock, deeper: Bool, _ comment: String
  ) {
    do {
      let again = disk.copy()
      let digest = try start(disk, promise, clock, goesOn: deeper, comment)
      // A second power loss, while the start itself changes the disk.
      if deeper {
        again.watch { [unowned again] call, moment in
          guard call.kind.isChange else { return }
          for loss in [PowerLoss.losingAll, .keepingAll, .random(Seed(UInt64(call.number)))] {
            let twice = again.afterPowerLoss(loss)
            do {
              let found = try start(twice, promise, clock, goesOn: false, comment)
              #expect(found == digest || digest == nil, "then at call \(call.number), \(loss); \(comment)")
            } catch {
              Issue.record("\(error) at call \(call.number) of the start; \(comment)")
            }
          }
        }
        _ = try Recovery.open(path, on: again, clock: clock).report
        again.watch(nil)
      }
    } catch {
      Issue.record("\(error); \(comment)")
    }
  }

  /// - Returns: the digest of the books; nil for books that were made.
  private static func start(
    _ disk: SimulatedDisk, _ promise: Promise, _ clock: ManualClock, goesOn: Bool, _ comment: String
  ) throws -> UInt64? {
    let digest: UInt64
    let isEmpty: Bool
    do {
      let opened = try Recovery.open(path, on: disk, clock: clock)
      let cut = opened.books.cut()
      digest = cut.digest()
      isEmpty = opened.report.loaded == nil
      if let acknowledged = promise.acknowledged {
        #expect(
          digest == acknowledged.digest || digest == promise.underWay?.digest,
          "position \(cut.position), promised \(acknowledged.position); \(comment)")
      } else if !isEmpty {
        #expect(digest == promise.underWay?.digest, "\(comment)")
      }
      #expect(!opened.report.fellBack, "\(comment)")
      // A torn copy of the manifest is named; nothing else may look damaged.
      for fault in opened.report.faults {
        #expect(fault.path.hasSuffix(Manifest.fileName), "\(fault); \(comment)")
      }
      #expect(opened.books.checkInvariants(on: cut).isEmpty, "\(comment)")
      if !goesOn { return isEmpty ? nil : digest }
      var more = SampleBooks(Seed(77), books: opened.books, clock: clock)
      more.grow(3)
      try opened.store.create(opened.books.cut())
    }
    let report = try Check.check(path, on: disk, clock: clock)
    #expect(report.isSound, "\(report); \(comment)")
    return isEmpty ? nil : digest
  }
}
