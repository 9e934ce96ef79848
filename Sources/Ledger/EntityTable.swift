// Ledgers and identities: rows whose fields are one replaceable record.

import Columns
import Platform

/// The fields of a ledger or an identity: texts by number, and metadata.
///
/// ```
/// for each field   UInt16 length plus one (0: absent) | bytes
/// metadata         the rest: a compact JSON object, nothing for {}
/// ```
package struct EntityRecord: Sendable, Equatable {
  package var fields: [String?]
  package var metadata: [UInt8]

  package init(fields: [String?], metadata: [UInt8]) {
    self.fields = fields
    self.metadata = metadata
  }

  package func encoded() -> [UInt8] {
    var bytes: [UInt8] = []
    for field in fields {
      let mark = field.map { UInt16($0.utf8.count + 1) } ?? 0
      bytes.append(UInt8(truncatingIfNeeded: mark))
      bytes.append(UInt8(mark >> 8))
      if let field { bytes.append(contentsOf: field.utf8) }
    }
    bytes.append(contentsOf: metadata)
    return bytes
  }

  /// Reads a record of `fieldCount` fields that `encoded` made.
  package init(_ record: UnsafeRawBufferPointer, fieldCount: Int) {
    fields = []
    fields.reserveCapacity(fieldCount)
    var place = 0
    for _ in 0..<fieldCount {
      let mark = unsafe Int(record.loadUnaligned(fromByteOffset: place, as: UInt16.self))
      place += 2
      if mark == 0 {
        fields.append(nil)
      } else {
        fields.append(unsafe String(decoding: record[place..<place + mark - 1], as: UTF8.self))
        place += mark - 1
      }
    }
    unsafe metadata = [UInt8](record[place...])
  }

  /// Whether bytes that come from outside are a record, so that the other functions may trust them.
  static func isWellFormed(_ record: UnsafeRawBufferPointer, fieldCount: Int) -> Bool {
    var place = 0
    for _ in 0..<fieldCount {
      if record.count - place < 2 { return false }
      let mark = unsafe Int(record.loadUnaligned(fromByteOffset: place, as: UInt16.self))
      place += 2 + max(mark - 1, 0)
      if place > record.count { return false }
    }
    return true
  }

  /// The bytes of one field without reading the others' text; nil if absent. O(field number).
  package static func field(_ number: Int, of record: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    var place = 0
    for _ in 0..<number {
      let mark = unsafe Int(record.loadUnaligned(fromByteOffset: place, as: UInt16.self))
      place += 2 + max(mark - 1, 0)
    }
    let mark = unsafe Int(record.loadUnaligned(fromByteOffset: place, as: UInt16.self))
    if mark == 0 { return nil }
    return unsafe UnsafeRawBufferPointer(rebasing: record[place + 2..<place + 1 + mark])
  }

  /// The metadata's bytes in a record of `fieldCount` fields. O(fields).
  package static func metadata(of record: UnsafeRawBufferPointer, fieldCount: Int) -> UnsafeRawBufferPointer {
    var place = 0
    for _ in 0..<fieldCount {
      let mark = unsafe Int(record.loadUnaligned(fromByteOffset: place, as: UInt16.self))
      place += 2 + max(mark - 1, 0)
    }
    return unsafe UnsafeRawBufferPointer(rebasing: record[place...])
  }
}

/// Fields of a ledger's record.
package enum LedgerField: Int, CaseIterable, Sendable {
  case name
}

/// Fields of an identity's record, all texts.
package enum IdentityField: Int, CaseIterable, Sendable {
  case identityType, firstName, lastName, otherNames, gender, dateOfBirth, emailAddress, phoneNumber,
    nationality
  case organizationName, category, street, country, state, postCode, city

  /// The member's name on the wire.
  package var name: StaticString {
    switch self {
    case .identityType: "identity_type"
    case .firstName: "first_name"
    case .lastName: "last_name"
    case .otherNames: "other_names"
    case .gender: "gender"
    case .dateOfBirth: "dob"
    case .emailAddress: "email_address"
    case .phoneNumber: "phone_number"
    case .nationality: "nationality"
    case .organizationName: "organization_name"
    case .category: "category"
    case .street: "street"
    case .country: "country"
    case .state: "state"
    case .postCode: "post_code"
    case .city: "city"
    }
  }
}

/// Rows of one kind of entity: identifier and creation time fixed, the rest a record behind a cell.
/// A deleted row keeps its identifier, which is never used again, and has no record.
package final class EntityTable: Sendable {
  package let identifiers: IdentifierColumn
  package let createdAt = SegmentedColumn<Int64>()
  /// One lane: the record's handle, 0 when deleted.
  package let cells: BlockTable
  package let records: RecordStore
  package let fieldCount: Int
  /// Balances that refer to the row. Writer only.
  package let balanceCounts = SegmentedColumn<UInt32>()

  init(kind: EntityKind, fieldCount: Int, epochs: Epochs, records: RecordStore) {
    identifiers = IdentifierColumn(kind: kind)
    cells = BlockTable(epochs: epochs, kind: CellBlock.kind(laneCount: 1))
    self.records = records
    self.fieldCount = fieldCount
  }

  /// The record's bytes as a held cut sees them, nil when deleted; valid while the cut is held.
  package func record(_ row: RowIndex, cut epoch: UInt64) -> UnsafeRawBufferPointer? {
    unsafe record(row, cells.block(Layout.chunk(of: row), cut: epoch))
  }

  /// The record's bytes now, nil when deleted. The caller holds the row's shard lock or keeps writers out,
  /// and uses the bytes only meanwhile.
  package func currentRecord(_ row: RowIndex) -> UnsafeRawBufferPointer? {
    unsafe record(row, cells.currentBlock(Layout.chunk(of: row)))
  }

  private func record(_ row: RowIndex, _ block: Block?) -> UnsafeRawBufferPointer? {
    guard let block else { return nil }
    let handle = CellBlock(block)[lane: 0, slot: Layout.slot(of: row)]
    return handle == 0 ? nil : unsafe records.bytes(handle)
  }

  /// Appends the fixed columns of a row. Writer only.
  func appendFixed(_ row: RowIndex, identifier: Identifier, createdAt time: Microseconds) {
    createdAt.append(time.count, at: row)
    balanceCounts.append(0, at: row)
    identifiers.append(identifier, at: row)
  }

  /// Bytes of columns and index, for `rowCount` rows; records are counted by their store.
  package func byteCount(rowCount: Int) -> Int {
    rowCount * (16 + 8 + 4) + identifiers.byteCount + cells.reservedByteCount
  }
}
