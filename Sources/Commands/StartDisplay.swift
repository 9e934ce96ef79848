// What `serve` shows while it loads and replays: a bar on a terminal, a log line now and then elsewhere.

import Platform
import Server
import Storage

/// Follows a start; any thread tells it how far it is.
final class StartDisplay: @unchecked Sendable {
  // @unchecked: everything below is touched under `lock` alone; the command's own thread waits meanwhile.
  private let lock = Lock()
  private let console: Console
  private let log: ServerLog
  private var stage = ""
  private var bar: ProgressDisplay?
  private var lastLogged: MonotonicTime?
  /// How often a line is logged where there is no terminal.
  private static let pace = Duration.seconds(5)

  init(_ console: Console, _ log: ServerLog) {
    self.console = console
    self.log = log
  }

  func show(_ progress: RecoveryProgress) {
    lock.lock()
    defer { lock.unlock() }
    switch progress {
    case .loading(let name, let rowCount, let total):
      show("Loading \(name)", "rows", rowCount, total)
    case .replaying(let factCount):
      show("Replaying the journal", "facts", factCount, nil)
    }
  }

  private func show(_ label: String, _ noun: String, _ done: Int, _ total: Int?) {
    if stage != label {
      try? bar?.clear()
      stage = label
      bar = console.isErrorTerminal ? ProgressDisplay(console, label: label, noun: noun, total: total) : nil
    }
    if let bar {
      try? bar.update(done)
      return
    }
    let now = console.clock.monotonicTime()
    guard let lastLogged else {
      self.lastLogged = now
      return
    }
    guard now - lastLogged >= Self.pace else { return }
    self.lastLogged = now
    log.log(.info, label, [(noun, total.map { "\(done) of \($0)" } ?? "\(done)")])
  }

  /// Takes the bar away.
  func finish() {
    lock.lock()
    defer { lock.unlock() }
    try? bar?.clear()
    bar = nil
  }
}
