// The fence that writes amounts as decimal text into memory of a caller, a byte array or a string.

extension Amount {
  /// Writes the decimal text at `pointer`, which has room for `decimalCapacity` bytes; what lies behind the
  /// text within that room is undefined afterwards.
  ///
  /// - Returns: The length of the text.
  @unsafe
  package func writeDecimal(at pointer: UnsafeMutablePointer<UInt8>) -> Int {
    switch storage {
    case .inline(let value):
      if value >= 0 { return unsafe DecimalDigits.write(value.magnitude, at: pointer) }
      unsafe pointer[0] = UInt8(ascii: "-")
      return unsafe DecimalDigits.write(value.magnitude, at: pointer + 1) + 1
    case .big(let big):
      return unsafe big.writeDecimal(at: pointer)
    }
  }

  /// Appends the decimal text.
  package func appendDecimal(to bytes: inout [UInt8]) {
    unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: decimalCapacity) { buffer in
      let count = unsafe writeDecimal(at: buffer.baseAddress!)
      unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: buffer.baseAddress!, count: count))
    }
  }
}

extension Amount: CustomStringConvertible {
  /// The decimal text.
  @usableFromInline
  package var description: String {
    unsafe String(unsafeUninitializedCapacity: decimalCapacity) { buffer in
      unsafe writeDecimal(at: buffer.baseAddress!)
    }
  }
}
