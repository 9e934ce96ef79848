// The books as one answer sees them: as they stand now, or through a cut.

import Amounts
import Columns
import Ledger

/// Where rows are read from.
package enum RowView: Sendable {
  /// Each row as it stands when it is read, under its shard's lock.
  case current(Books)
  /// All rows at one position, without locks.
  case cut(Cut)

  package var books: Books {
    switch self {
    case .current(let books): books
    case .cut(let cut): cut.books
    }
  }

  /// The row with that identifier, if the view has it.
  func row(_ kind: EntityKind, _ identifier: Identifier) -> RowIndex? {
    switch self {
    case .current(let books): books.row(kind, identifier)
    case .cut(let cut): cut.row(kind, identifier)
    }
  }

  /// Position of the last fact that a reader of the row has seen, or of a later one.
  func latestChange(_ kind: EntityKind, _ row: RowIndex) -> UInt64 {
    switch self {
    case .current(let books): books.latestChange(kind, row)
    case .cut(let cut): cut.position
    }
  }

  func balanceRow(indicator: String, currency: String) -> RowIndex? {
    guard let row = books.balanceRow(indicator: indicator, currency: currency) else { return nil }
    if case .cut(let cut) = self, row.index >= cut.balanceCount { return nil }
    return row
  }

  func transactionRow(reference: String) -> RowIndex? {
    guard let row = books.transactionRow(reference: reference) else { return nil }
    if case .cut(let cut) = self, row.index >= cut.transactionCount { return nil }
    return row
  }

  @inline(__always)
  func balance(_ row: RowIndex) -> BalanceImage {
    switch self {
    case .current(let books): books.balance(row)
    case .cut(let cut): cut.balance(row)
    }
  }

  @inline(__always)
  func transactionMetadata(_ row: RowIndex) -> [UInt8] {
    switch self {
    case .current(let books): books.withShard(of: row) { books.transactions.currentMetadata(row) }
    case .cut(let cut): cut.books.transactions.metadataBytes(row, cut: cut.epoch)
    }
  }

  /// The record of a ledger or identity, nil when it was deleted.
  func record(_ row: RowIndex, of table: EntityTable) -> EntityRecord? {
    switch self {
    case .current(let books):
      books.withShard(of: row) { unsafe Self.decoded(table.currentRecord(row), table) }
    case .cut(let cut): unsafe Self.decoded(table.record(row, cut: cut.epoch), table)
    }
  }

  private static func decoded(_ record: UnsafeRawBufferPointer?, _ table: EntityTable) -> EntityRecord? {
    guard let record = unsafe record else { return nil }
    return unsafe EntityRecord(record, fieldCount: table.fieldCount)
  }
}
