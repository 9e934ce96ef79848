// A set of codes in the forms that the loops over lanes of each width want.

/// A set of 32-bit codes, made once for a query and tested against many lanes.
package struct CodeMembers: Hashable, Sendable {
  /// The codes, rising, when there are at most `fewLimit`: they are compared one after the other.
  package let few: [UInt32]
  /// A bit for each code when there are more; empty otherwise.
  package let bits: [UInt64]
  /// The smallest and the largest code; nil when there is none.
  package let bounds: ClosedRange<UInt32>?
  /// Codes below 256: bit `code / 16 % 8` of byte `code / 128 * 16 + code % 16`.
  let byteTable: SIMD32<UInt8>
  /// The few codes that fit 8 and 16 bits, from the first place on, and how many they are.
  let fewBytes: SIMD4<UInt8>
  let fewShorts: SIMD4<UInt16>
  let fewByteCount: Int
  let fewShortCount: Int

  /// So many codes are compared one after the other.
  package static let fewLimit = 4

  /// The set of those codes. O(codes + largest code / 64), O(codes) for a few.
  package init(_ codes: some Collection<UInt32>) {
    if codes.count <= Self.fewLimit {
      self.init(few: codes)
      return
    }
    var words = [UInt64](repeating: 0, count: codes.max().map { Int($0 >> 6) + 1 } ?? 0)
    for code in codes { words[Int(code >> 6)] |= 1 << UInt64(code & 63) }
    self.init(bits: words)
  }

  private init(few codes: some Collection<UInt32>) {
    var few: [UInt32] = []
    var table = SIMD32<UInt8>(repeating: 0)
    for code in codes.sorted() where few.last != code {
      few.append(code)
      if code < 256 { table[Int((code >> 7) * 16 + (code & 15))] |= 1 << UInt8((code >> 4) & 7) }
    }
    self.few = few
    bits = []
    bounds = few.first.flatMap { low in few.last.map { low...$0 } }
    byteTable = table
    var (bytes, shorts) = (SIMD4<UInt8>(repeating: 0), SIMD4<UInt16>(repeating: 0))
    for (place, code) in self.few.enumerated() {
      if code <= 0xFF { bytes[place] = UInt8(code) }
      if code <= 0xFFFF { shorts[place] = UInt16(code) }
    }
    // They rise, so the narrow ones come first.
    (fewBytes, fewShorts) = (bytes, shorts)
    fewByteCount = self.few.count { $0 <= 0xFF }
    fewShortCount = self.few.count { $0 <= 0xFFFF }
  }

  /// The codes whose bit is set. O(words).
  package init(bits words: [UInt64]) {
    var few: [UInt32] = []
    var table = SIMD32<UInt8>(repeating: 0)
    var isFew = true
    var low: UInt32?
    var high: UInt32 = 0
    for (index, word) in words.enumerated() where word != 0 {
      let first = UInt32(index << 6)
      if low == nil { low = first + UInt32(word.trailingZeroBitCount) }
      high = first + 63 - UInt32(word.leadingZeroBitCount)
      var rest = word
      while rest != 0, isFew || first < 256 {
        let code = first + UInt32(rest.trailingZeroBitCount)
        if code < 256 { table[Int((code >> 7) * 16 + (code & 15))] |= 1 << UInt8((code >> 4) & 7) }
        isFew = isFew && few.count < Self.fewLimit
        if isFew { few.append(code) }
        rest &= rest &- 1
      }
    }
    self.few = isFew ? few : []
    bits = isFew ? [] : words
    bounds = low.map { $0...high }
    byteTable = table
    var (bytes, shorts) = (SIMD4<UInt8>(repeating: 0), SIMD4<UInt16>(repeating: 0))
    for (place, code) in self.few.enumerated() {
      if code <= 0xFF { bytes[place] = UInt8(code) }
      if code <= 0xFFFF { shorts[place] = UInt16(code) }
    }
    // They rise, so the narrow ones come first.
    (fewBytes, fewShorts) = (bytes, shorts)
    fewByteCount = self.few.count { $0 <= 0xFF }
    fewShortCount = self.few.count { $0 <= 0xFFFF }
  }

  package var isEmpty: Bool { bounds == nil }

  /// O(few codes).
  package func contains(_ code: UInt32) -> Bool {
    if bits.isEmpty { return few.contains(code) }
    let word = Int(code >> 6)
    return word < bits.count && bits[word] >> UInt64(code & 63) & 1 != 0
  }
}
