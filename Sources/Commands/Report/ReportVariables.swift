// `${name}` in a report file: its own variables, and days relative to today.

import LedgerlineClient
import Wire

/// Values for the `${…}` of a report file. Built in are `${today}`, `${month}` and `${year}` (its first day),
/// each with an offset if wanted: `${today-90d}`, `${month-1m}`, `${year-2y}`.
struct ReportVariables {
  private var values: [String: String] = [:]
  /// Days since 1970-01-01, in UTC.
  private let today: Int

  init(_ own: JSONNode?, settings: [String: String], today: Int) throws {
    self.today = today
    if let own, own != .null {
      guard let members = own.members else {
        throw ReportFault(place: "variables", what: "must be an object of texts")
      }
      for member in members {
        switch member.value {
        case .string(let text), .number(let text): values[member.name] = text
        default:
          throw ReportFault(
            place: "variables.\(member.name)", what: "must be a text, found \(member.value.text)")
        }
      }
    }
    for (name, text) in settings {
      guard values[name] != nil else {
        let meant = Suggestion.nearest(to: name, among: values.keys.sorted())
        throw ReportFault(
          place: "--set \(name)",
          what: "the report has no such variable" + (meant.map { "; did you mean \($0)?" } ?? ""))
      }
      values[name] = text
    }
    // A variable's value may use the built-in ones, not other variables.
    for (name, text) in values { values[name] = try filled(text, "variables.\(name)", onlyBuiltIn: true) }
  }

  /// `text` with every `${…}` replaced.
  func filled(_ text: String, _ place: String) throws -> String {
    try filled(text, place, onlyBuiltIn: false)
  }

  /// All texts in `node` with every `${…}` replaced; names of members stay.
  func filled(_ node: JSONNode, _ place: String) throws -> JSONNode {
    switch node {
    case .string(let text): return .string(try filled(text, place))
    case .array(let items):
      return .array(try items.enumerated().map { try filled($1, "\(place)[\($0)]") })
    case .object(let members):
      return .object(try members.map { .init($0.name, try filled($0.value, "\(place).\($0.name)")) })
    case .null, .bool, .number: return node
    }
  }

  private func filled(_ text: String, _ place: String, onlyBuiltIn: Bool) throws -> String {
    var result = ""
    var rest = text[...]
    while let dollar = rest.firstIndex(of: "$") {
      result += rest[..<dollar]
      let after = rest[rest.index(after: dollar)...]
      guard after.first == "{" else {
        result += "$"
        rest = after
        continue
      }
      guard let end = after.firstIndex(of: "}") else {
        throw ReportFault(place: place, what: "\"\(rest[dollar...])\" has no closing brace")
      }
      let name = String(after[after.index(after: after.startIndex)..<end])
      guard let value = (onlyBuiltIn ? nil : values[name]) ?? date(name) else {
        let known = (onlyBuiltIn ? [] : values.keys.sorted()) + ["today", "month", "year"]
        throw ReportFault(
          place: place, what: "there is no variable \"\(name)\" (\(known.joined(separator: ", ")))")
      }
      result += value
      rest = after[after.index(after: end)...]
    }
    return result + rest
  }

  /// `today`, `month-1m`, `year+1y` … as a date; nil for anything else.
  private func date(_ name: String) -> String? {
    let sign = name.firstIndex { $0 == "-" || $0 == "+" }
    let base = name[..<(sign ?? name.endIndex)]
    var offset = 0
    var unit: Character = "d"
    if let sign {
      guard let last = name.last, "dmy".contains(last),
        let count = Int(name[name.index(after: sign)...].dropLast()), (0...100_000).contains(count)
      else { return nil }
      offset = name[sign] == "-" ? -count : count
      unit = last
    }
    var day = CalendarDay(today)
    switch base {
    case "today": break
    case "month": day.day = 1
    case "year": (day.month, day.day) = (1, 1)
    default: return nil
    }
    switch unit {
    case "m": day.addMonths(offset)
    case "y": day.addMonths(offset * 12)
    default: day = CalendarDay(day.count + offset)
    }
    return day.text
  }
}

/// A day of the proleptic Gregorian calendar. Conversions as in Howard Hinnant, "chrono-Compatible Low-Level
/// Date Algorithms".
struct CalendarDay: Equatable {
  var year: Int
  var month: Int
  var day: Int

  /// - Parameter count: days since 1970-01-01.
  init(_ count: Int) {
    let shifted = count + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let place = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * place + 2) / 5 + 1
    month = place < 10 ? place + 3 : place - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  /// Days since 1970-01-01.
  var count: Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// Moves by months; a day that the month does not have becomes its last one.
  mutating func addMonths(_ count: Int) {
    let months = year * 12 + month - 1 + count
    (year, month) = (months / 12, months % 12 + 1)
    var next = CalendarDay(0)
    (next.year, next.month, next.day) = month == 12 ? (year + 1, 1, 1) : (year, month + 1, 1)
    var first = next
    (first.year, first.month) = (year, month)
    day = min(day, next.count - first.count)
  }

  /// `2024-01-15`.
  var text: String {
    func padded(_ value: Int, _ digits: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
  }
}
