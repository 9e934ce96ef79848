// A session of the shell on a server that answers from a table.

import LedgerlineClient
import Platform
import Testing

@testable import Commands

private final class TableServer: ShellServer {
  var answers: [String: Result<String, Refusal>] = [:]
  private(set) var asked: [(String, JSONNode?)] = []

  func call(_ method: String, _ params: JSONNode?) throws -> JSONNode {
    asked.append((method, params))
    guard let answer = answers[method] else {
      throw Refusal(code: -32601, message: "no such method: \(method)")
    }
    return try JSONNode.parse(try answer.get())
  }
}

private func session(_ answers: [String: String]) -> (ShellSession, Console, TableServer) {
  let server = TableServer()
  server.answers = answers.mapValues { .success($0) }
  let console = Console(width: 60)
  return (ShellSession(console: console, server: server, mode: .table, showsTiming: false), console, server)
}

extension ShellSession {
  fileprivate func type(_ text: String) throws -> Flow { try carryOut(try ShellLine.parse(text)) }
}

@Test func rowsAreATableAndModesChangeIt() throws {
  let (session, console, _) = session(["balances.list": #"[{"currency":"USD","balance":"1234567"}]"#])
  _ = try session.type("balances.list limit=1")
  #expect(console.output.captured.contains("│ USD      │ 1,234,567 │"))
  _ = try session.type(".mode csv")
  _ = try session.type("balances.list")
  #expect(console.output.captured.hasSuffix("currency,balance\nUSD,1234567\n"))
  _ = try session.type(".timing on")
  _ = try session.type("balances.list")
  #expect(console.output.captured.hasSuffix("Time: 0 µs\n"))
}

@Test func paramsReachTheServerAsTheyWereTyped() throws {
  let (session, _, server) = session(["balances.list": "[]"])
  _ = try session.type("balances.list limit=5 currency_eq=USD")
  #expect(server.asked[0].1 == .object([.init("limit", .number("5")), .init("currency_eq", .string("USD"))]))
}

@Test func wrongCommandsNameTheWayOut() {
  let (session, _, _) = session([:])
  func fault(_ text: String) -> String {
    do {
      _ = try session.type(text)
      return ""
    } catch { return CommandFailure(error).text }
  }
  #expect(fault(".mdoe csv") == "there is no command \".mdoe\"; did you mean .mode?")
  #expect(fault(".mode cvs").hasPrefix("there is no mode \"cvs\"; did you mean csv?"))
  #expect(fault(".timing maybe") == ".timing takes on or off, not \"maybe\"")
  #expect(fault(".mode") == "usage: .mode MODE")
  #expect(fault(".explain on") == ".explain is not in this version")
  #expect(CommandFailure(Refusal(code: -32601, message: "x")).exit == .refused)
}

@Test func quitLeavesAndHelpListsMethods() throws {
  let (session, console, _) = session([:])
  #expect(try session.type(".quit") == .quit)
  #expect(try session.type(".help balances.filter") == .goOn)
  #expect(console.output.captured.contains("balances.filter") && console.output.captured.contains("filters*"))
}

@Test func methodsComeFromTheServerWhenItTells() throws {
  let document =
    #"{"methods":[{"name":"a.b","summary":"Does.","params":[{"name":"x","required":true},{"name":"y"},"#
    + #"{"name":"created_at_gte"}]}]}"#
  let (session, _, _) = session(["rpc.discover": document])
  session.learnMethods()
  #expect(session.catalogue.methods.map(\.name) == ["a.b"])
  #expect(session.catalogue.method("a.b")?.parameters == ["x*", "y"], "conditions are told by their fields")
}

@Test(arguments: [
  ("balances.fi", ["balances.filter "]), (".mo", [".mode "]), (".mode e", ["expanded"]),
  ("balances.list curr", ["currency_", "currency_multiplier_"]),
  ("balances.list currency_e", ["currency_eq="]), ("balances.list limit=5 sort_by=cred", ["credit_balance"]),
  (#"balances.filter {"filters":[{"field":"ident"#, ["identity_id\""]),
  (#"balances.filter {"filters":[{"field":"balance","operator":"gt"#, ["gt\"", "gte\""]),
  (#"balances.filter {"fil"#, ["filters\":"]), ("nothing.known xyz", []),
])
func completionKnowsMethodsMembersFieldsAndOperators(text: String, candidates: [String]) {
  let completion = ShellCompletion.complete(text, .builtIn)
  #expect(completion.candidates == candidates)
}

@Test func commonPrefixIsWhatAllBeginWith() {
  #expect(Completion(replaced: 0, candidates: ["gt\"", "gte\""]).commonPrefix == "gt")
  #expect(Completion(replaced: 0, candidates: ["a"]).commonPrefix == "a")
  #expect(Completion(replaced: 0, candidates: []).commonPrefix == "")
}

@Test func historyFollowsTheEnvironment() {
  #expect(ShellCommand.historyPath { ["HOME": "/h"][$0] } == "/h/.ledgerline_history")
  #expect(ShellCommand.historyPath { ["HOME": "/h", "LEDGERLINE_HISTORY": "/x"][$0] } == "/x")
  #expect(ShellCommand.historyPath { ["HOME": "/h", "LEDGERLINE_HISTORY": "/dev/null"][$0] } == nil)
}
