// A result as rows and named columns of text: what every output mode but JSON is made from.

/// Rows and columns of text, before any fitting. Every row has as many cells as there are columns.
package struct Grid: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    case text
    /// An id: when it must be cut, its middle goes, because its two ends tell it from others.
    case identifier
    /// An amount in minor units: to the right, grouped by thousands.
    case amount
    /// A plain number, such as a version: to the right, as it is.
    case number
  }

  package struct Column: Sendable, Equatable {
    package let name: String
    package let kind: Kind
    /// The protocol's name for it, which decides what goes first when room is short.
    package let field: String

    package init(_ name: String, _ kind: Kind, field: String? = nil) {
      self.name = name
      self.kind = kind
      self.field = field ?? name
    }

    /// A column whose kind follows from the protocol's name for it.
    package init(field: String) {
      self.init(field, FieldKinds.kind(of: field))
    }
  }

  package enum Cell: Sendable, Equatable {
    /// A null of the result.
    case null
    /// The row has no such member.
    case absent
    case text(String)
  }

  package private(set) var columns: [Column]
  package private(set) var rows: [[Cell]] = []

  package init(columns: [Column]) {
    self.columns = columns
  }

  package mutating func append(_ row: [Cell]) {
    precondition(row.count == columns.count, "a row has a cell for each column")
    rows.append(row)
  }
}

/// Which kind of value stands in a field of the protocol.
package enum FieldKinds {
  package static func kind(of field: String) -> Grid.Kind {
    if field.hasSuffix(":created_at") { return .text }
    if amounts.contains(field) || aggregatesOfAmounts.contains(where: { field.hasPrefix($0) }) {
      return .amount
    }
    if numbers.contains(field) || field.hasPrefix("count:") { return .number }
    if field == "reference" || field == "source" || field == "destination" || field == "parent_transaction"
      || field.hasSuffix("_id")
    {
      return .identifier
    }
    return .text
  }

  /// Fields that a narrow terminal can do without, the most dispensable first.
  package static let secondary: [String] = [
    "hash", "track_fund_lineage", "allocation_strategy", "currency_multiplier", "version", "position",
    "inflight_credit_balance", "inflight_debit_balance", "allow_overdraft", "overdraft_limit",
    "inflight_expiry_date", "scheduled_for", "effective_date", "parent_transaction", "inflight_balance",
    "inflight", "precision", "amount", "meta_data", "description", "debit_balance", "credit_balance",
    "identity_id", "ledger_id",
  ]

  /// Fields that a table is about: the last to go.
  package static let precious: Set<String> = [
    "balance", "precise_amount", "name", "status", "sum:balance", "sum:precise_amount",
  ]

  private static let amounts: Set<String> = [
    "balance", "credit_balance", "debit_balance", "inflight_balance", "inflight_credit_balance",
    "inflight_debit_balance", "precise_amount", "amount", "overdraft_limit", "total_count", "count",
    "available",
    "requested", "rows", "errors",
  ]
  private static let aggregatesOfAmounts = ["sum:", "min:", "max:", "avg:"]
  private static let numbers: Set<String> = [
    "version", "currency_multiplier", "position", "precision", "created", "connection",
  ]
}

/// Decimal digits by threes: `-1234567.5` becomes `-1,234,567.5`; what is not a plain decimal stays as it is.
package func groupedByThousands(_ text: String) -> String {
  let bytes = Array(text.utf8)
  let start = bytes.first == UInt8(ascii: "-") ? 1 : 0
  let point = bytes.firstIndex(of: UInt8(ascii: ".")) ?? bytes.count
  guard point > start, point == bytes.count || point + 1 < bytes.count else { return text }
  for (index, byte) in bytes.enumerated() where index >= start && index != point {
    guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return text }
  }
  guard point - start > 3 else { return text }
  var grouped = Array(bytes[..<start])
  grouped.reserveCapacity(bytes.count + (point - start) / 3)
  for index in start..<point {
    if index > start && (point - index) % 3 == 0 { grouped.append(UInt8(ascii: ",")) }
    grouped.append(bytes[index])
  }
  grouped.append(contentsOf: bytes[point...])
  return String(decoding: grouped, as: UTF8.self)
}

/// A count of things as people read it: `1 row`, `1,000,000 rows`.
package func counted(_ count: Int, _ noun: String) -> String {
  groupedByThousands(String(count)) + " " + noun + (count == 1 ? "" : "s")
}
