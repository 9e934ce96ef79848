// The fence that reads and writes decimal digits of machine integers, eight a step as bytes of a word.

enum DecimalDigits {
  /// What fits `Int128` whatever its digits are.
  static let maximumInlineDigits = 38

  private static let powers: [UInt64] = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
    10_000_000_000, 100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000,
    1_000_000_000_000_000, 10_000_000_000_000_000, 100_000_000_000_000_000,
    1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
  ]

  /// 10 to the power of `exponent`, which is 0 to 38.
  static func power(of10 exponent: Int) -> UInt128 {
    if exponent <= 19 { return UInt128(powers[exponent]) }
    return UInt128(powers[exponent - 19]) &* UInt128(powers[19])
  }

  /// How many digits `value` has; 1 for zero. `value` is at most 2^127.
  static func count(_ value: UInt128) -> Int {
    if value == 0 { return 1 }
    // 1233 / 4096 is log10(2) to within 5e-6, so the estimate is right or one too low up to 128 bits.
    let estimate = ((128 - value.leadingZeroBitCount) * 1_233) >> 12
    return value >= power(of10: estimate) ? estimate + 1 : estimate
  }

  // MARK: Reading

  private static let zeros: UInt64 = 0x3030_3030_3030_3030

  /// Zero when all eight bytes are digits: each high half is 3, and stays so when 6 is added.
  @inline(__always)
  private static func faults(_ word: UInt64) -> UInt64 {
    let highs: UInt64 = 0xF0F0_F0F0_F0F0_F0F0
    return ((word ^ zeros) | ((word &+ 0x0606_0606_0606_0606) ^ zeros)) & highs
  }

  /// The value of eight digits: pairs, then fours, then all, each step joining neighbours.
  @inline(__always)
  private static func value(_ word: UInt64) -> UInt64 {
    var word = word &- zeros
    word = (word &* 10) &+ (word >> 8)
    let mask: UInt64 = 0x0000_00FF_0000_00FF
    let first = (word & mask) &* 0x000F_4240_0000_0064
    let second = ((word >> 16) & mask) &* 0x0000_2710_0000_0001
    return (first &+ second) >> 32
  }

  @inline(__always)
  private static func load(_ pointer: UnsafePointer<UInt8>) -> UInt64 {
    UInt64(littleEndian: unsafe UnsafeRawPointer(pointer).loadUnaligned(as: UInt64.self))
  }

  /// The value of the digits from `start` to the end of `text`, 1 to 38 of them; nil when one is not a digit.
  @inline(__always)
  static func read(_ text: Span<UInt8>, from start: Int) -> UInt128? {
    let count = text.count - start
    precondition(start >= 0 && count >= 1 && count <= maximumInlineDigits)
    return unsafe text.withUnsafeBufferPointer { pointer in
      unsafe read(pointer.baseAddress! + start, count: count)
    }
  }

  @inline(__always) @unsafe
  private static func read(_ pointer: UnsafePointer<UInt8>, count: Int) -> UInt128? {
    if count < 8 {
      var value: UInt64 = 0
      for index in 0..<count {
        let digit = unsafe pointer[index] &- 0x30
        if digit > 9 { return nil }
        value = value &* 10 &+ UInt64(digit)
      }
      return UInt128(value)
    }
    // The first 1 to 8 digits come from one load, moved up behind digits zero.
    let head = ((count &- 1) & 7) &+ 1
    let shift = UInt64(8 &- head) &* 8
    let first = unsafe load(pointer)
    let headWord = shift == 0 ? first : (first << shift) | (zeros >> (64 &- shift))
    var faults = Self.faults(headWord)
    var narrow = value(headWord)
    var index = head
    let narrowEnd = min(count, head &+ 8)
    while index < narrowEnd {
      let word = unsafe load(pointer + index)
      faults |= Self.faults(word)
      narrow = narrow &* 100_000_000 &+ value(word)
      index &+= 8
    }
    var wide = UInt128(narrow)
    while index < count {
      let word = unsafe load(pointer + index)
      faults |= Self.faults(word)
      wide = wide &* 100_000_000 &+ UInt128(value(word))
      index &+= 8
    }
    return faults == 0 ? wide : nil
  }

  /// The offset of the first byte at or after `start` that is not a digit; the length when there is none.
  static func firstNonDigit(in text: Span<UInt8>, from start: Int) -> Int {
    var index = start
    let count = text.count
    while index + 8 <= count {
      let word = unsafe text.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
      if faults(word) != 0 { break }
      index += 8
    }
    while index < count && text[index] &- 0x30 <= 9 {
      index += 1
    }
    return index
  }

  // MARK: Writing

  /// Eight digits of a value below 10^8, as numbers 0 to 9, one a byte: halves, quarters, eighths.
  @inline(__always)
  private static func spread(_ value: UInt64) -> UInt64 {
    let high = value / 10_000
    let fours = high | ((value &- high &* 10_000) << 32)
    // 10486 / 2^20 is 1/100 for values below 10^4; 103 / 2^10 is 1/10 for values below 100.
    let hundreds = ((fours &* 10_486) >> 20) & 0x0000_007F_0000_007F
    let twos = hundreds | ((fours &- hundreds &* 100) << 16)
    let tens = ((twos &* 103) >> 10) & 0x000F_000F_000F_000F
    return tens | ((twos &- tens &* 10) << 8)
  }

  @inline(__always)
  private static func store(_ digits: UInt64, at pointer: UnsafeMutablePointer<UInt8>) {
    unsafe UnsafeMutableRawPointer(pointer).storeBytes(of: digits.littleEndian, as: UInt64.self)
  }

  /// Writes a value below 10^8 without leading zeros; 8 bytes are touched.
  @inline(__always) @unsafe
  private static func writeShort(_ value: UInt64, at pointer: UnsafeMutablePointer<UInt8>) -> Int {
    let digits = spread(value)
    // The bit keeps the last digit of zero.
    let leading = (digits | (1 << 63)).trailingZeroBitCount & ~7
    unsafe store((digits | zeros) >> UInt64(leading), at: pointer)
    return 8 &- leading >> 3
  }

  /// Writes the last 16 digits of a value below 10^16, zeros included.
  @inline(__always) @unsafe
  private static func writeSixteen(_ value: UInt64, at pointer: UnsafeMutablePointer<UInt8>) {
    let high = value / 100_000_000
    unsafe store(spread(high) | zeros, at: pointer)
    unsafe store(spread(value &- high &* 100_000_000) | zeros, at: pointer + 8)
  }

  /// Writes `value` without leading zeros. Up to 24 bytes are touched.
  ///
  /// - Returns: The number of digits.
  @unsafe
  static func write(_ value: UInt64, at pointer: UnsafeMutablePointer<UInt8>) -> Int {
    if value < 100_000_000 { return unsafe writeShort(value, at: pointer) }
    if value < 10_000_000_000_000_000 {
      let high = value / 100_000_000
      let count = unsafe writeShort(high, at: pointer)
      unsafe store(spread(value &- high &* 100_000_000) | zeros, at: pointer + count)
      return count &+ 8
    }
    let high = value / 10_000_000_000_000_000
    let count = unsafe writeShort(high, at: pointer)
    unsafe writeSixteen(value &- high &* 10_000_000_000_000_000, at: pointer + count)
    return count &+ 16
  }

  /// Writes `value`, which is at most 2^127, without leading zeros. Up to 44 bytes are touched.
  ///
  /// - Returns: The number of digits.
  @unsafe
  static func write(_ value: UInt128, at pointer: UnsafeMutablePointer<UInt8>) -> Int {
    guard value > UInt128(UInt64.max) else {
      return unsafe write(UInt64(truncatingIfNeeded: value), at: pointer)
    }
    // 2^127 / 2^64 is below 10^19, so the quotient fits 64 bits.
    let (high, low) = (10_000_000_000_000_000_000 as UInt64).dividingFullWidth(
      (UInt64(truncatingIfNeeded: value >> 64), UInt64(truncatingIfNeeded: value)))
    let count = unsafe write(high, at: pointer)
    let top = low / 10_000_000_000_000_000
    // Three of the low part's 19 digits, moved down from the end of eight; then the other sixteen.
    unsafe store((spread(top) | zeros) >> 40, at: pointer + count)
    unsafe writeSixteen(low &- top &* 10_000_000_000_000_000, at: pointer + count + 3)
    return count &+ 19
  }
}
