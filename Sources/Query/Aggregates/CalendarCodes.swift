// Days, months and years of the UTC calendar as numbers that rise with time.

/// Codes of calendar units: days since 1970, months or years since year 0, with 2^31 added, so that they
/// compare as times do.
package enum CalendarCodes {
  package static let microsecondsPerDay: Int64 = 86_400_000_000
  private static let bias = 1 << 31

  /// The unit that a time lies in.
  package static func code(of time: Int64, _ unit: CalendarUnit) -> UInt32 {
    code(ofDay: day(of: time), unit)
  }

  /// Days since 1970, rounded down.
  @inline(__always)
  static func day(of time: Int64) -> Int {
    let (quotient, remainder) = time.quotientAndRemainder(dividingBy: microsecondsPerDay)
    return remainder < 0 ? Int(quotient) - 1 : Int(quotient)
  }

  /// The unit that a day lies in.
  static func code(ofDay day: Int, _ unit: CalendarUnit) -> UInt32 {
    switch unit {
    case .day: return UInt32(bias + day)
    case .month:
      let date = date(ofDay: day)
      return UInt32(bias + date.year * 12 + date.month - 1)
    case .year: return UInt32(bias + date(ofDay: day).year)
    }
  }

  /// The first microsecond of the unit after this one.
  static func end(of code: UInt32, _ unit: CalendarUnit) -> Int64 {
    let next = date(of: code + 1, unit)
    return Int64(day(year: next.year, month: next.month, day: next.day)) * microsecondsPerDay
  }

  /// The first day of a unit.
  package static func date(of code: UInt32, _ unit: CalendarUnit) -> (year: Int, month: Int, day: Int) {
    let number = Int(code) - bias
    switch unit {
    case .day: return date(ofDay: number)
    case .month:
      let year = number >= 0 ? number / 12 : (number - 11) / 12
      return (year, number - year * 12 + 1, 1)
    case .year: return (number, 1, 1)
    }
  }

  /// Days since 1970-01-01 of a date in the proleptic Gregorian calendar.
  ///
  /// Years are counted from March, so that the leap day is a year's last; 400 years have 146,097 days
  /// (Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil).
  package static func day(year: Int, month: Int, day: Int) -> Int {
    let marchYear = month <= 2 ? year - 1 : year
    let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
    let yearOfEra = marchYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// The date of a day counted from 1970-01-01 (the same source, civil_from_days).
  package static func date(ofDay day: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = day + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
  }
}
