// Tables at several widths, line by line.

import LedgerlineClient
import Testing

@testable import Commands

private func balances(_ count: Int) -> Grid {
  var grid = Grid(
    columns: ["balance_id", "ledger_id", "identity_id", "currency", "balance", "version"].map {
      Grid.Column(field: $0)
    })
  for index in 0..<count {
    grid.append([
      .text("bln_0190a3f2-7c1e-7000-8000-00000000000\(index % 10)"), .text("ldg_main"), .null, .text("USD"),
      .text(index == 0 ? "-1234567" : "\(index)000000000"), .text("\(index)"),
    ])
  }
  return grid
}

private func drawn(_ lines: [String]) -> String { lines.joined(separator: "\n") + "\n" }

@Test func wideTableShowsEverything() {
  let text = TableRenderer(width: 200).render(balances(2), total: 1247)
  #expect(
    text
      == drawn([
        "┌──────────────────────────────────────────┬───────────┬─────────────┬──────────┬───────────────┬─────────┐",
        "│ balance_id                               │ ledger_id │ identity_id │ currency │       balance │ version │",
        "├──────────────────────────────────────────┼───────────┼─────────────┼──────────┼───────────────┼─────────┤",
        "│ bln_0190a3f2-7c1e-7000-8000-000000000000 │ ldg_main  │ NULL        │ USD      │    -1,234,567 │       0 │",
        "│ bln_0190a3f2-7c1e-7000-8000-000000000001 │ ldg_main  │ NULL        │ USD      │ 1,000,000,000 │       1 │",
        "├──────────────────────────────────────────┴───────────┴─────────────┴──────────┴───────────────┴─────────┤",
        "│ 1,247 rows (2 shown)                                                                                    │",
        "└─────────────────────────────────────────────────────────────────────────────────────────────────────────┘",
      ]))
}

@Test func mediumTableShrinksTheWidestColumnAndKeepsBothEndsOfIds() {
  let text = TableRenderer(width: 80).render(balances(2))
  #expect(
    text
      == drawn([
        "┌───────────────┬───────────┬─────────────┬──────────┬───────────────┬─────────┐",
        "│ balance_id    │ ledger_id │ identity_id │ currency │       balance │ version │",
        "├───────────────┼───────────┼─────────────┼──────────┼───────────────┼─────────┤",
        "│ bln_01…000000 │ ldg_main  │ NULL        │ USD      │    -1,234,567 │       0 │",
        "│ bln_01…000001 │ ldg_main  │ NULL        │ USD      │ 1,000,000,000 │       1 │",
        "├───────────────┴───────────┴─────────────┴──────────┴───────────────┴─────────┤",
        "│ 2 rows                                                                       │",
        "└──────────────────────────────────────────────────────────────────────────────┘",
      ]))
}

@Test func narrowTableLeavesColumnsOutAndSaysSo() {
  #expect(
    TableRenderer(width: 40, box: .ascii).render(balances(2))
      == drawn([
        "+--------------+---+---------------+---+",
        "| balance_id   | ~ |       balance | ~ |",
        "+--------------+---+---------------+---+",
        "| bln_01~00000 | ~ |    -1,234,567 | ~ |",
        "| bln_01~00001 | ~ | 1,000,000,000 | ~ |",
        "+--------------+---+---------------+---+",
        "| 2 rows           6 columns (2 shown) |",
        "+--------------------------------------+",
      ]))
  for width in [20, 40, 50, 60, 70] {
    let text = TableRenderer(width: width).render(balances(3))
    for line in text.split(separator: "\n") {
      #expect(TextWidth.of(line) <= width, "width \(width): \(line)")
    }
    #expect(width < 40 || text.contains("6 columns ("), "width \(width)\n\(text)")
  }
}

@Test func longTableIsCutInTheMiddleWithItsCount() {
  var renderer = TableRenderer(width: 60, rowLimit: 4)
  renderer.box = .ascii
  var grid = Grid(columns: [Grid.Column("currency", .text), Grid.Column("count", .amount)])
  for index in 0..<1000 { grid.append([.text("C\(index)"), .text("\(index * 7)")]) }
  #expect(
    renderer.render(grid)
      == drawn([
        "+----------+-------+",
        "| currency | count |",
        "+----------+-------+",
        "| C0       |     0 |",
        "| C1       |     7 |",
        "| .        |     . |",
        "| .        |     . |",
        "| .        |     . |",
        "| C998     | 6,986 |",
        "| C999     | 6,993 |",
        "+----------+-------+",
        "1,000 rows (4 shown)",
      ]))
}

@Test func wideCharactersKeepTheBordersStraight() {
  var grid = Grid(columns: [Grid.Column("name", .text), Grid.Column("note", .text)])
  grid.append([.text("日本"), .text("e\u{301}")])
  grid.append([.text("abc"), .text("😀 ok")])
  #expect(
    TableRenderer(width: 40).render(grid)
      == drawn([
        "┌──────┬───────┐",
        "│ name │ note  │",
        "├──────┼───────┤",
        "│ 日本 │ e\u{301}     │",
        "│ abc  │ 😀 ok │",
        "├──────┴───────┤",
        "│ 2 rows       │",
        "└──────────────┘",
      ]))
}

@Test func emptyResultIsATableOfNoRows() {
  #expect(TableRenderer(width: 40).render(Grid(columns: [])) == "0 rows\n")
}

@Test func everyWidthIsKept() {
  var grid = Grid(columns: (0..<12).map { Grid.Column("column_\($0)", $0 % 3 == 0 ? .amount : .text) })
  for row in 0..<5 {
    grid.append((0..<12).map { .text(String(repeating: "9", count: ($0 * 7 + row * 3) % 41)) })
  }
  for width in 9...220 {
    for line in TableRenderer(width: width).render(grid).split(separator: "\n").dropLast(3) {
      #expect(TextWidth.of(line) <= width, "width \(width): \(line)")
    }
  }
}

@Test(arguments: [
  ("0", "0"), ("999", "999"), ("1000", "1,000"), ("-1000", "-1,000"), ("1234567.50", "1,234,567.50"),
  ("-999", "-999"), ("", ""), ("-", "-"), ("abc", "abc"), ("1000.", "1000."), ("10e3", "10e3"),
  ("1000000000000000000000000000000", "1,000,000,000,000,000,000,000,000,000,000"),
])
func thousandsAreGroupedOnlyInPlainDecimals(text: String, grouped: String) {
  #expect(groupedByThousands(text) == grouped)
}

@Test func resultsAreShownInEveryMode() throws {
  let result = try JSONNode.parse(
    #"{"data":[{"balance_id":"bln_1","balance":"5000","indicator":null},{"balance_id":"bln_2","balance":"-1","#
      + #""meta_data":{"a":"x|y"}}],"total_count":9}"#)
  func text(_ mode: OutputMode) -> String {
    ResultPrinter(mode: mode, table: TableRenderer(width: 80)).text(result)
  }
  #expect(
    text(.table)
      == drawn([
        "┌────────────┬─────────┬───────────┬─────────────┐",
        "│ balance_id │ balance │ indicator │ meta_data   │",
        "├────────────┼─────────┼───────────┼─────────────┤",
        "│ bln_1      │   5,000 │ NULL      │             │",
        "│ bln_2      │      -1 │           │ {\"a\":\"x|y\"} │",
        "├────────────┴─────────┴───────────┴─────────────┤",
        "│ 9 rows (2 shown)                               │",
        "└────────────────────────────────────────────────┘",
      ]))
  #expect(
    text(.expanded).hasPrefix(
      drawn([
        "─[ row 1 ]──────────────────────────────────────────────────",
        "balance_id │ bln_1",
        "balance    │ 5,000",
        "indicator  │ NULL",
      ])))
  #expect(
    text(.csv)
      == "balance_id,balance,indicator,meta_data\nbln_1,5000,,\nbln_2,-1,,\"{\"\"a\"\":\"\"x|y\"\"}\"\n")
  #expect(
    text(.ndjson)
      == "{\"balance_id\":\"bln_1\",\"balance\":\"5000\",\"indicator\":null}\n"
      + "{\"balance_id\":\"bln_2\",\"balance\":\"-1\",\"meta_data\":{\"a\":\"x|y\"}}\n")
  #expect(
    text(.markdown)
      == "| balance_id | balance | indicator | meta_data |\n| --- | ---: | --- | --- |\n"
      + "| bln_1 | 5,000 |  |  |\n| bln_2 | -1 |  | {\"a\":\"x\\|y\"} |\n")
  #expect(try JSONNode.parse(text(.json)) == result)
}

@Test func oneObjectIsATableOfItsFields() throws {
  let result = try JSONNode.parse(#"{"balance_id":"bln_1","balance":"5000"}"#)
  #expect(
    ResultPrinter(mode: .table, table: TableRenderer(width: 80)).text(result)
      == drawn([
        "┌────────────┬───────┐",
        "│ field      │ value │",
        "├────────────┼───────┤",
        "│ balance_id │ bln_1 │",
        "│ balance    │ 5,000 │",
        "└────────────┴───────┘",
      ]))
}
