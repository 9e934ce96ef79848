// What is JSON and what is not: a list in the manner of JSONTestSuite, read by both engines.

import Foundation
import Testing

@testable import Wire

/// Bytes written as text: `\xHH` in the text stands for one byte.
private func bytes(_ text: String) -> [UInt8] {
  var result: [UInt8] = []
  var rest = Substring(text)
  while let first = rest.first {
    if rest.hasPrefix("\\x"), let byte = UInt8(rest.dropFirst(2).prefix(2), radix: 16) {
      result.append(byte)
      rest = rest.dropFirst(4)
    } else {
      result.append(contentsOf: String(first).utf8)
      rest = rest.dropFirst()
    }
  }
  return result
}

/// Nil when `line` is accepted; the engines must say the same.
private func fault(_ line: [UInt8]) -> JSONFault? {
  var fast = JSONDocument(engine: .simdjson)
  var checked = JSONDocument(engine: .scanner)
  let faults = (faultOf(&fast, line), faultOf(&checked, line))
  #expect(faults.0 == faults.1, "\(String(decoding: line.prefix(200), as: UTF8.self))")
  #expect(tokens(of: fast) == tokens(of: checked), "\(String(decoding: line.prefix(200), as: UTF8.self))")
  return faults.0
}

private func faultOf(_ document: inout JSONDocument, _ line: [UInt8]) -> JSONFault? {
  do throws(JSONFault) {
    unsafe try document.parse(copying: line.span.bytes)
    return nil
  } catch {
    return error
  }
}

private func tokens(of document: borrowing JSONDocument) -> [JSONToken]? {
  guard document.isReadable else { return nil }
  return (0..<document.tokenCount).map { document.tape[$0] }
}

@Suite struct JSONAcceptanceTests {
  @Test func theListOfLinesIsReadAsItSays() throws {
    let url = try #require(
      Bundle.module.url(forResource: "json-lines", withExtension: "txt", subdirectory: "Data"))
    let list = try String(contentsOf: url, encoding: .utf8)
    var counts = (accepted: 0, refused: 0)
    for entry in list.split(separator: "\n") where !entry.hasPrefix("#") {
      let line = bytes(String(entry.dropFirst(3).dropLast()))
      let found = fault(line)
      if entry.hasPrefix("y") {
        counts.accepted += 1
        #expect(found == nil, "\(entry)")
        continue
      }
      counts.refused += 1
      guard case .notJSON(let offset, _) = found else {
        Issue.record("accepted, or refused for another reason: \(entry): \(String(describing: found))")
        continue
      }
      #expect(offset >= 0 && offset <= line.count, "\(entry)")
    }
    #expect(counts.accepted > 50 && counts.refused > 200)
  }

  @Test(arguments: [
    ("{\"a\":1,\"a\":2}", "a", 1, 7), ("{\"a\":1,\"\\u0061\":2}", "a", 1, 7),
    ("{\"\\u0061\":1,\"a\":2}", "a", 1, 12),
    ("[{\"x\":{\"\":1,\"\":2}}]", "", 7, 12), ("{\"id\":1,\"method\":\"m\",\"id\":2}", "id", 1, 21),
    ("{\"abcdefghi\":1,\"abcdefghj\":2,\"abcdefghi\":3}", "abcdefghi", 1, 29),
    ("{\"é\":1,\"\\u00e9\":1}", "é", 1, 8),
    ("{\"a\":{\"b\":1,\"b\":2},\"a\":3}", "b", 6, 12), ("{\"a\":1,\"a\":{\"b\":1,\"b\":2}}", "a", 1, 7),
    ("{\"\\ud83d\\ude00\":1,\"😀\":2}", "😀", 1, 18), ("{\"a\":1,\"b\":1,\"a\":1,\"b\":1}", "a", 1, 13),
  ])
  func duplicateKeysAreNamedWithBothOffsets(text: String, name: String, first: Int, second: Int) {
    #expect(fault(bytes(text)) == .duplicateKey(name: name, firstOffset: first, secondOffset: second))
  }

  @Test func aFaultOfSyntaxAfterADuplicateKeyWins() {
    #expect(fault(bytes("{\"a\":1,\"a\":2")) == .notJSON(offset: 12, what: .unexpectedEnd))
    #expect(
      fault(bytes("{\"a\":1,\"a\":2}x")) == .notJSON(offset: 13, what: .textAfterValue(UInt8(ascii: "x"))))
  }

  @Test func aDuplicateAmongManyKeysIsFoundAtAnyPlace() {
    for count in [2, 8, 11, 12, 13, 14, 31, 32, 33, 64, 100, 1000] {
      let members = (0..<count).map { "\"key\($0)\":\($0)" }
      #expect(fault(Array("{\(members.joined(separator: ","))}".utf8)) == nil)
      for repeated in Set([0, count / 2, count - 1]) {
        let text = "{\((members + ["\"key\(repeated)\":0"]).joined(separator: ","))}"
        guard case .duplicateKey(let name, _, _) = fault(Array(text.utf8)) else {
          Issue.record("\(count) keys, key\(repeated) twice: not found")
          continue
        }
        #expect(name == "key\(repeated)")
      }
    }
  }

  @Test(arguments: [10, 63, 64, 65, 66, 1_000, 100_000, 10_000_000])
  func nestingBeyondSixtyFourIsRefusedInConstantMemory(depth: Int) {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] where depth <= 1_000_000 || open == "[" {
      let inner = open == "[" ? "" : "1"
      let line = Array(
        (String(repeating: open, count: depth) + inner + String(repeating: close, count: depth)).utf8)
      var document = JSONDocument()
      let found = faultOf(&document, line)
      #expect(found == (depth <= 64 ? nil : .nestedTooDeep(offset: 64 * open.utf8.count)))
      let tokenCount = document.tokenCount
      #expect(tokenCount <= 65 * 2)
      let unclosed = Array(line.dropLast())
      #expect(faultOf(&document, unclosed) == .notJSON(offset: unclosed.count, what: .unexpectedEnd))
      #expect(faultOf(&document, Array(line.prefix(depth * open.utf8.count))) != nil)
    }
  }

  @Test func hugeNumbersAreOneTokenEach() throws {
    for digits in [1, 19, 20, 21, 1_000, 1_001, 100_000, 1_000_000] {
      let text = String(repeating: "9", count: digits)
      var document = JSONDocument()
      try document.parse(copying: "[\(text),-\(text),0.\(text),1e\(text)]")
      let count = document.root!.count
      let tokenCount = document.tokenCount
      #expect(count == 4 && tokenCount == 5)
    }
  }

  @Test func aKeyOfAMegabyteIsLikeAnyOther() {
    let key = String(repeating: "k", count: 1 << 20)
    #expect(fault(Array("{\"\(key)\":1,\"\(key)x\":2}".utf8)) == nil)
    #expect(
      fault(Array("{\"\(key)\":1,\"\(key)\":2}".utf8))
        == .duplicateKey(name: key, firstOffset: 1, secondOffset: 6 + key.utf8.count))
  }

  @Test func aMillionMembersAndElementsAreCounted() throws {
    let members = (0..<1_000_000).map { "\"\($0)\":0" }.joined(separator: ",")
    var document = JSONDocument()
    try document.parse(copying: "{\(members)}")
    let memberCount = document.root!.count
    #expect(memberCount == 1_000_000)
    try document.parse(copying: "[\(String(repeating: "0,", count: 999_999))0]")
    let elementCount = document.root!.count
    #expect(elementCount == 1_000_000)
    document.shrink()
    let capacity = document.tape.capacity
    #expect(capacity == JSONTape.smallestCapacity)
  }
}
