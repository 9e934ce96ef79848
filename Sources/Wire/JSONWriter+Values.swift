// Strings, numbers, times and identifiers as JSON text.

extension JSONWriter {
  /// Appends a string. Escaped is only what RFC 8259 demands: `"`, `\` and control characters. O(bytes).
  package mutating func string(_ text: String) {
    var text = text
    text.withUTF8 { unsafe string($0) }
  }

  /// Appends a string of valid UTF-8. O(bytes).
  package mutating func string(_ utf8: Span<UInt8>) {
    unsafe utf8.withUnsafeBufferPointer { unsafe string($0) }
  }

  /// Appends a string that needs no escapes: an enum's name, a prefixed id. O(bytes).
  @inlinable
  package mutating func plainString(_ text: StaticString) {
    let byteCount = text.utf8CodeUnitCount
    separate(byteCount &+ 2)
    put(UInt8(ascii: "\""))
    unsafe put(text.utf8Start, byteCount)
    put(UInt8(ascii: "\""))
  }

  /// Appends a string, or `null` when there is none.
  package mutating func string(_ text: String?) {
    if let text { string(text) } else { null() }
  }

  @unsafe
  private mutating func string(_ utf8: UnsafeBufferPointer<UInt8>) {
    // A control character takes six bytes.
    separate(utf8.count + 2)
    put(UInt8(ascii: "\""))
    if let start = utf8.baseAddress { unsafe escaped(start, utf8.count) }
    reserve(1)
    put(UInt8(ascii: "\""))
  }

  /// Appends text with its escapes: runs that need none are copied whole.
  private mutating func escaped(_ text: UnsafePointer<UInt8>, _ byteCount: Int) {
    var at = 0
    while true {
      let plain = unsafe Self.plainPrefix(text + at, byteCount - at)
      reserve(plain + 6)
      unsafe put(text + at, plain)
      at += plain
      if at == byteCount { return }
      unsafe escape(text[at])
      at += 1
    }
  }

  /// How many bytes from `text` on need no escape. Eight at a time.
  private static func plainPrefix(_ text: UnsafePointer<UInt8>, _ byteCount: Int) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops: UInt64 = 0x8080_8080_8080_8080
    var at = 0
    while at + 8 <= byteCount {
      let word = unsafe UnsafeRawPointer(text + at).loadUnaligned(as: UInt64.self)
      // The top bit of a byte is set where it is below 0x20, equals `"`, or equals `\`.
      let quotes = word ^ (ones &* 0x22)
      let backslashes = word ^ (ones &* 0x5c)
      let found =
        (word &- ones &* 0x20) & ~word | (quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes
      if found & tops != 0 { break }
      at += 8
    }
    while at < byteCount {
      let byte = unsafe text[at]
      if byte < 0x20 || byte == 0x22 || byte == 0x5c { break }
      at += 1
    }
    return at
  }

  private mutating func escape(_ byte: UInt8) {
    put(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): put(byte)
    case 0x08: put(UInt8(ascii: "b"))
    case 0x0c: put(UInt8(ascii: "f"))
    case 0x0a: put(UInt8(ascii: "n"))
    case 0x0d: put(UInt8(ascii: "r"))
    case 0x09: put(UInt8(ascii: "t"))
    default:
      raw("u00")
      put(Self.hexDigit(byte >> 4))
      put(Self.hexDigit(byte & 15))
    }
  }

  @inline(__always)
  private static func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }

  /// Appends an integer of at most 64 bits as a JSON number.
  @inlinable
  package mutating func integer(_ value: some FixedWidthInteger) {
    separate(20)
    digits(value)
  }

  /// Appends the digits of an integer of at most 64 bits, without a comma.
  @inlinable
  package mutating func digits(_ value: some FixedWidthInteger) {
    digits(UInt64(value.magnitude), isNegative: value < 0)
  }

  @usableFromInline
  mutating func digits(_ magnitude: UInt64, isNegative: Bool) {
    reserve(21)
    if isNegative { put(UInt8(ascii: "-")) }
    unsignedDigits(magnitude)
  }

  /// Room that `pairedDigits` needs, which is more than the digits take.
  static let pairedDigitsRoom = 48

  /// Appends a number, two digits at a time. The caller has reserved `pairedDigitsRoom`.
  @inline(__always)
  mutating func pairedDigits(_ value: UInt64) {
    assert(end + Self.pairedDigitsRoom <= capacity, "room was reserved")
    // Digits come from the last to the first, so they are written behind their place and then moved there.
    let target = unsafe UnsafeMutableRawPointer(base + end)
    let digitLimit = 20
    var rest = value
    var at = digitLimit
    while rest >= 100 {
      let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
      rest = quotient
      at &-= 2
      unsafe target.storeBytes(of: Self.twoDigits(pair), toByteOffset: at, as: UInt16.self)
    }
    at &-= 2
    unsafe target.storeBytes(of: Self.twoDigits(rest), toByteOffset: at, as: UInt16.self)
    if rest < 10 { at &+= 1 }
    for word in 0..<3 {
      let digits = unsafe target.loadUnaligned(fromByteOffset: at + word * 8, as: UInt64.self)
      unsafe target.storeBytes(of: digits, toByteOffset: word * 8, as: UInt64.self)
      // What follows is not digits any more; short numbers end in the first word.
      if digitLimit - at <= (word + 1) * 8 { break }
    }
    end &+= digitLimit - at
  }

  /// Appends a number below 100 with two digits. The caller has reserved room.
  @inline(__always)
  private mutating func pair(_ value: UInt64) {
    unsafe UnsafeMutableRawPointer(base + end).storeBytes(of: Self.twoDigits(value), as: UInt16.self)
    end &+= 2
  }

  /// The two digits of a number below 100 as they lie in memory.
  @inline(__always)
  private static func twoDigits(_ value: UInt64) -> UInt16 {
    // value / 10 for values below 100.
    let tens = (value &* 103) >> 10
    let units = value &- tens &* 10
    return UInt16(littleEndian: UInt16(truncatingIfNeeded: 0x3030 &+ tens &+ units << 8))
  }

  private mutating func unsignedDigits(_ value: UInt64) {
    reserve(Self.pairedDigitsRoom)
    pairedDigits(value)
  }

  /// Appends a time as a JSON string: RFC 3339, UTC, six digits of fraction unless it is zero.
  ///
  /// - Parameter microseconds: since 1970, in the years 0001 to 9999.
  package mutating func time(microseconds: Int64) {
    precondition(JSONTime.years.contains(microseconds), "a time of the years 0001 to 9999")
    separate(30)
    let (days, rest) = JSONTime.days(of: microseconds)
    let date = JSONTime.date(ofDay: days)
    let second = UInt64(rest / 1_000_000)
    let fraction = UInt64(rest % 1_000_000)
    put(UInt8(ascii: "\""))
    let year = UInt64(date.year)
    pair(year / 100)
    pair(year % 100)
    put(UInt8(ascii: "-"))
    pair(UInt64(date.month))
    put(UInt8(ascii: "-"))
    pair(UInt64(date.day))
    put(UInt8(ascii: "T"))
    pair(second / 3600)
    put(UInt8(ascii: ":"))
    pair(second / 60 % 60)
    put(UInt8(ascii: ":"))
    pair(second % 60)
    if fraction != 0 {
      put(UInt8(ascii: "."))
      pair(fraction / 10_000)
      pair(fraction / 100 % 100)
      pair(fraction % 100)
    }
    put(UInt8(ascii: "Z"))
    put(UInt8(ascii: "\""))
  }

  /// Appends a time, or `null` when there is none.
  package mutating func time(microseconds: Int64?) {
    if let microseconds { time(microseconds: microseconds) } else { null() }
  }

  /// Appends an id as a JSON string: `prefix` and the UUID's text in lower case.
  package mutating func identifier(_ prefix: StaticString, high: UInt64, low: UInt64) {
    let byteCount = prefix.utf8CodeUnitCount
    separate(byteCount + 38)
    put(UInt8(ascii: "\""))
    unsafe put(prefix.utf8Start, byteCount)
    uuidDigits(high: high, low: low)
    put(UInt8(ascii: "\""))
  }

  /// Appends the 36 characters of a UUID. The caller has reserved room.
  private mutating func uuidDigits(high: UInt64, low: UInt64) {
    // Eight digits are stored at once; each later store covers what the one before it wrote too much.
    let first = Self.eightDigits(UInt32(truncatingIfNeeded: high >> 32))
    let second = Self.eightDigits(UInt32(truncatingIfNeeded: high))
    let third = Self.eightDigits(UInt32(truncatingIfNeeded: low >> 32))
    let fourth = Self.eightDigits(UInt32(truncatingIfNeeded: low))
    let hyphen = UInt64(UInt8(ascii: "-"))
    let target = unsafe UnsafeMutableRawPointer(base + end)
    unsafe target.storeBytes(of: first, as: UInt64.self)
    unsafe target.storeBytes(of: hyphen | second << 8, toByteOffset: 8, as: UInt64.self)
    unsafe target.storeBytes(of: hyphen | (second >> 32) << 8, toByteOffset: 13, as: UInt64.self)
    unsafe target.storeBytes(of: hyphen | third << 8, toByteOffset: 18, as: UInt64.self)
    unsafe target.storeBytes(of: hyphen | (third >> 32) << 8, toByteOffset: 23, as: UInt64.self)
    unsafe target.storeBytes(of: fourth, toByteOffset: 28, as: UInt64.self)
    end &+= 36
  }

  /// The eight digits of a value, the first one in the lowest byte.
  @inline(__always)
  private static func eightDigits(_ value: UInt32) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    var spread = UInt64(value)
    spread = (spread | spread << 16) & 0x0000_FFFF_0000_FFFF
    spread = (spread | spread << 8) & 0x00FF_00FF_00FF_00FF
    spread = (spread | spread << 4) & 0x0F0F_0F0F_0F0F_0F0F
    let large = (spread &+ ones &* 118) >> 7 & ones
    return (spread &+ ones &* 0x30 &+ large &* 39).byteSwapped
  }
}
