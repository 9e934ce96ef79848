// The bounds that writers and reclaimers ask for are those of the cuts that are held.

import Columns
import TestSupport
import Testing

struct EpochsTests {
  @Test(arguments: Seed.sample(4)) func boundsAreThoseOfTheHeldCuts(_ seed: Seed) {
    var generator = seed.generator
    let epochs = Epochs()
    var held: [UInt64] = []
    for _ in 0..<1_000 {
      if held.isEmpty || (held.count < 12 && Bool.random(using: &generator)) {
        let before = epochs.current
        let epoch = epochs.begin()
        #expect(epoch > before && epoch == epochs.current)
        held.append(epoch)
      } else {
        epochs.end(held.remove(at: Int.random(in: 0..<held.count, using: &generator)))
      }
      #expect(epochs.heldCount == held.count)
      #expect(epochs.newestHeld == held.max() ?? 0)
      #expect(epochs.oldestHeld == held.min() ?? .max)
    }
  }

  @Test func aCutThatHasEndedCannotEndAgain() async {
    await #expect(processExitsWith: .failure) {
      let epochs = Epochs()
      let epoch = epochs.begin()
      epochs.end(epoch)
      epochs.end(epoch)
    }
  }
}
