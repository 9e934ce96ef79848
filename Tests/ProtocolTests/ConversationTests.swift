// Requests and answers from files, through a real server and its socket: conversations of our own, the
// examples of the docs, and the bad requests that the decoder's tests know.

import Foundation
import Ledger
import LedgerlineClient
import Platform
import TestSupport
import Testing

@testable import Wire

/// A file of lines: `> request`, `< answer`, `= name`, `$ preparation`, `# comment`; `{{TEXT*COUNT}}` stands
/// for repetitions, `{{xFF}}` for a byte.
struct ConversationFile {
  struct Line {
    let number: Int
    let mark: Character
    let text: String
  }

  let lines: [Line]

  /// - Parameter path: from the root of the repository.
  init(_ path: String) throws {
    lines = try DocumentationPages.text(of: path).split(separator: "\n", omittingEmptySubsequences: false)
      .enumerated().compactMap { index, line in
        guard let mark = line.first, "><=$".contains(mark), line.dropFirst().first == " " else { return nil }
        return Line(number: index + 1, mark: mark, text: String(line.dropFirst(2)))
      }
  }

  static func bytes(of text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = text[...]
    while let open = rest.firstRange(of: "{{"), let close = rest[open.upperBound...].firstRange(of: "}}") {
      let macro = rest[open.upperBound..<close.lowerBound]
      if let star = macro.lastIndex(of: "*"), let count = Int(macro[macro.index(after: star)...]) {
        bytes += rest[..<open.lowerBound].utf8
        bytes += repeatElement(macro[..<star].utf8, count: count).joined()
      } else if macro.first == "x", let byte = UInt8(macro.dropFirst(), radix: 16) {
        bytes += rest[..<open.lowerBound].utf8 + [byte]
      } else {
        // Braces of JSON.
        bytes += rest[..<open.upperBound].utf8
        rest = rest[open.upperBound...]
        continue
      }
      rest = rest[close.upperBound...]
    }
    return bytes + rest.utf8
  }
}

@Suite struct ConversationTests {
  @Test func theServerKeepsToTheConversations() throws {
    var server: TestServer?
    var client: TestClient?
    for line in try ConversationFile("Tests/ProtocolTests/Data/conversations.txt").lines {
      switch line.mark {
      case "=":
        server = try TestServer()
        client = try server?.connect()
      case ">":
        try client?.send(ConversationFile.bytes(of: line.text) + [UInt8(ascii: "\n")])
      default:
        let answer = try #require(try client?.line(), "line \(line.number)")
        let difference = try ExpectedAnswer(json: line.text).difference(from: ExpectedAnswer(json: answer))
        #expect(difference == nil, "line \(line.number): \(answer.prefix(500))")
      }
    }
    client = nil
    server?.stop()
  }

  @Test func badRequestsGetTheAnswersOfTheDecoderAndChangeNothing() throws {
    let server = try TestServer()
    let client = try server.connect()
    var position: UInt64 = 0
    for line in try ConversationFile("Tests/WireTests/Data/bad-requests.txt").lines {
      switch line.mark {
      case "$", ">": try client.send(ConversationFile.bytes(of: line.text) + [UInt8(ascii: "\n")])
      default: break
      }
      switch line.mark {
      case "$":
        #expect(try client.answer()["result"] != nil, "line \(line.number)")
        position = server.books.position
      case "<":
        let answer = try client.line()
        let expected = String(decoding: ConversationFile.bytes(of: line.text), as: UTF8.self)
        #expect(answer == expected, "line \(line.number)")
        #expect(server.books.position == position, "line \(line.number)")
      default: break
      }
    }
    #expect(try client.call("server.ping")["result"]?.string == "pong")
  }

  @Test(arguments: ["docs/protocol.md"])
  func theExamplesOfAPageAreTrue(page: String) throws {
    let server = try TestServer()
    let client = try server.connect()
    for example in try DocumentationExample.examples(in: DocumentationPages.text(of: page), page: page) {
      for request in example.requests { try client.send(request) }
      for expected in example.answers {
        let answer = try #require(try client.line(), "\(example)")
        let difference = try expected.difference(from: ExpectedAnswer(json: answer))
        #expect(difference == nil, "\(example): \(answer)")
      }
    }
    #expect(try client.call("server.ping")["result"]?.string == "pong", "there were no more answers")
  }

  @Test func everyMethodsExampleIsTrue() throws {
    let server = try TestServer(clock: ManualClock())
    let client = try server.connect()
    let answers = try Self.answersOfTheMethodPage()
    for method in MethodTable.all {
      let name = "\(method.method.name)"
      for (preparation, params) in method.preparation {
        #expect(try client.call("\(preparation.name)", params)["result"] != nil, "\(name)")
      }
      try client.send(request(1, name, method.example))
      let answer = try #require(try client.line(), "\(name)")
      // MethodSamplesTests compares what depends on the server.
      guard let expected = answers[name], method.sample == nil else {
        #expect(
          try ExpectedAnswer(json: #"{"result":"…","…":"…"}"#).difference(from: .init(json: answer)) == nil)
        continue
      }
      let difference = try ExpectedAnswer(json: expected).difference(from: ExpectedAnswer(json: answer))
      #expect(difference == nil, "\(name): \(answer)")
    }
  }

  /// The answers that docs/methods.md shows, by method, with gaps where the server chooses.
  private static func answersOfTheMethodPage() throws -> [String: String] {
    var answers: [String: String] = [:]
    var method = ""
    for line in try DocumentationPages.text(of: "docs/methods.md").split(separator: "\n") {
      if line.hasPrefix("## ") { method = String(line.dropFirst(3)) }
      guard line.hasPrefix("← ") else { continue }
      answers[method] = String(line.dropFirst(2))
        .replacing(#/(ldg|bln|txn|idt|bulk)_[0-9a-f]{8}-[0-9a-f-]{27}/#) { "\($0.1)_…" }
        .replacing(#/"(next_cursor|hash)":"[^"]*"/#) { #""\#($0.1)":"…""# }
    }
    return answers
  }
}
