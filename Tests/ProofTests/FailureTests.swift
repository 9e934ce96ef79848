// A disk that refuses: nothing is said to be done that is not, and what cannot be done is not begun.

import Glibc
import Ledger
import Platform
import TestSupport
import Testing

@testable import Storage

struct FailureTests {
  /// A failure of the n-th call of a kind, for each n that is met.
  struct Trouble: Sendable, CustomTestStringConvertible {
    var kind: DiskCall.Kind
    var code: CInt
    var isForever: Bool

    var testDescription: String {
      "\(kind) \(SystemError(code: code, call: "", doing: "").name)\(isForever ? " for ever" : "")"
    }
  }

  static let troubles: [Trouble] = [DiskCall.Kind.write, .sync, .create, .rename, .syncDirectory, .unlink]
    .flatMap { kind in
      [EIO, ENOSPC].flatMap { code in
        [false, true].map { Trouble(kind: kind, code: code, isForever: $0) }
      }
    }

  @Test(arguments: troubles)
  func aFailedCallLosesNothingAcknowledged(trouble: Trouble) {
    let step = Effort.choose(7, long: 1)
    var number = 1
    var struck = 0
    while true {
      // After a failed sync of a directory a name may be seen that never gets to the disk: a snapshot may be
      // missed afterwards, never a fact.
      var run = FailureRun(
        Seed(UInt64(number)), steps: 90, expectsNoFaults: trouble.kind != .syncDirectory)
      let (hasStruck, objections) = run.carryOut(
        DiskFault(trouble.kind, turn: number, code: trouble.code, isForever: trouble.isForever))
      #expect(objections == [], "\(trouble.testDescription) at call \(number)")
      if !hasStruck || !objections.isEmpty { break }
      struck += 1
      number += step
    }
    #expect(struck > 0)
  }

  @Test(arguments: Seed.sample(Effort.choose(3, long: 100)))
  func aFullDiskRefusesBeforeAnythingIsApplied(seed: Seed) {
    for capacity in stride(from: 60_000, to: 400_000, by: Effort.choose(85_000, long: 10_000)) {
      var run = FailureRun(seed, steps: 150)
      let objections = run.fill(capacity: capacity)
      #expect(objections == [], "\(seed), \(capacity) bytes")
    }
  }

  @Test
  func aSecondSyncIsNeverBelieved() {
    // The proof of the test above: believing it is found.
    let found = PlantedFaults.$planted.withValue(.retriedSync) {
      (1...60).contains { number in
        var run = FailureRun(Seed(UInt64(number)), steps: 90)
        return !run.carryOut(DiskFault(.sync, turn: number, code: EIO)).objections.isEmpty
      }
    }
    #expect(found)
  }
}

/// Work on a disk that refuses at some call, until the server would end, and the start after that.
private struct FailureRun {
  private let disk = SimulatedDisk()
  private let clock = ManualClock()
  private let history = History()
  private let seed: Seed
  private let steps: Int
  private let examiner: Examiner
  /// It was a group that could not be written or synced.
  private var isOfWriter = false

  init(_ seed: Seed, steps: Int, expectsNoFaults: Bool = true) {
    self.seed = seed
    self.steps = steps
    examiner = Examiner(clock: clock, expectsNoFaults: expectsNoFaults)
  }

  /// - Returns: whether the fault has struck, and what is wrong.
  mutating func carryOut(_ fault: DiskFault) -> (hasStruck: Bool, objections: [String]) {
    guard let opened = try? OpenedBooks(disk, clock: clock),
      let server = try? DrivenServer(opened, history: history)
    else { return (false, ["an empty disk does not do"]) }
    disk.plant(fault)
    var work = Workload(seed, clock: clock)
    work.snapshotChance = 40
    for _ in 0..<steps where !server.hasFailed { step(&work, server) }
    let hasStruck = disk.struckCount > 0
    disk.removeFaults()
    if server.hasFailed, isOfWriter {
      // It ends. A restart reads the kernel's cache or the disk, and power may go before or after it.
      let before = history.acknowledged
      if (try? server.commit()) != nil || (try? server.sync()) != nil {
        examiner.object("the journal goes on after a failure")
      }
      if history.acknowledged != before { examiner.object("something is acknowledged after a failure") }
    } else if !server.hasFailed {
      // The trouble is over: writes go on by themselves.
      do throws(StorageError) { try server.prepare() } catch { examiner.object("\(error) without a fault") }
      let refused = server.refusedCount
      for _ in 0..<20 { step(&work, server) }
      do throws(StorageError) { try server.commit() } catch { examiner.object("\(error) without a fault") }
      if server.refusedCount != refused { examiner.object("writes are refused without a reason") }
    }
    examiner.examineKill(disk, history, "killed")
    for loss in [PowerLoss.losingAll, .keepingAll, .random(seed)] {
      examiner.examine(disk.afterPowerLoss(loss), history, "\(loss)")
    }
    return (hasStruck, examiner.violations)
  }

  private mutating func step(_ work: inout Workload, _ server: DrivenServer) {
    do throws(StorageError) { try work.step(server) } catch {
      guard case .failed(let failure) = error else {
        if error != .busy { examiner.object("\(error) is no failure of the disk") }
        return
      }
      // A snapshot may fail while the journal goes on, and the making of a segment while what was let in is
      // written; a failed write or sync of a group is the end.
      let isGroup = failure.path?.hasSuffix(".seg") == true
      if server.hasFailed, isGroup, failure.call == "pwrite" || failure.call == "fdatasync" {
        isOfWriter = true
      }
    }
  }

  /// Works until the disk is full and on, then gives it room.
  mutating func fill(capacity: Int) -> [String] {
    disk.setCapacity(capacity)
    guard let opened = try? OpenedBooks(disk, clock: clock),
      let server = try? DrivenServer(opened, history: history)
    else { return [] }
    var work = Workload(seed, clock: clock)
    work.snapshotChance = 20
    for _ in 0..<steps { step(&work, server) }
    if server.hasFailed { return ["a full disk ends the server"] }
    // Whatever was let in can be written.
    do throws(StorageError) { try server.commit() } catch { return ["\(error) on a full disk"] }
    if server.books.position != server.durablePosition { return ["what was let in has no room"] }
    examiner.examine(disk.afterPowerLoss(.losingAll), history, "full")
    disk.setCapacity(1 << 40)
    do throws(StorageError) { try server.prepare() } catch { return ["\(error) with room"] }
    let refused = server.refusedCount
    for _ in 0..<30 { step(&work, server) }
    if server.refusedCount != refused { return ["writes are refused although there is room again"] }
    do throws(StorageError) { try server.stop() } catch { return ["\(error) with room"] }
    examiner.examine(disk.afterPowerLoss(.losingAll), history, "with room again")
    return examiner.violations
  }
}
