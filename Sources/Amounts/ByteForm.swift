// The byte form of an amount: self-delimiting, and one form for each value.
//
//   +----------------------+------------------------+---------------------------------------+
//   | sign (bit 7)         | length, 4 bytes, only  | magnitude, least significant byte     |
//   | length (bits 0 to 6) | when those bits are 127| first, last byte not zero             |
//   +----------------------+------------------------+---------------------------------------+
//
// Zero is the single byte 0. A length of 127 bytes or more (307 digits) is written in the four bytes, least
// significant first; a shorter one never is.

extension Amount {
  private static let signBit: UInt8 = 0x80
  private static let longMark = 127

  /// The bytes of the magnitude without leading zeros; 0 for zero.
  private var magnitudeByteCount: Int {
    switch storage {
    case .inline(let value): (128 - value.magnitude.leadingZeroBitCount + 7) >> 3
    case .big(let big): big.magnitudeByteCount
    }
  }

  /// How many bytes `appendBytes(to:)` appends: 1 to 17 for an inline amount.
  package var encodedByteCount: Int {
    let count = magnitudeByteCount
    return 1 + (count >= Amount.longMark ? 4 : 0) + count
  }

  /// Appends the byte form, drawn at the head of this file.
  package func appendBytes(to bytes: inout [UInt8]) {
    let count = magnitudeByteCount
    let sign = isNegative ? Amount.signBit : 0
    if count < Amount.longMark {
      bytes.append(sign | UInt8(count))
    } else {
      precondition(count <= Int(UInt32.max), "amount too large to be written")
      bytes.append(sign | UInt8(Amount.longMark))
      for shift in stride(from: 0, to: 32, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: count >> shift))
      }
    }
    switch storage {
    case .inline(let value):
      var rest = value.magnitude
      while rest != 0 {
        bytes.append(UInt8(truncatingIfNeeded: rest))
        rest >>= 8
      }
    case .big(let big):
      big.appendMagnitude(to: &bytes)
    }
  }

  /// Reads the amount that starts at `offset` and moves `offset` behind it. When it throws, `offset` stays.
  ///
  /// - Throws: `truncated` when `bytes` ends too early, `notCanonical` for a form that is never written.
  package init(bytes: Span<UInt8>, at offset: inout Int) throws(AmountError) {
    precondition(offset >= 0, "negative offset")
    if offset >= bytes.count { throw .truncated }
    let head = bytes[offset]
    let isNegative = head & Amount.signBit != 0
    var start = offset + 1
    var count = Int(head & ~Amount.signBit)
    if count == Amount.longMark {
      if bytes.count - start < 4 { throw .truncated }
      count = 0
      for index in 0..<4 {
        count |= Int(bytes[start + index]) << (8 * index)
      }
      start += 4
      if count < Amount.longMark { throw .notCanonical }
    }
    if bytes.count - start < count { throw .truncated }
    if count == 0 {
      if isNegative { throw .notCanonical }
      self.init(0 as Int128)
    } else {
      if bytes[start + count - 1] == 0 { throw .notCanonical }
      self = Amount(magnitude: bytes.extracting(start..<start + count), isNegative: isNegative)
    }
    offset = start + count
  }

  private init(magnitude bytes: Span<UInt8>, isNegative: Bool) {
    if bytes.count <= 16 {
      var magnitude: UInt128 = 0
      for index in 0..<bytes.count {
        magnitude |= UInt128(bytes[index]) << UInt128(8 * index)
      }
      if let value = Amount.int128(magnitude: magnitude, isNegative: isNegative) {
        self.init(value)
        return
      }
    }
    self = BigInteger.decode(magnitude: bytes, isNegative: isNegative)
  }
}
