// Locks of a table exclude each other's threads, one lock at a time.

import Platform
import Testing

struct LockTableTests {
  /// Plain numbers that only their locks protect: lost updates show, and the thread sanitizer sees more.
  @safe private final class Counters: Sendable {
    let locks = LockTable(count: 5)
    nonisolated(unsafe) let values = UnsafeMutablePointer<Int>.allocate(capacity: 5)
    init() { unsafe values.initialize(repeating: 0, count: 5) }
    deinit { unsafe values.deallocate() }
  }

  @Test func noUpdateUnderALockIsLost() throws {
    let counters = Counters()
    let threads = try (0..<4).map { number in
      try Thread(name: "counter \(number)") {
        for round in 0..<20_000 {
          let place = (round + number) % 5
          counters.locks.withLock(place) { unsafe counters.values[place] += 1 }
        }
      }
    }
    for thread in threads { thread.join() }
    for place in 0..<5 { #expect(unsafe counters.values[place] == 16_000) }
  }

  @Test func aHeldLockIsRefusedToOthersAndItsNeighboursAreNot() throws {
    let locks = LockTable(count: 3)
    locks.lock(1)
    let answers = Gate<[Bool]>([])
    let other = try Thread(name: "other") {
      for index in 0..<3 {
        let isTaken = locks.tryLock(index)
        answers.withLock { $0.append(isTaken) }
        if isTaken { locks.unlock(index) }
      }
    }
    other.join()
    #expect(answers.withLock { $0 } == [true, false, true])
    locks.unlock(1)
    #expect(locks.tryLock(1))
    locks.unlock(1)
  }

  private struct Stop: Error {}

  @Test func aLockIsLetGoWhenItsBodyThrows() {
    let locks = LockTable(count: 1)
    #expect(throws: Stop.self) { try locks.withLock(0) { throw Stop() } }
    #expect(locks.tryLock(0))
    locks.unlock(0)
    let lock = Lock()
    #expect(throws: Stop.self) { try lock.withLock { throw Stop() } }
    #expect(lock.withLock { 7 } == 7)
    #expect(lock.tryLock())
    #expect(!lock.tryLock())
    lock.unlock()
  }

  @Test func aLockOutsideTheTableStopsTheProcess() async {
    await #expect(processExitsWith: .failure) { LockTable(count: 2).lock(2) }
    await #expect(processExitsWith: .failure) { LockTable(count: 2).lock(-1) }
    await #expect(processExitsWith: .failure) { _ = LockTable(count: 0) }
  }
}
