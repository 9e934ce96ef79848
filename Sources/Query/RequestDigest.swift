// A fingerprint of what a cursor depends on: table, filter and order of a request.

import Amounts
import Platform

extension QueryRequest {
  /// The same for the same request in any process of this version; page size, count and cursor do not matter.
  var digest: UInt64 {
    var bytes: [UInt8] = []
    bytes.append(UInt8(QueryTable.allCases.firstIndex(of: table) ?? 0))
    bytes.append(combination == .all ? 0 : 1)
    bytes.append(order.ascending ? 1 : 0)
    Self.append(order.field.name, to: &bytes)
    for predicate in predicates {
      Self.append(predicate.field.name, to: &bytes)
      Self.append(predicate.op.name, to: &bytes)
      Self.append(predicate.operand, to: &bytes)
    }
    return Checksum.xxh3(bytes)
  }

  private static func append(_ text: String, to bytes: inout [UInt8]) {
    Cursor.append(UInt32(text.utf8.count), to: &bytes)
    bytes.append(contentsOf: text.utf8)
  }

  private static func append(_ operand: Operand, to bytes: inout [UInt8]) {
    switch operand {
    case .none: bytes.append(0)
    case .null: bytes.append(1)
    case .amount(let amount):
      bytes.append(2)
      amount.appendBytes(to: &bytes)
    case .text(let text):
      bytes.append(3)
      append(text, to: &bytes)
    case .boolean(let flag): bytes.append(flag ? 5 : 4)
    case .time(let range):
      bytes.append(6)
      Cursor.append(range.start, to: &bytes)
      Cursor.append(range.end, to: &bytes)
    case .decimal(let decimal):
      bytes.append(7)
      decimal.unscaled.appendBytes(to: &bytes)
      Cursor.append(UInt32(decimal.scale), to: &bytes)
    case .metadata(let value): append(value, to: &bytes)
    case .list(let operands):
      bytes.append(8)
      Cursor.append(UInt32(operands.count), to: &bytes)
      for operand in operands { append(operand, to: &bytes) }
    }
  }

  private static func append(_ value: MetadataValue, to bytes: inout [UInt8]) {
    switch value {
    case .text(let text):
      bytes.append(9)
      append(text, to: &bytes)
    case .number(let text):
      bytes.append(10)
      append(text, to: &bytes)
    case .boolean(let flag): bytes.append(flag ? 12 : 11)
    case .null: bytes.append(13)
    case .other(let text):
      bytes.append(14)
      append(text, to: &bytes)
    }
  }
}
