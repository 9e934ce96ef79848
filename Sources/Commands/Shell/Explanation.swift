// How a question was answered, as the shell tells it.

import LedgerlineClient

enum Explanation {
  /// Members of a list that are not conditions.
  private static let listMembers: Set<String> = [
    "limit", "offset", "cursor", "sort_by", "sort_order", "include_count", "fields", "_meta",
  ]

  /// The params of `balances.explain` for a request; nil for methods that it does not explain.
  static func question(_ method: String, _ params: JSONNode?) -> JSONNode? {
    let parts = method.split(separator: ".")
    guard parts.count == 2, parts[0] == "balances" || parts[0] == "transactions" else { return nil }
    var members = params?.members ?? []
    switch parts[1] {
    case "filter", "aggregate": break
    case "list":
      guard let entity = BookEntity(rawValue: String(parts[0])) else { return nil }
      let conditions = members.filter { !listMembers.contains($0.name) }
      members.removeAll { !listMembers.contains($0.name) }
      var filters: [JSONNode] = []
      for condition in conditions {
        let value = condition.value.string ?? condition.value.text
        guard let filter = try? ExportCommand.filter("\(condition.name)=\(value)", of: entity) else {
          return nil
        }
        filters.append(filter)
      }
      members.append(.init("filters", .array(filters)))
    default: return nil
    }
    members.removeAll { ["table", "method", "_meta"].contains($0.name) }
    members.append(.init("table", .string(String(parts[0]))))
    members.append(.init("method", .string(parts[1] == "aggregate" ? "aggregate" : "filter")))
    return .object(members)
  }

  /// The answer of `balances.explain` in a few lines.
  static func text(_ answer: JSONNode, _ paint: Paint) -> String {
    func number(_ node: JSONNode?) -> String {
      guard let node, case .number(let text) = node else { return "?" }
      return groupedByThousands(text)
    }
    func time(_ node: JSONNode?) -> String { readableSmall(nanoseconds: node?.int ?? 0) }
    let plan = answer["plan"] ?? .null
    let actual = answer["actual"] ?? .null
    let steps = answer["steps"]?.array ?? []
    let total = steps.reduce(0) { $0 + ($1["ns"]?.int ?? 0) }
    var head = "path " + paint(.bold, plan["path"]?.string ?? "?")
    if let count = plan["count_path"]?.string, count != "none" { head += ", count by \(count)" }
    if actual["instant"] == .bool(true) { head += ", on the books as they stand" }
    if actual["fell_through"] == .bool(true) { head += ", fell through to a scan" }
    var lines = [head + "  " + paint(.dim, readableSmall(nanoseconds: total))]
    let tests = (plan["tests"]?.array ?? []).compactMap(\.string)
    if !tests.isEmpty { lines.append("  tests      " + tests.joined(separator: ", ")) }
    let estimates = plan["estimates"] ?? .null
    lines.append(
      "  estimated  rows to look at \(number(estimates["rows"])), matches \(number(estimates["matches"])), "
        + time(estimates["ns"]))
    lines.append(
      "  actual     scanned \(number(actual["rows_scanned"])), matched \(number(actual["rows_matched"])), "
        + "touched \(number(actual["rows_touched"])), chunks left out \(number(actual["chunks_pruned"]))")
    if !steps.isEmpty {
      lines.append(
        "  steps      "
          + steps.map { "\($0["name"]?.string ?? "?") \(time($0["ns"]))" }.joined(separator: ", "))
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// `1.83 µs`, `12.4 ms`: small times keep digits that `readable` drops.
  static func readableSmall(nanoseconds: Int) -> String {
    nanoseconds < 1_000_000
      ? fixed(Double(nanoseconds) / 1000, nanoseconds < 10_000 ? 2 : 1) + " µs"
      : readable(.nanoseconds(nanoseconds))
  }
}
