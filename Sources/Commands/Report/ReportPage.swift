// A report as one HTML page that needs nothing else: readable on a screen, a phone and on paper.

import LedgerlineClient

/// Text as it stands in HTML.
enum HTMLText {
  /// Everything that HTML would read as markup is spelled out.
  static func escaped(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

package enum ReportPage {
  /// The whole page. O(cells).
  package static func html(_ report: ReportResult) -> String {
    var page = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    // Nothing of the page is fetched from anywhere, and no text of the books can make it.
    page +=
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
    page += "<title>\(HTMLText.escaped(report.title))</title>\n<style>\n\(style)</style>\n</head>\n<body>\n"
    page += "<header><h1>\(HTMLText.escaped(report.title))</h1>"
    if let note = report.note { page += "<p>\(HTMLText.escaped(note))</p>" }
    page += "</header>\n"
    if report.sections.count > 2 {
      page += "<nav><ul>"
      for (index, section) in report.sections.enumerated() {
        page += "<li><a href=\"#s\(index + 1)\">\(HTMLText.escaped(section.section.title))</a></li>"
      }
      page += "</ul></nav>\n"
    }
    page += "<main>\n"
    for (index, section) in report.sections.enumerated() { page += html(section, number: index + 1) }
    return page
      + "</main>\n<footer>\(HTMLText.escaped(ReportText.footer(report)))</footer>\n</body>\n</html>\n"
  }

  private static func html(_ section: ReportResult.Section, number: Int) -> String {
    var text = "<section id=\"s\(number)\">\n<h2>\(HTMLText.escaped(section.section.title))</h2>\n"
    if let note = section.section.note { text += "<p>\(HTMLText.escaped(note))</p>\n" }
    for drawing in ReportChart.drawings(section) { text += drawing + "\n" }
    if section.grid.rows.isEmpty { return text + "<p class=\"none\">No rows.</p>\n</section>\n" }
    text += table(section)
    if let count = section.totalCount, count > section.grid.rows.count {
      text +=
        "<p class=\"more\">\(groupedByThousands(String(section.grid.rows.count))) of "
        + "\(counted(count, "row")) shown.</p>\n"
    }
    return text + "</section>\n"
  }

  private static func table(_ section: ReportResult.Section) -> String {
    let grid = section.grid
    var text = "<div class=\"scroll\"><table\(grid.columns.count > 3 ? " class=\"wide\"" : "")>\n<thead><tr>"
    for column in grid.columns {
      text += "<th scope=\"col\"\(numeric(column.kind))>\(HTMLText.escaped(column.name))</th>"
    }
    text += "</tr></thead>\n<tbody>\n"
    for row in grid.rows { text += line(row, grid) }
    text += "</tbody>\n"
    if let totals = section.totals { text += "<tfoot>\n\(line(totals, grid))</tfoot>\n" }
    return text + "</table></div>\n"
  }

  private static func line(_ row: [Grid.Cell], _ grid: Grid) -> String {
    var text = "<tr>"
    for (cell, column) in zip(row, grid.columns) {
      let shown: String
      switch cell {
      case .absent: shown = ""
      case .null: shown = "<i>none</i>"
      case .text(let value):
        shown = HTMLText.escaped(column.kind == .amount ? groupedByThousands(value) : value)
      }
      let mark = shown.hasPrefix("-") && column.kind == .amount ? " negative" : ""
      let kind = isTime(column) ? " class=\"time\"" : numeric(column.kind, mark)
      text += "<td\(kind) data-label=\"\(HTMLText.escaped(column.name))\">\(shown)</td>"
    }
    return text + "</tr>\n"
  }

  private static func isTime(_ column: Grid.Column) -> Bool {
    column.field.hasSuffix("_at") || column.field.hasSuffix("_date") || column.field.contains("created_at:")
  }

  private static func numeric(_ kind: Grid.Kind, _ mark: String = "") -> String {
    switch kind {
    case .amount, .number: " class=\"number\(mark)\""
    case .identifier: " class=\"id\""
    case .text: ""
    }
  }

  /// Colours follow the reader's light or dark setting; below 40 em a wide table's rows become cards; on
  /// paper all is black on white and rows stay whole.
  private static let style = """
    :root { color-scheme: light dark; --ink: #1b1f24; --dim: #66707c; --rule: #d9dee4; --paper: #fff;
      --bar: #2f6fb2; --loss: #b4412f; }
    @media (prefers-color-scheme: dark) {
      :root { --ink: #e6e9ed; --dim: #98a2ae; --rule: #363d46; --paper: #14171b; --bar: #6aa5e0; --loss: #e58a76; }
    }
    * { box-sizing: border-box; }
    body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 60rem; background: var(--paper);
      color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
    h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; }
    h2 { font-size: 1.15rem; margin: 2.2rem 0 .4rem; }
    p { margin: .3rem 0 .8rem; color: var(--dim); }
    nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; }
    a { color: var(--bar); }
    table { border-collapse: collapse; width: 100%; margin: .6rem 0; font-size: .92rem; }
    th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--rule);
      overflow-wrap: anywhere; }
    th { color: var(--dim); font-weight: 600; }
    tfoot td { font-weight: 600; border-top: 2px solid var(--ink); border-bottom: none; }
    .scroll { overflow-x: auto; }
    .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
    .time { white-space: nowrap; }
    .negative { color: var(--loss); }
    td.id { font-family: ui-monospace, monospace; font-size: .85em; }
    i { color: var(--dim); }
    figure { margin: .8rem 0; }
    figcaption { font-weight: 600; font-size: .9rem; }
    svg { width: 100%; height: auto; display: block; overflow: visible; }
    svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
    svg .label { fill: var(--dim); }
    svg .bar { fill: var(--bar); }
    svg .bar.negative { fill: var(--loss); }
    svg .line { fill: none; stroke: var(--bar); stroke-width: 2; stroke-linejoin: round; }
    svg .dot { fill: var(--bar); }
    svg .grid { stroke: var(--rule); }
    svg .axis { stroke: var(--dim); }
    .more, footer { color: var(--dim); font-size: .85rem; }
    footer { margin-top: 2.5rem; border-top: 1px solid var(--rule); padding-top: .6rem; }
    @media screen and (max-width: 40em) {
      table.wide thead { display: none; }
      table.wide tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--rule); }
      table.wide td { display: flex; justify-content: space-between; gap: 1rem; border: none;
        padding: .1rem 0; text-align: right; }
      .number { white-space: normal; overflow-wrap: anywhere; }
      table.wide td::before { content: attr(data-label); color: var(--dim); text-align: left;
        font-family: system-ui, sans-serif; }
      table.wide td:empty { display: none; }
    }
    @media print {
      :root { --ink: #000; --dim: #444; --rule: #bbb; --paper: #fff; --bar: #444; --loss: #000; }
      body { max-width: none; padding: 0; font-size: 10pt; }
      nav { display: none; }
      tr, figure { break-inside: avoid; }
      h2 { break-after: avoid; }
      thead { display: table-header-group; }
      tfoot { display: table-row-group; }
    }

    """
}
