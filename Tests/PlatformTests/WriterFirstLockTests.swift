// The lock keeps everybody out who does not hold it, and lets everybody in again.

import Synchronization
import Testing

@testable import Platform

struct WriterFirstLockTests {
  private final class Counts: Sendable {
    let lock = WriterFirstLock()
    let total = Guarded(0)
    nonisolated(unsafe) var inside = 0
    nonisolated(unsafe) var taken = 0
    let wrong = Atomic<Int>(0)

    /// Counts one who is inside, and that nobody else is.
    func enter() {
      unsafe inside += 1
      if unsafe inside != 1 { wrong.add(1, ordering: .relaxed) }
      unsafe taken += 1
      unsafe inside -= 1
    }
  }

  @Test func onlyOneIsInsideAndNobodyIsLost() throws {
    let counts = Counts()
    let rounds = 20_000
    let threads = try (0..<4).map { number in
      try Thread(name: "lock") {
        for _ in 0..<rounds {
          if number == 0 { counts.lock.lockForReading() } else { counts.lock.lock() }
          counts.enter()
          counts.lock.unlock()
        }
      }
    }
    for thread in threads { thread.join() }
    #expect(counts.wrong.load(ordering: .relaxed) == 0)
    #expect(unsafe counts.taken == 4 * rounds)
    #expect(counts.lock.waitingCount == 0)
  }

  @Test func aReaderDoesNotWaitForEverForAWriterThatSleeps() throws {
    let lock = WriterFirstLock()
    lock.lock()
    let writer = try Thread(name: "writer") { lock.withLock {} }
    while lock.waitingCount == 0 { Thread.yield() }
    let reader = try Thread(name: "reader") {
      lock.lockForReading()
      lock.unlock()
    }
    lock.unlock()
    writer.join()
    reader.join()
    #expect(lock.waitingCount == 0)
  }
}
