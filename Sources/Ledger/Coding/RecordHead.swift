// The head of a record: what stands before the payload of every fact, in memory and on the disk.

/// What a record holds. The numbers are written to the disk: none is ever given another meaning.
package enum FactType: UInt8, Sendable, CaseIterable {
  case ledgerCreated = 1
  case ledgerUpdated = 2
  case identityCreated = 3
  case identityUpdated = 4
  case identityDeleted = 5
  case balanceCreated = 6
  case balanceIdentityChanged = 7
  case metadataChanged = 8
  case transactionPosted = 9
  case keyRemembered = 10

  /// Version of the payload's layout that is written, and the newest that is read.
  package static let version: UInt8 = 1
}

/// The first 24 bytes of a record, little-endian:
///
/// ```
///  0  length    UInt32   bytes of the whole record, from here to the end of the payload
///  4  type      UInt8    FactType
///  5  version   UInt8    of the payload's layout
///  6  flags     UInt8    bit 0: last fact of its command, the end of a unit
///  7  0
///  8  position  UInt64
/// 16  checksum  UInt64   0 in the log; the journal fills it in
/// 24  payload
/// ```
package struct RecordHead: Sendable, Equatable {
  package static let byteCount = 24
  package static let flagsOffset = 6
  package static let checksumOffset = 16
  package static let endsUnitFlag: UInt8 = 1

  /// Bytes of the whole record, this head included.
  package var recordByteCount: Int
  /// A `FactType`, or what a newer version writes.
  package var type: UInt8
  package var version: UInt8
  /// The fact is the last one of its command.
  package var endsUnit: Bool
  package var position: UInt64
  package var checksum: UInt64

  /// The type, if it and the version are known; nil for what a newer version has written.
  package var knownType: FactType? { version == FactType.version ? FactType(rawValue: type) : nil }

  /// Reads the head that `bytes` begin with. Whether the record's other bytes are there is not looked at.
  /// - Throws: `truncated` for fewer than 24 bytes, `malformed` for what no version writes.
  package init(_ bytes: UnsafeRawBufferPointer) throws(RecordFault) {
    if bytes.count < Self.byteCount { throw .truncated }
    recordByteCount = unsafe Int(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
    type = unsafe bytes[4]
    version = unsafe bytes[5]
    let flags = unsafe bytes[Self.flagsOffset]
    endsUnit = flags & Self.endsUnitFlag != 0
    position = unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    checksum = unsafe UInt64(
      littleEndian: bytes.loadUnaligned(fromByteOffset: Self.checksumOffset, as: UInt64.self))
    let isWritten =
      unsafe recordByteCount >= Self.byteCount && type != 0 && version != 0 && flags >> 1 == 0
      && bytes[7] == 0 && position != 0
    if !isWritten { throw .malformed }
  }
}
