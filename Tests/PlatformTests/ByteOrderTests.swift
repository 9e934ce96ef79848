// Runs of bytes are compared as the standard library compares sequences.

import Platform
import TestSupport
import Testing

struct ByteOrderTests {
  private static func compare(_ left: [UInt8], _ right: [UInt8]) -> (areEqual: Bool, precedes: Bool) {
    unsafe left.withUnsafeBytes { left in
      unsafe right.withUnsafeBytes { right in
        unsafe (bytesAreEqual(left, right), bytesPrecede(left, right))
      }
    }
  }

  @Test(arguments: Seed.sample(4)) func comparisonsAgreeWithThoseOfSequences(_ seed: Seed) {
    var generator = seed.generator
    for _ in 0..<2_000 {
      let common = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
        UInt8.random(in: 0...255, using: &generator)
      }
      let tails = (0..<2).map { _ in
        (0..<Int.random(in: 0...2, using: &generator)).map { _ in
          [0, 1, 127, 128, 255].randomElement(using: &generator)! as UInt8
        }
      }
      let (left, right) = (common + tails[0], common + tails[1])
      let compared = Self.compare(left, right)
      #expect(compared.areEqual == (left == right))
      #expect(compared.precedes == left.lexicographicallyPrecedes(right))
    }
  }

  @Test func emptyRunsAreEqualAndFirst() {
    #expect(Self.compare([], []) == (true, false))
    #expect(Self.compare([], [0]) == (false, true))
    #expect(Self.compare([0], []) == (false, false))
  }
}
