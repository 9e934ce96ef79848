// Comma-separated values: what is written is read back, however the bytes arrive.

import TestSupport
import Testing

@testable import Commands

private func records(_ bytes: [UInt8], pieces: Int = .max) throws -> [CSVRecord] {
  var reader = CSVReader()
  var found: [CSVRecord] = []
  var offset = 0
  while offset < bytes.count {
    let end = min(bytes.count, pieces == .max ? bytes.count : offset + pieces)
    try reader.feed(bytes[offset..<end]) { found.append($0) }
    offset = end
  }
  try reader.finish { found.append($0) }
  return found
}

@Test(arguments: Seed.sample(8))
func whatIsWrittenIsReadBackInPiecesOfAnySize(seed: Seed) throws {
  var generator = seed.generator
  func next(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }
  let alphabet: [String] = ["a", "\"", ",", "\n", "\r", "\r\n", " ", "日", "é", ""]
  for _ in 0..<25 {
    let columns = 1 + next(4)
    let rows: [[String?]] = (0..<next(6)).map { _ in
      (0..<columns).map { _ in
        next(4) == 0 ? nil : (0..<next(5)).map { _ in alphabet[next(alphabet.count)] }.joined()
      }
    }
    let text = rows.map { CSVWriter.record($0) }.joined()
    // A record of a single nil is written as an empty text: a blank line would be no record.
    let expected = rows.map { $0.count == 1 && $0[0] == nil ? [""] : $0 }
    for pieces in [1, 3, Int.max] {
      let read = try records(Array(text.utf8), pieces: pieces)
      #expect(read.map(\.fields) == expected, "\(seed), pieces of \(pieces)")
    }
  }
}

@Test func lineEndsBlankLinesAndMarksAreTaken() throws {
  let bytes: [UInt8] = [0xEF, 0xBB, 0xBF] + Array("a,b\r\n\r\n\"x\ny\",\n\n1,2".utf8)
  #expect(
    try records(bytes, pieces: 1) == [
      CSVRecord(line: 1, fields: ["a", "b"]), CSVRecord(line: 3, fields: ["x\ny", nil]),
      CSVRecord(line: 6, fields: ["1", "2"]),
    ])
  #expect(try records([]) == [])
}

@Test func faultsNameTheLineOfTheirRecord() {
  #expect(throws: CSVError.quoteInsideField(line: 2)) { try records(Array("a\nb\"c\n".utf8)) }
  #expect(throws: CSVError.textAfterQuote(line: 1)) { try records(Array("\"a\"b\n".utf8)) }
  #expect(throws: CSVError.unfinishedQuote(line: 1)) { try records(Array("\"a\nb".utf8)) }
  #expect(throws: CSVError.notUTF8(line: 1)) { try records([0x61, 0xFF, 0x0A]) }
}
