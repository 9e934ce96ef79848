// The one form of an amount: equality, order, hashing, size in memory.

import Amounts
import TestSupport
import Testing

/// Numbers where a form, a word or a digit count changes, and their neighbours.
let edges: [Amount] = {
  var edges: [Amount] = [.zero]
  let powers: [Amount] =
    [
      .one, Amount(UInt64(1) << 63), Amount(Int128(1) << 64), Amount(Int128.min),
      Amount(Int128.min) + Amount(Int128.min),
    ]
    + [7, 8, 15, 16, 17, 18, 19, 20, 37, 38, 39, 40, 307, 999].map { Amount.power(of10: $0) }
  for power in powers {
    for neighbour in [power - .one, power, power + .one] {
      edges += [neighbour, -neighbour]
    }
  }
  return edges
}()

/// The canonical form, judged from the text alone.
func isCanonical(_ amount: Amount) -> Bool {
  let text = amount.description
  let fits = Int128(text) != nil
  return fits == (amount.int128 != nil) && text != "-0"
    && (text == "0" || text.first { $0 != "-" } != "0")
}

@Suite struct AmountTests {
  @Test func takesSeventeenBytesAndAnOptionalIsNoLarger() {
    #expect(MemoryLayout<Amount>.size == 17)
    #expect(MemoryLayout<Amount>.stride == 32)
    #expect(MemoryLayout<Amount?>.size == 17)
  }

  @Test func theEdgeOf128BitsIsWhereGMPBegins() {
    let top = Amount(Int128.max)
    let bottom = Amount(Int128.min)
    #expect((top + .one).int128 == nil)
    #expect((bottom - .one).int128 == nil)
    #expect((top + .one - .one).int128 == Int128.max)
    #expect((bottom - .one + .one).int128 == Int128.min)
    #expect((-bottom).int128 == nil)
    #expect((-(-bottom)).int128 == Int128.min)
  }

  @Test func int64IsGivenExactlyWhenItFits() {
    #expect(Amount(Int64.max).int64 == Int64.max)
    #expect(Amount(Int64.min).int64 == Int64.min)
    #expect((Amount(Int64.max) + .one).int64 == nil)
    #expect((Amount(Int64.min) - .one).int64 == nil)
    #expect(Amount.power(of10: 100).int64 == nil)
    #expect(Amount(UInt64.max).int128 == Int128(UInt64.max))
  }

  @Test func zeroHasNoSignHoweverItIsMade() throws {
    let huge = Amount.power(of10: 500)
    for zero in [huge - huge, -(huge - huge), try Amount("-0"), Amount(0) * -huge, -Amount.zero] {
      #expect(zero.isZero)
      #expect(!zero.isNegative)
      #expect(zero.signum == 0)
      #expect(zero == .zero)
      #expect(zero.hashValue == Amount.zero.hashValue)
      #expect(zero.int128 == 0)
    }
  }

  @Test func equalAmountsHashAlikeHoweverTheyAreMade() throws {
    for edge in edges {
      let detour = (edge + .power(of10: 700)) - .power(of10: 700)
      #expect(detour == edge)
      #expect(detour.hashValue == edge.hashValue)
      #expect(isCanonical(detour), "\(edge)")
    }
    #expect(Set(edges + edges.map { -(-$0) }).count == Set(edges.map(\.description)).count)
  }

  @Test func orderIsTheSignOfTheDifference() {
    for left in edges {
      for right in edges {
        let difference = (left - right).signum
        #expect((left < right) == (difference < 0))
        #expect((left > right) == (difference > 0))
        #expect((left <= right) == (difference <= 0))
        #expect((left >= right) == (difference >= 0))
        #expect((left == right) == (difference == 0))
      }
    }
  }

  @Test func magnitudeDropsTheSignOnly() {
    for edge in edges {
      #expect(!edge.magnitude.isNegative)
      #expect(edge.magnitude == (-edge).magnitude)
      #expect(edge.magnitude * Amount(edge.signum) == edge)
    }
  }
}
