// Every connection has its turn.

import TestSupport
import Testing

@testable import Server

@Suite struct FairQueueTests {
  @Test func oneJobOfAnotherWaitsForOneOfTheManyAtMost() {
    var queue = FairQueue<Int>()
    for job in 0..<100 { queue.append(job, of: 1) }
    #expect(queue.takeNext() == 0)
    queue.append(1000, of: 2)
    queue.append(2000, of: 3)
    #expect((0..<5).map { _ in queue.takeNext() } == [1, 1000, 2000, 2, 3])
    #expect(queue.count == 96)
  }

  @Test(arguments: Seed.sample(8))
  func jobsOfOneConnectionKeepTheirOrderAndNoneIsLost(seed: Seed) {
    var generator = seed.generator
    var queue = FairQueue<(connection: UInt64, number: Int)>()
    var model: [UInt64: [Int]] = [:]
    for number in 0..<3000 {
      switch Int.random(in: 0..<20, using: &generator) {
      case 0:
        let taken = queue.takeAll { $0.number % 3 == 0 }
        #expect(taken.allSatisfy { $0.number % 3 == 0 })
        for connection in model.keys { model[connection]?.removeAll { $0 % 3 == 0 } }
      case 1...9:
        let job = queue.takeNext()
        #expect((job == nil) == model.values.allSatisfy(\.isEmpty), "\(seed)")
        if let job {
          #expect(model[job.connection]?.first == job.number, "\(seed)")
          model[job.connection]?.removeFirst()
        }
      default:
        let connection = UInt64.random(in: 0..<5, using: &generator)
        queue.append((connection, number), of: connection)
        model[connection, default: []].append(number)
      }
      #expect(queue.count == model.values.reduce(0) { $0 + $1.count }, "\(seed)")
    }
  }
}
