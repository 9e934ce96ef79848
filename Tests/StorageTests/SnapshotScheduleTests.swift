// When a snapshot is due.

import Platform
import Testing

@testable import Storage

struct SnapshotScheduleTests {
  private let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

  @Test(arguments: [
    ("off", SnapshotInterval.off), ("1", .facts(1)), ("100000", .facts(100_000)),
    ("30s", .time(.seconds(30))), ("5m", .time(.seconds(300))), ("1h", .time(.seconds(3600))),
    ("90m", .time(.seconds(5400))),
  ])
  func intervalsAreRead(text: String, expected: SnapshotInterval) {
    #expect(SnapshotInterval(text) == expected)
    #expect(SnapshotInterval(expected.description) == expected)
  }

  @Test(arguments: [
    "", "0", "0s", "-1", "1.5h", "s", "10 s", "10d", "OFF", "1e3", "99999999999999999999", "99999999999h",
    "١s", "+5",
  ])
  func whatIsNoIntervalIsRefused(text: String) {
    #expect(SnapshotInterval(text) == nil)
  }

  @Test
  func factsMakeASnapshotDueAtTheirNumber() {
    let schedule = SnapshotSchedule(.facts(100), position: 50, now: start)
    #expect(!schedule.isDue(position: 149, now: start))
    #expect(schedule.isDue(position: 150, now: start))
    #expect(schedule.delay(position: 149, now: start) == nil)
  }

  @Test
  func timeMakesASnapshotDueOnlyWhenSomethingChanged() {
    let schedule = SnapshotSchedule(.time(.seconds(30)), position: 50, now: start)
    let almost = start + .seconds(30) + .nanoseconds(-1)
    #expect(!schedule.isDue(position: 51, now: almost))
    #expect(schedule.delay(position: 51, now: almost) == .nanoseconds(1))
    #expect(schedule.isDue(position: 51, now: start + .seconds(30)))
    #expect(!schedule.isDue(position: 50, now: start + .seconds(3000)))
  }

  @Test
  func oneSnapshotRunsAtATimeAndTheNextCountsFromIt() {
    var schedule = SnapshotSchedule(.facts(10), position: 0, now: start)
    schedule.begin()
    #expect(!schedule.isDue(position: 1000, now: start))
    schedule.succeed(position: 500, now: start + .seconds(1))
    #expect(!schedule.isDue(position: 509, now: start + .seconds(1)))
    #expect(schedule.isDue(position: 510, now: start + .seconds(1)))
  }

  @Test
  func aFailureIsNotTriedAgainAtOnce() {
    var schedule = SnapshotSchedule(.facts(10), position: 0, now: start)
    schedule.begin()
    schedule.fail(now: start)
    #expect(!schedule.isDue(position: 1000, now: start + .seconds(9)))
    #expect(schedule.delay(position: 1000, now: start + .seconds(9)) == .seconds(1))
    #expect(schedule.isDue(position: 1000, now: start + .seconds(10)))
  }

  @Test
  func offIsNeverDue() {
    let schedule = SnapshotSchedule(.off, position: 0, now: start)
    #expect(!schedule.isDue(position: .max, now: start + .seconds(1_000_000)))
    #expect(schedule.delay(position: .max, now: start) == nil)
  }
}
