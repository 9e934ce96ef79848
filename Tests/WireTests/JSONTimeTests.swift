// Times: Python's calendar is the oracle; reading undoes writing.

import Foundation
import TestSupport
import Testing

@testable import Wire

@Suite struct JSONTimeTests {
  @Test func timesAgreeWithPython() throws {
    let url = try #require(
      Bundle.module.url(forResource: "times", withExtension: "txt", subdirectory: "Data"))
    var count = 0
    for line in try String(contentsOf: url, encoding: .utf8).split(separator: "\n") where !line.hasPrefix("#")
    {
      let fields = line.split(separator: "\t").map(String.init)
      let microseconds = try #require(Int64(fields[1]))
      #expect(
        JSONTime(parsing: fields[0]) == JSONTime(microseconds: microseconds, extent: .instant), "\(line)")
      #expect(JSONTime.text(microseconds: microseconds) == fields[2])
      count += 1
    }
    #expect(count > 300)
  }

  @Test(arguments: [
    ("2024-01-15", 1_705_276_800_000_000, JSONTime.Extent.day), ("0001-01-01", -62_135_596_800_000_000, .day),
    ("1970-01-01T00:00", 0, .instant), ("1970-01-01T00:00:01", 1_000_000, .instant),
    ("1970-01-01T00:00:00.5", 500_000, .instant), ("1970-01-01T00:00:00.000001999Z", 1, .instant),
    ("1970-01-01T01:00+01:00", 0, .instant), ("1970-01-01t00:00:00z", 0, .instant),
    ("1970-01-01T00:00:00-00:00", 0, .instant), ("1969-12-31T23:59:59.999999Z", -1, .instant),
    ("9999-12-31T23:59:59.999999999Z", 253_402_300_799_999_999, .instant),
  ])
  func shortFormsAreRead(text: String, microseconds: Int64, extent: JSONTime.Extent) {
    #expect(JSONTime(parsing: text) == JSONTime(microseconds: microseconds, extent: extent))
  }

  @Test(arguments: [
    "", "2024", "2024-01", "2024-1-1", "24-01-01", "2024-00-01", "2024-13-01", "2024-01-00", "2024-01-32",
    "2023-02-29",
    "1900-02-29", "2024-04-31", "0000-01-01", "-001-01-01", "12024-01-01", "2024-01-01 ", " 2024-01-01",
    "2024-01-01Z",
    "2024-01-01T", "2024-01-01T10", "2024-01-01T10:", "2024-01-01T24:00", "2024-01-01T10:60",
    "2024-01-01T10:00:60Z",
    "2024-01-01T10:00:00.Z", "2024-01-01T10:00:00.1234567890Z", "2024-01-01T10:00:00,5Z",
    "2024-01-01 10:00:00Z",
    "2024-01-01T10:00:00+1:00", "2024-01-01T10:00:00+0100", "2024-01-01T10:00:00+24:00",
    "2024-01-01T10:00:00+01:60",
    "2024-01-01T10:00:00ZZ", "2024-01-01T10:00.5Z", "2024/01/01", "2024-01-01T10:00:00 Z", "２024-01-01",
    "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2024-01-01T10:00:00+",
  ])
  func anythingElseIsRefused(text: String) {
    #expect(JSONTime(parsing: text) == nil)
  }

  @Test func daysAndDatesAreEachOthersInverse() {
    var date = (year: 1, month: 1, day: 1)
    let first = JSONTime.day(year: 1, month: 1, day: 1)
    let last = JSONTime.day(year: 9999, month: 12, day: 31)
    for day in first...last {
      let found = JSONTime.date(ofDay: day)
      if found != date || JSONTime.day(year: date.year, month: date.month, day: date.day) != day {
        Issue.record("day \(day) is \(found), not \(date)")
        return
      }
      date.day += 1
      if date.day > JSONTime.dayCount(ofMonth: date.month, year: date.year) {
        date = (date.year, date.month + 1, 1)
      }
      if date.month > 12 { date = (date.year + 1, 1, 1) }
    }
    #expect(last - first + 1 == 3_652_059)
  }

  @Test(arguments: Seed.sample(8))
  func whatIsWrittenIsReadBack(seed: Seed) {
    var generator = seed.generator
    for _ in 0..<500 {
      var time = Int64.random(in: JSONTime.years, using: &generator)
      if Bool.random(using: &generator) { time -= time % 1_000_000 }
      let text = JSONTime.text(microseconds: time)
      #expect(JSONTime(parsing: text)?.microseconds == time, "\(seed) \(text)")
    }
  }
}
