// The answers to a report's questions, as grids ready to be shown.

import Amounts
import LedgerlineClient

/// A report with its answers.
package struct ReportResult: Sendable {
  package struct Section: Sendable {
    package let section: ReportFile.Section
    /// As the server gave them.
    package let rows: [JSONNode]
    package let totalCount: Int?
    /// Columns and texts as they are shown; amounts have their point.
    package let grid: Grid
    /// A last row of the grid's columns, if totals are asked for.
    package let totals: [Grid.Cell]?
  }

  package let title: String
  package let note: String?
  package let sections: [Section]
  /// Journal position that all answers show.
  package let position: Int?
  /// The day it was made, `2024-01-15`.
  package let date: String

  /// - Parameter answer: the result of `balances.query` for the report's questions.
  package init(_ report: ReportFile, _ answer: JSONNode, position: Int?, date: String) throws {
    let results = answer["results"]?.array ?? []
    guard results.count == report.sections.count else {
      throw CommandFailure(
        .ownError, "the server gave \(results.count) answers to \(report.sections.count) queries")
    }
    title = report.title
    note = report.note
    self.position = position
    self.date = date
    sections = try zip(report.sections, results).map { section, result in
      guard let found = result["result"].flatMap({ ResultRows($0) }) else {
        throw CommandFailure(.ownError, "the answer to \"\(section.name)\" has no rows")
      }
      return try Section(section, found)
    }
  }
}

extension ReportResult.Section {
  init(_ section: ReportFile.Section, _ found: ResultRows) throws {
    self.section = section
    rows = found.rows
    totalCount = found.totalCount
    let source = found.grid
    let columns =
      section.columns ?? source.columns.map { ReportFile.Column(field: $0.name, title: $0.name) }
    for column in columns
    where !found.rows.isEmpty && !source.columns.contains(where: { $0.name == column.field }) {
      throw CommandFailure(
        .ownError,
        "query \"\(section.name)\" has no column \"\(column.field)\" to show ("
          + source.columns.map(\.name).joined(separator: ", ") + ")")
    }
    var grid = Grid(
      columns: columns.map { Grid.Column($0.title, FieldKinds.kind(of: $0.field), field: $0.field) })
    for row in found.rows {
      grid.append(
        columns.map { column in
          guard let value = row[column.field] else { return .absent }
          return Self.shown(ResultRows.cell(value), column.field, row, section.decimals)
        })
    }
    self.grid = grid
    totals = section.totals.isEmpty ? nil : try Self.totals(section, columns, found.rows)
  }

  /// A cell with the point where it belongs.
  private static func shown(
    _ cell: Grid.Cell, _ field: String, _ row: JSONNode, _ decimals: ReportFile.Decimals
  ) -> Grid.Cell {
    guard case .text(let text) = cell, isMoney(field) else { return cell }
    return .text(moved(text, by: digits(row, decimals)))
  }

  static func digits(_ row: JSONNode?, _ decimals: ReportFile.Decimals) -> Int {
    switch decimals {
    case .fixed(let digits): digits
    case .byCurrency(let digits): row?["currency"]?.string.flatMap { digits[$0] } ?? 0
    }
  }

  /// Minor units, not counts.
  static func isMoney(_ field: String) -> Bool {
    FieldKinds.kind(of: field) == .amount && field != "count" && field != "total_count" && field != "amount"
  }

  /// A decimal number divided by a power of ten: the point moves to the left.
  static func moved(_ text: String, by digits: Int) -> String {
    let isNegative = text.hasPrefix("-")
    let parts = (isNegative ? text.dropFirst() : text[...]).split(
      separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard digits > 0, let first = parts.first, !first.isEmpty, first.allSatisfy(\.isNumber) else {
      return text
    }
    let whole = String(repeating: "0", count: max(0, digits + 1 - first.count)) + first
    let fraction = whole.suffix(digits) + (parts.count > 1 ? parts[1] : "")
    return (isNegative ? "-" : "") + whole.dropLast(digits) + "." + fraction
  }

  /// The last row: sums of the members that are asked for, exact.
  private static func totals(
    _ section: ReportFile.Section, _ columns: [ReportFile.Column], _ rows: [JSONNode]
  ) throws -> [Grid.Cell] {
    for name in section.totals where !columns.contains(where: { $0.field == name }) {
      throw CommandFailure(
        .ownError,
        "query \"\(section.name)\" has no column \"\(name)\" to add up ("
          + columns.map(\.field).joined(separator: ", ") + ")")
    }
    let currencies = Set(rows.compactMap { $0["currency"]?.string })
    return try columns.enumerated().map { index, column in
      guard section.totals.contains(column.field) else { return index == 0 ? .text("Total") : .absent }
      if isMoney(column.field), currencies.count > 1 {
        throw CommandFailure(
          .ownError,
          "query \"\(section.name)\": \(column.field) cannot be added up over \(currencies.count) currencies")
      }
      var sum = Amount.zero
      for row in rows {
        guard let value = row[column.field], value != .null else { continue }
        let text: String
        switch value {
        case .string(let digits), .number(let digits): text = digits
        default: text = value.text
        }
        guard let amount = try? Amount(text) else {
          throw CommandFailure(
            .ownError,
            "query \"\(section.name)\": \(column.field) holds \(text), which is not a whole number to add up")
        }
        sum = sum + amount
      }
      let digits = isMoney(column.field) ? digits(rows.first, section.decimals) : 0
      return .text(moved(sum.description, by: digits))
    }
  }
}
