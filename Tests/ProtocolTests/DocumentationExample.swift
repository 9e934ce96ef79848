// The examples of a page of the docs: blocks marked `request`, each with the `response` block after it.

import Foundation

/// Request lines as a page shows them, and the answers that it promises, in order.
struct DocumentationExample: CustomStringConvertible {
  let page: String
  /// The line of the page on which the request block opens, from 1.
  let line: Int
  let requests: [String]
  let answers: [ExpectedAnswer]

  var description: String { "\(page):\(line)" }

  /// What is wrong with the blocks of a page, with the page and the line.
  struct Malformed: Error, Equatable {
    let place: String
    let what: String
  }

  /// The examples in `text`, top to bottom. O(bytes).
  /// - Throws: `Malformed` when a request or a response stands alone, or a response is not JSON.
  static func examples(in text: String, page: String) throws -> [DocumentationExample] {
    var found: [DocumentationExample] = []
    var pending: Block?
    for block in blocks(in: text) {
      let place = "\(page):\(block.line)"
      switch (block.kind, pending) {
      case ("request", .some(let earlier)):
        throw Malformed(place: "\(page):\(earlier.line)", what: "a request block without a response block")
      case ("request", nil):
        pending = block
      case ("response", nil):
        throw Malformed(place: place, what: "a response block without a request block")
      case ("response", .some(let request)):
        pending = nil
        let answers = try values(in: block.lines.joined(separator: "\n")).map { json in
          do { return try ExpectedAnswer(json: json) } catch {
            throw Malformed(place: place, what: "not JSON: \(json)")
          }
        }
        found.append(
          DocumentationExample(page: page, line: request.line, requests: request.lines, answers: answers))
      default:
        continue
      }
    }
    if let pending {
      throw Malformed(place: "\(page):\(pending.line)", what: "a request block without a response block")
    }
    return found
  }

  /// How many answers `requests` call for: a notification has none, and what is not JSON has one.
  var answersCalledFor: Int {
    requests.count { request in
      switch try? ExpectedAnswer(json: request) {
      case .object(let members): members["id"] != nil
      case .list(let batch): batch.isEmpty || batch.contains(where: Self.hasIdentifier)
      default: true
      }
    }
  }

  private static func hasIdentifier(_ request: ExpectedAnswer) -> Bool {
    guard case .object(let members) = request else { return true }
    return members["id"] != nil
  }

  private struct Block {
    let kind: Substring
    let line: Int
    var lines: [String]
  }

  /// Every fenced block of a page, whatever its mark.
  private static func blocks(in text: String) -> [Block] {
    var closed: [Block] = []
    var open: Block?
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      if line.hasPrefix("```") {
        if let block = open { closed.append(block) }
        open = open == nil ? Block(kind: line.dropFirst(3), line: index + 1, lines: []) : nil
      } else {
        open?.lines.append(String(line))
      }
    }
    return closed
  }

  /// Splits objects and arrays that follow one another, each perhaps over several lines.
  private static func values(in text: String) -> [String] {
    var values: [String] = []
    var current = ""
    var depth = 0
    var inText = false
    var escaped = false
    for character in text {
      current.append(character)
      if inText {
        if escaped {
          escaped = false
        } else if character == "\\" {
          escaped = true
        } else if character == "\"" {
          inText = false
        }
        continue
      }
      switch character {
      case "\"": inText = true
      case "{", "[": depth += 1
      case "}", "]": depth -= 1
      default: continue
      }
      if depth == 0 {
        values.append(current.trimmingCharacters(in: .whitespacesAndNewlines))
        current = ""
      }
    }
    let rest = current.trimmingCharacters(in: .whitespacesAndNewlines)
    return rest.isEmpty ? values : values + [rest]
  }
}

/// The pages of this repository's `docs/`, found from this file's own place.
enum DocumentationPages {
  static func text(of page: String) throws -> String {
    try String(contentsOf: url(of: page), encoding: .utf8)
  }

  /// Where a file of the repository lies.
  static func url(of page: String) -> URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: page)
  }
}
