// Where a command's texts go: standard output and error, with what the terminal behind them can do.

import LedgerlineClient
import Platform

/// One stream of text.
package final class TextSink {
  private let stream: OutputStream?
  /// Keeps the file open that `stream` writes to.
  private let file: OpenFile?
  private var pending: [UInt8] = []
  /// What was written, when there is no stream: for tests.
  package private(set) var captured = ""
  private static let flushSize = 64 << 10

  /// A sink that keeps what is written to it.
  package init() {
    stream = nil
    file = nil
  }

  /// A sink that writes to a descriptor that stays open.
  package init(_ stream: OutputStream) {
    self.stream = stream
    file = nil
  }

  /// A sink that writes to a file, which it closes at its own end.
  package init(_ file: consuming OpenFile) {
    stream = OutputStream(descriptor: file.descriptor)
    self.file = consume file
  }

  /// What is written to; nil when it is kept.
  package var descriptor: CInt? { stream?.descriptor }

  /// Adds text; it reaches the stream at 64 KiB or at `flush`.
  package func write(_ text: String) throws(SystemError) { try write(Array(text.utf8)) }

  package func write(_ bytes: [UInt8]) throws(SystemError) {
    pending.append(contentsOf: bytes)
    if pending.count >= Self.flushSize { try flush() }
  }

  package func flush() throws(SystemError) {
    guard !pending.isEmpty else { return }
    defer { pending.removeAll(keepingCapacity: true) }
    if let stream {
      try stream.write(pending)
    } else {
      captured += String(decoding: pending, as: UTF8.self)
    }
  }
}

/// Standard output and error of a command, and how to draw on them.
package final class Console {
  package let output: TextSink
  package let errors: TextSink
  package let environment: (String) -> String?
  package let isOutputTerminal: Bool
  package let isErrorTerminal: Bool
  package let isInputTerminal: Bool
  package let isUnicode: Bool
  package let paint: Paint
  package let errorPaint: Paint
  package let clock: any TimeSource
  private let terminalColumns: () -> Int?

  /// A console for tests: keeps its texts, of the given width.
  package init(width: Int = 80, environment: [String: String] = [:], clock: any TimeSource = ManualClock()) {
    output = TextSink()
    errors = TextSink()
    self.environment = { environment[$0] }
    isOutputTerminal = false
    isErrorTerminal = false
    isInputTerminal = false
    isUnicode = true
    paint = .none
    errorPaint = .none
    self.clock = clock
    terminalColumns = { width }
  }

  /// The process's own streams.
  package init(process: Void) {
    let environment: (String) -> String? = { CurrentProcess.environment($0) }
    output = TextSink(OutputStream.standardOutput)
    errors = TextSink(OutputStream.standardError)
    self.environment = environment
    isInputTerminal = Terminal.isTerminal(0)
    isOutputTerminal = Terminal.isTerminal(1)
    isErrorTerminal = Terminal.isTerminal(2)
    isUnicode = TerminalHabits.isUnicode(environment)
    paint = Paint(isOn: TerminalHabits.isColourOn(isTerminal: isOutputTerminal, environment))
    errorPaint = Paint(isOn: TerminalHabits.isColourOn(isTerminal: isErrorTerminal, environment))
    clock = SystemClock()
    terminalColumns = { Terminal.size(of: 1)?.columns ?? Terminal.size(of: 2)?.columns }
  }

  /// Columns to draw on: `COLUMNS`, else the terminal's, else 80.
  package var width: Int { TerminalHabits.width(terminal: terminalColumns(), environment) }

  package var box: BoxStyle { isUnicode ? .unicode : .ascii }

  package func table(rowLimit: Int = 40) -> TableRenderer {
    TableRenderer(width: width, box: box, paint: paint, rowLimit: rowLimit)
  }

  package func print(_ text: String) throws(SystemError) {
    try output.write(text + "\n")
  }

  /// One line on standard error, at once. What was printed before comes first.
  package func note(_ text: String) throws(SystemError) {
    try output.flush()
    try errors.write(text + "\n")
    try errors.flush()
  }

  package func flush() throws(SystemError) {
    try output.flush()
    try errors.flush()
  }

  /// Faults of one refusal that are told.
  private static let faultLimit = 10

  /// Tells a failure: `ledgerline: text`, or the error object with `asJSON`.
  package func report(_ failure: CommandFailure, asJSON: Bool) throws(SystemError) {
    if asJSON { return try note(failure.node.text) }
    var text = errorPaint(.red, "error: ") + TextWidth.printable(failure.text)
    if let refusal = failure.refusal {
      let name = refusal.name.map { ", \($0)" } ?? ""
      text += errorPaint(.dim, " (\(refusal.code)\(name))")
      if let meant = refusal.details?["did_you_mean"]?.string, !failure.text.contains("did you mean") {
        text += "; did you mean \(TextWidth.printable(meant))?"
      }
      let faults = (refusal.details?["errors"]?.array ?? []).compactMap(\.string)
      for fault in faults.prefix(Self.faultLimit) where fault != refusal.message {
        text += "\n  " + TextWidth.printable(fault)
      }
      if faults.count > Self.faultLimit {
        text += "\n  and " + counted(faults.count - Self.faultLimit, "more fault")
      }
    }
    try note(text)
  }
}

/// What the environment says of colours, width and characters.
package enum TerminalHabits {
  /// `NO_COLOR` wins, then `CLICOLOR_FORCE`, then whether it is a terminal that is not dumb.
  package static func isColourOn(isTerminal: Bool, _ environment: (String) -> String?) -> Bool {
    if let off = environment("NO_COLOR"), !off.isEmpty { return false }
    if let force = environment("CLICOLOR_FORCE"), !force.isEmpty, force != "0" { return true }
    return isTerminal && environment("TERM") != "dumb"
  }

  /// Whether the locale's characters are UTF-8: the first of LC_ALL, LC_CTYPE and LANG that is set decides.
  package static func isUnicode(_ environment: (String) -> String?) -> Bool {
    for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
      guard let locale = environment(name), !locale.isEmpty else { continue }
      let lowercased = locale.lowercased()
      return lowercased.contains("utf-8") || lowercased.contains("utf8")
    }
    return false
  }

  package static func width(terminal: Int?, _ environment: (String) -> String?) -> Int {
    if let text = environment("COLUMNS"), let columns = Int(text), columns > 0 { return min(columns, 10_000) }
    return terminal ?? 80
  }
}
