// A file of changes that an export goes on with.

import Platform
import TestSupport
import Testing

@testable import Commands

@Suite struct ChangesExportTests {
  private func lastPosition(_ text: String) throws -> (position: Int?, left: String) {
    let directory = try TemporaryDirectory()
    let path = directory.path(of: "changes.ndjson")
    try FileReplacement.replace(path, with: Array(text.utf8))
    let position = try ChangesFile.lastPosition(in: path)
    let left = try FileReplacement.read(path, limit: 1 << 24) ?? []
    return (position, String(decoding: left, as: UTF8.self))
  }

  @Test func anExportGoesOnAfterTheLastWholeLine() throws {
    let lines = #"{"position":7,"type":"a"}"# + "\n" + #"{"position":8,"object":{"position":3}}"# + "\n"
    #expect(try lastPosition(lines) == (8, lines))
    #expect(try lastPosition(lines + #"{"position":9,"ob"#) == (8, lines))
    #expect(try lastPosition(#"{"position":1}"# + "\n") == (1, #"{"position":1}"# + "\n"))
  }

  @Test func aFileWithoutAWholeLineBeginsAnew() throws {
    #expect(try lastPosition("") == (nil, ""))
    #expect(try lastPosition(#"{"position":1"#) == (nil, ""))
    #expect(try ChangesFile.lastPosition(in: "/tmp/there-is-no-such-file") == nil)
  }

  @Test func aLineMayBeLongerThanWhatIsReadAtFirst() throws {
    let long = #"{"position":12,"x":""# + String(repeating: "y", count: 300_000) + "\"}\n"
    let before = #"{"position":11}"# + "\n"
    #expect(try lastPosition(before + long + "{") == (12, before + long))
    #expect(
      try lastPosition(before + #"{"position":12,"x":""# + String(repeating: "y", count: 300_000)) == (
        11, before
      ))
  }

  @Test func aFileOfSomethingElseIsRefusedAndLeftAlone() throws {
    #expect(throws: CommandFailure.self) { try lastPosition("not a change\n") }
    #expect(throws: CommandFailure.self) { try lastPosition(#"{"balance_id":"b"}"# + "\n") }
  }
}
