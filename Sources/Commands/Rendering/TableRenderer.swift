// A grid drawn as a box that fits the terminal, in the manner of DuckDB's.

package struct TableRenderer: Sendable {
  package var width: Int
  package var box: BoxStyle
  package var paint: Paint
  /// Longer tables show this many rows, half from each end; 0 = all.
  package var rowLimit: Int
  /// What stands for a null.
  package var null = "NULL"
  /// Whether the lower end tells how many rows there are.
  package var showsFooter = true

  package init(width: Int, box: BoxStyle = .unicode, paint: Paint = .none, rowLimit: Int = 40) {
    self.width = width
    self.box = box
    self.paint = paint
    self.rowLimit = rowLimit
  }

  /// One line of the body: a row of the grid, or the place where rows were left out.
  private enum Line {
    case row(Int)
    case cut
  }

  /// The table as lines, each ended by `\n`.
  ///
  /// - Parameter total: how many rows there are in all, when the grid is one page of them.
  /// - Complexity: O(cells shown).
  package func render(_ grid: Grid, total: Int? = nil) -> String {
    guard !grid.columns.isEmpty else { return footerText(grid, shown: 0, total: total, columns: nil) + "\n" }
    let lines = shownLines(grid.rows.count)
    let texts = lines.map { line -> [String] in
      guard case .row(let row) = line else { return [] }
      return zip(grid.columns, grid.rows[row]).map { text($1, $0.kind) }
    }
    let slots = TableFitting.fit(measure(grid, lines, texts), width: width)
    let shownColumns = slots.count { if case .column = $0 { true } else { false } }
    let shownRows = lines.count { if case .row = $0 { true } else { false } }
    let widths = slots.map { slot in if case .column(_, let width) = slot { width } else { 1 } }
    let footer = footerParts(grid, shownRows: shownRows, total: total, shownColumns: shownColumns)
    var output = rule(widths, box.top)
    output += header(grid, slots, widths)
    output += rule(widths, box.middle)
    for (line, cells) in zip(lines, texts) {
      switch line {
      case .row(let row): output += rowLine(grid, grid.rows[row], cells, slots, widths)
      case .cut: output += cutLines(grid, slots, widths)
      }
    }
    output += close(widths, footer)
    return output
  }

  private func shownLines(_ count: Int) -> [Line] {
    guard rowLimit > 0, count > rowLimit else { return (0..<count).map(Line.row) }
    let top = (rowLimit + 1) / 2
    let bottom = rowLimit - top
    return (0..<top).map(Line.row) + [.cut] + ((count - bottom)..<count).map(Line.row)
  }

  private func text(_ cell: Grid.Cell, _ kind: Grid.Kind) -> String {
    switch cell {
    case .null: null
    case .absent: ""
    case .text(let text): kind == .amount ? groupedByThousands(text) : TextWidth.printable(text)
    }
  }

  private func measure(_ grid: Grid, _ lines: [Line], _ texts: [[String]]) -> [TableFitting.Measured] {
    grid.columns.indices.map { column in
      let name = grid.columns[column].name
      var widest = 0
      var isQuiet = true
      for (line, cells) in zip(lines, texts) {
        guard case .row(let row) = line else { continue }
        widest = max(widest, TextWidth.of(cells[column]))
        if isQuiet, !Self.isQuiet(grid.rows[row][column]) { isQuiet = false }
      }
      let header = TextWidth.of(TextWidth.printable(name))
      let natural = max(header, widest)
      let least = leastWidth(grid.columns[column], header: header, widest: widest)
      return TableFitting.Measured(
        natural: natural, least: least, isQuiet: isQuiet && !grid.rows.isEmpty,
        dispensability: FieldKinds.secondary.firstIndex(of: grid.columns[column].field),
        isPrecious: FieldKinds.precious.contains(grid.columns[column].field))
    }
  }

  /// An amount with digits cut off would be another amount, so numbers and times stay whole.
  private func leastWidth(_ column: Grid.Column, header: Int, widest: Int) -> Int {
    switch column.kind {
    case .amount, .number: return max(widest, min(header, 12))
    case .identifier: return 11
    case .text:
      let isTime = column.field.hasSuffix("_at") || column.field.hasSuffix("_date")
      return isTime ? widest : max(8, min(12, header))
    }
  }

  private static func isQuiet(_ cell: Grid.Cell) -> Bool {
    switch cell {
    case .null, .absent: true
    case .text(let text): text.isEmpty || text == "0" || text == "{}" || text == "false" || text == "[]"
    }
  }
}

extension TableRenderer {
  private func rule(_ widths: [Int], _ ends: (left: String, cross: String, right: String)) -> String {
    let parts = widths.map { String(repeating: box.horizontal, count: $0 + 2) }
    return paint(.dim, ends.left + parts.joined(separator: ends.cross) + ends.right) + "\n"
  }

  private func join(_ cells: [String]) -> String {
    let bar = paint(.dim, box.vertical)
    return bar + cells.map { " " + $0 + " " }.joined(separator: bar) + bar + "\n"
  }

  private func header(_ grid: Grid, _ slots: [TableFitting.Slot], _ widths: [Int]) -> String {
    join(
      slots.map { slot in
        guard case .column(let column, let width) = slot else { return box.ellipsis }
        let name = TextWidth.elideEnd(
          TextWidth.printable(grid.columns[column].name), columns: width, mark: box.ellipsis)
        return paint(.bold, TextWidth.pad(name, columns: width, toRight: isRight(grid.columns[column].kind)))
      })
  }

  private func rowLine(
    _ grid: Grid, _ row: [Grid.Cell], _ cells: [String], _ slots: [TableFitting.Slot], _ widths: [Int]
  ) -> String {
    join(
      slots.map { slot in
        guard case .column(let column, let width) = slot else { return box.ellipsis }
        let kind = grid.columns[column].kind
        let elided =
          kind == .identifier
          ? TextWidth.elideMiddle(cells[column], columns: width, mark: box.ellipsis)
          : TextWidth.elideEnd(cells[column], columns: width, mark: box.ellipsis)
        let padded = TextWidth.pad(elided, columns: width, toRight: isRight(kind))
        if case .text = row[column] {
          return kind == .amount && cells[column].hasPrefix("-") ? paint(.red, padded) : padded
        }
        return paint(.dim, padded)
      })
  }

  private func isRight(_ kind: Grid.Kind) -> Bool { kind == .amount || kind == .number }

  /// Three lines of dots where rows were left out.
  private func cutLines(_ grid: Grid, _ slots: [TableFitting.Slot], _ widths: [Int]) -> String {
    let line = join(
      slots.map { slot in
        guard case .column(let column, let width) = slot else { return box.dot }
        return paint(
          .dim, TextWidth.pad(box.dot, columns: width, toRight: isRight(grid.columns[column].kind)))
      })
    return line + line + line
  }

  /// What the footer says of rows and of columns; empty where there is nothing to tell.
  private func footerParts(
    _ grid: Grid, shownRows: Int, total: Int?, shownColumns: Int
  ) -> (rows: String, columns: String) {
    let count = total ?? grid.rows.count
    let rows =
      counted(count, "row") + (shownRows < count ? " (\(groupedByThousands(String(shownRows))) shown)" : "")
    let all = grid.columns.count
    return (rows, shownColumns < all ? "\(counted(all, "column")) (\(shownColumns) shown)" : "")
  }

  private func footerText(_ grid: Grid, shown: Int, total: Int?, columns: Int?) -> String {
    footerParts(grid, shownRows: shown, total: total, shownColumns: grid.columns.count).rows
  }

  /// The lower end: a footer inside the box where it fits, else below it.
  private func close(_ widths: [Int], _ footer: (rows: String, columns: String)) -> String {
    guard showsFooter else { return rule(widths, box.bottom) }
    let inner = widths.reduce(0) { $0 + $1 + 2 } + widths.count - 1
    let both = footer.columns.isEmpty ? footer.rows : footer.rows + "  " + footer.columns
    guard TextWidth.of(both) + 2 <= inner else {
      let below =
        footer.columns.isEmpty || TextWidth.of(both) <= width
        ? both : footer.rows + "\n" + footer.columns
      return rule(widths, box.bottom) + paint(.dim, below) + "\n"
    }
    let gap = inner - 2 - TextWidth.of(footer.rows) - TextWidth.of(footer.columns)
    let text = footer.rows + String(repeating: " ", count: gap) + footer.columns
    let parts = widths.map { String(repeating: box.horizontal, count: $0 + 2) }
    let bar = paint(.dim, box.vertical)
    return paint(.dim, box.middle.left + parts.joined(separator: box.close) + box.middle.right) + "\n"
      + bar + " " + paint(.dim, text) + " " + bar + "\n"
      + paint(
        .dim, box.bottom.left + String(repeating: box.horizontal, count: inner) + box.bottom.right) + "\n"
  }
}
