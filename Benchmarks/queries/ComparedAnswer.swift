// Answers reduced to what every engine can give, one line a row, and the digest of that.

import LedgerlineClient
import Platform

/// The canonical form of an answer.
///
/// A balance is the members below joined by `|`, a null an empty text; a row of an aggregate its members in
/// their order. After the rows of a page comes `total N` if the count was asked for.
struct ComparedAnswer {
  private(set) var rowCount = 0
  private(set) var totalCount: Int?
  private var canonical: [UInt8] = []

  private static let members = [
    "balance_id", "ledger_id", "identity_id", "indicator", "currency", "balance", "credit_balance",
    "debit_balance", "inflight_balance", "version", "created_at",
  ]

  /// - Parameter lines: the answers as the server writes them.
  init(_ lines: some StringProtocol) throws {
    for line in lines.split(separator: "\n") {
      guard let result = try JSONNode.parse(line)["result"] else {
        throw ComparisonFailure.notAnswered(String(line.prefix(300)))
      }
      add(result)
    }
  }

  private mutating func add(_ result: JSONNode) {
    if let rows = result.array {
      for row in rows { add(row: row) }
    } else if let results = result["results"]?.array {
      for member in results { if let result = member["result"] { add(result) } }
    } else if let data = result["data"] {
      add(data)
      if let total = result["total_count"]?.int {
        totalCount = total
        canonical.append(contentsOf: "total \(total)\n".utf8)
      }
    } else {
      add(row: result)
    }
  }

  private mutating func add(row: JSONNode) {
    rowCount += 1
    let values =
      row["balance_id"] == nil
      ? (row.members ?? []).map { $0.value } : Self.members.map { row[$0] ?? .null }
    for (index, value) in values.enumerated() {
      if index > 0 { canonical.append(UInt8(ascii: "|")) }
      switch value {
      case .null: break
      case .string(let text), .number(let text): canonical.append(contentsOf: text.utf8)
      default: value.write(to: &canonical)
      }
    }
    canonical.append(UInt8(ascii: "\n"))
  }

  /// XXH3 of the canonical form, 16 hexadecimal digits.
  var digest: String {
    let text = String(Checksum.xxh3(canonical), radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }

  /// The requests of a shape that stands for several: methods and params.
  static func requests(_ shape: QueryShape) throws -> [(String, String)] {
    let requests = try JSONNode.parse(shape.params)["requests"]?.array ?? []
    return requests.map { ($0["method"]?.string ?? "", $0["params"]?.text ?? "{}") }
  }
}
