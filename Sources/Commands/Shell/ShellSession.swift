// A session of the shell: its settings, its dot commands, requests and their results.

import LedgerlineClient
import Platform
import Wire

/// What a session needs of a server.
package protocol ShellServer: AnyObject {
  func call(_ method: String, _ params: JSONNode?) throws -> JSONNode
}

package final class ShellSession {
  package enum Flow: Equatable { case goOn, quit }

  private enum Destination {
    case console
    case file(TextSink)
    case command(String)
  }

  private let console: Console
  private let server: any ShellServer
  package private(set) var catalogue = MethodCatalogue.builtIn
  package private(set) var mode: OutputMode
  package private(set) var showsTiming: Bool
  package private(set) var usesPager = false
  package private(set) var explains = false
  private var rowLimit = 40
  private var destination = Destination.console
  /// Where the next result alone goes.
  private var once: Destination?

  package init(console: Console, server: any ShellServer, mode: OutputMode, showsTiming: Bool) {
    self.console = console
    self.server = server
    self.mode = mode
    self.showsTiming = showsTiming
  }

  /// Asks the server for its methods; one that does not tell leaves the built-in list.
  package func learnMethods() {
    if let document = try? server.call("rpc.discover", nil), let found = MethodCatalogue(openRPC: document) {
      catalogue = found
    }
  }

  /// Carries out one finished input.
  ///
  /// - Throws: `CommandFailure`, `Refusal`, `ClientError`, `ShellSyntaxError`: the session goes on.
  package func carryOut(_ input: ShellInput) throws -> Flow {
    switch input {
    case .nothing, .unfinished: return .goOn
    case .dotCommand(let name, let arguments): return try dotCommand(name, arguments)
    case .request(let method, let params):
      try request(method, params)
      return .goOn
    }
  }

  private func request(_ method: String, _ params: JSONNode?) throws {
    let start = console.clock.monotonicTime()
    let result = try server.call(method, params)
    let elapsed = console.clock.monotonicTime() - start
    let printer = ResultPrinter(mode: mode, table: console.table(rowLimit: rowLimit))
    try show(printer.text(result), time: showsTiming ? readable(elapsed) : nil)
    if explains, let question = Explanation.question(method, params) {
      let answer = try server.call("balances.explain", question)
      try console.output.write(Explanation.text(answer, console.paint))
      try console.output.flush()
    }
  }

  private func show(_ text: String, time: String?) throws {
    let target = once ?? destination
    once = nil
    switch target {
    case .file(let sink):
      try sink.write(text)
      try sink.flush()
    case .command(let command): try feed(command, text)
    case .console:
      if usesPager, let size = Terminal.size(), text.utf8.count(where: { $0 == 0x0a }) >= size.rows {
        try feed(console.environment("PAGER") ?? "less -SRFX", text)
      } else {
        try console.output.write(text)
      }
    }
    if let time { try console.output.write(console.paint(.dim, "Time: \(time)") + "\n") }
    try console.output.flush()
  }

  /// Gives `text` to a command line of the system's shell and waits for its end.
  private func feed(_ command: String, _ text: String) throws {
    try console.output.flush()
    var child = try ChildProcess(["sh", "-c", command])
    do { try child.standardInput?.write(text) } catch {
      // A pager that was left early has seen enough.
      guard error.name == "EPIPE" else { throw error }
    }
    let code = try child.finish()
    if code != 0 && code != 141 { throw CommandFailure(.ownError, "\"\(command)\" ended with code \(code)") }
  }
}

// MARK: - Dot commands

extension ShellSession {
  package static let help: [(command: String, text: String)] = [
    (".help [PATTERN]", "this list, and the methods whose name contains PATTERN"),
    (".mode MODE", "how results are shown: " + OutputMode.allCases.map(\.rawValue).joined(separator: ", ")),
    (".rows N", "rows of a table before its middle is cut; 0 shows all"),
    (".output FILE", "write results to FILE, or to a command: .output |CMD; without a word: here again"),
    (".once FILE", "as .output, for the next result alone"),
    (".timing on|off", "tell how long each request took"),
    (
      ".explain on|off", "after filters, lists and aggregates: how they are answered (carries them out again)"
    ),
    (".pager on|off", "show long results in $PAGER (less)"),
    (".quit", "leave, as Ctrl-D does"),
  ]

  private func dotCommand(_ name: String, _ arguments: [String]) throws -> Flow {
    func only(_ count: ClosedRange<Int>) throws {
      guard count.contains(arguments.count) else {
        let usage =
          Self.help.first { $0.command.hasPrefix(name + " ") || $0.command == name }?.command ?? name
        throw CommandFailure(.ownError, "usage: \(usage)")
      }
    }
    switch name {
    case ".quit", ".exit", ".q":
      return .quit
    case ".help":
      try only(0...1)
      try console.output.write(helpText(arguments.first))
      try console.output.flush()
    case ".mode":
      try only(1...1)
      guard let chosen = OutputMode(rawValue: arguments[0]) else {
        let names = OutputMode.allCases.map(\.rawValue)
        let meant = Suggestion.nearest(to: arguments[0], among: names).map { "; did you mean \($0)?" } ?? ""
        throw CommandFailure(
          .ownError, "there is no mode \"\(arguments[0])\"\(meant) (\(names.joined(separator: ", ")))")
      }
      mode = chosen
    case ".rows":
      try only(1...1)
      guard let count = Int(arguments[0]), (0...1_000_000).contains(count) else {
        throw CommandFailure(.ownError, ".rows takes a number from 0 to 1000000, not \"\(arguments[0])\"")
      }
      rowLimit = count
    case ".timing":
      try only(1...1)
      showsTiming = try Self.isOn(name, arguments[0])
    case ".pager":
      try only(1...1)
      usesPager = try Self.isOn(name, arguments[0])
    case ".output":
      try only(0...1)
      destination = try open(arguments.first)
    case ".once":
      try only(1...1)
      once = try open(arguments.first)
    case ".explain":
      try only(1...1)
      explains = try Self.isOn(name, arguments[0])
    default:
      let names = ShellCompletion.dotCommands
      let meant =
        Suggestion.nearest(to: name, among: names).map { "; did you mean \($0)?" } ?? "; .help lists them"
      throw CommandFailure(.ownError, "there is no command \"\(name)\"\(meant)")
    }
    return .goOn
  }

  private static func isOn(_ command: String, _ word: String) throws -> Bool {
    switch word {
    case "on": true
    case "off": false
    default: throw CommandFailure(.ownError, "\(command) takes on or off, not \"\(word)\"")
    }
  }

  private func open(_ target: String?) throws -> Destination {
    guard let target, target != "-" else { return .console }
    if target.hasPrefix("|") {
      let command = String(target.dropFirst().drop(while: \.isWhitespace))
      guard !command.isEmpty else { throw CommandFailure(.ownError, "a command is missing after |") }
      return .command(command)
    }
    return .file(TextSink(try OpenFile(target, .replace)))
  }

  /// Words in lines of at most `columns`, unless a single word is longer.
  private static func wrapped(_ words: [String], columns: Int) -> [String] {
    var lines: [String] = []
    for word in words {
      if let last = lines.last, last.count + 1 + word.count <= columns {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(word)
      }
    }
    return lines
  }

  private func helpText(_ pattern: String?) -> String {
    let wanted = pattern?.lowercased()
    var text = ""
    let commands = Self.help.filter { wanted.map($0.command.contains) ?? true }
    if !commands.isEmpty {
      if wanted == nil {
        text += "Requests:  METHOD {\"key\": value}   or   METHOD key=value key=value\n\nCommands:\n"
      }
      for entry in commands {
        text +=
          "  " + console.paint(.bold, TextWidth.pad(entry.command, columns: 16)) + "  " + entry.text + "\n"
      }
    }
    let methods = catalogue.matching(wanted)
    if !methods.isEmpty { text += (text.isEmpty ? "" : "\n") + "Methods:\n" }
    let width = methods.map(\.name.count).max() ?? 0
    for method in methods {
      let isDetailed = wanted != nil && methods.count <= 8
      let room = max(20, console.width - width - 4)
      text +=
        "  " + console.paint(.bold, TextWidth.pad(method.name, columns: width)) + "  "
        + TextWidth.elideEnd(method.summary, columns: room, mark: console.box.ellipsis) + "\n"
      if isDetailed, !method.parameters.isEmpty {
        let indent = String(repeating: " ", count: width + 4)
        for line in Self.wrapped(method.parameters, columns: max(20, console.width - width - 4)) {
          text += indent + console.paint(.dim, line) + "\n"
        }
      }
    }
    if text.isEmpty, let pattern { text = "nothing is named like \"\(pattern)\"\n" }
    return text
  }
}
