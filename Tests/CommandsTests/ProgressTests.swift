// Rates and times to go, on times that the test gives.

import Testing

@testable import Commands

@Test func rateIsThatOfTheLastSecondsAndTheMeanThatOfAll() {
  var meter = ProgressMeter(total: 1000)
  #expect(meter.rate == 0 && meter.remaining == nil)
  meter.update(done: 100, elapsed: .seconds(1))
  #expect(meter.rate == 100 && meter.remaining == .seconds(9))
  for second in 2...20 { meter.update(done: 100 + (second - 1) * 10, elapsed: .seconds(second)) }
  #expect(meter.rate == 10)
  #expect(meter.meanRate == 14.5)
  #expect(meter.fraction == 0.29)
}

@Test func progressNeverGoesBackAndAnEmptyJobIsDone() {
  var meter = ProgressMeter(total: 10)
  meter.update(done: 5, elapsed: .seconds(2))
  meter.update(done: 3, elapsed: .seconds(1))
  #expect(meter.done == 5 && meter.elapsed == .seconds(2))
  #expect(ProgressMeter(total: 0).fraction == 1)
  #expect(ProgressMeter(total: nil).fraction == nil)
}

@Test func lineFitsItsWidth() {
  var meter = ProgressMeter(total: 1_000_000)
  meter.update(done: 620_000, elapsed: .seconds(2))
  for isUnicode in [true, false] {
    let line = ProgressLine(label: "Balances", noun: "balances", isUnicode: isUnicode)
    for width in 10...200 { #expect(TextWidth.of(line.text(meter, width: width)) <= width) }
  }
  #expect(
    ProgressLine(label: "Balances", noun: "balances", isUnicode: true).text(meter, width: 100)
      == "Balances  ██████████████████▌░░░░░░░░░░░   62 %    620,000 / 1,000,000  310 k/s  1.20 s to go")
  #expect(
    ProgressLine(label: "Balances", noun: "balances", isUnicode: false).summary(meter)
      == "Balances  620,000 balances in 2.00 s (310 k/s)")
}

@Test(arguments: [
  (Duration.microseconds(850), "850 µs"), (.microseconds(1234), "1.23 ms"), (.milliseconds(123), "123.0 ms"),
  (.milliseconds(4560), "4.56 s"), (.seconds(125), "2 min 5 s"), (.seconds(3720), "1 h 2 min"),
])
func durationsReadWell(duration: Duration, text: String) { #expect(readable(duration) == text) }

@Test func fixedPointRoundsAndKeepsZeros() {
  #expect(fixed(1.005, 1) == "1.0")
  #expect(fixed(-0.04, 1) == "0.0")
  #expect(fixed(-1.25, 2) == "-1.25")
  #expect(fixed(12, 0) == "12")
  #expect(
    readableRate(950) == "950/s" && readableRate(12_300) == "12.3 k/s"
      && readableRate(1_250_000) == "1.25 M/s")
}
