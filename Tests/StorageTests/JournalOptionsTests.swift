// What the option --durability accepts.

import Testing

@testable import Storage

struct JournalOptionsTests {
  @Test
  func aDurabilityIsReadAndWritten() {
    for text in ["always", "none", "interval=1", "interval=250", "interval=3600000"] {
      #expect(Durability(text)?.description == text)
    }
    for text in [
      "", "Always", "interval", "interval=", "interval=0", "interval=3600001", "interval=-1", "interval=1ms",
    ] {
      #expect(Durability(text) == nil)
    }
  }

  @Test
  func timesOfCommitsAreFoundAgain() {
    var times = CommitTimes()
    for microseconds in 1...1000 { times.add(.microseconds(microseconds)) }
    #expect(times.count == 1000 && times.slowest == .microseconds(1000))
    let median = times.quantile(0.5)
    #expect(median >= .microseconds(500) && median <= .microseconds(640))
    #expect(times.quantile(1) == .microseconds(1000))
    #expect(CommitTimes().quantile(0.5) == .zero)
  }
}
