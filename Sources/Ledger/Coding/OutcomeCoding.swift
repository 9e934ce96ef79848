// Outcomes as bytes, for keys that are remembered.

import Columns

extension Outcome {
  /// Tag and content:
  ///
  /// ```
  /// 0 ledger | 1 identity | 2 identity deleted | 3 balance    row
  /// 4 balances       items
  /// 5 metadata       kind | row
  /// 6 transaction    0 or 1: replayed | row
  /// 7 transactions   identifier of the batch | items
  /// items            count, then runs: 0 new or 1 replayed | first row | rows, or 2 | refusal
  /// ```
  func append(to writer: inout RecordWriter) {
    switch self {
    case .ledger(let row): Self.append(0, row, to: &writer)
    case .identity(let row): Self.append(1, row, to: &writer)
    case .identityDeleted(let row): Self.append(2, row, to: &writer)
    case .balance(let row): Self.append(3, row, to: &writer)
    case .balances(let items):
      writer.append(byte: 4)
      Self.append(items, to: &writer)
    case .metadata(let kind, let row):
      writer.append(byte: 5)
      writer.append(byte: kind.rawValue)
      writer.append(row: row)
    case .transaction(let item):
      writer.append(byte: 6)
      writer.append(byte: item.replayed ? 1 : 0)
      writer.append(row: item.row)
    case .transactions(let batch, let items):
      writer.append(byte: 7)
      writer.append(identifier: batch)
      Self.append(items, to: &writer)
    }
  }

  init(_ reader: inout RecordReader) throws(RecordFault) {
    switch try reader.byte() {
    case 0: self = .ledger(try reader.row())
    case 1: self = .identity(try reader.row())
    case 2: self = .identityDeleted(try reader.row())
    case 3: self = .balance(try reader.row())
    case 4: self = .balances(try Self.items(&reader))
    case 5: self = .metadata(try reader.kind(), try reader.row())
    case 6:
      let mark = try reader.byte()
      if mark > 1 { throw .malformed }
      self = .transaction(PostedItem(row: try reader.row(), replayed: mark == 1))
    case 7: self = .transactions(batch: try reader.identifier(), try Self.items(&reader))
    default: throw .malformed
    }
  }

  /// Items of a batch, at most: a longest line has room for fewer.
  static let itemLimit = 1 << 24

  private static func append(_ tag: UInt8, _ row: RowIndex, to writer: inout RecordWriter) {
    writer.append(byte: tag)
    writer.append(row: row)
  }

  /// Items of a batch are nearly always new rows in one run.
  private static func append(_ items: [ItemOutcome], to writer: inout RecordWriter) {
    writer.append(number: items.count)
    var place = 0
    while place < items.count {
      switch items[place] {
      case .refused(let refusal):
        writer.append(byte: 2)
        refusal.append(to: &writer)
        place += 1
      case .done(let first):
        var count = 1
        while place + count < items.count, first.row.index + count < Layout.rowLimit,
          items[place + count]
            == .done(PostedItem(row: RowIndex(first.row.index + count), replayed: first.replayed))
        {
          count += 1
        }
        writer.append(byte: first.replayed ? 1 : 0)
        writer.append(row: first.row)
        writer.append(number: count)
        place += count
      }
    }
  }

  private static func items(_ reader: inout RecordReader) throws(RecordFault) -> [ItemOutcome] {
    let total = try reader.number()
    // So that a few bytes that nobody wrote cannot ask for all memory.
    if total > Self.itemLimit { throw .malformed }
    var items: [ItemOutcome] = []
    while items.count < total {
      let tag = try reader.byte()
      switch tag {
      case 0, 1:
        let first = try reader.row()
        let count = try reader.number()
        if count < 1 || count > total - items.count || first.index + count > Layout.rowLimit {
          throw .malformed
        }
        for step in 0..<count {
          items.append(.done(PostedItem(row: RowIndex(first.index + step), replayed: tag == 1)))
        }
      case 2: items.append(.refused(try Refusal(&reader)))
      default: throw .malformed
      }
    }
    return items
  }
}
