// Times as the protocol writes them.

import Query

/// A time read from a request.
package struct JSONTime: Equatable, Sendable {
  /// Microseconds since 1970-01-01T00:00:00Z, digits beyond the sixth of a fraction cut off.
  package let microseconds: Int64
  /// What the text named: a filter on a whole day means all of it.
  package let extent: Extent

  package enum Extent: Equatable, Sendable {
    /// `YYYY-MM-DD`; `microseconds` is its beginning in UTC.
    case day
    case instant
  }

  package static let microsecondsPerDay: Int64 = 86_400_000_000
  /// Microseconds of the years 0001 to 9999.
  package static let years: ClosedRange<Int64> = -62_135_596_800_000_000...253_402_300_799_999_999
  /// Longest fraction of a second accepted.
  package static let mostFractionDigits = 9

  package init(microseconds: Int64, extent: Extent) {
    self.microseconds = microseconds
    self.extent = extent
  }

  /// Reads `YYYY-MM-DD`, `YYYY-MM-DDTHH:MM[:SS[.f]]` (UTC), or the latter with `Z`, `+HH:MM` or `-HH:MM`
  /// after the seconds (RFC 3339; `T` and `Z` also small). Nil for anything else: a date that does not
  /// exist, second 60, more than nine digits of fraction, an instant outside the years 0001 to 9999.
  package init?(parsing text: Span<UInt8>) {
    var reader = Reader(text)
    guard let year = reader.number(digits: 4), year >= 1, reader.take("-"),
      let month = reader.number(digits: 2), (1...12).contains(month), reader.take("-"),
      let day = reader.number(digits: 2), (1...Self.dayCount(ofMonth: month, year: year)).contains(day)
    else { return nil }
    let start = Int64(Self.day(year: year, month: month, day: day)) * Self.microsecondsPerDay
    if reader.isAtEnd {
      self.init(microseconds: start, extent: .day)
      return
    }
    guard reader.take("T") || reader.take("t"), let clock = reader.clock() else { return nil }
    let instant = start + clock
    guard Self.years.contains(instant) else { return nil }
    self.init(microseconds: instant, extent: .instant)
  }

  package init?(parsing text: String) {
    let bytes = Array(text.utf8)
    self.init(parsing: bytes.span)
  }

  /// Splits a time into days since 1970 and microseconds of the day.
  static func days(of microseconds: Int64) -> (days: Int, rest: Int64) {
    let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: microsecondsPerDay)
    return remainder < 0 ? (Int(quotient) - 1, remainder + microsecondsPerDay) : (Int(quotient), remainder)
  }

  package static func isLeap(_ year: Int) -> Bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  }

  package static func dayCount(ofMonth month: Int, year: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days since 1970-01-01 of a date in the proleptic Gregorian calendar.
  package static func day(year: Int, month: Int, day: Int) -> Int {
    CalendarCodes.day(year: year, month: month, day: day)
  }

  /// The date of a day counted from 1970-01-01.
  package static func date(ofDay day: Int) -> (year: Int, month: Int, day: Int) {
    CalendarCodes.date(ofDay: day)
  }

  /// The time as the protocol writes it, without quotes.
  package static func text(microseconds: Int64) -> String {
    var writer = JSONWriter(capacity: 64)
    writer.time(microseconds: microseconds)
    let quoted = writer.copied()
    return String(decoding: quoted[1..<quoted.count - 1], as: UTF8.self)
  }
}

extension JSONTime {
  /// Reads the fields of a time from left to right.
  private struct Reader: ~Escapable {
    private let text: Span<UInt8>
    private var at = 0

    @_lifetime(copy text)
    init(_ text: Span<UInt8>) { self.text = text }

    var isAtEnd: Bool { at == text.count }

    mutating func take(_ letter: Unicode.Scalar) -> Bool {
      guard at < text.count, text[at] == UInt8(ascii: letter) else { return false }
      at += 1
      return true
    }

    /// Exactly `digits` digits.
    mutating func number(digits: Int) -> Int? {
      guard at + digits <= text.count else { return nil }
      var value = 0
      for offset in at..<at + digits {
        guard JSONText.isDigit(text[offset]) else { return nil }
        value = value * 10 + Int(text[offset] &- UInt8(ascii: "0"))
      }
      at += digits
      return value
    }

    private mutating func number(digits: Int, below bound: Int) -> Int? {
      guard let value = number(digits: digits), value < bound else { return nil }
      return value
    }

    /// `HH:MM[:SS[.f]]` and an offset, to the end of the text, as microseconds.
    mutating func clock() -> Int64? {
      guard let hour = number(digits: 2, below: 24), take(":"), let minute = number(digits: 2, below: 60)
      else { return nil }
      var second = 0
      var fraction = 0
      if take(":") {
        guard let written = number(digits: 2, below: 60) else { return nil }
        second = written
        if take(".") {
          guard let microseconds = self.fraction() else { return nil }
          fraction = microseconds
        }
      }
      guard let offset = self.offset(), isAtEnd else { return nil }
      return Int64((hour * 60 + minute - offset) * 60 + second) * 1_000_000 + Int64(fraction)
    }

    /// One to nine digits, as microseconds.
    private mutating func fraction() -> Int? {
      let start = at
      var microseconds = 0
      while at < text.count, JSONText.isDigit(text[at]) {
        if at - start < 6 { microseconds = microseconds * 10 + Int(text[at] &- UInt8(ascii: "0")) }
        at += 1
        if at - start > JSONTime.mostFractionDigits { return nil }
      }
      guard at > start else { return nil }
      for _ in min(at - start, 6)..<6 { microseconds *= 10 }
      return microseconds
    }

    /// Nothing or `Z` (UTC), or `+HH:MM`, `-HH:MM`: minutes east of UTC.
    private mutating func offset() -> Int? {
      if isAtEnd || take("Z") || take("z") { return 0 }
      let sign = take("+") ? 1 : take("-") ? -1 : 0
      guard sign != 0, let hour = number(digits: 2, below: 24), take(":"),
        let minute = number(digits: 2, below: 60)
      else { return nil }
      return sign * (hour * 60 + minute)
    }
  }
}
