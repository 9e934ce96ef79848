// Lines in bounded memory, output in full, and what a terminal is not.

import Glibc
import Platform
import TestSupport
import Testing

@Suite struct StandardStreamsTests {
  let place: TemporaryDirectory

  init() throws { place = try TemporaryDirectory() }

  @Test func linesAreCutAtNewlinesOnly() throws {
    #expect(try lines("") == [])
    #expect(try lines("\n") == [.line([])])
    #expect(try lines("a\nb") == [.line([97]), .line([98])])
    #expect(try lines("a\r\n\n\0\n") == [.line([97, 13]), .line([]), .line([0])])
  }

  @Test func aLineOverTheLimitIsSkippedNotTheNext() throws {
    let long = String(repeating: "x", count: 11)
    let right = String(repeating: "y", count: 10)
    let expected: [LineReader.Line] = [.tooLong, .line(Array(right.utf8)), .tooLong]
    #expect(try lines("\(long)\n\(right)\n\(long)", limit: 10) == expected)
  }

  @Test func aVeryLongLineTakesNoMemory() throws {
    let long = String(repeating: "x", count: 3 << 20)
    #expect(try lines("\(long)\nnext\n", limit: 1_000) == [.tooLong, .line(Array("next".utf8))])
    #expect(try lines("\(long)\nnext\n", limit: 3 << 20).count == 2)
  }

  /// All splits of random text into lines agree with the library's.
  @Test(arguments: Seed.sample(8))
  func linesAgreeWithASplit(seed: Seed) throws {
    var generator = seed.generator
    let count = Int.random(in: 0...300_000, using: &generator)
    let bytes = (0..<count).map { _ in UInt8.random(in: 8...30, using: &generator) }
    let expected = bytes.split(separator: 10, omittingEmptySubsequences: false).map(Array.init)
    let found = try lines(String(decoding: bytes, as: UTF8.self))
    let complete = expected.last == [] ? Array(expected.dropLast()) : expected
    #expect(found == complete.map { .line($0) }, "\(seed)")
  }

  @Test func outputIsWrittenInFull() throws {
    let pair = try UnixSocket.pair(nonblocking: true)
    let descriptor = pair.first.descriptor
    let bytes = KernelRandom.bytes(count: 1 << 20)
    let writer = try Thread(name: "writer") {
      try? OutputStream(descriptor: descriptor).write(bytes)
    }
    try pair.second.setNonblocking(false)
    var received: [UInt8] = []
    while received.count < bytes.count { received += try read(pair.second) ?? [] }
    writer.join()
    #expect(received == bytes)
  }

  @Test func writingToNobodyIsAnError() async {
    await #expect(processExitsWith: .success) {
      SignalDescriptor.ignoreBrokenPipes()
      let pair = try UnixSocket.pair()
      pair.second.shutdown(.reading)
      let stream = OutputStream(descriptor: pair.first.descriptor)
      let error = #expect(throws: SystemError.self) { try stream.write("nobody reads this") }
      #expect(error?.name == "EPIPE")
    }
  }

  @Test func aSocketIsNoTerminal() throws {
    let pair = try UnixSocket.pair()
    #expect(!Terminal.isTerminal(pair.first.descriptor))
    #expect(Terminal.size(of: pair.first.descriptor) == nil)
  }

  @Test func aTerminalHasASize() throws {
    let master = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY)
    #expect(master >= 0)
    defer { close(master) }
    #expect(Terminal.isTerminal(master))
    #expect(Terminal.size(of: master) == nil)
    var size = winsize(ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0)
    let result = unsafe ioctl(master, UInt(TIOCSWINSZ), &size)
    #expect(result == 0)
    #expect(Terminal.size(of: master) == Terminal.Size(columns: 80, rows: 24))
  }

  private func lines(_ text: String, limit: Int = 16 << 20) throws -> [LineReader.Line] {
    let name = String(KernelRandom.word(), radix: 36)
    try place.directory.replaceFile(name, with: Array(text.utf8))
    let file = try place.directory.open(name, .read)
    var reader = LineReader(descriptor: file.descriptor, limit: limit)
    var lines: [LineReader.Line] = []
    while true {
      let next = try reader.next()
      if next == .end { return lines }
      lines.append(next)
    }
  }
}
