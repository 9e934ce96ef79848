// Sets of codes in the forms that loops want, against Swift's sets.

import Columns
import TestSupport
import Testing

@Suite struct CodeMembersTests {
  @Test(arguments: Seed.sample(20))
  func membersAreWhatTheyWereMadeOf(seed: Seed) {
    var generator = seed.generator
    for count in [0, 1, 3, CodeMembers.fewLimit, CodeMembers.fewLimit + 1, 40] {
      let sizes: [UInt32] = [30, 255, 256, 5000]
      let largest = sizes.randomElement(using: &generator) ?? 0
      var codes: Set<UInt32> = []
      for _ in 0..<count { codes.insert(UInt32.random(in: 0...largest, using: &generator)) }
      var words = [UInt64](repeating: 0, count: Int(largest) / 64 + 2)
      for code in codes { words[Int(code / 64)] |= 1 << UInt64(code % 64) }
      for members in [CodeMembers(codes), CodeMembers(bits: words)] {
        #expect(members.isEmpty == codes.isEmpty, "\(seed)")
        #expect(members.bounds?.lowerBound == codes.min(), "\(seed)")
        #expect(members.bounds?.upperBound == codes.max(), "\(seed)")
        for code in 0...largest + 200 { #expect(members.contains(code) == codes.contains(code), "\(seed)") }
      }
    }
  }
}
