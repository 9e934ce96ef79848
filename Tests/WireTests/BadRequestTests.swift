// Golden errors: each bad request of the data file gets exactly its answer, and the books stay as they were.

import Foundation
import Ledger
import Testing

@testable import Wire

/// The data file: `$` lines prepare the books, `>` lines are requests, the `<` line after one is its answer.
/// `{{TEXT*COUNT}}` stands for repetitions, `{{xFF}}` for a byte.
private enum GoldenFile {
  static var place: URL {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Data/bad-requests.txt")
  }

  static func lines() throws -> [String] {
    try String(contentsOf: place, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
      .map(String.init)
  }

  static func bytes(of text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = text[...]
    while let open = rest.firstRange(of: "{{") {
      bytes.append(contentsOf: rest[..<open.lowerBound].utf8)
      guard let close = rest[open.upperBound...].firstRange(of: "}}") else { break }
      let macro = rest[open.upperBound..<close.lowerBound]
      if let star = macro.lastIndex(of: "*"), let count = Int(macro[macro.index(after: star)...]) {
        for _ in 0..<count { bytes.append(contentsOf: macro[..<star].utf8) }
      } else if macro.first == "x", let byte = UInt8(macro.dropFirst(), radix: 16) {
        bytes.append(byte)
      }
      rest = rest[close.upperBound...]
    }
    bytes.append(contentsOf: rest.utf8)
    return bytes
  }
}

@Suite struct BadRequestTests {
  /// To write the answers anew after a change, which the reviewer then reads:
  /// `LEDGERLINE_WRITE_GOLDEN=1 swift test --filter BadRequestTests`.
  @Test func eachBadRequestGetsItsAnswerAndChangesNothing() throws {
    let isWriting = ProcessInfo.processInfo.environment["LEDGERLINE_WRITE_GOLDEN"] != nil
    var conversation = Conversation()
    var written: [String] = []
    var request: String?
    var state = ""
    for line in try GoldenFile.lines() {
      if line.hasPrefix("$ ") {
        let answer = conversation.answer(GoldenFile.bytes(of: String(line.dropFirst(2)))) ?? ""
        #expect(answer.contains(#""result""#), "\(line) \(answer)")
        state = ""
      }
      if line.hasPrefix("> ") { request = String(line.dropFirst(2)) }
      if line.hasPrefix("< "), let asked = request {
        if state.isEmpty { state = Self.state(&conversation) }
        let answer = conversation.answer(GoldenFile.bytes(of: asked)) ?? ""
        if isWriting {
          written.append("< " + answer)
        } else {
          #expect(
            answer == String(decoding: GoldenFile.bytes(of: String(line.dropFirst(2))), as: UTF8.self),
            "\(asked)")
        }
        #expect(Self.state(&conversation) == state, "changed by \(asked)")
        #expect(answer.contains(#""error""#), "\(asked) \(answer)")
        request = nil
        continue
      }
      written.append(line)
    }
    if isWriting {
      try written.joined(separator: "\n").write(to: GoldenFile.place, atomically: true, encoding: .utf8)
      Issue.record("written anew; run again without LEDGERLINE_WRITE_GOLDEN")
    }
  }

  /// Counts, position and every balance, as text.
  private static func state(_ conversation: inout Conversation) -> String {
    let counts = conversation.books.counts
    var state = "\(counts) \(conversation.books.position)"
    for id in ["bln_a", "bln_b", "bln_euro"] {
      state +=
        conversation.answer(#"{"id":0,"method":"balances.get","params":{"balance_id":"\#(id)"}}"#) ?? ""
    }
    return state
  }
}
