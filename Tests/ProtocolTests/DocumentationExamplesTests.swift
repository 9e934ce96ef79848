// Claims about the examples in the docs: that they are well formed, and that comparing them can fail.

import Foundation
import Testing

struct DocumentationExamplesTests {
  static let pages = ["docs/protocol.md"]

  @Test(arguments: pages)
  func everyRequestOfAPageHasItsAnswer(page: String) throws {
    let examples = try DocumentationExample.examples(in: DocumentationPages.text(of: page), page: page)
    #expect(!examples.isEmpty, "\(page) has no examples")
    for example in examples {
      #expect(example.answers.count == example.answersCalledFor, "\(example)")
    }
  }

  @Test func examplesAreReadWithTheirLines() throws {
    let text = """
      # Page
      ```request
      {"id":1}
      {"method":"notified"}
      [{"method":"notified"}]
      ```
      words
      ```response
      {"id":1,
       "result":["}", "\\"]"]}
      ```
      ```
      {"not":"an example"}
      ```
      """
    let examples = try DocumentationExample.examples(in: text, page: "page.md")
    #expect(examples.map(\.description) == ["page.md:2"])
    #expect(examples[0].requests.count == 3)
    #expect(examples[0].answersCalledFor == 1)
    #expect(
      examples[0].answers == [.object(["id": .number(1), "result": .list([.text("}"), .text("\"]")])])])
  }

  @Test(arguments: [
    ("```request\n{}\n```", "page.md:1", "a request block without a response block"),
    ("```response\n{}\n```", "page.md:1", "a response block without a request block"),
    ("```request\n```\n```request\n```", "page.md:1", "a request block without a response block"),
    ("```request\n```\n```response\n{]\n```", "page.md:3", "not JSON: {]"),
  ])
  func aMalformedPageIsNamedWithItsLine(text: String, place: String, what: String) {
    #expect(throws: DocumentationExample.Malformed(place: place, what: what)) {
      try DocumentationExample.examples(in: text, page: "page.md")
    }
  }

  @Test(arguments: [
    (#"{"a":1,"b":[true,null]}"#, #"{"b":[true,null],"a":1}"#, nil),
    (#"{"a":1}"#, #"{"a":2}"#, "/a"),
    (#"{"a":1}"#, #"{"a":"1"}"#, "/a"),
    (#"{"a":1}"#, #"{"a":1,"b":2}"#, "/b"),
    (#"{"a":1,"…":"…"}"#, #"{"a":1,"b":2}"#, nil),
    (#"{"a":1,"…":"…"}"#, #"{"b":2}"#, "/a"),
    (#"{"id":"txn_…"}"#, #"{"id":"txn_1"}"#, nil),
    (#"{"id":"txn_…"}"#, #"{"id":"bln_1"}"#, "/id"),
    (#"{"id":"…"}"#, #"{"id":null}"#, nil),
    (#"[1,2]"#, #"[1]"#, ""),
    (#"[1,{"a":[0]}]"#, #"[1,{"a":[3]}]"#, "/1/a/0"),
  ])
  func aDifferenceIsFoundWhereItIs(expected: String, actual: String, pointer: String?) throws {
    let difference = try ExpectedAnswer(json: expected).difference(from: ExpectedAnswer(json: actual))
    let named = difference.map { String($0.prefix { $0 != ":" && $0 != " " }) }
    #expect(named == pointer, "\(difference ?? "no difference")")
  }
}
