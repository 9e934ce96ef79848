// A gate keeps a value whole between threads, and a waiter sees what it waits for.

import Platform
import Testing

@Test func whatIsQueuedComesOutOnceAndInOrder() throws {
  let queue = Gate<[Int]>([])
  let received = Gate<[Int]>([])
  let consumer = try Thread(name: "consumer") {
    while true {
      let next = queue.wait { $0.isEmpty ? nil : $0.removeFirst() }
      if next < 0 { return }
      received.withLock { $0.append(next) }
    }
  }
  for number in 0..<5_000 { queue.updateAndWakeOne { $0.append(number) } }
  queue.updateAndWakeOne { $0.append(-1) }
  consumer.join()
  #expect(received.withLock { $0 } == Array(0..<5_000))
}

@Test func everyWaiterIsWoken() throws {
  let isOpen = Gate(false)
  let passed = Semaphore()
  let threads = try (0..<5).map { number in
    try Thread(name: "waiter \(number)") {
      isOpen.wait { $0 ? true : nil }
      passed.signal()
    }
  }
  isOpen.updateAndWakeAll { $0 = true }
  for thread in threads { thread.join() }
  for _ in 0..<5 { #expect(passed.wait(atMost: .zero)) }
  #expect(!passed.wait(atMost: .zero))
}

@Test func aBoundedWaitEnds() {
  let gate = Gate(1)
  let clock = SystemClock()
  let start = clock.monotonicTime()
  let result: Int? = gate.wait(atMost: .milliseconds(20)) { _ in nil }
  #expect(result == nil)
  #expect(clock.monotonicTime() - start >= .milliseconds(20))
  #expect(gate.wait(atMost: .seconds(60)) { $0 } == 1)
}

@Test func aGateLetsItsValueGo() {
  final class Marker: Sendable {}
  weak var held: Marker?
  do {
    let marker = Marker()
    held = marker
    let gate = Gate(marker)
    #expect(gate.withLock { $0 === marker })
  }
  #expect(held == nil)
}

@Test func permitsAreCounted() {
  let semaphore = Semaphore(permits: 2)
  #expect(semaphore.wait(atMost: .zero))
  semaphore.wait()
  #expect(!semaphore.wait(atMost: .milliseconds(1)))
  semaphore.signal()
  #expect(semaphore.wait(atMost: .zero))
}
