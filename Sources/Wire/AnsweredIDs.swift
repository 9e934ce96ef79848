// Whose answer a line is: the ids read back from lines that `AnswerWriter` has made.

import Ledger

/// The ids of the requests that a line answers, in order. A line of several answers is that of a batch.
///
///     {"jsonrpc":"2.0","id":ID,…}\n
///     [{"jsonrpc":"2.0","id":ID,…},{"jsonrpc":"2.0","id":ID,…}]\n
///
/// Only for lines made here: their form is relied on, not checked, so anything else breaks a precondition.
package struct AnsweredIDs {
  package private(set) var ids: [RequestID] = []
  /// Whether the answers come in an array.
  package private(set) var isBatch = false

  /// - Parameter line: without its `\n`.
  /// - Complexity: O(bytes).
  package init(_ line: ArraySlice<UInt8>) {
    isBatch = line.first == UInt8(ascii: "[")
    var at = line.startIndex + (isBatch ? 1 : 0)
    while at < line.endIndex, line[at] == UInt8(ascii: "{") {
      let start = at + AnswerWriter.idOffset
      let end = Self.endOfValue(line, start)
      ids.append(RequestID(json: String(decoding: line[start..<end], as: UTF8.self)))
      // Behind it come a comma and the next answer, or the end.
      at = Self.endOfValue(line, at) + 1
    }
    precondition(!ids.isEmpty, "a line of answers answers somebody")
  }

  /// Where the value ends that begins at `start`: text, a number, null, or an object with all in it.
  private static func endOfValue(_ line: ArraySlice<UInt8>, _ start: Int) -> Int {
    var at = start
    var depth = 0
    while at < line.endIndex {
      switch line[at] {
      case UInt8(ascii: "\""): at = endOfText(line, at) - 1
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if depth == 0 { return at }
        depth -= 1
        if depth == 0 { return at + 1 }
      case UInt8(ascii: ","): if depth == 0 { return at }
      default: break
      }
      at += 1
    }
    return at
  }

  private static func endOfText(_ line: ArraySlice<UInt8>, _ start: Int) -> Int {
    var at = start + 1
    while line[at] != UInt8(ascii: "\"") { at += line[at] == UInt8(ascii: "\\") ? 2 : 1 }
    return at + 1
  }
}
