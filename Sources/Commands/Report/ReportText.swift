// A report for a terminal, for a spreadsheet and for programs.

import LedgerlineClient

package enum ReportText {
  /// Titles, boxes and notes, one section after another.
  package static func table(_ report: ReportResult, _ renderer: TableRenderer) -> String {
    var text = renderer.paint(.bold, report.title) + "\n"
    if let note = report.note { text += note + "\n" }
    for section in report.sections {
      text += "\n" + renderer.paint(.boldCyan, section.section.title) + "\n"
      var grid = section.grid
      if let totals = section.totals { grid.append(totals) }
      text += renderer.render(grid, total: section.totalCount ?? section.grid.rows.count)
      if let note = section.section.note { text += renderer.paint(.dim, note) + "\n" }
    }
    return text + "\n" + renderer.paint(.dim, footer(report)) + "\n"
  }

  /// What every figure of the report goes back to.
  static func footer(_ report: ReportResult) -> String {
    "All figures are of one moment"
      + (report.position.map { ", journal position \(groupedByThousands(String($0)))" } ?? "")
      + ". Made on \(report.date)."
  }

  /// One table after another, each with its header; with several, a line with the query's name before each
  /// and a blank line between them.
  package static func csv(_ report: ReportResult) -> String {
    let isAlone = report.sections.count == 1
    return report.sections.map { section in
      var text = isAlone ? "" : CSVWriter.record([section.section.name])
      text += CSVWriter.record(section.grid.columns.map(\.name))
      for row in section.grid.rows {
        text += CSVWriter.record(
          row.map { cell -> String? in if case .text(let text) = cell { text } else { nil } })
      }
      return text
    }.joined(separator: "\n")
  }

  /// The answers as they came, with names and titles.
  package static func json(_ report: ReportResult) -> JSONNode {
    .object([
      .init("title", .string(report.title)), .init("date", .string(report.date)),
      .init("position", report.position.map { .int($0) } ?? .null),
      .init(
        "queries",
        .array(
          report.sections.map { section in
            .object(
              [
                .init("name", .string(section.section.name)), .init("title", .string(section.section.title)),
                .init("rows", .array(section.rows)),
              ] + (section.totalCount.map { [.init("total_count", .int($0))] } ?? []))
          })),
    ])
  }
}
