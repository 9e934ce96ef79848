// What comes after a cursor, as a test of rows.

import Amounts
import Columns
import Ledger

extension Lowering {
  /// What comes after a cursor in the order of a member's text: a greater text, or the same and a row behind.
  private func after(_ cursor: Cursor, _ key: [UInt8], _ ascending: Bool, _ behind: RowTest) -> RowTest {
    let text: [UInt8]? = if case .text(let text) = cursor.key { text } else { nil }
    let same: MetadataTest.Condition = if let text { .sameText(text) } else { .isNull }
    return .disjunction([
      .metadata(MetadataTest(key: key, .beyond(text, ascending: ascending))),
      .conjunction([.metadata(MetadataTest(key: key, same)), behind]),
    ])
  }

  /// What comes after a cursor in the order asked for.
  func after(_ cursor: Cursor, _ order: SortOrder, liesInRowOrder: Bool) throws(QueryStopped) -> RowTest {
    let behind: RowTest = .rowRange(
      order.ascending ? cursor.row.index + 1..<Layout.rowLimit + 1 : 0..<cursor.row.index)
    if liesInRowOrder { return behind }
    let field = order.field
    if case .metadata(let key) = field.source {
      return after(cursor, Array(key.utf8), order.ascending, behind)
    }
    let operand: Operand
    switch cursor.key {
    case .null: operand = .null
    case .integer(let value):
      switch field.type {
      case .time where value < .max: operand = .time(TimeRange(start: value, end: value + 1))
      case .integer: operand = .amount(Amount(value))
      default: operand = .none
      }
    case .amount(let amount): operand = .amount(amount)
    case .text(let bytes):
      operand = field.type == .metadata ? .none : .text(String(decoding: bytes, as: UTF8.self))
    case .quotient: operand = .none
    }
    if operand == .none || (operand == .null && field.type == .metadata) {
      return .after(
        SortBoundary(
          column: SortColumn(field), ascending: order.ascending, key: cursor.key, row: cursor.row))
    }
    let nulls = try test(Predicate(field: field, op: .isNull, operand: .none))
    if operand == .null {
      let rest = try test(Predicate(field: field, op: .isNotNull, operand: .none))
      let same = RowTest.conjunction([nulls, behind])
      return order.ascending ? same : .disjunction([rest, same])
    }
    let beyond = try test(Predicate(field: field, op: order.ascending ? .greater : .less, operand: operand))
    let equal = try test(Predicate(field: field, op: .equal, operand: operand))
    return .disjunction([beyond, .conjunction([equal, behind])] + (order.ascending ? [nulls] : []))
  }
}
