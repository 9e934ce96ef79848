// Deadlines come out in order, once, and as a plain dictionary says.

import Platform
import TestSupport
import Testing

@Test func noDeadlineIsNoTimeout() {
  var timers = TimerQueue()
  #expect(timers.timeout(at: MonotonicTime(nanoseconds: 5)) == nil)
  #expect(timers.popExpired(at: MonotonicTime(nanoseconds: 5)) == nil)
}

@Test func aDeadlineIsDueFromItsMomentOn() {
  var timers = TimerQueue()
  timers.set(1, at: MonotonicTime(nanoseconds: 10))
  #expect(timers.timeout(at: MonotonicTime(nanoseconds: 7)) == .nanoseconds(3))
  #expect(timers.popExpired(at: MonotonicTime(nanoseconds: 9)) == nil)
  #expect(timers.timeout(at: MonotonicTime(nanoseconds: 10)) == .zero)
  #expect(timers.timeout(at: MonotonicTime(nanoseconds: 99)) == .zero)
  #expect(timers.popExpired(at: MonotonicTime(nanoseconds: 10)) == 1)
  #expect(timers.popExpired(at: MonotonicTime(nanoseconds: 10)) == nil)
  #expect(timers.count == 0)
}

@Test func settingAgainMovesAndCancellingForgets() {
  var timers = TimerQueue()
  timers.set(1, at: MonotonicTime(nanoseconds: 10))
  timers.set(1, at: MonotonicTime(nanoseconds: 30))
  timers.set(2, at: MonotonicTime(nanoseconds: 20))
  timers.set(2, at: MonotonicTime(nanoseconds: 5))
  timers.set(3, at: MonotonicTime(nanoseconds: 1))
  timers.cancel(3)
  timers.cancel(4)
  #expect(timers.count == 2)
  let end = MonotonicTime(nanoseconds: 100)
  #expect([timers.popExpired(at: end), timers.popExpired(at: end)] == [2, 1])
  #expect(timers.popExpired(at: end) == nil)
}

@Test func movingADeadlineForEverTakesNoMemory() {
  var timers = TimerQueue()
  timers.set(9, at: MonotonicTime(nanoseconds: .max))
  for moment in 0..<UInt64(100_000) { timers.set(1, at: MonotonicTime(nanoseconds: moment)) }
  #expect(timers.count == 2)
  #expect(timers.popExpired(at: MonotonicTime(nanoseconds: 99_998)) == nil)
  #expect(timers.popExpired(at: MonotonicTime(nanoseconds: 99_999)) == 1)
}

/// The twin: a dictionary searched in full.
@Test(arguments: Seed.sample(16))
func timersAgreeWithADictionary(seed: Seed) {
  var generator = seed.generator
  var timers = TimerQueue()
  var twin: [UInt64: UInt64] = [:]
  var now: UInt64 = 0
  for _ in 0..<3_000 {
    let token = UInt64.random(in: 0...40, using: &generator)
    switch Int.random(in: 0...5, using: &generator) {
    case 0...2:
      // Some deadlines lie in the past, many are equal.
      let deadline = now &+ UInt64.random(in: 0...60, using: &generator)
      timers.set(token, at: MonotonicTime(nanoseconds: deadline))
      twin[token] = deadline
    case 3:
      timers.cancel(token)
      twin[token] = nil
    default:
      now += UInt64.random(in: 0...20, using: &generator)
      let moment = MonotonicTime(nanoseconds: now)
      let earliest = twin.values.min()
      let timeout = earliest.map { Duration.nanoseconds($0 > now ? Int64($0 - now) : 0) }
      #expect(timers.timeout(at: moment) == timeout, "\(seed)")
      var last: UInt64 = 0
      while let expired = timers.popExpired(at: moment) {
        let deadline = twin.removeValue(forKey: expired)
        #expect(deadline != nil && deadline! <= now && deadline! >= last, "\(seed)")
        last = deadline ?? last
      }
      #expect(twin.values.allSatisfy { $0 > now }, "\(seed)")
    }
    #expect(timers.count == twin.count, "\(seed)")
  }
}
