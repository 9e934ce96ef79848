// A result of the server as text, in the mode that the person chose.

import LedgerlineClient

package enum OutputMode: String, CaseIterable, Sendable {
  case table, expanded, json, ndjson, csv, markdown
}

/// The rows of a result, if it has any, and what stands around them.
package struct ResultRows: Sendable {
  package let rows: [JSONNode]
  package let totalCount: Int?
  package let nextCursor: String?

  /// Takes rows out of `[{…}, …]` and `{"data":[{…}, …], …}`; nil when `result` is neither.
  package init?(_ result: JSONNode) {
    switch result {
    case .array(let items) where items.allSatisfy({ $0.members != nil }): rows = items
    case .object:
      guard let items = result["data"]?.array, items.allSatisfy({ $0.members != nil }) else { return nil }
      rows = items
    default: return nil
    }
    totalCount = result["total_count"]?.int
    nextCursor = result["next_cursor"]?.string
  }

  package init(rows: [JSONNode]) {
    self.rows = rows
    totalCount = nil
    nextCursor = nil
  }

  /// The rows as a grid: a column for each member that any row has, in order of first appearance.
  package var grid: Grid {
    var names: [String] = []
    var places: [String: Int] = [:]
    for row in rows {
      for member in row.members ?? [] where places[member.name] == nil {
        places[member.name] = names.count
        names.append(member.name)
      }
    }
    var grid = Grid(columns: names.map { Grid.Column(field: $0) })
    for row in rows {
      var cells = [Grid.Cell](repeating: .absent, count: names.count)
      for member in row.members ?? [] {
        if let place = places[member.name] { cells[place] = Self.cell(member.value) }
      }
      grid.append(cells)
    }
    return grid
  }

  package static func cell(_ value: JSONNode) -> Grid.Cell {
    switch value {
    case .null: .null
    case .string(let text), .number(let text): .text(text)
    case .bool, .array, .object: .text(value.text)
    }
  }
}

package struct ResultPrinter: Sendable {
  package var mode: OutputMode
  package var table: TableRenderer

  package init(mode: OutputMode, table: TableRenderer) {
    self.mode = mode
    self.table = table
  }

  /// The result as text that ends with a line end.
  package func text(_ result: JSONNode) -> String {
    switch mode {
    case .json: return result.prettyText + "\n"
    case .ndjson:
      guard let rows = ResultRows(result) else { return result.text + "\n" }
      return rows.rows.map { $0.text + "\n" }.joined()
    case .table:
      if let rows = ResultRows(result) { return table.render(rows.grid, total: rows.totalCount) }
      return single(result) { members in
        var grid = Grid(columns: [Grid.Column("field", .text), Grid.Column("value", .text)])
        for member in members { grid.append([.text(member.name), shown(member)]) }
        return boxWithoutFooter(grid)
      }
    case .expanded:
      if let rows = ResultRows(result) { return expanded(rows) }
      return single(result) { expanded($0, nameWidth: nameWidth($0)) }
    case .csv: return lines(result, csv)
    case .markdown: return lines(result, markdown)
    }
  }

  private func single(_ result: JSONNode, _ draw: ([JSONNode.Member]) -> String) -> String {
    switch result {
    case .object(let members) where !members.isEmpty: draw(members)
    case .string(let text): text + "\n"
    default: result.prettyText + "\n"
    }
  }

  private func lines(_ result: JSONNode, _ draw: (Grid) -> String) -> String {
    if let rows = ResultRows(result) { return draw(rows.grid) }
    guard case .object = result else { return result.text + "\n" }
    return draw(ResultRows(rows: [result]).grid)
  }

  private func shown(_ member: JSONNode.Member) -> Grid.Cell {
    guard case .text(let text) = ResultRows.cell(member.value) else { return .null }
    return .text(FieldKinds.kind(of: member.name) == .amount ? groupedByThousands(text) : text)
  }

  private func boxWithoutFooter(_ grid: Grid) -> String {
    var whole = table
    whole.rowLimit = 0
    whole.showsFooter = false
    return whole.render(grid)
  }
}

extension ResultPrinter {
  private func nameWidth(_ members: [JSONNode.Member]) -> Int {
    members.map { TextWidth.of(TextWidth.printable($0.name)) }.max() ?? 0
  }

  private func expanded(_ members: [JSONNode.Member], nameWidth: Int) -> String {
    members.map { member in
      let name = TextWidth.pad(TextWidth.printable(member.name), columns: nameWidth)
      let value =
        switch shown(member) {
        case .text(let text): TextWidth.printable(text)
        default: table.paint(.dim, table.null)
        }
      return table.paint(.cyan, name) + " " + table.paint(.dim, table.box.vertical) + " " + value + "\n"
    }.joined()
  }

  private func expanded(_ rows: ResultRows) -> String {
    let width = rows.rows.map { nameWidth($0.members ?? []) }.max() ?? 0
    var output = ""
    for (index, row) in rows.rows.enumerated() {
      let title = "\(table.box.horizontal)[ row \(index + 1) ]"
      let fill = max(0, min(table.width, 60) - TextWidth.of(title))
      output += table.paint(.dim, title + String(repeating: table.box.horizontal, count: fill)) + "\n"
      output += expanded(row.members ?? [], nameWidth: width)
    }
    let count = rows.totalCount ?? rows.rows.count
    let part = rows.rows.count < count ? " (\(groupedByThousands(String(rows.rows.count))) shown)" : ""
    return output + table.paint(.dim, counted(count, "row") + part) + "\n"
  }

  private func csv(_ grid: Grid) -> String {
    guard !grid.columns.isEmpty else { return "" }
    return CSVWriter.record(grid.columns.map(\.name))
      + grid.rows.map { row in
        CSVWriter.record(row.map { if case .text(let text) = $0 { text } else { nil } })
      }
      .joined()
  }

  private func markdown(_ grid: Grid) -> String {
    guard !grid.columns.isEmpty else { return "" }
    func escaped(_ text: String) -> String {
      TextWidth.printable(text).replacing("\\", with: "\\\\").replacing("|", with: "\\|")
    }
    func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |\n" }
    let rules = grid.columns.map { $0.kind == .amount || $0.kind == .number ? "---:" : "---" }
    return line(grid.columns.map { escaped($0.name) }) + line(rules)
      + grid.rows.map { row in
        line(
          zip(grid.columns, row).map { column, cell in
            guard case .text(let text) = cell else { return "" }
            return column.kind == .amount ? groupedByThousands(text) : escaped(text)
          })
      }.joined()
  }
}
