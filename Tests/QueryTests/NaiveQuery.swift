// The naive twin of the engine: rows as dictionaries of values, a plain loop for every question.

import Amounts
import Columns
import Ledger
import Platform
import Query

/// A metadata member as the twin sees it; numbers in millionths.
enum TwinMember: Hashable {
  case text(String, Int?)
  case number(Int, String)
  case boolean(Bool)
  case null
  case other(String)

  var text: String? {
    switch self {
    case .text(let text, _), .number(_, let text), .other(let text): text
    case .boolean(let flag): flag ? "true" : "false"
    case .null: nil
    }
  }

  var millionths: Int? {
    switch self {
    case .text(_, let value): value
    case .number(let value, _): value
    case .boolean, .null, .other: nil
    }
  }
}

/// A decoded value of a field.
enum TwinValue: Hashable {
  case null
  case number(Amount)
  case text(String)
  case time(Int64)
  case boolean(Bool)
  /// Minor units and precision.
  case quotient(Amount, Amount)
  case member(TwinMember)
  /// Two values of which either counts.
  case either([String?])
}

struct TwinRow {
  let row: RowIndex
  let values: [String: TwinValue]
  let members: [String: TwinMember]
}

/// Decodes a cut and answers requests by looking at every row.
struct NaiveQuery {
  var tables: [QueryTable: [TwinRow]] = [:]

  init(_ cut: Cut) {
    tables[.balances] = (0..<cut.balanceCount).map { Self.balance(cut, RowIndex($0)) }
    tables[.transactions] = (0..<cut.transactionCount).map { Self.transaction(cut, RowIndex($0)) }
    tables[.ledgers] = (0..<cut.ledgerCount).compactMap { row in
      Self.entity(cut, cut.books.ledgers, RowIndex(row), "ledger_id", ["name"])
    }
    tables[.identities] = (0..<cut.identityCount).compactMap { row in
      Self.entity(
        cut, cut.books.identities, RowIndex(row), "identity_id", IdentityField.allCases.map { "\($0.name)" })
    }
  }

  // MARK: Decoding

  private static func text(_ text: String?) -> TwinValue { text.map { .text($0) } ?? .null }

  static func members(_ metadata: [UInt8]) -> [String: TwinMember] {
    // The books only hold what `RandomBooks` made of its lists, so the object is taken apart by trying them.
    var rest = Substring(String(decoding: metadata, as: UTF8.self)).dropFirst()
    var members: [String: TwinMember] = [:]
    while let key = RandomBooks.keys.first(where: { rest.hasPrefix($0.json + ":") }) {
      rest = rest.dropFirst(key.json.count + 1)
      let member = RandomBooks.members.first {
        rest.hasPrefix($0.json + ",") || (rest.hasPrefix($0.json) && rest.count == $0.json.count + 1)
      }!
      members[key.name] = member.value
      rest = rest.dropFirst(member.json.count + 1)
    }
    return members
  }

  private static func balance(_ cut: Cut, _ row: RowIndex) -> TwinRow {
    let (books, image) = (cut.books, cut.balance(row))
    return TwinRow(
      row: row,
      values: [
        "balance_id": .text(books.balances.identifiers[row].text(kind: .balance)),
        "ledger_id": .text(
          books.ledgers.identifiers[RowIndex(books.balances.ledgers[row])].text(kind: .ledger)),
        "identity_id": text(image.identity.map { books.identities.identifiers[$0].text(kind: .identity) }),
        "indicator": text(books.indicators.text(of: books.balances.indicators[row])),
        "currency": text(books.currencies.text(of: books.balances.currencies[row])),
        "balance": .number(image.balance), "credit_balance": .number(image.credit),
        "debit_balance": .number(image.debit), "inflight_balance": .number(image.inflightBalance),
        "inflight_credit_balance": .number(image.inflightCredit),
        "inflight_debit_balance": .number(image.inflightDebit),
        "currency_multiplier": .number(Amount(books.balances.multipliers[row])),
        "version": .number(Amount(Int64(image.version))),
        "track_fund_lineage": .boolean(books.balances.tracksFundLineage(row)),
        "allocation_strategy": .text("\(books.balances.allocationStrategy(row).name)"),
        "created_at": .time(books.balances.createdAt[row]),
      ], members: members(image.metadata))
  }

  private static func transaction(_ cut: Cut, _ row: RowIndex) -> TwinRow {
    let (books, table) = (cut.books, cut.books.transactions)
    let detail = table.detail(row)
    let parties = [RowIndex(table.sources[row]), RowIndex(table.destinations[row])]
    let names = parties.map { books.balances.identifiers[$0].text(kind: .balance) }
    let batch = detail.batch.map { Identifier.uuid(high: $0.high, low: $0.low).text(kind: .batch) }
    return TwinRow(
      row: row,
      values: [
        "transaction_id": .text(table.identifiers[row].text(kind: .transaction)),
        "parent_transaction": text(batch), "source": .text(names[0]), "destination": .text(names[1]),
        "balance_id": .either(names),
        "indicator": .either(parties.map { books.indicators.text(of: books.balances.indicators[$0]) }),
        "reference": .text(detail.reference),
        "currency": text(books.currencies.text(of: books.balances.currencies[parties[0]])),
        "precise_amount": .number(table.amount(row)),
        "amount": .quotient(table.amount(row), Amount(table.precisions[row])),
        "precision": .number(Amount(table.precisions[row])), "status": .text("\(table.status(row).name)"),
        "description": text(detail.description),
        "effective_date": detail.effectiveDate.map { .time($0.count) } ?? .null,
        "created_at": .time(table.createdAt[row]),
      ], members: members(table.metadataBytes(row, cut: cut.epoch)))
  }

  private static func entity(
    _ cut: Cut, _ table: EntityTable, _ row: RowIndex, _ identifier: String, _ names: [String]
  ) -> TwinRow? {
    guard let bytes = unsafe table.record(row, cut: cut.epoch) else { return nil }
    let record = unsafe EntityRecord(bytes, fieldCount: table.fieldCount)
    var values: [String: TwinValue] = [
      identifier: .text(table.identifiers[row].text(kind: table.identifiers.kind)),
      "created_at": .time(table.createdAt[row]),
    ]
    for (name, field) in zip(names, record.fields) { values[name] = text(field) }
    return TwinRow(row: row, values: values, members: members(record.metadata))
  }

  // MARK: Answering

  /// Every row that matches, in order.
  func rows(_ request: QueryRequest) -> [RowIndex] {
    let matching = tables[request.table]!.filter { row in
      if request.predicates.isEmpty { return true }
      switch request.combination {
      case .all: return request.predicates.allSatisfy { matches(row, $0) }
      case .any: return request.predicates.contains { matches(row, $0) }
      }
    }
    let name = request.sort?.field.name ?? "created_at"
    let ascending = request.sort?.ascending ?? false
    let keyed = matching.map { (row: $0.row, key: sortValue($0, name)) }
    return keyed.sorted { left, right in
      let order = Self.order(left.key, right.key)
      if order == 0 { return ascending ? left.row < right.row : right.row < left.row }
      return ascending ? order < 0 : order > 0
    }.map(\.row)
  }

  private func sortValue(_ row: TwinRow, _ name: String) -> TwinValue {
    guard name.hasPrefix("meta_data.") else { return row.values[name]! }
    return row.members[String(name.dropFirst(10))]?.text.map { .text($0) } ?? .null
  }

  private static func order(_ left: TwinValue, _ right: TwinValue) -> Int {
    func order<Value: Comparable>(_ left: Value, _ right: Value) -> Int {
      left < right ? -1 : left > right ? 1 : 0
    }
    switch (left, right) {
    case (.null, .null): return 0
    case (.null, _): return 1
    case (_, .null): return -1
    case (.number(let left), .number(let right)): return order(left, right)
    case (.time(let left), .time(let right)): return order(left, right)
    case (.boolean(let left), .boolean(let right)): return order(left ? 1 : 0, right ? 1 : 0)
    case (.text(let left), .text(let right)): return textOrder(left, right)
    case (.quotient(let left, let divisor), .quotient(let right, let other)):
      return order(left * other, right * divisor)
    default: preconditionFailure("values of one field")
    }
  }

  static func textOrder(_ left: String, _ right: String) -> Int {
    left.utf8.elementsEqual(right.utf8) ? 0 : left.utf8.lexicographicallyPrecedes(right.utf8) ? -1 : 1
  }

  // MARK: Predicates

  private func matches(_ row: TwinRow, _ predicate: Predicate) -> Bool {
    let name = predicate.field.name
    if name.hasPrefix("meta_data.") {
      return Self.matches(row.members[String(name.dropFirst(10))] ?? .null, predicate.op, predicate.operand)
    }
    let value = row.values[name]!
    if case .either(let values) = value {
      let each = values.map { Self.matches($0.map { .text($0) } ?? .null, predicate.op, predicate.operand) }
      return name == "balance_id" && predicate.op == .notEqual ? !each.contains(false) : each.contains(true)
    }
    return Self.matches(value, predicate.op, predicate.operand)
  }

  private static func matches(_ value: TwinValue, _ op: FilterOperator, _ operand: Operand) -> Bool {
    if op == .isNull { return value == .null }
    if value == .null { return false }
    switch (op, operand) {
    case (.isNotNull, _): return true
    case (_, .null): return false
    case (.isIn, .list(let operands)): return operands.contains { matches(value, .equal, $0) }
    case (.between, .list(let bounds)):
      return matches(value, .greaterOrEqual, bounds[0]) && matches(value, .lessOrEqual, bounds[1])
    case (.like, .text(let pattern)), (.ilike, .text(let pattern)):
      guard case .text(let text) = value else { return false }
      return like(text, pattern, ignoresCase: op == .ilike)
    default: break
    }
    if case .time(let range) = operand, case .time(let time) = value {
      switch op {
      case .equal: return time >= range.start && time < range.end
      case .notEqual: return time < range.start || time >= range.end
      case .greater: return time >= range.end
      case .greaterOrEqual: return time >= range.start
      case .less: return time < range.start
      default: return time < range.end
      }
    }
    let order: Int
    switch (value, operand) {
    case (.number(let left), .amount(let right)): order = Self.order(.number(left), .number(right))
    case (.text(let left), .text(let right)): order = textOrder(left, right)
    case (.boolean(let left), .boolean(let right)): order = left == right ? 0 : 1
    case (.quotient(let precise, let precision), .decimal(let decimal)):
      order = Self.order(
        .quotient(precise, precision), .quotient(decimal.unscaled, .power(of10: decimal.scale)))
    default: return false
    }
    return holds(op, order)
  }

  private static func holds(_ op: FilterOperator, _ order: Int) -> Bool {
    switch op {
    case .equal: order == 0
    case .notEqual: order != 0
    case .greater: order > 0
    case .greaterOrEqual: order >= 0
    case .less: order < 0
    case .lessOrEqual: order <= 0
    default: false
    }
  }

  private static func matches(_ member: TwinMember, _ op: FilterOperator, _ operand: Operand) -> Bool {
    if op == .isNull { return member == .null }
    if member == .null { return false }
    if op == .isNotNull { return true }
    if case .list(let operands) = operand {
      if op == .between {
        return matches(member, .greaterOrEqual, operands[0]) && matches(member, .lessOrEqual, operands[1])
      }
      return operands.contains { operand in
        guard case .metadata(let value) = operand, let twin = twin(value) else { return false }
        return isEqual(member, twin) || textOrder(member.text!, twin.text!) == 0
      }
    }
    if op == .like || op == .ilike {
      guard case .metadata(.text(let pattern)) = operand else { return false }
      return like(member.text!, pattern, ignoresCase: op == .ilike)
    }
    guard case .metadata(let value) = operand, let twin = twin(value) else { return false }
    switch op {
    case .equal: return isEqual(member, twin)
    case .notEqual: return !isEqual(member, twin)
    default:
      guard let left = member.millionths, let right = twin.millionths else { return false }
      return holds(op, left < right ? -1 : left == right ? 0 : 1)
    }
  }

  private static func isEqual(_ left: TwinMember, _ right: TwinMember) -> Bool {
    switch (left, right) {
    case (.number(let left, _), .number(let right, _)): left == right
    case (.text(let left, _), .text(let right, _)): textOrder(left, right) == 0
    default: left == right
    }
  }

  /// Operands are made from the same list as the members.
  private static func twin(_ value: MetadataValue) -> TwinMember? {
    if value == .null { return nil }
    return RandomBooks.members.first { RandomRequests.operand($0.value) == value }?.value
  }

  // MARK: Patterns

  /// By recursion over code points.
  static func like(_ text: String, _ pattern: String, ignoresCase: Bool) -> Bool {
    func fold(_ text: String) -> [Unicode.Scalar] {
      text.unicodeScalars.map { scalar in
        let lower = scalar.properties.lowercaseMapping.unicodeScalars
        return ignoresCase && lower.count == 1 ? lower.first! : scalar
      }
    }
    return like(fold(text)[...], fold(pattern)[...])
  }

  private static func like(_ text: ArraySlice<Unicode.Scalar>, _ pattern: ArraySlice<Unicode.Scalar>) -> Bool
  {
    guard let head = pattern.first else { return text.isEmpty }
    let rest = pattern.dropFirst()
    if head == "%" { return like(text, rest) || (!text.isEmpty && like(text.dropFirst(), pattern)) }
    guard let first = text.first else { return false }
    if head == "_" { return like(text.dropFirst(), rest) }
    if head == "\\", let literal = rest.first {
      return first == literal && like(text.dropFirst(), rest.dropFirst())
    }
    return first == head && like(text.dropFirst(), rest)
  }
}
