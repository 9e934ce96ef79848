// The command line as a whole: help, exit codes, texts of failures.

import Testing

@testable import Commands

private func run(_ words: String...) -> (ExitCode, output: String, errors: String) {
  let console = Console(width: 100)
  let code = Program.run(words, console)
  try? console.flush()
  return (code, console.output.captured, console.errors.captured)
}

@Test func everySubcommandHasHelp() {
  for subcommand in Program.subcommands {
    let (code, output, errors) = run(subcommand.name, "--help", "--nonsense")
    #expect(code == .ok && errors.isEmpty)
    #expect(output.hasPrefix("Usage: ledgerline \(subcommand.name)"))
    for option in subcommand.options { #expect(output.contains("--\(option.name)")) }
    #expect(run("--help").output.contains(subcommand.summary))
  }
}

@Test func exitCodesTellWhoseFaultItWas() {
  #expect(run().0 == .ownError)
  #expect(run("--help").0 == .ok)
  #expect(run("versoin").errors == "error: there is no subcommand \"versoin\"; did you mean version?\n")
  #expect(run("call", "--sokcet", "x").0 == .ownError)
  #expect(run("call", "server.ping", "--socket", "/nonexistent/s").0 == .noConnection)
  #expect(run("call").errors == "error: missing argument: METHOD\n")
  #expect(run("call", "m", "{", "--socket", "/nonexistent/s").0 == .ownError)
  #expect(run("export", "balnces").errors.contains("did you mean balances?"))
  #expect(run("import", "/nonexistent/file.csv").0 == .ownError)
  #expect(run("import", "/nonexistent/file").errors.contains("give --format"))
}

@Test func jsonErrorsAreObjects() {
  #expect(
    run("export", "x", "--json").errors
      == #"{"error":{"exit_code":1,"message":"cannot export \"x\" (balances, transactions, "#
      + #"ledgers, identities)"}}"# + "\n")
}

@Test func versionIsTextOrJSON() {
  #expect(run("version").output == "ledgerline \(Program.version)\n")
  #expect(
    run("version", "--json").output.hasPrefix("{\"name\":\"ledgerline\",\"version\":\"\(Program.version)\""))
}

@Test func environmentDecidesColoursAndCharacters() {
  func colour(_ isTerminal: Bool, _ variables: [String: String]) -> Bool {
    TerminalHabits.isColourOn(isTerminal: isTerminal) { variables[$0] }
  }
  #expect(colour(true, [:]) && !colour(false, [:]))
  #expect(!colour(true, ["NO_COLOR": "1"]) && colour(true, ["NO_COLOR": ""]))
  #expect(colour(false, ["CLICOLOR_FORCE": "1"]) && !colour(false, ["CLICOLOR_FORCE": "0"]))
  #expect(!colour(true, ["CLICOLOR_FORCE": "1", "NO_COLOR": "1"]) && !colour(true, ["TERM": "dumb"]))
  func isUnicode(_ variables: [String: String]) -> Bool { TerminalHabits.isUnicode { variables[$0] } }
  #expect(isUnicode(["LANG": "de_DE.UTF-8"]) && isUnicode(["LC_ALL": "C.utf8", "LANG": "C"]))
  #expect(!isUnicode([:]) && !isUnicode(["LC_ALL": "C", "LANG": "en_US.UTF-8"]) && !isUnicode(["LANG": "C"]))
  #expect(TerminalHabits.width(terminal: 120) { _ in nil } == 120)
  #expect(TerminalHabits.width(terminal: 120) { $0 == "COLUMNS" ? "60" : nil } == 60)
  #expect(TerminalHabits.width(terminal: nil) { $0 == "COLUMNS" ? "no" : nil } == 80)
}
