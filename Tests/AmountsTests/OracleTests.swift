// Amounts against Python's integers: every line of Data/oracle.txt, written by make_oracle.py beside it.

import Amounts
import Foundation
import Testing

/// The fields of the oracle's lines of one kind.
private func lines(_ kind: String) throws -> [[Substring]] {
  let file = try #require(
    Bundle.module.url(forResource: "oracle", withExtension: "txt", subdirectory: "Data"))
  return try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    .map { $0.split(separator: " ") }
    .filter { $0[0] == kind }
    .map { Array($0.dropFirst()) }
}

/// How the oracle writes a result: long ones as their number of digits and their residue modulo 2^61 - 1.
private func brief(_ amount: Amount) -> String {
  let text = amount.description
  let digits = text.utf8.drop { $0 == UInt8(ascii: "-") }
  if digits.count <= 40 { return text }
  let residue = digits.reduce(UInt128(0)) { ($0 * 10 + UInt128($1 - 48)) % ((1 << 61) - 1) }
  return "\(amount.isNegative ? "-" : "")#\(digits.count):\(residue)"
}

@Suite struct OracleTests {
  @Test func sumsProductsAndQuotientsAreThoseOfPython() throws {
    let texts = try lines("value").map { String($0[0]) }
    let values = try texts.map { try Amount($0) }
    let pairs = try lines("pair")
    #expect(values.map(\.description) == texts)
    #expect(pairs.count > 1_500)
    for pair in pairs {
      let a = values[try #require(Int(pair[0]))]
      let b = values[try #require(Int(pair[1]))]
      let place = Comment(rawValue: pair.joined(separator: " "))
      #expect(brief(a + b) == pair[2], place)
      #expect(brief(b + a) == pair[2], place)
      #expect(brief(a - b) == pair[3], place)
      #expect(b - a == -(a - b), place)
      #expect(brief(a * b) == pair[4], place)
      #expect(brief(b * a) == pair[4], place)
      #expect((a < b) == pair[3].hasPrefix("-"), place)
      #expect((a == b) == (pair[3] == "0"), place)
      for (dividend, divisor, first) in [(a, b, 5), (b, a, 7)] {
        #expect(divisor.isZero == (pair[first] == "-"), place)
        if divisor.isZero { continue }
        let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
        #expect(brief(quotient) == pair[first], place)
        #expect(brief(remainder) == pair[first + 1], place)
      }
    }
  }

  @Test func scaledDecimalsAreThoseOfPython() throws {
    let cases = try lines("scaled")
    #expect(cases.count > 500)
    for fields in cases {
      let scaled = try DecimalAmount(String(fields[0])).scaled(by: Amount(String(fields[1])))
      #expect(scaled.description == fields[2], Comment(rawValue: fields.joined(separator: " ")))
    }
  }

  @Test func shownQuotientsAreThoseOfPython() throws {
    let cases = try lines("shown")
    #expect(cases.count > 500)
    for fields in cases {
      let text = DecimalAmount.decimalText(
        of: try Amount(String(fields[0])), precision: try Amount(String(fields[1])))
      #expect(text == fields[2], Comment(rawValue: fields.joined(separator: " ")))
    }
  }
}
