// Decimal amounts: what is read, how scaling rounds, and how a scaled amount is shown.

import Amounts
import TestSupport
import Testing

private func refusal(_ text: String) -> AmountError? {
  do throws(AmountError) {
    _ = try DecimalAmount(text)
    return nil
  } catch {
    return error
  }
}

@Suite struct DecimalAmountTests {
  @Test(arguments: [
    ("1.005", 100, 101), ("0.29", 100, 29), ("0.285", 100, 29), ("-0.5", 1, -1), ("0.5", 1, 1),
    ("0.49", 1, 0),
    ("-0.49", 1, 0), ("1.5", 1, 2), ("2.5", 1, 3), ("-2.5", 1, -3), ("007.5", 10, 75), ("12", 100, 1_200),
    ("-0", 100, 0), ("-0.0", 100, 0), ("0.1", 3, 0), ("0.2", 3, 1), ("9.995", 100, 1_000),
  ])
  func scalingRoundsHalvesAwayFromZero(text: String, precision: Int, expected: Int) throws {
    #expect(try DecimalAmount(text).scaled(by: Amount(precision)) == Amount(expected))
  }

  @Test(arguments: [
    (12_345, 100, "123.45"), (500, 100, "5"), (0, 100, "0"), (5, 1, "5"), (-5, 100, "-0.05"), (1, 8, "0.125"),
    (1, 3, "0.3333333333333333"), (2, 3, "0.6666666666666667"), (-2, 3, "-0.6666666666666667"), (3, 3, "1"),
    (9, 6, "1.5"), (1, 40, "0.025"), (100, 100, "1"), (1_000, 100, "10"), (-1_050, 100, "-10.5"),
    (1, 30_000_000_000_000_000, "0"), (-1, 30_000_000_000_000_000, "0"),
  ])
  func aScaledAmountIsShownAsItsShortestDecimal(precise: Int, precision: Int, expected: String) {
    #expect(DecimalAmount.decimalText(of: Amount(precise), precision: Amount(precision)) == expected)
  }

  @Test func zerosAtTheEndOfAFractionDoNotMakeAnotherNumber() throws {
    let one = try DecimalAmount("1.50")
    #expect(try one == DecimalAmount("1.5"))
    #expect(try one.hashValue == DecimalAmount("01.5").hashValue)
    #expect(one.unscaled == Amount(15))
    #expect(one.scale == 1)
    #expect(try DecimalAmount("3.000").scale == 0)
    #expect(try DecimalAmount("-0.000") == DecimalAmount("0"))
  }

  @Test(arguments: [
    ("-", 1), (".5", 0), ("5.", 2), ("-.5", 1), ("1..5", 2), ("1.5.5", 3), ("1e5", 1), ("1.5e5", 3),
    ("NaN", 0),
    ("Infinity", 0), ("+1.5", 0), (" 1.5", 0), ("1.5 ", 3), ("1,5", 1), ("1.-5", 2), ("--1", 1), ("1.5\0", 3),
  ])
  func whatIsNoDecimalIsRefusedWithItsPlace(text: String, offset: Int) {
    #expect(refusal(text) == .notADecimal(offset: offset))
  }

  @Test func digitsOnBothSidesOfThePointCount() {
    let nines = { (count: Int) in String(repeating: "9", count: count) }
    #expect(refusal("") == .empty)
    #expect(refusal(nines(1_000)) == nil)
    #expect(refusal("-" + nines(500) + "." + nines(500)) == nil)
    #expect(refusal(nines(500) + "." + nines(501)) == .tooManyDigits(found: 1_001, allowed: 1_000))
    #expect(
      refusal("1." + String(repeating: "0", count: 1_000)) == .tooManyDigits(found: 1_001, allowed: 1_000))
  }

  @Test(arguments: Seed.sample(40))
  func showingUndoesScalingByAPowerOfTen(seed: Seed) throws {
    var generator = seed.generator
    for _ in 0..<20 {
      let precise = Amount.random(digits: 120, using: &generator)
      let precision = Amount.power(of10: Int.random(in: 0...60, using: &generator))
      let text = DecimalAmount.decimalText(of: precise, precision: precision)
      #expect(try DecimalAmount(text).scaled(by: precision) == precise, "\(seed)")
      #expect(!text.contains(".") || (text.last != "0" && text.last != "."), "\(seed)")
    }
  }

  @Test(arguments: Seed.sample(40))
  func finiteQuotientsAreShownExactly(seed: Seed) throws {
    var generator = seed.generator
    for _ in 0..<20 {
      let precise = Amount.random(digits: 60, using: &generator)
      var precision = Amount.one
      for _ in 0..<Int.random(in: 0...40, using: &generator) {
        precision *= Amount(Bool.random(using: &generator) ? 2 : 5)
      }
      let shown = try DecimalAmount(DecimalAmount.decimalText(of: precise, precision: precision))
      #expect(shown.unscaled * precision == precise * .power(of10: shown.scale), "\(seed)")
    }
  }

  @Test func aPrecisionBelowOneStopsTheProcess() async {
    await #expect(processExitsWith: .failure) {
      _ = try DecimalAmount("1.5").scaled(by: .zero)
    }
    await #expect(processExitsWith: .failure) {
      _ = DecimalAmount.decimalText(of: .one, precision: Amount(-1))
    }
  }
}
