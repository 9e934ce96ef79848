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
  #expect(fault(".explain maybe") == ".explain takes on or off, not \"maybe\"")
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

@Test func anExplainedRequestIsFollowedByItsPlan() throws {
  let (session, console, server) = session([
    "balances.list": #"[{"currency":"USD"}]"#,
    "balances.explain":
      #"{"plan":{"path":"newest","count_path":"groups","estimates":{"rows":60,"matches":null,"ns":1500},"#
      + #""tests":["currency one of 1 codes"]},"actual":{"rows_scanned":64,"rows_matched":20,"#
      + #""rows_touched":20,"chunks_pruned":0,"fell_through":false,"instant":true},"#
      + #""steps":[{"name":"plan","ns":400},{"name":"find","ns":1430}],"row_count":20}"#,
  ])
  _ = try session.type(".explain on")
  _ = try session.type("balances.list currency_eq=USD balance_gte=10 limit=5")
  #expect(server.asked.count == 2 && server.asked[1].0 == "balances.explain")
  let asked = try JSONNode.parse(
    #"{"limit":5,"filters":[{"field":"currency","operator":"eq","value":"USD"},"#
      + #"{"field":"balance","operator":"gte","value":"10"}],"table":"balances","method":"filter"}"#)
  #expect(server.asked[1].1 == asked)
  let text = console.output.captured
  #expect(text.contains("path newest, count by groups, on the books as they stand  1.83 µs\n"), "\(text)")
  #expect(text.contains("actual     scanned 64, matched 20, touched 20, chunks left out 0\n"))
  #expect(text.hasSuffix("steps      plan 0.40 µs, find 1.43 µs\n"))
  _ = try session.type(".explain off")
  _ = try session.type("balances.list")
  #expect(server.asked.count == 3)
}

@Test func onlyQuestionsAreExplained() {
  #expect(Explanation.question("balances.get", nil) == nil)
  #expect(Explanation.question("server.info", nil) == nil)
  #expect(Explanation.question("balances.query", .object([])) == nil)
  #expect(
    Explanation.question("transactions.aggregate", .object([.init("metrics", .array([.string("count")]))]))
      == .object([
        .init("metrics", .array([.string("count")])), .init("table", .string("transactions")),
        .init("method", .string("aggregate")),
      ]))
}
