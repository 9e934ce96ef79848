// Amounts as JSON strings: numbers would lose digits in most readers.

import Amounts

extension JSONWriter {
  /// Appends an amount as a decimal string. O(digits).
  package mutating func amount(_ value: Amount) {
    if let narrow = value.int64 {
      separate(Self.pairedDigitsRoom + 4)
      return narrowAmount(narrow)
    }
    let room = value.decimalCapacity
    separate(room + 2)
    put(UInt8(ascii: "\""))
    let written = unsafe value.writeDecimal(at: base + end)
    end += written
    put(UInt8(ascii: "\""))
  }

  /// Appends a narrow amount as a decimal string, without a comma. The caller has reserved room:
  /// `pairedDigitsRoom` and 4 bytes.
  @inline(__always)
  mutating func narrowAmount(_ value: Int64) {
    if value == 0 { return piece(#""0""#) }
    put(UInt8(ascii: "\""))
    if value < 0 { put(UInt8(ascii: "-")) }
    pairedDigits(value.magnitude)
    put(UInt8(ascii: "\""))
  }

  /// Appends an amount, or `null` when there is none.
  package mutating func amount(_ value: Amount?) {
    if let value { amount(value) } else { null() }
  }
}
