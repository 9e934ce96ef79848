// What the demo asks before the server ends and after it has started again: the answers must be the same.

import Amounts
import LedgerlineClient
import Platform
import Samples

/// One figure of the books, as text.
struct DemoFigure: Equatable {
  let name: String
  let value: String
}

enum DemoProof {
  private static let pageSize = 1000
  private static let balanceSamples = 1000

  /// Asks for counts, sums and pages.
  static func figures(_ client: Client, _ books: DemoBooks) throws -> [DemoFigure] {
    var figures = [
      DemoFigure(name: "balances", value: try count(client, "balances.filter", filters: [])),
      DemoFigure(name: "transactions", value: try count(client, "transactions.filter", filters: [])),
      DemoFigure(name: "identities", value: try count(client, "identities.filter", filters: [])),
      DemoFigure(name: "ledgers", value: try count(client, "ledgers.filter", filters: [])),
    ]
    for currency in DemoBooks.currencies {
      let filter = JSONNode.object([
        .init("field", .string("currency")), .init("operator", .string("eq")),
        .init("value", .string(currency)),
      ])
      figures.append(
        DemoFigure(
          name: "balances in \(currency)", value: try count(client, "balances.filter", filters: [filter])))
    }
    for (order, name) in [("desc", "largest"), ("asc", "smallest")] {
      let rows = try page(client, "balances.filter", sortBy: "balance", order)
      let sum = rows.reduce(Amount(0)) { sum, row in
        guard let text = row["balance"]?.string, let amount = try? Amount(text) else { return sum }
        return sum + amount
      }
      figures.append(
        DemoFigure(
          name: "sum of the \(counted(rows.count, "\(name) balance"))", value: groupedByThousands("\(sum)")))
      figures.append(DemoFigure(name: "  their digest", value: digest(rows)))
    }
    let newest = try page(client, "balances.filter", sortBy: "created_at", "desc")
    figures.append(DemoFigure(name: "digest of the newest balances", value: digest(newest)))
    let transactions = try page(client, "transactions.filter", sortBy: "created_at", "desc")
    figures.append(DemoFigure(name: "digest of the newest transactions", value: digest(transactions)))
    figures.append(
      DemoFigure(
        name: "digest of \(counted(min(balanceSamples, books.balanceCount), "balance")) by id",
        value: try samples(client, books)))
    return figures
  }

  private static func count(_ client: Client, _ method: String, filters: [JSONNode]) throws -> String {
    let params = JSONNode.object([
      .init("filters", .array(filters)), .init("limit", .int(1)), .init("include_count", .bool(true)),
    ])
    let result = try client.call(method, params).result
    guard let count = result["total_count"] else {
      throw CommandFailure(.ownError, "\(method) told no total_count")
    }
    return groupedByThousands(count.string ?? count.text)
  }

  private static func page(
    _ client: Client, _ method: String, sortBy field: String, _ order: String
  ) throws -> [JSONNode] {
    let params = JSONNode.object([
      .init("filters", .array([])), .init("sort_by", .string(field)), .init("sort_order", .string(order)),
      .init("limit", .int(pageSize)),
    ])
    return ResultRows(try client.call(method, params).result)?.rows ?? []
  }

  private static func samples(_ client: Client, _ books: DemoBooks) throws -> String {
    let count = min(balanceSamples, books.balanceCount)
    var next = 0
    var rows: [JSONNode] = []
    try client.pipeline(
      window: 100,
      next: {
        guard next < count else { return nil }
        defer { next += 1 }
        let row = Int(scrambled(UInt64(next)) % UInt64(books.balanceCount))
        let params = "{\"balance_id\":\"\(books.balanceID(row))\"}"
        return PipelinedRequest("balances.get", params: Array(params.utf8))
      }, answered: { rows.append(try $1.get().result) })
    return digest(rows)
  }

  private static func digest(_ rows: [JSONNode]) -> String {
    var bytes: [UInt8] = []
    for row in rows { row.write(to: &bytes) }
    let text = String(Checksum.xxh3(bytes), radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }

  /// The figures before, and whether they are the same after.
  static func grid(_ before: [DemoFigure], _ after: [DemoFigure], until end: String, _ box: BoxStyle) -> Grid
  {
    var grid = Grid(columns: [
      Grid.Column("figure", .text), Grid.Column("before the \(end)", .number),
      Grid.Column("after the start", .text),
    ])
    for (one, other) in zip(before, after) {
      let verdict = one == other ? box.tick + " the same" : box.cross + " " + other.value
      grid.append([.text(one.name), .text(one.value), .text(verdict)])
    }
    return grid
  }
}
