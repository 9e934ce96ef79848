// Plain charts as SVG: bars lying, lines over time.

import LedgerlineClient

/// Draws one chart of a section. Sizes are those of the drawing's own space; the page scales it.
struct ReportChart {
  /// A named number. `shown` is the number as a person reads it.
  struct Point: Equatable {
    let label: String
    let value: Double
    let shown: String
  }

  private static let width = 640
  private static let barHeight = 22
  private static let barGap = 6
  private static let plotHeight = 160

  /// The drawings of a section's chart: one, or one for each value of the series. Empty without rows.
  static func drawings(_ section: ReportResult.Section) -> [String] {
    guard let chart = section.section.chart else { return [] }
    return series(section, chart).map { name, points in
      switch chart.kind {
      case .bar: bars(points, title: name, limit: chart.limit)
      case .line: line(points, title: name)
      }
    }
  }

  /// The chart's numbers, by series in order of first appearance.
  static func series(
    _ section: ReportResult.Section, _ chart: ReportFile.Chart
  ) -> [(name: String?, points: [Point])] {
    var names: [String?] = []
    var points: [String?: [Point]] = [:]
    for row in section.rows {
      guard let node = row[chart.value], case .text(let digitsText) = ResultRows.cell(node) else { continue }
      let name: String? = chart.series.flatMap { text(of: row[$0]) }
      let digits = ReportResult.Section.digits(row, section.section.decimals)
      let shown =
        ReportResult.Section.isMoney(chart.value)
        ? ReportResult.Section.moved(digitsText, by: digits) : digitsText
      guard let value = Double(shown), value.isFinite else { continue }
      if points[name] == nil { names.append(name) }
      points[name, default: []].append(
        Point(
          label: self.text(of: row[chart.label]) ?? "none", value: value, shown: groupedByThousands(shown)))
    }
    return names.map { ($0, points[$0] ?? []) }
  }

  private static func text(of node: JSONNode?) -> String? {
    guard let node, case .text(let text) = ResultRows.cell(node) else { return nil }
    return text
  }

  // MARK: Bars

  private static func bars(_ all: [Point], title: String?, limit: Int) -> String {
    let points = Array(all.prefix(limit))
    let left = min(220, 16 + 7 * (points.map { min($0.label.count, 28) }.max() ?? 0))
    let right = 16 + 7 * (points.map(\.shown.count).max() ?? 0)
    let room = Double(max(80, width - left - right))
    let low = min(0, points.map(\.value).min() ?? 0)
    let high = max(0, points.map(\.value).max() ?? 0)
    let span = high > low ? high - low : 1
    let zero = Double(left) + room * -low / span
    var body = ""
    for (index, point) in points.enumerated() {
      let top = index * (barHeight + barGap)
      let length = room * abs(point.value) / span
      let start = point.value < 0 ? zero - length : zero
      let middle = top + barHeight / 2 + 4
      body +=
        "<text class=\"label\" x=\"\(left - 8)\" y=\"\(middle)\" text-anchor=\"end\">"
        + HTMLText.escaped(TextWidth.elideEnd(point.label, columns: 28, mark: "…")) + "</text>"
      body +=
        "<rect class=\"\(point.value < 0 ? "bar negative" : "bar")\" x=\"\(fixed(start, 1))\" y=\"\(top)\" "
        + "width=\"\(fixed(max(length, 0.5), 1))\" height=\"\(barHeight)\"><title>"
        + HTMLText.escaped("\(point.label): \(point.shown)") + "</title></rect>"
      body +=
        "<text class=\"value\" x=\"\(fixed(Double(left) + room + 8, 1))\" y=\"\(middle)\">"
        + HTMLText.escaped(point.shown) + "</text>"
    }
    body +=
      "<line class=\"axis\" x1=\"\(fixed(zero, 1))\" x2=\"\(fixed(zero, 1))\" y1=\"-2\" "
      + "y2=\"\(points.count * (barHeight + barGap))\"/>"
    let omitted = all.count - points.count
    return figure(
      body, height: points.count * (barHeight + barGap) + 2, title: title,
      caption: omitted > 0 ? "and \(groupedByThousands(String(omitted))) more" : nil)
  }

  // MARK: Lines

  private static func line(_ points: [Point], title: String?) -> String {
    let low = min(0, points.map(\.value).min() ?? 0)
    let high = max(0, points.map(\.value).max() ?? 0)
    let ticks = ChartScale.ticks(from: low, to: high)
    let bottom = min(low, ticks.first ?? low)
    let top = max(high, ticks.last ?? high)
    let span = top > bottom ? top - bottom : 1
    let names = ticks.map { ChartScale.short($0) }
    let left = 16 + 7 * (names.map(\.count).max() ?? 1)
    let room = Double(width - left - 12)
    func x(_ index: Int) -> Double {
      Double(left) + (points.count > 1 ? room * Double(index) / Double(points.count - 1) : room / 2)
    }
    func y(_ value: Double) -> Double { 8 + Double(plotHeight) * (top - value) / span }
    var body = ""
    for (tick, name) in zip(ticks, names) {
      let place = fixed(y(tick), 1)
      body +=
        "<line class=\"\(tick == 0 ? "axis" : "grid")\" x1=\"\(left)\" x2=\"\(width - 12)\" y1=\"\(place)\" "
        + "y2=\"\(place)\"/><text class=\"label\" x=\"\(left - 8)\" y=\"\(fixed(y(tick) + 4, 1))\" "
        + "text-anchor=\"end\">\(name)</text>"
    }
    let places = points.enumerated().map { "\(fixed(x($0), 1)),\(fixed(y($1.value), 1))" }
    if places.count > 1 {
      body += "<polyline class=\"line\" points=\"" + places.joined(separator: " ") + "\"/>"
    }
    if points.count <= 120 {
      for (index, point) in points.enumerated() {
        body +=
          "<circle class=\"dot\" cx=\"\(fixed(x(index), 1))\" cy=\"\(fixed(y(point.value), 1))\" r=\"2.5\">"
          + "<title>" + HTMLText.escaped("\(point.label): \(point.shown)") + "</title></circle>"
      }
    }
    for index in labelled(points.count) {
      let anchor = index == 0 ? "start" : index == points.count - 1 ? "end" : "middle"
      body +=
        "<text class=\"label\" x=\"\(fixed(x(index), 1))\" y=\"\(plotHeight + 28)\" "
        + "text-anchor=\"\(points.count == 1 ? "middle" : anchor)\">" + HTMLText.escaped(points[index].label)
        + "</text>"
    }
    return figure(body, height: plotHeight + 36, title: title, caption: nil)
  }

  /// Which places get a name below: the ends and some between.
  private static func labelled(_ count: Int) -> [Int] {
    if count <= 5 { return Array(0..<count) }
    return [0, (count - 1) / 4, (count - 1) / 2, (count - 1) * 3 / 4, count - 1]
  }

  private static func figure(_ body: String, height: Int, title: String?, caption: String?) -> String {
    let name = title.map { "<figcaption>" + HTMLText.escaped($0) + "</figcaption>" } ?? ""
    let more = caption.map { "<p class=\"more\">\($0)</p>" } ?? ""
    return
      "<figure>\(name)<svg viewBox=\"0 -4 \(width) \(height + 8)\" role=\"img\">\(body)</svg>\(more)</figure>"
  }
}

/// Round numbers for an axis.
enum ChartScale {
  /// Three to six round numbers from at or below `low` to at or above `high`.
  static func ticks(from low: Double, to high: Double) -> [Double] {
    guard high > low, high - low < 1e300 else { return [low] }
    var step = 1.0
    let wanted = (high - low) / 4
    while step * 10 <= wanted { step *= 10 }
    while step > wanted { step /= 10 }
    for factor in [1.0, 2, 5, 10] where step * factor >= wanted {
      step *= factor
      break
    }
    var ticks: [Double] = []
    var place = (low / step).rounded(.down) * step
    while ticks.last ?? -.infinity < high, ticks.count < 12 {
      ticks.append(abs(place) < step / 1e6 ? 0 : place)
      place += step
    }
    return ticks
  }

  /// A number in few letters: `1.5 M`.
  static func short(_ value: Double) -> String {
    let size = abs(value)
    let units: [(Double, String)] = [(1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")]
    if size >= 1e16 { return "\(value)" }
    for (unit, name) in units where size >= unit {
      return trimmed(fixed(value / unit, 2)) + name
    }
    return trimmed(fixed(value, 2))
  }

  private static func trimmed(_ text: String) -> String {
    guard text.contains(".") else { return text }
    var result = text[...]
    while result.last == "0" { result = result.dropLast() }
    if result.last == "." { result = result.dropLast() }
    return String(result)
  }
}
