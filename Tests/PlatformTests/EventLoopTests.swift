// The event loop reports what is ready, keeps reporting it, and is woken from other threads.

import Platform
import Synchronization
import Testing

@Suite struct EventLoopTests {
  @Test func nothingReadyIsNoEvent() throws {
    let loop = try EventLoop()
    #expect(try loop.wait(timeout: .zero) == Wakefulness(eventCount: 0, isWoken: false))
  }

  @Test func inputIsReportedUntilItIsRead() throws {
    let loop = try EventLoop()
    let pair = try UnixSocket.pair(nonblocking: true)
    try loop.add(pair.second.descriptor, token: 42, interest: .read)
    #expect(try loop.wait(timeout: .zero).eventCount == 0)
    #expect(try pair.first.write([1].span) == .bytes(1))
    for _ in 0..<2 {
      #expect(try loop.wait(timeout: nil).eventCount == 1)
      #expect(loop.event(at: 0).token == 42)
      #expect(loop.event(at: 0).isReadable)
      #expect(!loop.event(at: 0).isWritable)
      #expect(!loop.event(at: 0).isBroken)
    }
    #expect(try read(pair.second) == [1])
    #expect(try loop.wait(timeout: .zero).eventCount == 0)
  }

  @Test func interestCanBeChangedAndTakenBack() throws {
    let loop = try EventLoop()
    let pair = try UnixSocket.pair(nonblocking: true)
    let descriptor = pair.first.descriptor
    try loop.add(descriptor, token: 1, interest: .read)
    try loop.modify(descriptor, token: 2, interest: [.read, .write])
    #expect(try loop.wait(timeout: nil).eventCount == 1)
    #expect(loop.event(at: 0).token == 2)
    #expect(loop.event(at: 0).isWritable)
    #expect(!loop.event(at: 0).isReadable)
    try loop.modify(descriptor, token: 2, interest: [])
    #expect(try loop.wait(timeout: .zero).eventCount == 0)
    try loop.remove(descriptor)
    let error = #expect(throws: SystemError.self) { try loop.remove(descriptor) }
    #expect(error?.name == "ENOENT")
  }

  @Test func aPeersHalfCloseAndItsEndAreToldApart() throws {
    let loop = try EventLoop()
    let pair = try UnixSocket.pair(nonblocking: true)
    try loop.add(pair.second.descriptor, token: 1, interest: [.read, .readHangup])
    pair.first.shutdown(.writing)
    #expect(try loop.wait(timeout: nil).eventCount == 1)
    #expect(loop.event(at: 0).isReadHangup)
    #expect(!loop.event(at: 0).isBroken)
    pair.first.shutdown(.both)
    pair.second.shutdown(.writing)
    #expect(try loop.wait(timeout: nil).eventCount == 1)
    #expect(loop.event(at: 0).isBroken)
  }

  @Test func manyReadyDescriptorsComeInRoundsOfTheCapacity() throws {
    let loop = try EventLoop(capacity: 3)
    let pairs = try (0..<7).map { _ in Held(try UnixSocket.pair(nonblocking: true)) }
    for (number, held) in pairs.enumerated() {
      try loop.add(held.pair.second.descriptor, token: UInt64(number), interest: .read)
      #expect(try held.pair.first.write([1].span) == .bytes(1))
    }
    var seen: Set<UInt64> = []
    while seen.count < 7 {
      let count = try loop.wait(timeout: nil).eventCount
      #expect((1...3).contains(count))
      for index in 0..<count {
        let token = loop.event(at: index).token
        seen.insert(token)
        #expect(try read(pairs[Int(token)].pair.second) == [1])
      }
    }
    #expect(try loop.wait(timeout: .zero).eventCount == 0)
  }

  @Test func aWakeUpIsNoEventAndHappensOnce() throws {
    let loop = try EventLoop()
    let pair = try UnixSocket.pair(nonblocking: true)
    try loop.add(pair.first.descriptor, token: 7, interest: .write)
    for _ in 0..<1_000 { loop.wakeUp.wake() }
    #expect(try loop.wait(timeout: nil) == Wakefulness(eventCount: 1, isWoken: true))
    #expect(loop.event(at: 0).token == 7)
    #expect(try loop.wait(timeout: nil) == Wakefulness(eventCount: 1, isWoken: false))
  }

  /// Whatever is queued before `wake` is seen by the loop: were one wake-up lost, it would wait for ever.
  @Test func noWakeUpIsLost() throws {
    let loop = try EventLoop()
    let wakeUp = loop.wakeUp
    let queue = Gate(0)
    let threads = try (0..<2).map { number in
      try Thread(name: "waker \(number)") {
        for _ in 0..<2_000 {
          queue.withLock { $0 += 1 }
          wakeUp.wake()
        }
      }
    }
    var seen = 0
    while seen < 4_000 {
      #expect(try loop.wait(timeout: nil).isWoken)
      seen += queue.withLock { count in
        defer { count = 0 }
        return count
      }
    }
    #expect(seen == 4_000)
    for thread in threads { thread.join() }
  }

  /// The queue itself carries no lock here: what was stored before `wake` is ordered by it alone.
  @Test func whatIsStoredBeforeAWakeUpIsSeenAfterIt() throws {
    let loop = try EventLoop()
    let wakeUp = loop.wakeUp
    let mailbox = Mailbox()
    for round in 1...200 {
      let sender = try Thread(name: "sender") {
        mailbox.value.store(round, ordering: .relaxed)
        wakeUp.wake()
      }
      #expect(try loop.wait(timeout: nil).isWoken)
      #expect(mailbox.value.load(ordering: .relaxed) == round)
      sender.join()
    }
  }

  @Test func aTimeoutIsRoundedUpNeverDown() throws {
    let loop = try EventLoop()
    let clock = SystemClock()
    for limit in [Duration.microseconds(1), .microseconds(1_500), .milliseconds(3)] {
      let start = clock.monotonicTime()
      #expect(try loop.wait(timeout: limit) == Wakefulness(eventCount: 0, isWoken: false))
      #expect(clock.monotonicTime() - start >= limit)
    }
  }

  @Test func theLargestTokenIsTheLoopsOwn() async {
    await #expect(processExitsWith: .failure) {
      let loop = try EventLoop()
      try loop.add(0, token: .max, interest: .read)
    }
  }

  private final class Mailbox: Sendable { let value = Atomic<Int>(0) }

  private final class Held {
    let pair: SocketPair
    init(_ pair: consuming SocketPair) { self.pair = pair }
  }
}
