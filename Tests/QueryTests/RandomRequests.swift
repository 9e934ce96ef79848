// Random requests whose operands are mostly values that exist.

import Amounts
import Query
import TestSupport

struct RandomRequests {
  let twin: NaiveQuery
  var generator: SeededGenerator

  static func operand(_ member: TwinMember) -> MetadataValue {
    switch member {
    case .text(let text, _): .text(text)
    case .number(_, let text): .number(text)
    case .boolean(let flag): .boolean(flag)
    case .null: .null
    case .other(let json): .other(json)
    }
  }

  mutating func request(_ table: QueryTable) -> QueryRequest {
    let sortable = fields(table).filter(\.isSortable)
    let count = [0, 1, 1, 1, 2, 2, 3, 5].randomElement(using: &generator)!
    let sort =
      chance(2, in: 3)
      ? SortOrder(field: sortable.randomElement(using: &generator)!, ascending: chance(1, in: 2)) : nil
    return QueryRequest(
      table: table, predicates: (0..<count).map { _ in predicate(table) },
      combination: chance(2, in: 3) ? .all : .any, sort: sort,
      limit: [nil, 0, 1, 2, 20, 1000, .max].randomElement(using: &generator)!,
      offset: [0, 0, 0, 0, 1, 7, 50, 100_000, .max / 2, .max].randomElement(using: &generator)!,
      includeCount: chance(1, in: 2))
  }

  /// A request like those that people send: a few tests of the fields that matter, an order that a path
  /// serves.
  mutating func commonRequest(_ table: QueryTable) -> QueryRequest {
    let isBalances = table == .balances
    let names =
      isBalances
      ? [
        "currency", "ledger_id", "identity_id", "indicator", "created_at", "created_at", "balance", "balance",
        "balance_id", "credit_balance", "currency_multiplier",
      ] : ["balance_id", "source", "destination", "currency", "created_at", "status", "transaction_id"]
    let sorts: [String?] =
      isBalances
      ? [
        nil, nil, "created_at", "balance", "balance", "currency", "ledger_id", "identity_id", "indicator",
        "credit_balance", "debit_balance", "inflight_credit_balance",
      ]
      : [nil, nil, "created_at", "precise_amount"]
    var predicates: [Predicate] = []
    for _ in 0..<[0, 1, 1, 1, 2, 2, 3].randomElement(using: &generator)! {
      let name = names.randomElement(using: &generator)!
      guard let field = QueryField.named(name, in: table) else { continue }
      predicates.append(commonPredicate(field))
    }
    let sort = sorts.randomElement(using: &generator)!.flatMap { QueryField.named($0, in: table) }
      .map { SortOrder(field: $0, ascending: chance(1, in: 2)) }
    return QueryRequest(
      table: table, predicates: predicates, combination: chance(7, in: 8) ? .all : .any, sort: sort,
      limit: [1, 2, 5, 20, 100].randomElement(using: &generator)!,
      offset: [0, 0, 0, 1, 7, 40].randomElement(using: &generator)!, includeCount: chance(1, in: 2))
  }

  mutating func commonPredicate(_ field: QueryField) -> Predicate {
    let ops: [FilterOperator] =
      switch field.type {
      case .time: [.greaterOrEqual, .lessOrEqual, .less, .greater, .between, .equal]
      case .amount, .integer: [.greaterOrEqual, .lessOrEqual, .greater, .equal, .between, .notEqual]
      default:
        field.name == "indicator"
          ? [.isNotNull, .isNull, .equal, .like] : [.equal, .equal, .isIn, .notEqual]
      }
    let op = ops.randomElement(using: &generator)!
    let operand: Operand =
      switch op.arity {
      case .none: .none
      case .one: self.operand(field, op)
      case .pair: .list([self.operand(field, op), self.operand(field, op)])
      case .list: .list((0..<Int.random(in: 1...3, using: &generator)).map { _ in self.operand(field, op) })
      }
    return Predicate(field: field, op: op, operand: operand)
  }

  mutating func chance(_ part: Int, in whole: Int) -> Bool {
    Int.random(in: 0..<whole, using: &generator) < part
  }

  private func fields(_ table: QueryTable) -> [QueryField] {
    QueryField.all(in: table)
      + RandomBooks.keys.map { QueryField.named("meta_data." + $0.name, in: table)! }
      + [QueryField.named("meta_data.none", in: table)!]
  }

  mutating func predicate(_ table: QueryTable) -> Predicate {
    let field = fields(table).randomElement(using: &generator)!
    let op = field.type.allowedOperators.randomElement(using: &generator)!
    let operand: Operand
    switch op.arity {
    case .none: operand = .none
    case .one: operand = chance(1, in: 30) ? .null : self.operand(field, op)
    case .pair: operand = .list([self.operand(field, op), self.operand(field, op)])
    case .list:
      let count = [1, 2, 3, 9, 40].randomElement(using: &generator)!
      operand = .list((0..<count).map { _ in chance(1, in: 20) ? .null : self.operand(field, op) })
    }
    return Predicate(field: field, op: op, operand: operand)
  }

  private mutating func operand(_ field: QueryField, _ op: FilterOperator) -> Operand {
    if field.type == .metadata {
      if op == .like || op == .ilike { return .metadata(.text(pattern("abc"))) }
      return .metadata(Self.operand(RandomBooks.members.randomElement(using: &generator)!.value))
    }
    let value = twin.tables[field.table]!.randomElement(using: &generator)?.values[field.name] ?? .null
    switch field.type {
    case .amount, .integer:
      guard case .number(let amount) = value else { return .amount(.zero) }
      return .amount(chance(1, in: 3) ? amount + Amount(Int.random(in: -2...2, using: &generator)) : amount)
    case .text, .identifier:
      var text: String? = if case .text(let text) = value { text } else { nil }
      if case .either(let texts) = value { text = texts.randomElement(using: &generator)! }
      let known = text ?? RandomBooks.texts.randomElement(using: &generator)!
      if op == .like || op == .ilike { return .text(pattern(known)) }
      return .text(chance(1, in: 6) ? known + "x" : known)
    case .time:
      let time: Int64 = if case .time(let time) = value { time } else { 0 }
      if chance(1, in: 2) {
        let day = (time / 86_400_000_000) * 86_400_000_000
        return .time(TimeRange(start: day, end: day + 86_400_000_000))
      }
      let moved = time + Int64.random(in: -1...1, using: &generator)
      return .time(TimeRange(start: moved, end: moved + 1))
    case .boolean: return .boolean(chance(1, in: 2))
    case .decimal:
      guard case .quotient(let precise, let precision) = value else { preconditionFailure("a decimal") }
      let text = DecimalAmount.decimalText(of: precise, precision: precision)
      return .decimal(try! DecimalAmount(chance(1, in: 4) ? "0.5" : text))
    case .metadata: preconditionFailure("made above")
    }
  }

  /// A pattern that may fit the text: parts replaced, cut off, escaped or left.
  mutating func pattern(_ text: String) -> String {
    var pattern = ""
    for scalar in text.unicodeScalars {
      switch Int.random(in: 0..<12, using: &generator) {
      case 0: pattern += "%"
      case 1: pattern += "_"
      case 2: pattern += "\\" + String(scalar)
      case 3: pattern += String(scalar).uppercased()
      case 4: pattern += String(scalar) + "%"
      default: pattern += String(scalar)
      }
    }
    if chance(1, in: 3) { pattern = "%" + pattern }
    if chance(1, in: 3) {
      pattern = String(pattern.unicodeScalars.prefix(pattern.unicodeScalars.count / 2)) + "%"
    }
    return pattern
  }
}
