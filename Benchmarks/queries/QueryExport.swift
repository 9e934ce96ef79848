// The compared balances and questions as files, for other engines to load.

import Columns
import Ledger
import LedgerlineClient
import Platform
import Samples

/// Writes `balances.csv` and `shapes.json` into a directory.
enum QueryExport {
  /// `seq` is the order of creation.
  private static let header =
    "seq,balance_id,ledger_id,identity_id,indicator,currency,balance,credit_balance,debit_balance,"
    + "inflight_balance,currency_multiplier,version,track_fund_lineage,allocation_strategy,created_at\n"

  static func write(_ compared: ComparedBooks, _ shapes: [QueryShape], to directory: String) throws {
    let target = try DataDirectory(creating: directory)
    try target.replaceFile("shapes.json", with: Array(json(shapes).text.utf8))
    let file = try OpenFile(target.path(of: "balances.csv"), .replace)
    let cut = compared.books.cut()
    var lines = Array(header.utf8)
    for row in 0..<cut.balanceCount {
      append(RowIndex(row), cut, to: &lines)
      if lines.count > 1 << 20 {
        try file.write(lines)
        lines.removeAll(keepingCapacity: true)
      }
    }
    try file.write(lines)
    try file.close()
  }

  private static func json(_ shapes: [QueryShape]) throws -> JSONNode {
    .array(
      try shapes.map { shape in
        .object([
          .init("name", .string(shape.name)), .init("title", .string(shape.title)),
          .init("method", .string(shape.method)), .init("params", try JSONNode.parse(shape.params)),
        ])
      })
  }

  private static func append(_ row: RowIndex, _ cut: Cut, to lines: inout [UInt8]) {
    let books = cut.books
    let balances = books.balances
    let image = cut.balance(row)
    let identity = image.identity.map { books.identities.identifiers[$0].text(kind: .identity) } ?? ""
    let created = DemoTime.text(Int(balances.createdAt[row]) / 1000)
    let values = [
      "\(row.rawValue)", balances.identifiers[row].text(kind: .balance),
      books.ledgers.identifiers[RowIndex(balances.ledgers[row])].text(kind: .ledger), identity,
      books.indicators.text(of: balances.indicators[row]) ?? "",
      books.currencies.text(of: balances.currencies[row]) ?? "", "\(image.balance)", "\(image.credit)",
      "\(image.debit)", "\(image.inflightBalance)", "\(balances.multipliers[row])", "\(image.version)",
      "\(balances.tracksFundLineage(row))", "\(balances.allocationStrategy(row).name)", created,
    ]
    for (index, value) in values.enumerated() {
      if index > 0 { lines.append(UInt8(ascii: ",")) }
      lines.append(contentsOf: value.utf8)
    }
    lines.append(UInt8(ascii: "\n"))
  }
}
