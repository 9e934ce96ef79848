// Power cut at every change of the disk: nothing acknowledged is lost, nothing is doubled, nothing is half.

import Ledger
import Platform
import TestSupport
import Testing

@testable import Storage

struct PowerCutTests {
  private static let total = Guarded((cuts: 0, starts: 0))

  @Test(arguments: Seed.sample(Effort.choose(3, long: 150)))
  func aCutAtAnyChangeLosesNothingAcknowledged(seed: Seed) {
    var run = PowerCutRun(RunPlan(seed: seed, steps: 400, variants: Effort.choose(5, long: 6)))
    run.carryOut()
    Self.report(run.examiner.tally)
    #expect(run.examiner.violations == [], "\(seed)")
  }

  @Test(arguments: Seed.sample(Effort.choose(2, long: 60)))
  func withoutSyncsWhatIsLeftIsWhole(seed: Seed) {
    var run = PowerCutRun(RunPlan(seed: seed, steps: 300, durability: .none))
    run.carryOut()
    Self.report(run.examiner.tally)
    #expect(run.examiner.violations == [], "\(seed)")
  }

  @Test(arguments: Seed.sample(Effort.choose(2, long: 200)))
  func cutsAfterCutsLoseNothingEither(seed: Seed) {
    var run = PowerCutRun(
      RunPlan(seed: seed, steps: 100, depth: 5, variants: 2))
    run.carryOut()
    Self.report(run.examiner.tally)
    #expect(run.examiner.violations == [], "\(seed)")
  }

  private static func report(_ tally: Examiner.Tally) {
    let sum = total.withLock { total in
      total.cuts += tally.cuts
      total.starts += tally.starts
      return total
    }
    print("power cuts so far: \(sum.cuts), on \(sum.starts) different disks")
  }
}
