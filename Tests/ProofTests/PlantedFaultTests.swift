// Faults planted in the journal on purpose: the proofs must find each of them.

import Ledger
import Platform
import TestSupport
import Testing

@testable import Storage

struct PlantedFaultTests {
  /// A fault, the work during which it shows, and the durability under which it does.
  struct Plant: Sendable, CustomTestStringConvertible {
    var name: String
    var fault: PlantedFaults
    var durability = Durability.always
    var depth = 3

    var testDescription: String { name }
  }

  static let foundByPowerCuts = [
    Plant(name: "skipped sync", fault: .skippedSync),
    Plant(name: "sync before write", fault: .syncBeforeWrite),
    Plant(name: "directory not synced", fault: .skippedDirectorySync),
    Plant(name: "zeros not synced", fault: .unsyncedSegment),
    Plant(name: "segment left unsynced", fault: .unsyncedRoll, durability: .none),
    Plant(name: "watermark too early", fault: .earlyWatermark),
    Plant(name: "records not checked", fault: .uncheckedRecords),
    Plant(name: "half a command", fault: .halfUnits),
    Plant(name: "tail not secured", fault: .unsecuredTail),
    Plant(name: "snapshot ahead of the journal", fault: .undurableSnapshot, durability: .none),
    Plant(name: "incarnation kept", fault: .sameIncarnation, durability: .none, depth: 5),
  ]

  @Test(arguments: foundByPowerCuts)
  func powerCutsFindIt(plant: Plant) {
    let seeds = [Seed(404_726), Seed(607_535), Seed(355_700), Seed(1), Seed(2), Seed(3), Seed(4), Seed(5)]
    let finder = PlantedFaults.$planted.withValue(plant.fault) {
      seeds.first { seed in
        var run = PowerCutRun(
          RunPlan(
            seed: seed, steps: 120, depth: plant.depth, variants: 3, stride: 1, durability: plant.durability))
        run.carryOut()
        return !run.examiner.violations.isEmpty
      }
    }
    #expect(finder != nil, "nobody noticed: \(plant.name)")
  }

  /// What is forgotten when reading shows only where something is damaged.
  @Test(arguments: [PlantedFaults.uncheckedRecords, .ignoredWatermark])
  func damageFindsIt(fault: PlantedFaults) throws {
    let sample = try DamageSample(Seed(7), isKilled: false)
    let found = PlantedFaults.$planted.withValue(fault) {
      sample.files.contains { path, bytes in
        guard path.hasSuffix(".seg") else { return false }
        return stride(from: 4096, to: bytes.count, by: 37).contains { offset in
          bytes[offset] != 0
            && sample.objection(path) { $0.overwrite(path, at: offset, [bytes[offset] ^ 0x10]) } != nil
        }
      }
    }
    #expect(found, "nobody noticed \(fault)")
  }
}
