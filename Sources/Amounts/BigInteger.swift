// The fence around GMP: numbers beyond 128 bits, each owned by one object and never changed after it is made.

internal import CGMP

/// A GMP number beyond 128 bits. Made once, then only read, so threads may share it without locks.
///
/// The operations take and give `Amount`s, because any operand may be inline and any result may become so.
@safe @usableFromInline
package final class BigInteger: Sendable {
  /// `nonisolated(unsafe)`: the limbs behind it are written before `init` and freed in `deinit`, by this
  /// object alone.
  private nonisolated(unsafe) let number: __mpz_struct

  /// Takes over the limbs of `number`, which must not fit `Int128`.
  fileprivate init(adopting number: __mpz_struct) {
    unsafe self.number = unsafe number
  }

  deinit {
    var number = unsafe self.number
    unsafe __gmpz_clear(&number)
  }

  @usableFromInline package var isNegative: Bool { unsafe number._mp_size < 0 }

  /// How many 64-bit words the magnitude has: three or more, or two with the top bit in use.
  var wordCount: Int { Int(unsafe number._mp_size.magnitude) }

  /// Lends the number to a GMP function that only reads it.
  fileprivate func withNumber<Result>(_ body: (UnsafePointer<__mpz_struct>) -> Result) -> Result {
    withExtendedLifetime(self) {
      unsafe withUnsafePointer(to: number) { pointer in unsafe body(pointer) }
    }
  }

  @usableFromInline
  package func hash(into hasher: inout Hasher) {
    hasher.combine(unsafe number._mp_size)
    withExtendedLifetime(self) {
      for index in 0..<wordCount {
        hasher.combine(unsafe number._mp_d[index])
      }
    }
  }
}

// MARK: - Operands and results

extension Amount {
  /// Lends the value to a GMP function that only reads it; an inline one is laid out as limbs on the stack.
  fileprivate func withNumber<Result>(_ body: (UnsafePointer<__mpz_struct>) -> Result) -> Result {
    switch storage {
    case .big(let big):
      return unsafe big.withNumber(body)
    case .inline(let value):
      let magnitude = value.magnitude
      var limbs = (UInt(truncatingIfNeeded: magnitude), UInt(truncatingIfNeeded: magnitude >> 64))
      let size: Int32 = limbs.1 != 0 ? 2 : (limbs.0 != 0 ? 1 : 0)
      return unsafe withUnsafeMutableBytes(of: &limbs) { bytes in
        let number = unsafe __mpz_struct(
          _mp_alloc: 0, _mp_size: value < 0 ? -size : size,
          _mp_d: bytes.baseAddress!.assumingMemoryBound(to: mp_limb_t.self))
        return unsafe withUnsafePointer(to: number) { pointer in unsafe body(pointer) }
      }
    }
  }

  /// Takes over a GMP number: its limbs are freed when the value fits 128 bits, else kept.
  fileprivate init(adopting number: __mpz_struct) {
    let size = Int(unsafe number._mp_size.magnitude)
    if size <= 2 {
      let low = size > 0 ? UInt128(unsafe number._mp_d[0]) : 0
      let high = size > 1 ? UInt128(unsafe number._mp_d[1]) : 0
      if let value = Amount.int128(magnitude: high << 64 | low, isNegative: unsafe number._mp_size < 0) {
        var number = unsafe number
        unsafe __gmpz_clear(&number)
        self.init(value)
        return
      }
    }
    self.init(storage: .big(unsafe BigInteger(adopting: number)))
  }

  /// The signed value when it fits 128 bits, else nil.
  static func int128(magnitude: UInt128, isNegative: Bool) -> Int128? {
    let limit = UInt128(1) << 127
    if isNegative {
      return magnitude <= limit ? Int128(truncatingIfNeeded: 0 &- magnitude) : nil
    }
    return magnitude < limit ? Int128(truncatingIfNeeded: magnitude) : nil
  }

  /// The result of a GMP function that writes one number.
  fileprivate init(computedBy body: (UnsafeMutablePointer<__mpz_struct>) -> Void) {
    var number = unsafe __mpz_struct()
    unsafe __gmpz_init(&number)
    unsafe body(&number)
    unsafe self.init(adopting: number)
  }
}

// MARK: - Arithmetic

extension BigInteger {
  /// Negative, zero or positive as `left` is below, equal to or above `right`.
  @usableFromInline
  package static func order(_ left: Amount, _ right: Amount) -> Int {
    unsafe left.withNumber { a in unsafe right.withNumber { b in Int(unsafe __gmpz_cmp(a, b)) } }
  }

  @usableFromInline
  package static func sum(_ left: Amount, _ right: Amount) -> Amount {
    unsafe left.withNumber { a in
      unsafe right.withNumber { b in unsafe Amount { unsafe __gmpz_add($0, a, b) } }
    }
  }

  @usableFromInline
  package static func difference(_ left: Amount, _ right: Amount) -> Amount {
    unsafe left.withNumber { a in
      unsafe right.withNumber { b in unsafe Amount { unsafe __gmpz_sub($0, a, b) } }
    }
  }

  @usableFromInline
  package static func product(_ left: Amount, _ right: Amount) -> Amount {
    unsafe left.withNumber { a in
      unsafe right.withNumber { b in unsafe Amount { unsafe __gmpz_mul($0, a, b) } }
    }
  }

  /// Truncating, as `Int128` divides. The divisor must not be zero.
  @usableFromInline
  package static func quotientAndRemainder(
    _ dividend: Amount, _ divisor: Amount
  ) -> (quotient: Amount, remainder: Amount) {
    unsafe dividend.withNumber { a in
      unsafe divisor.withNumber { b in
        var quotient = unsafe __mpz_struct()
        var remainder = unsafe __mpz_struct()
        unsafe __gmpz_init(&quotient)
        unsafe __gmpz_init(&remainder)
        unsafe __gmpz_tdiv_qr(&quotient, &remainder, a, b)
        return unsafe (Amount(adopting: quotient), Amount(adopting: remainder))
      }
    }
  }

  static func power(of10 exponent: Int) -> Amount {
    unsafe Amount { unsafe __gmpz_ui_pow_ui($0, 10, UInt(exponent)) }
  }

  /// `amount` without its factors `factor`, and how many there were. `amount` must not be zero.
  static func removing(factor: Int, from amount: Amount) -> (rest: Amount, count: Int) {
    var count: UInt = 0
    let rest = unsafe amount.withNumber { a in
      unsafe Amount(factor).withNumber { f in
        unsafe Amount { count = unsafe __gmpz_remove($0, a, f) }
      }
    }
    return (rest, Int(count))
  }
}

// MARK: - Text

extension BigInteger {
  /// The value of `digits`, which holds only decimal digits and at least one.
  static func parse(digits: Span<UInt8>, isNegative: Bool) -> Amount {
    let count = digits.count
    let magnitude = unsafe digits.withUnsafeBytes { source in
      // GMP wants the text closed by a NUL, which a slice of a request does not have.
      unsafe withUnsafeTemporaryAllocation(byteCount: count + 1, alignment: 1) { text in
        unsafe text.copyMemory(from: source)
        unsafe text[count] = 0
        return unsafe Amount {
          let failed = unsafe __gmpz_set_str($0, text.baseAddress!.assumingMemoryBound(to: CChar.self), 10)
          precondition(failed == 0, "digits were checked before GMP read them")
        }
      }
    }
    return isNegative ? -magnitude : magnitude
  }

  /// The exact number of decimal digits, or one more.
  var digitCountEstimate: Int {
    unsafe withNumber { Int(unsafe __gmpz_sizeinbase($0, 10)) }
  }

  /// Writes sign, digits and a NUL at `pointer`, which has room for `digitCountEstimate + 2` bytes.
  ///
  /// - Returns: The number of bytes of sign and digits.
  @unsafe
  func writeDecimal(at pointer: UnsafeMutablePointer<UInt8>) -> Int {
    let estimate = digitCountEstimate
    unsafe withNumber { number in
      _ = unsafe __gmpz_get_str(
        UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: CChar.self), 10, number)
    }
    // The estimate is right or one too high: the NUL tells which.
    let longest = estimate + (isNegative ? 1 : 0)
    return unsafe pointer[longest - 1] == 0 ? longest - 1 : longest
  }
}

// MARK: - Bytes

extension BigInteger {
  /// The bytes of the magnitude without leading zeros.
  var magnitudeByteCount: Int {
    unsafe withNumber { (Int(unsafe __gmpz_sizeinbase($0, 2)) + 7) / 8 }
  }

  /// Appends the magnitude, least significant byte first, without leading zeros.
  func appendMagnitude(to bytes: inout [UInt8]) {
    let count = magnitudeByteCount
    withExtendedLifetime(self) {
      for index in 0..<count {
        bytes.append(UInt8(truncatingIfNeeded: unsafe number._mp_d[index >> 3] >> ((index & 7) << 3)))
      }
    }
  }

  /// The value whose magnitude is `bytes`, least significant first.
  static func decode(magnitude bytes: Span<UInt8>, isNegative: Bool) -> Amount {
    let count = bytes.count
    let magnitude = unsafe bytes.withUnsafeBytes { source in
      unsafe Amount { unsafe __gmpz_import($0, count, -1, 1, 0, 0, source.baseAddress!) }
    }
    return isNegative ? -magnitude : magnitude
  }

  /// The version of the GMP that is linked, for the test that it is really there.
  package static var libraryVersion: String {
    unsafe String(cString: __gmp_version)
  }
}
