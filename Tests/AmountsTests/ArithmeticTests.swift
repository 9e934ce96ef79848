// The laws of arithmetic, over all pairs of edges and over random amounts of all sizes.

import Amounts
import TestSupport
import Testing

/// Checks every law that binds two amounts.
private func checkLaws(_ a: Amount, _ b: Amount, _ origin: String) {
  #expect(a + b == b + a, "\(origin)")
  #expect(a * b == b * a, "\(origin)")
  #expect((a + b) - b == a, "\(origin)")
  #expect((a - b) + b == a, "\(origin)")
  #expect(a - b == -(b - a), "\(origin)")
  #expect((a - b).signum == (a < b ? -1 : (a == b ? 0 : 1)), "\(origin)")
  #expect((a + b) * (a - b) == a * a - b * b, "\(origin)")
  for result in [a + b, a - b, a * b, -a] {
    #expect(isCanonical(result), "\(origin)")
  }
  guard !b.isZero else { return }
  #expect((a * b).dividedExactly(by: b) == a, "\(origin)")
  let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
  #expect(quotient * b + remainder == a, "\(origin)")
  #expect(remainder.magnitude < b.magnitude, "\(origin)")
  #expect(remainder.isZero || remainder.isNegative == a.isNegative, "\(origin)")
  #expect(isCanonical(quotient) && isCanonical(remainder), "\(origin)")
  #expect((a.dividedExactly(by: b) == nil) == !remainder.isZero, "\(origin)")
  let rounded = a.dividedRoundingHalfAwayFromZero(by: b)
  let twiceOff = (rounded * b - a) * Amount(2)
  #expect(twiceOff.magnitude <= b.magnitude, "\(origin)")
  if twiceOff.magnitude == b.magnitude {
    #expect((rounded * b).magnitude > a.magnitude, "a half goes away from zero: \(origin)")
  }
}

@Suite struct ArithmeticTests {
  @Test func lawsHoldForAllPairsOfEdges() {
    for a in edges {
      for b in edges {
        checkLaws(a, b, "\(a) and \(b)")
      }
    }
  }

  @Test(arguments: Seed.sample(40))
  func lawsHoldForRandomAmounts(seed: Seed) {
    var generator = seed.generator
    for digits in [3, 19, 38, 45, 80, 1_000] {
      let a = Amount.random(digits: digits, using: &generator)
      let b = Amount.random(digits: digits, using: &generator)
      let c = Amount.random(digits: digits, using: &generator)
      checkLaws(a, b, "\(seed)")
      #expect((a + b) + c == a + (b + c), "\(seed)")
      #expect((a * b) * c == a * (b * c), "\(seed)")
      #expect(a * (b + c) == a * b + a * c, "\(seed)")
      #expect([a, b, c].sorted() == [c, b, a].sorted(), "\(seed)")
    }
  }

  @Test func assigningOperatorsAgreeWithTheOthers() {
    for a in edges {
      var sum = a
      var difference = a
      var product = a
      sum += Amount(Int128.max)
      difference -= Amount(Int128.max)
      product *= Amount(Int128.max)
      #expect(sum == a + Amount(Int128.max))
      #expect(difference == a - Amount(Int128.max))
      #expect(product == a * Amount(Int128.max))
    }
  }

  @Test func theOneQuotientThatLeaves128BitsIsRight() {
    let (quotient, remainder) = Amount(Int128.min).quotientAndRemainder(dividingBy: Amount(-1))
    #expect(quotient.description == "170141183460469231731687303715884105728")
    #expect(remainder.isZero)
  }

  @Test func powersOfTenAreAOneAndZeros() {
    for exponent in [0, 1, 18, 19, 20, 37, 38, 39, 40, 100, 999, 1_000] {
      let power = Amount.power(of10: exponent)
      #expect(power.description == "1" + String(repeating: "0", count: exponent))
      #expect(isCanonical(power))
    }
  }

  @Test func divisionByZeroStopsTheProcess() async {
    await #expect(processExitsWith: .failure) {
      _ = Amount(1).quotientAndRemainder(dividingBy: .zero)
    }
    await #expect(processExitsWith: .failure) {
      _ = Amount.power(of10: 500).dividedExactly(by: .zero)
    }
  }
}
