// Clocks: the kernel's move forwards, a manual one moves when told to.

import Platform
import Testing

@Test func theMonotonicClockNeverFalls() {
  let clock = SystemClock()
  var last = clock.monotonicTime()
  for _ in 0..<10_000 {
    let now = clock.monotonicTime()
    #expect(now >= last)
    last = now
  }
}

@Test func theWallClockIsInThisCenturyAndInMicroseconds() {
  let now = SystemClock().wallTime()
  #expect(now > Microseconds(1_735_689_600_000_000))
  #expect(now < Microseconds(4_102_444_800_000_000))
}

@Test func aManualClockMovesOnlyWhenTold() {
  let clock = ManualClock(wall: 1_000, monotonicNanoseconds: 5)
  #expect(clock.wallTime() == Microseconds(1_000))
  #expect(clock.wallTime() == clock.wallTime())
  clock.advance(by: .microseconds(7))
  #expect(clock.wallTime() == Microseconds(1_007))
  #expect(clock.monotonicTime() == MonotonicTime(nanoseconds: 7_005))
}

@Test func settingTheWallClockBackDoesNotTouchTheMonotonicOne() {
  let clock = ManualClock()
  let before = clock.monotonicTime()
  clock.setWall(Microseconds(12))
  #expect(clock.wallTime() == Microseconds(12))
  #expect(clock.monotonicTime() == before)
}

@Test func differencesOfMomentsHaveASign() {
  let early = MonotonicTime(nanoseconds: 10)
  let late = MonotonicTime(nanoseconds: 25)
  #expect(late - early == .nanoseconds(15))
  #expect(early - late == .nanoseconds(-15))
  #expect(early + .nanoseconds(15) == late)
  #expect(late + .nanoseconds(-15) == early)
}

@Test func momentsStayInsideTheirRange() {
  #expect(MonotonicTime(nanoseconds: 3) + .nanoseconds(-4) == MonotonicTime(nanoseconds: 0))
  #expect(MonotonicTime(nanoseconds: .max) + .nanoseconds(1) == MonotonicTime(nanoseconds: .max))
  #expect(Duration.seconds(1 << 40).wholeNanoseconds == .max)
  #expect(Duration.seconds(-1 << 40).wholeNanoseconds == .min)
  #expect(Duration.milliseconds(-3).wholeNanoseconds == -3_000_000)
}

@Test func randomBytesFillTheWholeArrayAndDiffer() {
  #expect(KernelRandom.bytes(count: 0).isEmpty)
  let bytes = KernelRandom.bytes(count: 100_000)
  #expect(bytes.count == 100_000)
  // Each value is expected 390 times; missing one by chance has a likelihood below 10^-150.
  #expect(Set(bytes).count == 256)
  #expect(Set(bytes[99_000...]).count > 200)
  #expect(KernelRandom.word() != KernelRandom.word())
}
