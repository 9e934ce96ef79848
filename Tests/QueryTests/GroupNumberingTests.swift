// Numbers of groups: dense and hashed, and the bound on both.

import TestSupport
import Testing

@testable import Query

@Suite struct GroupNumberingTests {
  @Test(arguments: Seed.sample(12))
  func tuplesHaveOneNumberEach(seed: Seed) throws {
    var generator = seed.generator
    let shapes: [[Int]] = [
      [5], [3, 4], [1, 1, 7], [1 << 20, 3], [1 << 32, 1 << 32, 1 << 31, 9], [1 << 32, 1 << 32, 1 << 32],
    ]
    for bases in shapes {
      var numbering = GroupNumbering(bases: bases)
      var numbers: [[UInt32]: UInt32] = [:]
      for _ in 0..<4 {
        let count = 300
        let tuples = (0..<count).map { _ in
          bases.map { base -> UInt32 in
            let edges = [0, base / 2, base - 1]
            return UInt32(
              Bool.random(using: &generator)
                ? edges.randomElement(using: &generator)! : Int.random(in: 0..<base, using: &generator))
          }
        }
        var found = [UInt32](repeating: 0, count: count)
        var words = [UInt64](repeating: 0, count: count)
        var scratch = found
        try numbering.number(
          count, into: &found, words: &words, rows: { UInt32($0) },
          codes: { column, codes in for place in 0..<count { codes[place] = tuples[place][column] } },
          scratch: &scratch)
        for (tuple, number) in zip(tuples, found) {
          #expect(numbers[tuple, default: number] == number, "\(seed) \(bases) \(tuple)")
          numbers[tuple] = number
          #expect(Int(number) < numbering.count)
          if numbering.denseCount != nil { #expect(numbering.codes(ofDense: Int(number)) == tuple) }
        }
      }
      #expect(Set(numbers.values).count == numbers.count, "\(seed) \(bases)")
    }
  }

  @Test func theBoundOnGroupsIsKept() throws {
    var table = GroupTable()
    for word in 0..<UInt64(AggregateRequest.groupLimit) {
      #expect(try table.number(of: word &* 7919, row: 0) == UInt32(word))
    }
    #expect(try table.number(of: 7919, row: 0) == 1)
    #expect(throws: QueryStopped.tooManyGroups) { try table.number(of: 1, row: 0) }
  }
}
