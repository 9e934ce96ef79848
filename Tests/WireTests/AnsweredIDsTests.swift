// The ids of answered requests are read back from any line of answers.

import Ledger
import Testing

@testable import Wire

struct AnsweredIDsTests {
  static let ids = [
    "1", "-0.5e10", "null", #""""#, #""a\"b""#, #""\\""#, #""}],{""#, "\"\u{1F600} \\u007d\"",
    "18446744073709551616",
  ]

  private func result(_ id: String, _ value: String) -> String {
    var output = JSONWriter()
    AnswerWriter.beginResult(RequestID(json: id), into: &output)
    output.value(Array(value.utf8).span)
    AnswerWriter.endResult(position: 7, into: &output)
    return String(output.text().dropLast())
  }

  private func error(_ id: String) -> String {
    var output = JSONWriter()
    AnswerWriter.error(.notFound("X", "a \" { [ text"), RequestID(json: id), into: &output)
    return String(output.text().dropLast())
  }

  private func answered(_ line: String) -> AnsweredIDs { AnsweredIDs(Array(("  " + line).utf8).dropFirst(2)) }

  @Test(arguments: ids) func oneAnswerHasItsID(id: String) {
    for line in [result(id, #"{"a":[1,{"b":"}]"}],"c":{}}"#), result(id, "[]"), result(id, "1"), error(id)] {
      let answered = answered(line)
      #expect(answered.ids == [RequestID(json: id)] && !answered.isBatch, "\(line)")
    }
  }

  @Test func aBatchHasTheIDsOfItsAnswersInOrder() {
    let answers = Self.ids.enumerated().map { number, id in
      number.isMultiple(of: 2) ? error(id) : result(id, #"["]","\\",{"d":[{}]}]"#)
    }
    let answered = answered("[" + answers.joined(separator: ",") + "]")
    #expect(answered.ids.map(\.json) == Self.ids && answered.isBatch)
  }
}
