// `ledgerline shell`: the interactive session, and scripts on standard input.

import LedgerlineClient
import Platform

enum ShellCommand {
  static let subcommand = Subcommand(
    name: "shell", summary: "Talk to a server: line editing, history, completion, tables.",
    details: """
      Requests are METHOD {"key": value} or METHOD key=value; .help lists commands and methods. Ctrl-C stops the
      running request, Ctrl-D leaves. From a pipe or a file it runs each request and stops at the first that fails.

      History is kept in $LEDGERLINE_HISTORY, else ~/.ledgerline_history; /dev/null keeps none.

      Examples:
        ledgerline shell
        echo 'balances.list currency_eq=USD limit=3' | ledgerline shell --mode csv
      """,
    options: [
      OptionSpecification(
        "mode", value: .required("MODE"),
        help: "how results are shown: " + OutputMode.allCases.map(\.rawValue).joined(separator: ", ")),
      OptionSpecification("keep-going", help: "in a script, go on after a request that fails"),
      OptionSpecification("json", help: "the same as --mode json"),
    ] + ServerConnection.options
  ) { options, console in try run(options, console) }

  private static func run(_ options: CommandOptions, _ console: Console) throws -> ExitCode {
    try options.atMost(0)
    let chosen = try options.choice("mode", of: OutputMode.allCases.map(\.rawValue))
    let mode = chosen.flatMap(OutputMode.init) ?? (options.has("json") ? .json : .table)
    let isInteractive = console.isInputTerminal && console.isOutputTerminal
    SignalDescriptor.ignoreBrokenPipes()
    guard isInteractive else {
      let server = LiveServer(try ServerConnection.connect(options, console))
      let session = ShellSession(console: console, server: server, mode: mode, showsTiming: false)
      return try script(session, console, keepsGoing: options.has("keep-going"), asJSON: options.has("json"))
    }
    let interrupts = try SignalDescriptor([.interrupt])
    let client = try ServerConnection.connect(options, console, interruptDescriptor: interrupts.descriptor)
    let server = LiveServer(client)
    client.takeInterrupt = InterruptDrain(interrupts).drain
    try? client.learnConnectionNumber()
    let session = ShellSession(console: console, server: server, mode: mode, showsTiming: true)
    session.learnMethods()
    try console.print(
      console.paint(.bold, "ledgerline \(Program.version)") + "  connected to \(client.path)  "
        + console.paint(.dim, ".help for help, Tab completes, Ctrl-D leaves"))
    try console.output.flush()
    return try interact(session, console)
  }

  private static func interact(_ session: ShellSession, _ console: Console) throws -> ExitCode {
    let history = historyPath(console.environment)
    let editor = LineEditor(historyPath: history) { ShellCompletion.complete($0, session.catalogue) }
    guard let editor else { throw CommandFailure(.ownError, "libedit cannot use this terminal") }
    var pending = ""
    while true {
      switch editor.read(prompt: pending.isEmpty ? "ledgerline> " : "       ...> ") {
      case .end:
        try console.print("")
        return .ok
      case .cancelled: pending = ""
      case .line(let line):
        pending += (pending.isEmpty ? "" : "\n") + line
        do {
          let input = try ShellLine.parse(pending)
          if input == .unfinished { continue }
          if input != .nothing { editor.remember(pending) }
          pending = ""
          if try session.carryOut(input) == .quit { return .ok }
        } catch {
          if !pending.isEmpty { editor.remember(pending) }
          pending = ""
          try console.report(CommandFailure(error), asJSON: false)
        }
      }
    }
  }

  /// Requests of standard input, one after the other.
  private static func script(
    _ session: ShellSession, _ console: Console, keepsGoing: Bool, asJSON: Bool
  ) throws -> ExitCode {
    var reader = LineReader()
    var pending = ""
    var lineNumber = 0
    var code = ExitCode.ok
    while true {
      let isLast: Bool
      switch try reader.next() {
      case .line(let bytes):
        lineNumber += 1
        isLast = false
        pending += (pending.isEmpty ? "" : "\n") + String(decoding: bytes, as: UTF8.self)
      case .tooLong: throw CommandFailure(.ownError, "line \(lineNumber + 1) has more than 16 MiB")
      case .end: isLast = true
      }
      do {
        let input = try ShellLine.parse(pending)
        if input == .unfinished {
          guard isLast else { continue }
          throw CommandFailure(.ownError, "line \(lineNumber): the input ends inside a request")
        }
        pending = ""
        if try session.carryOut(input) == .quit { return code }
      } catch {
        pending = ""
        let failure = CommandFailure(error)
        let located = CommandFailure(
          failure.exit, "line \(lineNumber): \(failure.text)", refusal: failure.refusal)
        try console.report(located, asJSON: asJSON)
        guard keepsGoing, failure.exit != .noConnection else { return failure.exit }
        code = failure.exit
      }
      if isLast { return code }
    }
  }

  /// Where the history is kept; nil keeps none.
  static func historyPath(_ environment: (String) -> String?) -> String? {
    if let path = environment("LEDGERLINE_HISTORY"), !path.isEmpty { return path == "/dev/null" ? nil : path }
    guard let home = environment("HOME"), !home.isEmpty else { return nil }
    return home + "/.ledgerline_history"
  }
}

/// A session's server over a real connection.
private final class LiveServer: ShellServer {
  private let client: Client

  init(_ client: Client) { self.client = client }

  func call(_ method: String, _ params: JSONNode?) throws -> JSONNode {
    try client.call(method, params).result
  }
}

/// Keeps the signal descriptor and empties it.
private final class InterruptDrain {
  private let signals: SignalDescriptor

  init(_ signals: consuming SignalDescriptor) { self.signals = signals }

  func drain() {
    while let signal = try? signals.next(), signal == .interrupt {}
  }
}
