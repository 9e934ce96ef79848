// How far a long job is: rate, time to go, and the line that tells it.

/// Rate and time to go of a job, from the counts and times it is told. Knows no clock.
package struct ProgressMeter: Sendable {
  package let total: Int?
  package private(set) var done = 0
  package private(set) var elapsed: Duration = .zero
  /// Counts at recent times, oldest first: the rate shown is that of the last few seconds.
  private var samples: [(at: Duration, done: Int)] = [(.zero, 0)]
  private static let window: Duration = .seconds(5)

  package init(total: Int?) { self.total = total }

  /// Tells that `done` things are done at `elapsed` since the start; both never go back.
  package mutating func update(done: Int, elapsed: Duration) {
    self.done = max(self.done, done)
    self.elapsed = max(self.elapsed, elapsed)
    samples.append((self.elapsed, self.done))
    while samples.count > 2, samples[1].at <= self.elapsed - Self.window { samples.removeFirst() }
  }

  /// Things a second over the last few seconds; 0 before any time has passed.
  package var rate: Double {
    guard let first = samples.first, elapsed > first.at else { return 0 }
    return Double(done - first.done) / seconds(elapsed - first.at)
  }

  /// Things a second from start to now.
  package var meanRate: Double { elapsed > .zero ? Double(done) / seconds(elapsed) : 0 }

  /// 0 to 1, when the total is known; an empty job is done.
  package var fraction: Double? {
    guard let total else { return nil }
    return total <= 0 ? 1 : min(1, Double(done) / Double(total))
  }

  /// Time to go at the present rate; nil while the total or the rate is not known.
  package var remaining: Duration? {
    guard let total, rate > 0 else { return nil }
    return .seconds(Double(max(0, total - done)) / rate)
  }
}

package func seconds(_ duration: Duration) -> Double {
  let (whole, attoseconds) = duration.components
  return Double(whole) + Double(attoseconds) / 1e18
}

/// A duration as people read it: `850 µs`, `12.3 ms`, `4.56 s`, `2 min 5 s`, `1 h 2 min`.
package func readable(_ duration: Duration) -> String {
  let value = seconds(duration)
  switch value {
  case ..<0.001: return "\(wholeNumber(value * 1e6)) µs"
  case ..<1: return fixed(value * 1e3, value < 0.01 ? 2 : 1) + " ms"
  case ..<60: return fixed(value, 2) + " s"
  case ..<3600:
    let whole = wholeNumber(value)
    return "\(whole / 60) min \(whole % 60) s"
  default:
    let minutes = wholeNumber(value / 60)
    return "\(minutes / 60) h \(minutes % 60) min"
  }
}

/// The nearest whole number to a `value` of at least 0. (`rounded()` would link libm for this alone.)
private func wholeNumber(_ value: Double) -> Int { Int(value + 0.5) }

/// `value` with `places` digits after the point, without Foundation.
package func fixed(_ value: Double, _ places: Int) -> String {
  var scale = 1
  for _ in 0..<places { scale *= 10 }
  guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
  let scaled = wholeNumber(abs(value) * Double(scale))
  let sign = value < 0 && scaled > 0 ? "-" : ""
  guard places > 0 else { return sign + String(scaled) }
  let digits = String(scaled % scale)
  return sign + String(scaled / scale) + "." + String(repeating: "0", count: places - digits.count) + digits
}

/// A rate as people read it: `950/s`, `12.3 k/s`, `1.25 M/s`.
package func readableRate(_ rate: Double) -> String {
  switch rate {
  case ..<1000: fixed(rate, 0) + "/s"
  case ..<1e6: fixed(rate / 1e3, rate < 1e5 ? 1 : 0) + " k/s"
  default: fixed(rate / 1e6, 2) + " M/s"
  }
}

/// A number of bytes as people read it.
package func readableBytes(_ count: Int) -> String {
  switch count {
  case ..<1024: "\(count) B"
  case ..<(1 << 20): fixed(Double(count) / 1024, 1) + " KiB"
  case ..<(1 << 30): fixed(Double(count) / 1_048_576, 1) + " MiB"
  default: fixed(Double(count) / 1_073_741_824, 2) + " GiB"
  }
}

/// The one line that a terminal shows while a job runs.
package struct ProgressLine: Sendable {
  package let label: String
  package let noun: String
  package let box: BoxStyle
  package let isUnicode: Bool

  package init(label: String, noun: String, isUnicode: Bool) {
    self.label = label
    self.noun = noun
    self.isUnicode = isUnicode
    box = isUnicode ? .unicode : .ascii
  }

  /// `Balances  ████████▍░░░  62 %  620,000 / 1,000,000  310 k/s  1.2 s to go`, at most `width` columns.
  package func text(_ meter: ProgressMeter, width: Int) -> String {
    let count = groupedByThousands(String(meter.done))
    guard let fraction = meter.fraction, let total = meter.total else {
      let text = "\(label)  \(count) \(noun)  \(readableRate(meter.rate))  \(readable(meter.elapsed))"
      return TextWidth.elideEnd(text, columns: width, mark: box.ellipsis)
    }
    let percent = TextWidth.pad("\(Int(fraction * 100)) %", columns: 5, toRight: true)
    let goal = groupedByThousands(String(total))
    var tail = "\(percent)  \(TextWidth.pad(count, columns: TextWidth.of(goal), toRight: true)) / \(goal)"
    tail += "  " + readableRate(meter.rate)
    if let remaining = meter.remaining, meter.done < total {
      tail += "  \(readable(rounded(remaining))) to go"
    }
    let room = width - TextWidth.of(label) - TextWidth.of(tail) - 4
    guard room >= 8 else {
      return TextWidth.elideEnd("\(label) \(percent)  \(count)", columns: width, mark: box.ellipsis)
    }
    return "\(label)  \(bar(fraction, width: min(30, room)))  \(tail)"
  }

  /// What stays when the job is done: `Balances  1,000,000 balances in 3.21 s (311 k/s)`.
  package func summary(_ meter: ProgressMeter) -> String {
    let count = groupedByThousands(String(meter.done))
    return "\(label)  \(count) \(noun) in \(readable(meter.elapsed)) (\(readableRate(meter.meanRate)))"
  }

  /// A time to go flickers less without its small digits.
  private func rounded(_ duration: Duration) -> Duration {
    let value = seconds(duration)
    return value >= 10 ? .seconds(wholeNumber(value)) : .milliseconds(wholeNumber(value * 10) * 100)
  }

  private func bar(_ fraction: Double, width: Int) -> String {
    guard isUnicode else {
      let full = Int(fraction * Double(width - 2))
      return "[" + String(repeating: "#", count: full) + String(repeating: ".", count: width - 2 - full) + "]"
    }
    let eighths = Int(fraction * Double(width * 8))
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    let drawn = String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
    return drawn + String(repeating: "░", count: width - TextWidth.of(drawn))
  }
}
