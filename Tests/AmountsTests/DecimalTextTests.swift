// Decimal text of amounts: what is read, what is refused, and that writing undoes reading.

import Amounts
import TestSupport
import Testing

private func refusal(_ text: String, maximumDigits: Int = Amount.maximumDigits) -> AmountError? {
  do throws(AmountError) {
    _ = try Amount(decimal: Array(text.utf8).span, maximumDigits: maximumDigits)
    return nil
  } catch {
    return error
  }
}

@Suite struct DecimalTextTests {
  @Test(arguments: 1...60)
  func everyLengthIsReadAndWritten(length: Int) throws {
    for first in 1...9 {
      for filling in ["0", "9", "5", String(first)] {
        let digits = String(first) + String(repeating: filling, count: length - 1)
        for text in [digits, "-" + digits] {
          let amount = try Amount(text)
          #expect(amount.description == text)
          #expect(amount.digitCount == length)
          #expect(isCanonical(amount))
          if let value = Int128(text) {
            #expect(amount.int128 == value)
          }
        }
      }
    }
  }

  @Test(arguments: Seed.sample(30))
  func textGoesRoundForRandomAmounts(seed: Seed) throws {
    var generator = seed.generator
    for digits in [1, 8, 16, 20, 38, 39, 100, 1_000] {
      let amount = Amount.random(digits: digits, using: &generator)
      let text = amount.description
      #expect(try Amount(text) == amount, "\(seed)")
      #expect(amount.digitCount == text.utf8.count - (amount.isNegative ? 1 : 0), "\(seed)")
      var bytes = Array("before ".utf8)
      amount.appendDecimal(to: &bytes)
      #expect(String(decoding: bytes, as: UTF8.self) == "before " + text, "\(seed)")
      #expect(amount.decimalCapacity >= text.utf8.count, "\(seed)")
    }
  }

  @Test(arguments: Seed.sample(30))
  func inlineTextIsThatOfInt128(seed: Seed) throws {
    var generator = seed.generator
    for _ in 0..<500 {
      let shift = Int.random(in: 0..<128, using: &generator)
      let value = Int128(truncatingIfNeeded: UInt128.random(in: 0...UInt128.max, using: &generator)) >> shift
      #expect(Amount(value).description == String(value), "\(seed)")
      #expect(try Amount(String(value)).int128 == value, "\(seed)")
      #expect(Amount(value).digitCount == String(value.magnitude).count, "\(seed)")
    }
  }

  @Test func writingStaysWithinTheCapacityItAsksFor() {
    for edge in edges {
      let capacity = edge.decimalCapacity
      var bytes = Array(repeating: UInt8(ascii: "#"), count: capacity + 8)
      let count = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
        unsafe edge.writeDecimal(at: buffer.baseAddress!)
      }
      #expect(String(decoding: bytes[..<count], as: UTF8.self) == edge.description)
      #expect(bytes[capacity...].allSatisfy { $0 == UInt8(ascii: "#") }, "\(edge)")
    }
  }

  @Test func leadingZerosAreAcceptedAndCountAsDigits() throws {
    #expect(try Amount("007") == Amount(7))
    #expect(try Amount("-0") == .zero)
    #expect(try Amount(String(repeating: "0", count: 1_000)) == .zero)
    #expect(try Amount(String(repeating: "0", count: 998) + "42") == Amount(42))
    #expect(refusal(String(repeating: "0", count: 1_001)) == .tooManyDigits(found: 1_001, allowed: 1_000))
  }

  @Test(arguments: [
    ("-", 1), ("+5", 0), ("1e5", 1), ("1E5", 1), ("1.0", 1), (".5", 0), ("5.", 1), (" 5", 0), ("5 ", 1),
    ("--5", 1),
    ("5-", 1), ("NaN", 0), ("Infinity", 0), ("0x10", 1), ("1_000", 1), ("1,000", 1), ("12345678:", 8),
    ("/12345678", 0), ("1234567a12345678", 7), ("12345678901234567890123456789012345678x", 38),
    ("123456789012345678901234567890123456789012345x", 45), ("5\0", 1), ("٣", 0), ("5\n", 1), ("\u{FF15}", 0),
  ])
  func whatIsNoIntegerIsRefusedWithItsPlace(text: String, offset: Int) {
    #expect(refusal(text) == .notAnInteger(offset: offset))
  }

  @Test(arguments: 1...48)
  func oneWrongByteAnywhereIsRefusedWithItsPlace(length: Int) {
    for place in 0..<length {
      for wrong in [0x00, 0x2F, 0x3A, 0x20, 0x2D, 0x80, 0xB5, 0xFF] as [UInt8] {
        if place == 0 && wrong == UInt8(ascii: "-") { continue }
        var bytes = Array(repeating: UInt8(ascii: "7"), count: length)
        bytes[place] = wrong
        #expect(throws: AmountError.notAnInteger(offset: place)) { try Amount(decimal: bytes.span) }
      }
    }
  }

  @Test func nothingIsRefusedAsEmpty() {
    #expect(refusal("") == .empty)
  }

  @Test func digitsAreCountedBeforeTheyAreConverted() {
    #expect(refusal(String(repeating: "9", count: 1_000)) == nil)
    #expect(refusal("-" + String(repeating: "9", count: 1_000)) == nil)
    #expect(refusal(String(repeating: "9", count: 1_001)) == .tooManyDigits(found: 1_001, allowed: 1_000))
    let million = String(repeating: "9", count: 1_000_000)
    #expect(refusal(million) == .tooManyDigits(found: 1_000_000, allowed: 1_000))
    #expect(refusal(million + "x") == .notAnInteger(offset: 1_000_000))
    #expect(refusal("12345", maximumDigits: 4) == .tooManyDigits(found: 5, allowed: 4))
    #expect(refusal("-1234", maximumDigits: 4) == nil)
  }
}
