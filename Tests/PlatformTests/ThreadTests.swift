// Threads start, run with their name, and end before join returns.

import Platform
import Synchronization
import Testing

@Test func joinReturnsAfterTheBodyIsDone() throws {
  let sum = Gate(0)
  let threads = try (1...8).map { number in
    try Thread(name: "adder \(number)") {
      for _ in 0..<1_000 { sum.withLock { $0 += number } }
    }
  }
  for thread in threads { thread.join() }
  #expect(sum.withLock { $0 } == 36_000)
}

@Test func aThreadThatNobodyJoinsStillRuns() throws {
  let done = Semaphore()
  // Dropped at once: the deinitialiser detaches.
  _ = try Thread(name: "left alone") { done.signal() }
  done.wait()
}

@Test func aThreadHasTheStackItAskedFor() throws {
  let deepest = Gate(0)
  let thread = try Thread(name: "deep", stackByteCount: 64 << 20) {
    // Each level takes more than 1 KiB: 8 MiB (the usual limit) would not do.
    let depth = descend(10_000)
    deepest.withLock { $0 = depth }
  }
  thread.join()
  #expect(deepest.withLock { $0 } == 10_000)
}

@inline(never)
private func descend(_ levels: Int) -> Int {
  if levels == 0 { return 0 }
  let block = InlineArray<128, Int>(repeating: levels)
  let below = descend(levels - 1)
  return below + (block[levels % 128] == levels ? 1 : 0)
}

@Test func joiningTwiceStops() async {
  await #expect(processExitsWith: .failure) {
    let thread = try Thread(name: "once") {}
    thread.join()
    thread.join()
  }
}

@Test func thisProcessKnowsItself() throws {
  #expect(CurrentProcess.id > 0)
  #expect(CurrentProcess.processorCount >= 1)
  #expect(CurrentProcess.environment("PATH") != nil)
  #expect(CurrentProcess.environment("LEDGERLINE_NO_SUCH_VARIABLE") == nil)
  #expect(CurrentProcess.workingDirectory?.hasPrefix("/") == true)
  let limit = try CurrentProcess.raiseDescriptorLimit()
  #expect(limit >= 64)
  #expect(try CurrentProcess.raiseDescriptorLimit() == limit)
}
