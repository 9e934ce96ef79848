// Showing progress: one line that is redrawn on a terminal, a line now and then elsewhere.

import Platform

final class ProgressDisplay {
  private let console: Console
  private let line: ProgressLine
  private var meter: ProgressMeter
  private let start: MonotonicTime
  private var lastDrawn: MonotonicTime
  private let isLive: Bool
  /// How often a terminal's line is redrawn, and how often a plain line is written.
  private static let redraw: Duration = .milliseconds(100)
  private static let plain: Duration = .seconds(5)

  /// Starts the clock. Nothing is shown when `isQuiet`.
  init(_ console: Console, label: String, noun: String, total: Int?, isQuiet: Bool = false) {
    self.console = console
    self.isQuiet = isQuiet
    line = ProgressLine(label: label, noun: noun, isUnicode: console.isUnicode)
    meter = ProgressMeter(total: total)
    start = console.clock.monotonicTime()
    lastDrawn = start
    isLive = console.isErrorTerminal
  }

  private let isQuiet: Bool

  var elapsed: Duration { console.clock.monotonicTime() - start }
  var done: Int { meter.done }

  func update(_ done: Int) throws {
    let now = console.clock.monotonicTime()
    meter.update(done: done, elapsed: now - start)
    guard !isQuiet, now - lastDrawn >= (isLive ? Self.redraw : Self.plain) else { return }
    lastDrawn = now
    let text = line.text(meter, width: console.width - 1)
    try console.output.flush()
    try console.errors.write(isLive ? "\r" + text + "\u{1b}[K" : text + "\n")
    try console.errors.flush()
  }

  /// Takes the line away, so that other text can be written.
  func clear() throws {
    guard isLive, !isQuiet else { return }
    try console.errors.write("\r\u{1b}[K")
    try console.errors.flush()
  }

  /// Replaces the line by its summary.
  func finish(_ done: Int, remark: String = "") throws {
    meter.update(done: done, elapsed: elapsed)
    try clear()
    guard !isQuiet else { return }
    try console.note(console.errorPaint(.green, console.box.tick) + " " + line.summary(meter) + remark)
  }
}
