// One run of a ledger whose power is cut before and after every change of its disk.

import Ledger
import Platform
import TestSupport

@testable import Storage

/// How a run is made.
struct RunPlan: Sendable {
  var seed: Seed
  /// Steps of work before each crash that the run goes on from.
  var steps = 120
  /// Crashes after one another.
  var depth = 1
  /// Power losses by seed at each place, beside the loss of everything and of nothing.
  var variants = 2
  /// One change in so many is looked at.
  var stride = 1
  var durability = Durability.always
}

/// Runs of one seed, each going on from a crash of the one before.
struct PowerCutRun {
  private let plan: RunPlan
  private let clock = ManualClock()
  let examiner: Examiner
  private var generator: SeededGenerator

  init(_ plan: RunPlan) {
    self.plan = plan
    examiner = Examiner(clock: clock)
    generator = Seed(plan.seed.value ^ 0x5EED).generator
  }

  /// Where a crash is to be gone on from.
  private final class CrashSite: Sendable {
    let found = Guarded<(disk: SimulatedDisk, history: History)?>(nil)
  }

  mutating func carryOut() {
    var disk = SimulatedDisk()
    var history = History()
    for depth in 0..<plan.depth {
      guard let next = crash(disk, history, depth) else { return }
      disk = next.disk
      history = next.history
    }
  }

  /// Works on the disk, watched, from its start on.
  /// - Returns: a disk and a history of one of the crashes; nil when something is wrong.
  private mutating func crash(
    _ disk: SimulatedDisk, _ history: History, _ depth: Int
  ) -> (disk: SimulatedDisk, history: History)? {
    let site = CrashSite()
    let choice = Guarded(SeededGenerator(Seed(generator.next())))
    let place = PlaceCounter()
    let lossSeed = generator.next()
    let current = Guarded(history)
    let plan = plan
    let examiner = examiner
    disk.watch { [unowned disk] call, moment in
      guard call.kind.isChange else { return }
      let history = current.withLock { $0 }
      guard let number = place.next(disk, history), number % plan.stride == 0 else {
        return
      }
      let spot = "\(plan.seed), run \(depth), \(moment) call \(call.number), \(call.kind) of \(call.path)"
      Self.cut(disk, history, examiner, plan, number, lossSeed, spot)
      // Each place is as likely to be gone on from as any other.
      if plan.depth > 1, choice.withLock({ Int.random(in: 1...number, using: &$0) }) <= plan.stride {
        let lost = disk.afterPowerLoss(.random(Seed(lossSeed &+ 1)))
        site.found.withLock { $0 = (lost, history.copy()) }
      }
    }
    defer { disk.watch(nil) }
    do throws(StorageError) {
      let opened = try OpenedBooks(disk, clock: clock)
      let started = history.isEmpty ? history : history.fork(at: opened.start.position)
      current.withLock { $0 = started }
      let server: DrivenServer
      var options = Tiny.journal
      options.durability = plan.durability
      server = try DrivenServer(opened, history: started, options: options)
      var work = Workload(Seed(generator.next()), clock: clock)
      for _ in 0..<plan.steps { try work.step(server) }
      if generator.next() % 2 == 0 { try server.stop() }
      disk.watch(nil)
      if Effort.isTalkative {
        print(server.books.position, disk.callCount, disk.filePaths.map { PathName.last(of: $0) })
      }
      examiner.examine(disk.afterPowerLoss(.losingAll), started, "\(plan.seed), at the end of run \(depth)")
    } catch {
      examiner.object("\(error) while working; \(plan.seed), run \(depth)")
      return nil
    }
    return site.found.withLock { $0 }
  }

  /// Cuts the power here in several ways.
  private static func cut(
    _ disk: SimulatedDisk, _ history: History, _ examiner: Examiner, _ plan: RunPlan, _ number: Int,
    _ lossSeed: UInt64, _ place: String
  ) {
    let unsynced = disk.unsyncedCount
    examiner.examine(disk.afterPowerLoss(.losingAll), history, "\(place), losing all")
    if unsynced == 0 { return }
    examiner.examine(disk.afterPowerLoss(.keepingAll), history, "\(place), keeping all")
    for variant in 0..<plan.variants {
      let loss = PowerLoss.random(Seed(lossSeed &+ UInt64(number * 64 + variant)))
      examiner.examine(disk.afterPowerLoss(loss), history, "\(place), \(loss)")
    }
    if Effort.isLong, unsynced <= 8 {
      for mask in 1..<(UInt64(1) << UInt64(unsynced)) - 1 {
        let loss = PowerLoss.keeping(mask: mask)
        examiner.examine(disk.afterPowerLoss(loss), history, "\(place), \(loss)")
      }
    }
    if number % 16 == 0 { examiner.examineKill(disk, history, place) }
  }
}

/// Numbers the places of a run where something has changed since the one before.
private final class PlaceCounter: Sendable {
  private let last = Guarded((number: 0, changes: -1, acknowledged: UInt64.max, newest: UInt64.max))

  /// The number of this place; nil when disk and promises are as at the last.
  func next(_ disk: SimulatedDisk, _ history: History) -> Int? {
    let (changes, acknowledged, newest) = (disk.changeCount, history.acknowledged, history.newest)
    return last.withLock { last in
      if last.changes == changes, last.acknowledged == acknowledged, last.newest == newest { return nil }
      last = (last.number + 1, changes, acknowledged, newest)
      return last.number
    }
  }
}
