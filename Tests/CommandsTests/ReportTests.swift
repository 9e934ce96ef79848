// Report files: what they may say, what is wrong with them, and how their answers are shown.

import LedgerlineClient
import Platform
import Testing

@testable import Commands

/// 2024-03-31.
private let today = 19_813

private func report(_ text: String, _ settings: [String: String] = [:]) throws -> ReportFile {
  try ReportFile(text, settings: settings, today: today)
}

private func fault(_ text: String, _ settings: [String: String] = [:]) -> String {
  do {
    _ = try report(text, settings)
    return ""
  } catch let fault as ReportFault { return fault.text } catch { return "\(error)" }
}

private func result(_ file: String, _ answer: String) throws -> ReportResult {
  try ReportResult(try report(file), try JSONNode.parse(answer), position: 1234, date: "2024-03-31")
}

@Suite struct ReportFileTests {
  @Test func aQuestionIsSentWithoutHowItIsShown() throws {
    let file = try report(
      #"{"queries":[{"name":"a","filters":[],"limit":3,"show":{"title":"A","totals":["count"]}},{"metrics":["count"]}]}"#
    )
    #expect(file.title == "Report")
    #expect(file.sections[0].question.text == #"{"name":"a","filters":[],"limit":3}"#)
    #expect(file.sections[1].question.text == #"{"name":"query 2","metrics":["count"]}"#)
    #expect(file.sections[1].title == "query 2")
  }

  @Test(arguments: [
    ("[]", "a report is a JSON object"),
    ("{}", "queries: is missing"),
    (#"{"queries":[]}"#, "queries: must be an array of at least one query"),
    (#"{"queries":[7]}"#, "queries[0]: must be an object"),
    (
      #"{"titel":"x","queries":[{}]}"#,
      "titel: there is no such member; did you mean title? (title, note, variables, queries)"
    ),
    (#"{"title":5,"queries":[{}]}"#, "title: must be a text, found 5"),
    (
      #"{"queries":[{"name":"a"},{"name":"a"}]}"#, #"queries[1].name: "a" is the name of another query too"#
    ),
    (
      #"{"queries":[{"show":{"chart":{"type":"pie","label":"a","value":"b"}}}]}"#,
      #"queries[0].show.chart.type: must be "bar" or "line", found "pie""#
    ),
    (
      #"{"queries":[{"show":{"chart":{"type":"bar","label":"a"}}}]}"#,
      "queries[0].show.chart.value: is missing"
    ),
    (
      #"{"queries":[{"show":{"decimals":19}}]}"#,
      "queries[0].show.decimals: must be a number from 0 to 18, found 19"
    ),
    (
      #"{"queries":[{"show":{"columns":[]}}]}"#,
      "queries[0].show.columns: must be an array of at least one column"
    ),
    (
      #"{"queries":[{"value":"${sinse}"}]}"#,
      #"queries[0].value: there is no variable "sinse" (today, month, year)"#
    ),
    (#"{"queries":[{"value":"${today"}]}"#, #"queries[0].value: "${today" has no closing brace"#),
  ])
  func whatIsWrongIsNamedWithItsPlace(text: String, expected: String) {
    #expect(fault(text) == expected)
  }

  @Test func textThatIsNoJSONIsRefusedWithItsPlace() {
    #expect(fault("{").contains("offset") || fault("{").contains("byte"), "\(fault("{"))")
  }

  @Test(arguments: [
    ("${today}", "2024-03-31"), ("${today-90d}", "2024-01-01"), ("${month}", "2024-03-01"),
    ("${today-1m}", "2024-02-29"), ("${month-1m}", "2024-02-01"), ("${year}", "2024-01-01"),
    ("${year-1y}", "2023-01-01"), ("${today+1d}", "2024-04-01"), ("a ${today} b", "a 2024-03-31 b"),
    ("$5 and $", "$5 and $"), ("${since}", "2024-02-01"), ("${who}", "me"),
  ])
  func variablesAreFilledIn(text: String, expected: String) throws {
    let variables = #""variables":{"since":"${month-1m}","who":"me"}"#
    let file = try report("{\(variables),\"title\":\"\(text)\",\"queries\":[{\"value\":[\"\(text)\"]}]}")
    #expect(file.title == expected)
    #expect(file.sections[0].question["value"] == .array([.string(expected)]))
  }

  @Test func aSettingTakesThePlaceOfTheFilesOwn() throws {
    let text = #"{"variables":{"since":"2024-01-01"},"queries":[{"value":"${since}"}]}"#
    #expect(try report(text, ["since": "2020-05-05"]).sections[0].question["value"] == .string("2020-05-05"))
    #expect(
      fault(text, ["sinse": "x"]) == "--set sinse: the report has no such variable; did you mean since?")
  }

  @Test func daysAreThoseOfTheCalendar() {
    for count in stride(from: -800_000, through: 800_000, by: 37) {
      #expect(CalendarDay(count).count == count)
    }
    #expect(CalendarDay(0).text == "1970-01-01")
    #expect(CalendarDay(-1).text == "1969-12-31")
    #expect(CalendarDay(11_016).text == "2000-02-29")
  }

  @Test func someQueriesOfAFileCanBeChosen() throws {
    let file = try report(#"{"queries":[{"name":"a"},{"name":"b"}]}"#)
    #expect(try file.only("b").sections.map(\.name) == ["b"])
    #expect(throws: ReportFault.self) { try file.only("c") }
  }
}

@Suite struct ReportRenderingTests {
  private static let file = #"""
    {"title":"T","queries":[{"name":"q","show":{"columns":[{"field":"currency","title":"Currency"},
    {"field":"sum:balance","title":"Sum"},{"field":"count","title":"Rows"}],"totals":["count"],
    "decimals":{"USD":2,"BTC":8},"chart":{"type":"bar","label":"currency","value":"sum:balance"}}}]}
    """#
  private static let answer = #"""
    {"results":[{"name":"q","result":[{"currency":"USD","count":3,"sum:balance":"-123456"},
    {"currency":"BTC","count":4,"sum:balance":"5"},{"currency":"<b>&\"x'","count":1000,"sum:balance":"7"}]}]}
    """#

  @Test(arguments: [
    ("123456", 2, "1234.56"), ("-5", 2, "-0.05"), ("0", 2, "0.00"), ("12.5", 1, "1.25"), ("7", 0, "7"),
    ("none", 2, "none"), ("", 2, ""),
    ("100000000000000000000000000000000000000000", 18, "100000000000000000000000.000000000000000000"),
  ])
  func thePointMovesExactly(text: String, digits: Int, expected: String) {
    #expect(ReportResult.Section.moved(text, by: digits) == expected)
  }

  @Test func amountsHaveThePointOfTheirCurrencyAndTotalsAreExact() throws {
    let section = try result(Self.file, Self.answer).sections[0]
    #expect(section.grid.rows[0] == [.text("USD"), .text("-1234.56"), .text("3")])
    #expect(section.grid.rows[1][1] == .text("0.00000005"))
    #expect(section.totals == [.text("Total"), .absent, .text("1007")])
  }

  @Test func totalsAreExactBeyondAnyMachineNumber() throws {
    let huge = "9" + String(repeating: "9", count: 60)
    let file = #"{"queries":[{"name":"q","show":{"totals":["sum:balance"]}}]}"#
    let answer =
      #"{"results":[{"result":[{"sum:balance":"\#(huge)"},{"sum:balance":"1"},{"sum:balance":null}]}]}"#
    #expect(try result(file, answer).sections[0].totals == [.text("1" + String(repeating: "0", count: 61))])
  }

  @Test func amountsOfTwoCurrenciesAreNotAddedUp() {
    let file = #"{"queries":[{"name":"q","show":{"totals":["sum:balance"]}}]}"#
    let answer =
      #"{"results":[{"result":[{"currency":"A","sum:balance":"1"},{"currency":"B","sum:balance":"1"}]}]}"#
    #expect(
      throws: CommandFailure(.ownError, #"query "q": sum:balance cannot be added up over 2 currencies"#)
    ) {
      try result(file, answer)
    }
  }

  @Test func aColumnThatDoesNotComeIsNamed() {
    let file = #"{"queries":[{"name":"q","show":{"columns":["balence"]}}]}"#
    #expect(throws: CommandFailure(.ownError, #"query "q" has no column "balence" to show (balance)"#)) {
      try result(file, #"{"results":[{"result":[{"balance":"1"}]}]}"#)
    }
  }

  @Test func aPageNeedsNothingElseAndNothingInItIsMarkup() throws {
    let page = ReportPage.html(try result(Self.file, Self.answer))
    #expect(page.contains("&lt;b&gt;&amp;&quot;x&#39;") && !page.contains("<b>"))
    for foreign in ["http://", "https://", "src=", "<script", "@import", "url("] {
      #expect(!page.contains(foreign), "\(foreign)")
    }
    #expect(page.contains("<td class=\"number negative\" data-label=\"Sum\">-1,234.56</td>"))
    #expect(page.contains("journal position 1,234. Made on 2024-03-31."))
    #expect(page.hasPrefix("<!doctype html>") && page.hasSuffix("</html>\n"))
  }

  @Test func aBarIsAsLongAsItsNumber() throws {
    let file =
      #"{"queries":[{"name":"q","show":{"chart":{"type":"bar","label":"c","value":"sum:balance","limit":2}}}]}"#
    let answer =
      #"{"results":[{"result":[{"c":"a","sum:balance":"100"},{"c":"b","sum:balance":"-50"},{"c":"d","sum:balance":"1"}]}]}"#
    let drawing = try #require(ReportChart.drawings(try result(file, answer).sections[0]).first)
    let widths = drawing.split(separator: "<rect").dropFirst().compactMap { part -> Double? in
      part.firstRange(of: "width=\"").flatMap { Double(part[$0.upperBound...].prefix { $0 != "\"" }) }
    }
    #expect(widths.count == 2 && abs(widths[0] - 2 * widths[1]) < 0.2, "\(widths)")
    #expect(drawing.contains("bar negative") && drawing.contains("and 1 more"))
  }

  @Test func aSeriesHasADrawingOfItsOwn() throws {
    let file =
      #"{"queries":[{"name":"q","show":{"chart":{"type":"line","label":"d","value":"count","series":"currency"}}}]}"#
    let answer = #"""
      {"results":[{"result":[{"currency":"USD","d":"2024-01-01","count":1},{"currency":"EUR","d":"2024-01-01","count":5},
      {"currency":"USD","d":"2024-01-02","count":3}]}]}
      """#
    let section = try result(file, answer).sections[0]
    #expect(ReportChart.drawings(section).count == 2)
    let series = ReportChart.series(section, try #require(section.section.chart))
    #expect(series.map(\.name) == ["USD", "EUR"] && series[0].points.map(\.value) == [1, 3])
  }

  @Test(arguments: [(0.0, 100.0), (-3, 7), (0, 0.001), (-1e15, 1e15), (0, 3), (99, 101)])
  func ticksSpanTheNumbersAndAreFew(low: Double, high: Double) {
    let ticks = ChartScale.ticks(from: low, to: high)
    #expect((3...12).contains(ticks.count), "\(ticks)")
    #expect(ticks.first! <= low && ticks.last! >= high)
  }

  @Test func severalTablesOfACSVAreApart() throws {
    let file = #"{"queries":[{"name":"a"},{"name":"b, c"}]}"#
    let answer = #"{"results":[{"result":[{"x":"1,5"}]},{"result":[{"y":null},{"y":"2"}]}]}"#
    #expect(ReportText.csv(try result(file, answer)) == "a\nx\n\"1,5\"\n\n\"b, c\"\ny\n\"\"\n2\n")
  }

  @Test func theTerminalShowsTitlesTablesAndTotals() throws {
    let text = ReportText.table(try result(Self.file, Self.answer), Console(width: 60).table())
    #expect(text.hasPrefix("T\n\nq\n┌"))
    #expect(text.contains("│ Total") && text.contains("-1,234.56") && text.contains("3 rows"))
  }
}
