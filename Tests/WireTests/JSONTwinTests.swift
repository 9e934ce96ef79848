// The fast engine against the checked one, under seeds: the same tokens, the same faults.

import TestSupport
import Testing

@testable import Wire

/// Makes JSON text, and spoils it.
struct JSONMaker {
  var generator: SeededGenerator

  init(_ seed: Seed) { generator = seed.generator }

  mutating func blanks() -> String {
    Int.random(in: 0..<6, using: &generator) == 0
      ? [" ", "  ", "\t", "\r", " \t "].randomElement(using: &generator)! : ""
  }

  mutating func string() -> String {
    let pieces = [
      "a", "id", "balance_id", "method", "é", "😀", "\\n", "\\\"", "\\\\", "\\u00e9", "\\ud83d\\ude00", "{",
      "}", ",", ":", "[", " ",
      "\u{2028}", "\\/", "abcdefgh", "0",
    ]
    let count = Int.random(in: 0...5, using: &generator)
    return "\"" + (0..<count).map { _ in pieces.randomElement(using: &generator)! }.joined() + "\""
  }

  mutating func scalar() -> String {
    let fixed = [
      "0", "-0", "1", "-12", "3.25", "1e9", "-1.5E-3", "true", "false", "null",
      "123456789012345678901234567890",
    ]
    return Bool.random(using: &generator) ? string() : fixed.randomElement(using: &generator)!
  }

  mutating func value(depth: Int) -> String {
    let choice = depth == 0 ? 0 : Int.random(in: 0..<4, using: &generator)
    if choice < 2 { return blanks() + scalar() + blanks() }
    let count = Int.random(
      in: 0...(Int.random(in: 0..<20, using: &generator) == 0 ? 20 : 4), using: &generator)
    let parts = (0..<count).map { _ in
      choice == 2 ? value(depth: depth - 1) : blanks() + string() + blanks() + ":" + value(depth: depth - 1)
    }
    let inner = parts.joined(separator: ",")
    return blanks() + (choice == 2 ? "[\(inner)\(blanks())]" : "{\(inner)\(blanks())}") + blanks()
  }

  /// Changes a few bytes: replaces, removes, repeats.
  mutating func spoiled(_ line: [UInt8]) -> [UInt8] {
    var line = line
    let bytes =
      Array("{}[],:\"\\ \t\r0123456789-+.eEtfnu/abx".utf8) + [
        0x00, 0x1f, 0x7f, 0x80, 0xbf, 0xc2, 0xe0, 0xed, 0xf0, 0xff, 0x0c,
      ]
    for _ in 0..<Int.random(in: 1...3, using: &generator) where !line.isEmpty {
      let at = Int.random(in: 0..<line.count, using: &generator)
      switch Int.random(in: 0..<4, using: &generator) {
      case 0: line[at] = bytes.randomElement(using: &generator)!
      case 1: line.remove(at: at)
      case 2: line.insert(bytes.randomElement(using: &generator)!, at: at)
      default: line.removeSubrange(at...)
      }
    }
    return line.filter { $0 != 0x0a }
  }
}

@Suite struct JSONTwinTests {
  private func outcome(_ document: inout JSONDocument, _ line: [UInt8]) -> JSONFault? {
    do throws(JSONFault) {
      unsafe try document.parse(copying: line.span.bytes)
      return nil
    } catch {
      return error
    }
  }

  private func tokens(_ document: borrowing JSONDocument) -> [JSONToken]? {
    guard document.isReadable else { return nil }
    return (0..<document.tokenCount).map { document.tape[$0] }
  }

  @Test(arguments: Seed.sample(16))
  func bothEnginesSayTheSame(seed: Seed) {
    var maker = JSONMaker(seed)
    var fast = JSONDocument(engine: .simdjson)
    var checked = JSONDocument(engine: .scanner)
    for round in 0..<400 {
      var line = Array(maker.value(depth: 4).utf8)
      if round % 2 == 1 { line = maker.spoiled(line) }
      let (first, second) = (outcome(&fast, line), outcome(&checked, line))
      #expect(first == second, "\(seed) \(String(decoding: line, as: UTF8.self))")
      #expect(tokens(fast) == tokens(checked), "\(seed) \(String(decoding: line, as: UTF8.self))")
    }
  }

  @Test(arguments: Seed.sample(8))
  func aLineInABatchReadsAsItReadsAlone(seed: Seed) throws {
    var maker = JSONMaker(seed)
    var fast = JSONDocument(engine: .simdjson)
    var checked = JSONDocument(engine: .scanner)
    for round in 0..<60 {
      var lines: [[UInt8]] = []
      for _ in 0..<Int.random(in: 0...12, using: &maker.generator) {
        let line = Array(maker.value(depth: 3).utf8)
        let isSpoiled = round % 3 > 0 && Int.random(in: 0..<4, using: &maker.generator) == 0
        lines.append(isSpoiled ? maker.spoiled(line) : line)
      }
      var decoder = LineDecoder()
      unsafe decoder.append(Array(lines.joined(separator: [0x0a]) + [0x0a]).span.bytes)
      while case .line(let range)? = decoder.next() {
        var inBatch: JSONFault?
        do throws(JSONFault) { try fast.parse(range, of: decoder) } catch { inBatch = error }
        let line = unsafe decoder.span(of: range).withUnsafeBytes { unsafe Array($0) }
        let alone = outcome(&checked, line)
        #expect(inBatch == alone, "\(seed) \(String(decoding: line, as: UTF8.self))")
        #expect(tokens(fast) == tokens(checked), "\(seed) \(String(decoding: line, as: UTF8.self))")
        let kind = fast.root(in: decoder)?.kind
        let kindAlone = checked.root?.kind
        #expect(kind == kindAlone)
      }
    }
  }

  @Test(arguments: Seed.sample(8))
  func compactionKeepsEverythingButBlanks(seed: Seed) throws {
    var maker = JSONMaker(seed)
    var document = JSONDocument()
    for _ in 0..<200 {
      let line = Array(maker.value(depth: 4).utf8)
      guard outcome(&document, line) == nil else { continue }
      let written = words(document.root!)
      let compact = document.root!.compacted()
      #expect(outcome(&document, compact) == nil, "\(seed)")
      let kept = words(document.root!)
      let again = document.root!.compacted()
      #expect(kept == written, "\(seed)")
      #expect(again == compact, "\(seed)")
      #expect(withoutBlanks(line) == compact, "\(seed) \(String(decoding: line, as: UTF8.self))")
    }
  }

  /// Each token's kind and, for words, its text.
  private func words(_ root: JSONValue) -> [String] {
    var words: [String] = []
    for index in 0..<Int(root.token.next) {
      let value = JSONValue(in: root, at: index)
      let isContainer = value.kind == .object || value.kind == .array
      words.append("\(value.kind)" + (isContainer ? "\(value.count)" : value.rawString()))
    }
    return words
  }

  /// Schoolbook compaction.
  private func withoutBlanks(_ line: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var isInString = false
    var isEscaped = false
    for byte in line {
      if isInString || ![0x20, 0x09, 0x0d, 0x0a].contains(byte) { result.append(byte) }
      if isEscaped {
        isEscaped = false
      } else if isInString && byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if byte == UInt8(ascii: "\"") {
        isInString.toggle()
      }
    }
    return result
  }
}
