// Everything together, step by step, against the naive books.

import Platform
import TestSupport
import Testing

@testable import Storage

struct SimulationTests {
  @Test(arguments: Seed.sample(Effort.choose(6, long: 500)))
  func clientsSeeOneOrderThatCrashesDoNotChange(seed: Seed) {
    var simulation = Simulation(seed)
    simulation.run(steps: Effort.choose(4000, long: 20_000))
    let counts = simulation.counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
    print("simulation \(seed): " + counts.joined(separator: ", "))
    #expect(simulation.objections == [])
    #expect(simulation.counts["answers"] ?? 0 > 200)
  }

  @Test(arguments: [
    PlantedFaults.skippedSync, .syncBeforeWrite, .halfUnits, .uncheckedRecords, .skippedDirectorySync,
  ])
  func plantedFaultsAreFound(fault: PlantedFaults) {
    let found = PlantedFaults.$planted.withValue(fault) {
      (1...12).contains { number in
        var simulation = Simulation(Seed(UInt64(number)))
        simulation.run(steps: 3000)
        return !simulation.objections.isEmpty
      }
    }
    #expect(found, "nobody noticed \(fault)")
  }
}
