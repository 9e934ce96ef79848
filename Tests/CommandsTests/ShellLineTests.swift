// Lines of the shell, read into requests.

import LedgerlineClient
import Testing
import Wire

@testable import Commands

@Test func requestsAreReadInBothNotations() throws {
  let params = try JSONNode.parse(#"{"currency_eq":"USD","limit":5}"#)
  for text in [
    #"balances.list {"currency_eq":"USD","limit":5}"#, #"balances.list{"currency_eq":"USD","limit":5};"#,
    "balances.list currency_eq=USD limit=5", "  balances.list   currency_eq='USD'  limit=5 ; ",
    "# a comment\nbalances.list currency_eq=\"USD\" limit=5",
    "balances.list {\"currency_eq\":\n\"USD\",\n\"limit\":5}",
  ] {
    #expect(try ShellLine.parse(text) == .request(method: "balances.list", params: params), "\(text)")
  }
  #expect(try ShellLine.parse("server.ping") == .request(method: "server.ping", params: nil))
}

@Test func shorthandValuesAreJSONWhereTheyReadAsSuch() throws {
  let text =
    #"x a=1 b=true c=null d="1" e='1' f={"k": [1, 2]} g=["a b", "c"] h=bln_1 i=2024-01-01 j="two words" k="#
  #expect(
    try ShellLine.parse(text)
      == .request(
        method: "x",
        params: .object([
          .init("a", .number("1")), .init("b", .bool(true)), .init("c", .null), .init("d", .string("1")),
          .init("e", .string("1")), .init("f", .object([.init("k", .array([.number("1"), .number("2")]))])),
          .init("g", .array([.string("a b"), .string("c")])), .init("h", .string("bln_1")),
          .init("i", .string("2024-01-01")), .init("j", .string("two words")), .init("k", .string("")),
        ])))
}

@Test func openBracketsAskForMore() throws {
  for text in ["x {", "x {\"a\": [", "x {\"a\": \"b}", "x a={\"b\":", "x {\"a\": \"\\\""] {
    #expect(try ShellLine.parse(text) == .unfinished, "\(text)")
  }
  #expect(try ShellLine.parse("  ") == .nothing)
  #expect(try ShellLine.parse("# only a comment") == .nothing)
}

@Test func dotCommandsKeepTheirWords() throws {
  #expect(try ShellLine.parse(".mode csv") == .dotCommand(name: ".mode", arguments: ["csv"]))
  #expect(
    try ShellLine.parse(" .output \"a b.csv\" ") == .dotCommand(name: ".output", arguments: ["a b.csv"]))
  #expect(try ShellLine.parse(".output | wc -l") == .dotCommand(name: ".output", arguments: ["| wc -l"]))
}

@Test func wrongLinesSayWhatIsWrong() {
  func fault(_ text: String) -> ShellSyntaxError? {
    do {
      _ = try ShellLine.parse(text)
      return nil
    } catch { return error }
  }
  #expect(fault("x [1]") == .paramsNotObject)
  #expect(fault("x limit") == .expectedKeyValue("limit"))
  #expect(fault("x a=1 a=2") == .keyTwice("a"))
  #expect(fault("x a='b") == .openQuote)
  #expect(
    fault("x {\"a\" 1}") == .paramsNotJSON(.notJSON(offset: 5, what: .unexpectedByte(UInt8(ascii: "1")))))
}
