// Framing: the same lines however the bytes are split, bounded memory, no byte searched twice.

import TestSupport
import Testing

@testable import Wire

/// What a stream of bytes gave, as values.
private enum Seen: Equatable {
  case line([UInt8])
  case tooLong
}

/// Feeds `pieces` one after another; what came out.
private func lines(of pieces: [[UInt8]], longest: Int, finishes: Bool) -> [Seen] {
  var decoder = LineDecoder(longestLine: longest)
  var seen: [Seen] = []
  for piece in pieces {
    unsafe decoder.append(piece.span.bytes)
    drain(&decoder, into: &seen)
  }
  if finishes {
    decoder.finish()
    drain(&decoder, into: &seen)
  }
  return seen
}

private func drain(_ decoder: inout LineDecoder, into seen: inout [Seen]) {
  while let event = decoder.next() {
    switch event {
    case .tooLong: seen.append(.tooLong)
    case .line(let range):
      let span = decoder.span(of: range)
      seen.append(
        .line((0..<span.byteCount).map { unsafe span.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }))
    }
  }
}

/// Framing by the words of the protocol, over all bytes at once.
private func schoolbook(_ bytes: [UInt8], longest: Int, finishes: Bool) -> [Seen] {
  var parts = bytes.split(separator: 0x0a, omittingEmptySubsequences: false).map { Array($0) }
  let last = parts.removeLast()
  var seen: [Seen] = []
  for part in parts + (finishes ? [last] : []) {
    let line = part.last == 0x0d ? Array(part.dropLast()) : part
    if line.count > longest {
      seen.append(.tooLong)
    } else if !line.allSatisfy({ [0x20, 0x09, 0x0d].contains($0) }) {
      seen.append(.line(line))
    }
  }
  // A line without an end is known to be too long once a `\r` at its end cannot save it.
  if !finishes, last.count > longest + 1 { seen.append(.tooLong) }
  return seen
}

@Suite struct LineDecoderTests {
  @Test func linesEndWithALineFeedAndTolerateACarriageReturn() {
    let seen = lines(of: [Array("a\nb\r\n\n \t\r\n\r\nc d\n\re\nf".utf8)], longest: 100, finishes: false)
    #expect(seen == ["a", "b", "c d", "\re"].map { .line(Array($0.utf8)) })
  }

  @Test func theLastLineCountsOnlyWhenTheInputHasEnded() {
    #expect(lines(of: [Array("a\nb".utf8)], longest: 9, finishes: false) == [.line([0x61])])
    #expect(lines(of: [Array("a\nb".utf8)], longest: 9, finishes: true) == [.line([0x61]), .line([0x62])])
    #expect(lines(of: [Array("a\n ".utf8)], longest: 9, finishes: true) == [.line([0x61])])
  }

  @Test(arguments: [1, 7, 8, 9, 100])
  func aLineIsTooLongBeyondTheLimitAndReportedOnce(limit: Int) {
    for count in [limit - 1, limit, limit + 1, limit + 2, limit * 10] where count > 0 {
      for ending in ["\n", "\r\n"] {
        let line = Array(repeating: UInt8(ascii: "x"), count: count)
        let seen = lines(of: [line + Array(ending.utf8) + [0x79, 0x0a]], longest: limit, finishes: false)
        #expect(seen == [count > limit ? .tooLong : .line(line), .line([0x79])])
      }
    }
  }

  @Test(arguments: Seed.sample(12))
  func anySplitOfTheBytesGivesTheSameLines(seed: Seed) {
    var generator = seed.generator
    let alphabet: [UInt8] = [0x61, 0x62, 0x20, 0x0d, 0x0a, 0x0a, 0x7b]
    for _ in 0..<60 {
      let longest = Int.random(in: 1...12, using: &generator)
      let bytes = (0..<Int.random(in: 0...80, using: &generator)).map { _ in
        alphabet.randomElement(using: &generator)!
      }
      let finishes = Bool.random(using: &generator)
      let expected = schoolbook(bytes, longest: longest, finishes: finishes)
      var pieces: [[UInt8]] = [[]]
      for byte in bytes {
        if Bool.random(using: &generator) { pieces.append([]) }
        pieces[pieces.count - 1].append(byte)
      }
      #expect(lines(of: pieces, longest: longest, finishes: finishes) == expected, "\(seed) \(bytes)")
      #expect(
        lines(of: bytes.map { [$0] }, longest: longest, finishes: finishes) == expected, "\(seed) \(bytes)")
      #expect(lines(of: [bytes], longest: longest, finishes: finishes) == expected, "\(seed) \(bytes)")
    }
  }

  @Test func aStreamOfAGigabyteWithoutALineEndTakesConstantMemory() {
    var decoder = LineDecoder(longestLine: 1 << 20)
    let piece = [UInt8](repeating: 0x61, count: 1 << 20)
    var reported = 0
    for _ in 0..<1024 {
      unsafe decoder.append(piece.span.bytes)
      while let event = decoder.next() { reported += event == .tooLong ? 1 : 100 }
      let held = decoder.heldByteCount
      #expect(held <= 5 << 20)
    }
    #expect(reported == 1)
    unsafe decoder.append(([0x0a] + Array("next\n".utf8)).span.bytes)
    let event = decoder.next()
    let range = if case .line(let range)? = event { range } else { 0..<0 }
    #expect(range.count == 4)
  }

  @Test func memoryIsGivenBackAfterALargeLine() {
    var decoder = LineDecoder()
    unsafe decoder.append(([UInt8](repeating: 0x61, count: 15 << 20) + [0x0a]).span.bytes)
    let large = decoder.heldByteCount
    #expect(large > 15 << 20)
    while decoder.next() != nil {}
    unsafe decoder.append([UInt8(0x61)].span.bytes)
    let small = decoder.heldByteCount
    #expect(small <= LineDecoder.keptCapacity + 64)
    unsafe decoder.append([UInt8(0x0a)].span.bytes)
    while decoder.next() != nil {}
    decoder.releaseMemory()
    let least = decoder.heldByteCount
    #expect(least == 64)
  }

  @Test func sixtyFourBytesAfterEveryLineCanBeRead() {
    var decoder = LineDecoder()
    for count in [1, 63, 64, 65, 4096, 16 << 10, (16 << 10) + 1] {
      unsafe decoder.append(([UInt8](repeating: 0x61, count: count - 1) + [0x0a]).span.bytes)
      let held = decoder.heldByteCount
      let waiting = decoder.waitingByteCount
      #expect(held >= waiting + JSONDocument.padding)
      while decoder.next() != nil {}
    }
  }

  @Test func aDripOfBytesIsSearchedOnce() {
    // A megabyte in pieces of one byte: a search from the line's start each time would read 5 * 10^11 bytes.
    var decoder = LineDecoder()
    for _ in 0..<1 << 20 {
      unsafe decoder.append([UInt8(0x61)].span.bytes)
      let event = decoder.next()
      if event != nil { Issue.record("a line without an end") }
    }
    let waiting = decoder.waitingByteCount
    #expect(waiting == 1 << 20)
  }
}
