// The columns of each table in a snapshot, and how the rows of each become bytes.
//
// A table is cut into groups of at most 32,768 rows (a stripe). A group is one block for each column, in the
// order below. The bytes of a column of n rows before compression:
//
//   values        n × 1, 4 or 8 bytes
//   differences   n × 8 bytes: the first value, then each less the one before, wrapping
//   amounts       n × Int64, Int64.min for a wider one; then the wide ones in row order (ByteForm.swift)
//   identifiers   n × UInt64 differences of the high halves | n × UInt64 low halves; a low half whose two
//                 highest bits are not 10 is 0 and stands for a chosen text: these follow in row order,
//                 a length byte before each
//   records       n × UInt32 lengths, 0xFFFFFFFF for none; then the bytes of all records in row order

/// Column numbers, by table.
enum SnapshotColumn {
  /// currencies, indicators: the text of code `row + 1`.
  enum Text {
    static let text: UInt8 = 1
    static let all: ClosedRange<UInt8> = 1...1
  }

  /// ledgers, identities.
  enum Entity {
    static let identifier: UInt8 = 1
    /// Differences of Int64 microseconds.
    static let createdAt: UInt8 = 2
    /// `EntityRecord`, none for a deleted row.
    static let record: UInt8 = 3
    static let all: ClosedRange<UInt8> = 1...3
  }

  enum Balance {
    static let identifier: UInt8 = 1
    /// Row of the ledger, UInt32.
    static let ledger: UInt8 = 2
    /// Code, UInt32, from 1.
    static let currency: UInt8 = 3
    /// Code, UInt32, 0 for none.
    static let indicator: UInt8 = 4
    static let createdAt: UInt8 = 5
    /// Int64.
    static let multiplier: UInt8 = 6
    /// UInt8.
    static let flags: UInt8 = 7
    static let credit: UInt8 = 8
    static let debit: UInt8 = 9
    static let inflightCredit: UInt8 = 10
    static let inflightDebit: UInt8 = 11
    /// UInt32.
    static let version: UInt8 = 12
    /// Row of the identity plus one, UInt32, 0 for none.
    static let identity: UInt8 = 13
    /// Record: compact JSON, none for `{}`.
    static let metadata: UInt8 = 14
    static let all: ClosedRange<UInt8> = 1...14
  }

  enum Transaction {
    static let identifier: UInt8 = 1
    /// Row of a balance, UInt32.
    static let source: UInt8 = 2
    static let destination: UInt8 = 3
    static let amount: UInt8 = 4
    /// Int64.
    static let precision: UInt8 = 5
    static let createdAt: UInt8 = 6
    /// Differences of UInt64 positions.
    static let position: UInt8 = 7
    /// UInt8.
    static let flags: UInt8 = 8
    /// Record: `TransactionDetail`.
    static let detail: UInt8 = 9
    /// Record: compact JSON, none for `{}`.
    static let metadata: UInt8 = 10
    static let all: ClosedRange<UInt8> = 1...10
  }

  /// Idempotency keys, oldest first.
  enum Key {
    static let record: UInt8 = 1
    static let all: ClosedRange<UInt8> = 1...1
  }

  /// The length of a record that is not there.
  static let noRecord = UInt32.max
}

extension SnapshotTable {
  var columns: ClosedRange<UInt8> {
    switch self {
    case .currencies, .indicators: SnapshotColumn.Text.all
    case .ledgers, .identities: SnapshotColumn.Entity.all
    case .balances: SnapshotColumn.Balance.all
    case .transactions: SnapshotColumn.Transaction.all
    case .keys: SnapshotColumn.Key.all
    }
  }
}
