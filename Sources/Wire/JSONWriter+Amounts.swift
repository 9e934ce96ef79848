// Amounts as JSON strings: numbers would lose digits in most readers.

import Amounts

extension JSONWriter {
  /// Appends an amount as a decimal string. O(digits).
  package mutating func amount(_ value: Amount) {
    let room = value.decimalCapacity
    separate(room + 2)
    put(UInt8(ascii: "\""))
    let written = unsafe value.writeDecimal(at: base + end)
    end += written
    put(UInt8(ascii: "\""))
  }

  /// Appends an amount, or `null` when there is none.
  package mutating func amount(_ value: Amount?) {
    if let value { amount(value) } else { null() }
  }
}
