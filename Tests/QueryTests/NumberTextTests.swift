// Numbers by their text: one form for each value, the order of exact decimals, nothing that is not JSON.

import Amounts
import TestSupport
import Testing

@testable import Query

@Suite struct NumberTextTests {
  private func number(_ text: String) -> NumberText? {
    let bytes = Array(text.utf8)
    return NumberText(bytes.span)
  }

  @Test func equalValuesHaveOneForm() throws {
    for texts in [
      ["5", "5.0", "50e-1", "0.5E+1", "0.005e3"], ["0", "-0", "0.00", "0e99"], ["-120", "-1.2e2"],
    ] {
      for text in texts { #expect(number(text) != nil && number(text) == number(texts[0]), "\(text)") }
    }
    #expect(number("5") != number("-5"))
    #expect(number("5") != number("50"))
  }

  @Test func whatJSONDoesNotCallANumberIsNone() {
    for text in ["", "-", "+1", "01", "1.", ".5", "1e", "1e+", " 1", "1 ", "0x1", "NaN", "1,0", "--1"] {
      #expect(number(text) == nil, "\(text)")
    }
  }

  @Test func hugeExponentsAreComparedWithoutExpandingThem() throws {
    let order = [
      "-1e999999999999999999", "-1e5", "-1e-999999999", "0", "1e-999999999", "1", "1e5", "1e999999999",
    ]
    for (left, right) in zip(order, order.dropFirst()) {
      #expect(
        NumberText.order(try #require(number(left)), try #require(number(right))) < 0, "\(left) \(right)")
    }
  }

  @Test(arguments: Seed.sample(50))
  func orderIsThatOfExactDecimals(seed: Seed) throws {
    var generator = seed.generator
    func decimal() -> (text: String, value: Amount) {
      let unscaled = Int64.random(in: -300...300, using: &generator)
      let scale = Int.random(in: 0...3, using: &generator)
      let value = Amount(unscaled) * .power(of10: 3 - scale)
      return (DecimalAmount.decimalText(of: Amount(unscaled), precision: .power(of10: scale)), value)
    }
    let (left, right) = (decimal(), decimal())
    let order = NumberText.order(try #require(number(left.text)), try #require(number(right.text)))
    #expect(order.signum() == (left.value < right.value ? -1 : left.value == right.value ? 0 : 1), "\(seed)")
  }
}
