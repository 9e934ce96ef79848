// A report file: named questions, and how their answers are shown.

import LedgerlineClient
import Wire

/// What a report file says. Its questions are those of `balances.query`; each may have a member `show`.
package struct ReportFile: Sendable, Equatable {
  package enum ChartKind: String, CaseIterable, Sendable { case bar, line }

  package struct Chart: Sendable, Equatable {
    package let kind: ChartKind
    /// The member that names a bar, or a place on the line.
    package let label: String
    /// The member that is drawn.
    package let value: String
    /// A drawing for each value of this member.
    package let series: String?
    /// Bars at most.
    package let limit: Int
  }

  package struct Column: Sendable, Equatable {
    package let field: String
    package let title: String
  }

  /// How many digits of an amount stand behind the point.
  package enum Decimals: Sendable, Equatable {
    case fixed(Int)
    /// By the row's currency; others have none.
    case byCurrency([String: Int])
  }

  package struct Section: Sendable, Equatable {
    package let name: String
    package let title: String
    package let note: String?
    /// The question, without `show`.
    package let question: JSONNode
    /// All that come, when nil.
    package let columns: [Column]?
    /// Members that are added up in a last row.
    package let totals: [String]
    package let decimals: Decimals
    package let chart: Chart?
  }

  package let title: String
  package let note: String?
  package let sections: [Section]

  /// Digits behind the point, at most.
  static let decimalsLimit = 18
  private static let chartRows = 30
}

// MARK: - Reading

/// What is wrong with a report file, and where.
package struct ReportFault: Error, Equatable {
  /// Such as `queries[2].show.chart`.
  package let place: String
  package let what: String

  package var text: String { place.isEmpty ? what : "\(place): \(what)" }
}

extension ReportFile {
  /// Reads a file's text.
  /// - Parameters:
  ///   - settings: values of variables that take the place of the file's own.
  ///   - today: days since 1970-01-01.
  package init(_ text: String, settings: [String: String], today: Int) throws {
    let root: JSONNode
    do { root = try JSONNode.parse(text) } catch { throw ReportFault(place: "", what: "\(error)") }
    guard root.members != nil else { throw ReportFault(place: "", what: "a report is a JSON object") }
    let reader = MemberReader(root, "")
    try reader.allow(["title", "note", "variables", "queries"])
    let variables = try ReportVariables(root["variables"], settings: settings, today: today)
    func filled(_ text: String?, _ place: String) throws -> String? {
      try text.map { try variables.filled($0, place) }
    }
    guard let queries = root["queries"] else { throw ReportFault(place: "queries", what: "is missing") }
    guard let items = queries.array, !items.isEmpty else {
      throw ReportFault(place: "queries", what: "must be an array of at least one query")
    }
    var sections: [Section] = []
    for (index, item) in items.enumerated() {
      let place = "queries[\(index)]"
      guard item.members != nil else { throw ReportFault(place: place, what: "must be an object") }
      let section = try Self.section(try variables.filled(item, place), place, number: index + 1)
      if sections.contains(where: { $0.name == section.name }) {
        throw ReportFault(
          place: "\(place).name", what: "\"\(section.name)\" is the name of another query too")
      }
      sections.append(section)
    }
    self.init(
      title: try filled(try reader.text("title"), "title") ?? "Report",
      note: try filled(try reader.text("note"), "note"), sections: sections)
  }

  private static func section(_ item: JSONNode, _ place: String, number: Int) throws -> Section {
    let name = try MemberReader(item, place).text("name") ?? "query \(number)"
    let question = JSONNode.object(
      [.init("name", .string(name))]
        + (item.members ?? []).filter { $0.name != "show" && $0.name != "name" })
    let show = item["show"] ?? .object([])
    let place = place + ".show"
    guard show.members != nil else { throw ReportFault(place: place, what: "must be an object") }
    let reader = MemberReader(show, place)
    try reader.allow(["title", "note", "columns", "totals", "decimals", "chart"])
    return Section(
      name: name, title: try reader.text("title") ?? name, note: try reader.text("note"), question: question,
      columns: try columns(show["columns"], place + ".columns"),
      totals: try texts(show["totals"], place + ".totals") ?? [],
      decimals: try decimals(show["decimals"], place + ".decimals"),
      chart: try chart(show["chart"], place + ".chart"))
  }

  private static func texts(_ node: JSONNode?, _ place: String) throws -> [String]? {
    guard let node, node != .null else { return nil }
    guard let items = node.array else { throw ReportFault(place: place, what: "must be an array of names") }
    return try items.enumerated().map { index, item in
      guard let text = item.string else {
        throw ReportFault(place: "\(place)[\(index)]", what: "must be a name, found \(item.text)")
      }
      return text
    }
  }

  private static func columns(_ node: JSONNode?, _ place: String) throws -> [Column]? {
    guard let node, node != .null else { return nil }
    guard let items = node.array, !items.isEmpty else {
      throw ReportFault(place: place, what: "must be an array of at least one column")
    }
    return try items.enumerated().map { index, item in
      if let field = item.string { return Column(field: field, title: field) }
      let reader = MemberReader(item, "\(place)[\(index)]")
      try reader.allow(["field", "title"])
      let field = try reader.needed("field")
      return Column(field: field, title: try reader.text("title") ?? field)
    }
  }

  private static func decimals(_ node: JSONNode?, _ place: String) throws -> Decimals {
    func digits(_ node: JSONNode, _ place: String) throws -> Int {
      guard let digits = node.int, (0...decimalsLimit).contains(digits) else {
        throw ReportFault(
          place: place, what: "must be a number from 0 to \(decimalsLimit), found \(node.text)")
      }
      return digits
    }
    switch node {
    case nil, .null?: return .fixed(0)
    case .object(let members)?:
      var byCurrency: [String: Int] = [:]
      for member in members {
        byCurrency[member.name] = try digits(member.value, "\(place).\(member.name)")
      }
      return .byCurrency(byCurrency)
    case let node?: return .fixed(try digits(node, place))
    }
  }

  private static func chart(_ node: JSONNode?, _ place: String) throws -> Chart? {
    guard let node, node != .null else { return nil }
    let reader = MemberReader(node, place)
    try reader.allow(["type", "label", "value", "series", "limit"])
    let type = try reader.needed("type")
    guard let kind = ChartKind(rawValue: type) else {
      throw ReportFault(place: place + ".type", what: "must be \"bar\" or \"line\", found \"\(type)\"")
    }
    var limit = chartRows
    if let given = node["limit"], given != .null {
      guard let number = given.int, (1...200).contains(number) else {
        throw ReportFault(
          place: place + ".limit", what: "must be a number from 1 to 200, found \(given.text)")
      }
      limit = number
    }
    return Chart(
      kind: kind, label: try reader.needed("label"), value: try reader.needed("value"),
      series: try reader.text("series"), limit: limit)
  }
}

/// Members of one object of a report file.
private struct MemberReader {
  let node: JSONNode
  let place: String

  init(_ node: JSONNode, _ place: String) {
    self.node = node
    self.place = place
  }

  private func at(_ name: String) -> String { place.isEmpty ? name : "\(place).\(name)" }

  func allow(_ names: [String]) throws {
    guard let members = node.members else {
      throw ReportFault(place: place, what: "must be an object, found \(node.text)")
    }
    for member in members where !names.contains(member.name) {
      let meant = Suggestion.nearest(to: member.name, among: names).map { "; did you mean \($0)?" } ?? ""
      throw ReportFault(
        place: at(member.name),
        what: "there is no such member\(meant) (\(names.joined(separator: ", ")))")
    }
  }

  func text(_ name: String) throws -> String? {
    guard let value = node[name], value != .null else { return nil }
    guard let text = value.string else {
      throw ReportFault(place: at(name), what: "must be a text, found \(value.text)")
    }
    return text
  }

  func needed(_ name: String) throws -> String {
    guard let text = try text(name) else { throw ReportFault(place: at(name), what: "is missing") }
    return text
  }
}
