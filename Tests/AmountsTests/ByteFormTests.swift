// The byte form of amounts: it goes round, there is one for each value, and nothing else is read.

import Amounts
import TestSupport
import Testing

private func bytes(of amount: Amount) -> [UInt8] {
  var bytes: [UInt8] = []
  amount.appendBytes(to: &bytes)
  return bytes
}

private func refusal(_ bytes: [UInt8]) -> AmountError? {
  var offset = 0
  do throws(AmountError) {
    _ = try Amount(bytes: bytes.span, at: &offset)
    return nil
  } catch {
    #expect(offset == 0, "a refused amount does not move the offset")
    return error
  }
}

@Suite struct ByteFormTests {
  /// Files of old versions hold these bytes: a change here is a new format.
  @Test func theBytesOfSomeAmountsArePinned() {
    #expect(bytes(of: .zero) == [0])
    #expect(bytes(of: .one) == [1, 1])
    #expect(bytes(of: Amount(-1)) == [0x81, 1])
    #expect(bytes(of: Amount(255)) == [1, 255])
    #expect(bytes(of: Amount(-256)) == [0x82, 0, 1])
    #expect(bytes(of: Amount(Int128.min)) == [0x90] + Array(repeating: 0, count: 15) + [0x80])
    let big = Amount(Int128.min) * Amount(-2)
    #expect(bytes(of: big) == [0x11] + Array(repeating: 0, count: 16) + [1])
  }

  @Test func everyEdgeGoesRoundInItsOwnBytes() throws {
    var all: [UInt8] = []
    for edge in edges {
      let single = bytes(of: edge)
      #expect(single.count == edge.encodedByteCount)
      all += single
    }
    var offset = 0
    for edge in edges {
      let read = try Amount(bytes: all.span, at: &offset)
      #expect(read == edge)
      #expect(isCanonical(read))
    }
    #expect(offset == all.count)
  }

  @Test(arguments: Seed.sample(40))
  func randomAmountsGoRound(seed: Seed) throws {
    var generator = seed.generator
    let amounts = (0..<50).map { _ in Amount.random(using: &generator) }
    var all: [UInt8] = [0xAA, 0xBB]
    for amount in amounts {
      let before = all.count
      amount.appendBytes(to: &all)
      #expect(all.count - before == amount.encodedByteCount, "\(seed)")
    }
    var offset = 2
    for amount in amounts {
      #expect(try Amount(bytes: all.span, at: &offset) == amount, "\(seed)")
    }
    #expect(offset == all.count, "\(seed)")
  }

  @Test func everyCutIsRefusedAsTruncated() {
    for edge in edges {
      let whole = bytes(of: edge)
      for length in 0..<whole.count {
        #expect(refusal(Array(whole[..<length])) == .truncated, "\(edge) cut to \(length)")
      }
    }
  }

  @Test func otherFormsOfAValueAreRefused() {
    #expect(refusal([0x80]) == .notCanonical)
    #expect(refusal([1, 0]) == .notCanonical)
    #expect(refusal([2, 7, 0]) == .notCanonical)
    #expect(refusal([17] + Array(repeating: 9, count: 16) + [0]) == .notCanonical)
    let long = { (count: Int) in
      [127, UInt8(count & 255), UInt8(count >> 8), 0, 0] + Array(repeating: UInt8(1), count: count)
    }
    #expect(refusal(long(126)) == .notCanonical)
    #expect(refusal(long(0)) == .notCanonical)
    #expect(refusal(long(127)) == nil)
    #expect(refusal(long(300)) == nil)
  }

  /// Whatever is read is written back as the same bytes: no two byte strings mean one value.
  @Test(arguments: Seed.sample(20))
  func whatIsReadIsWrittenBackAlike(seed: Seed) {
    var generator = seed.generator
    for _ in 0..<500 {
      let length = Int.random(in: 0...40, using: &generator)
      var bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
      if length > 0 && Bool.random(using: &generator) { bytes[0] = UInt8(length - 1) }
      var offset = 0
      guard let amount = try? Amount(bytes: bytes.span, at: &offset) else { continue }
      var written: [UInt8] = []
      amount.appendBytes(to: &written)
      #expect(written == Array(bytes[..<offset]), "\(seed)")
    }
  }
}
