// The program: its subcommands, and from argv to an exit code.

import LedgerlineClient
import Platform
import Wire

package enum Program {
  package static let version = "0.1.0"

  /// Every subcommand, in the order of `ledgerline --help`. A new one is a file of its own and a line here.
  package static let subcommands: [Subcommand] = [
    ServeCommand.subcommand, CallCommand.subcommand, ShellCommand.subcommand, ImportCommand.subcommand,
    ExportCommand.subcommand, ReportCommand.subcommand, DemoCommand.subcommand, CheckCommand.subcommand,
    VersionCommand.subcommand,
  ]

  /// Runs the command line of this process and ends it.
  package static func main() -> Never {
    let console = Console(process: ())
    let code = run(Array(CommandLine.arguments.dropFirst()), console)
    try? console.flush()
    CurrentProcess.exit(code.rawValue)
  }

  /// Runs `words`, the command line without the program's name.
  package static func run(_ words: [String], _ console: Console) -> ExitCode {
    var asJSON = words.contains("--json")
    do {
      guard let name = words.first else {
        try console.errors.write(help)
        return .ownError
      }
      if name == "--help" || name == "-h" || name == "help" && words.count == 1 {
        try console.output.write(help)
        return .ok
      }
      if name == "--version" { return run(["version"] + words.dropFirst(), console) }
      if name == "help" { return run([words[1], "--help"], console) }
      guard let subcommand = subcommands.first(where: { $0.name == name }) else {
        let meant = Suggestion.nearest(to: name, among: subcommands.map(\.name))
        throw CommandFailure(
          .ownError,
          "there is no subcommand \"\(name)\""
            + (meant.map { "; did you mean \($0)?" } ?? "; ledgerline --help lists them"))
      }
      asJSON = asJSON && subcommand.options.contains { $0.name == "json" }
      // `--help` wins over whatever else is wrong with the line.
      if words.dropFirst().prefix(while: { $0 != "--" }).contains(where: { $0 == "--help" || $0 == "-h" }) {
        try console.output.write(subcommand.help)
        return .ok
      }
      let options = try CommandOptions(Array(words.dropFirst()), subcommand.options)
      let code = try subcommand.run(options, console)
      try console.flush()
      return code
    } catch {
      let failure = CommandFailure(error)
      try? console.report(failure, asJSON: asJSON)
      return failure.exit
    }
  }

  static var help: String {
    var text = "Usage: ledgerline SUBCOMMAND [arguments] [options]\n\n"
    text += "A ledger that keeps balances in memory and moves money between them exactly.\n\nSubcommands:\n"
    let width = subcommands.map(\.name.count).max() ?? 0
    for subcommand in subcommands {
      text += "  " + TextWidth.pad(subcommand.name, columns: width) + "  " + subcommand.summary + "\n"
    }
    text += "\nledgerline SUBCOMMAND --help tells more of each.\n"
    text += "Exit codes: 0 done, 1 own error, 2 no connection, 3 refused by the server, 4 partly done.\n"
    return text
  }
}
