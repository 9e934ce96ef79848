// The bytes around the columns of a snapshot: the head of a table file, the head of a block.
//
// A table file is a head, blocks and nothing else; the last block is an end block. Numbers are little-endian.
//
//   head of a file, 64 bytes                     head of a block, 56 bytes
//    0  8  "LEDGTABL"                             0  4  "BLCK"
//    8  4  format version, 1                      4  1  kind: 1 column, 2 end
//   12  1  table                                  5  1  form of the stored bytes: 0 as they are, 1 zstd
//   13  3  zero                                   6  1  table
//   16 16  directory id                           7  1  column, 0 in an end block
//   32  8  snapshot id                            8  4  number of the block in its file, from 0
//   40  8  position                              12  4  zero
//   48  8  zero                                  16  8  first row (end block: rows of the table)
//   56  8  XXH3 of bytes 0..<56                  24  4  row count (end block: 0)
//                                                28  4  zero
//   after the head of a block:                   32  4  raw byte count
//   stored bytes, no padding                     36  4  stored byte count
//                                                40  8  XXH3 of the stored bytes, seed: file
//                                                48  8  XXH3 of bytes 0..<48, seed: file + offset in it
//
// The seed of a file is the checksum of its head, so that a right block of another file, snapshot or
// directory is wrong here; the offset in the seed of a block's head makes a right block at a wrong place
// wrong too.

import Platform

/// The tables of a snapshot, a file each.
package enum SnapshotTable: UInt8, CaseIterable, Sendable {
  case currencies = 1
  case indicators, ledgers, identities, balances, transactions, keys

  package var name: String {
    switch self {
    case .currencies: "currencies"
    case .indicators: "indicators"
    case .ledgers: "ledgers"
    case .identities: "identities"
    case .balances: "balances"
    case .transactions: "transactions"
    case .keys: "keys"
    }
  }

  var fileName: String { name + ".table" }
}

/// Limits of the format.
enum BlockLimit {
  /// Rows of a block at most: a stripe.
  static let rows = 32_768
  /// A group of rows is closed when its variable columns have this many bytes.
  static let groupByteTarget = 4 << 20
  /// Raw bytes of a block at most: a group just short of its target, then its longest row (the outcome of a
  /// batch).
  static let rawByteCount = 64 << 20
}

/// The first 64 bytes of a table file.
struct TableFileHead: Equatable {
  static let byteCount = 64
  static let version: UInt32 = 1
  private static let magic: [UInt8] = Array("LEDGTABL".utf8)

  var table: SnapshotTable
  var directory: DirectoryIdentifier
  var snapshot: UInt64
  var position: UInt64

  func encoded() -> [UInt8] {
    var bytes = Self.magic
    bytes.appendLittleEndian(Self.version)
    bytes.appendLittleEndian(UInt32(table.rawValue))
    bytes.appendLittleEndian(directory.high)
    bytes.appendLittleEndian(directory.low)
    bytes.appendLittleEndian(snapshot)
    bytes.appendLittleEndian(position)
    bytes.appendLittleEndian(UInt64(0))
    bytes.appendLittleEndian(Checksum.xxh3(bytes))
    return bytes
  }

  /// The seed of all checksums in the file.
  var seed: UInt64 { encoded().littleEndian(at: 56) }

  /// Why `bytes`, the first 64 of a file, are not this head; nil when they are.
  func fault(in bytes: [UInt8]) -> (offset: Int, finding: String)? {
    let expected = encoded()
    precondition(bytes.count == Self.byteCount, "the head of a file is read whole")
    guard let place = bytes.indices.first(where: { bytes[$0] != expected[$0] }) else { return nil }
    let version: UInt32 = bytes.littleEndian(at: 8)
    let finding =
      switch place {
      case 0..<8: "this is not a table file of a snapshot"
      case 8..<12: "the format version is \(version), expected \(Self.version)"
      case 12..<16: "this is not the table \(table.name)"
      case 16..<32: "the file belongs to another data directory"
      case 32..<48: "the file belongs to another snapshot"
      default: "the head of the file is damaged"
      }
    return (place, finding)
  }
}

/// The head of a block.
struct BlockHead: Equatable {
  enum Kind: UInt8 {
    case column = 1
    case end
  }
  enum Form: UInt8 { case raw, zstd }

  static let byteCount = 56
  private static let magic: UInt32 = 0x4B43_4C42  // "BLCK"

  var kind: Kind
  var form: Form
  var table: SnapshotTable
  var column: UInt8
  var number: UInt32
  var firstRow: UInt64
  var rowCount: UInt32
  var rawByteCount: UInt32
  var storedByteCount: UInt32
  var storedChecksum: UInt64

  func encoded(seed: UInt64, offset: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.byteCount)
    bytes.appendLittleEndian(Self.magic)
    bytes += [kind.rawValue, form.rawValue, table.rawValue, column]
    bytes.appendLittleEndian(number)
    bytes.appendLittleEndian(UInt32(0))
    bytes.appendLittleEndian(firstRow)
    bytes.appendLittleEndian(rowCount)
    bytes.appendLittleEndian(UInt32(0))
    bytes.appendLittleEndian(rawByteCount)
    bytes.appendLittleEndian(storedByteCount)
    bytes.appendLittleEndian(storedChecksum)
    bytes.appendLittleEndian(Checksum.xxh3(bytes, seed: seed &+ UInt64(offset)))
    return bytes
  }

  /// Reads the head of the block at `offset`.
  init(_ bytes: [UInt8], seed: UInt64, offset: Int) throws(ContentFault) {
    precondition(bytes.count == Self.byteCount, "the head of a block is read whole")
    let found: UInt64 = bytes.littleEndian(at: 48)
    let expected = Checksum.xxh3(bytes.span.extracting(0..<48), seed: seed &+ UInt64(offset))
    guard found == expected else {
      throw ContentFault(
        "the checksum of the block's head is \(hexadecimal(found)), expected \(hexadecimal(expected))")
    }
    guard bytes.littleEndian(at: 0) == Self.magic, let kind = Kind(rawValue: bytes[4]),
      let form = Form(rawValue: bytes[5]), let table = SnapshotTable(rawValue: bytes[6]),
      bytes.littleEndian(at: 12) == UInt32(0), bytes.littleEndian(at: 28) == UInt32(0)
    else { throw ContentFault("the head of the block names an unknown kind, form or table") }
    self.kind = kind
    self.form = form
    self.table = table
    column = bytes[7]
    number = bytes.littleEndian(at: 8)
    firstRow = bytes.littleEndian(at: 16)
    rowCount = bytes.littleEndian(at: 24)
    rawByteCount = bytes.littleEndian(at: 32)
    storedByteCount = bytes.littleEndian(at: 36)
    storedChecksum = bytes.littleEndian(at: 40)
    guard rawByteCount <= BlockLimit.rawByteCount, rowCount <= BlockLimit.rows else {
      throw ContentFault(
        "the block claims \(rawByteCount) bytes in \(rowCount) rows; at most \(BlockLimit.rawByteCount) in "
          + "\(BlockLimit.rows) are accepted")
    }
  }

  init(
    kind: Kind, form: Form, table: SnapshotTable, column: UInt8, number: UInt32, firstRow: UInt64,
    rowCount: UInt32, rawByteCount: UInt32, storedByteCount: UInt32, storedChecksum: UInt64
  ) {
    self.kind = kind
    self.form = form
    self.table = table
    self.column = column
    self.number = number
    self.firstRow = firstRow
    self.rowCount = rowCount
    self.rawByteCount = rawByteCount
    self.storedByteCount = storedByteCount
    self.storedChecksum = storedChecksum
  }
}

/// 128 random bits that name a data directory for ever.
package struct DirectoryIdentifier: Hashable, Sendable, CustomStringConvertible {
  package let high: UInt64
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  package static func random() -> DirectoryIdentifier {
    DirectoryIdentifier(high: KernelRandom.word(), low: KernelRandom.word())
  }

  /// 32 hexadecimal digits.
  package var description: String { hexadecimal(high) + hexadecimal(low) }
}

/// Sixteen lower-case digits.
func hexadecimal(_ word: UInt64) -> String {
  let digits = String(word, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}

extension [UInt8] {
  mutating func appendLittleEndian<Value: FixedWidthInteger>(_ value: Value) {
    for shift in stride(from: 0, to: Value.bitWidth, by: 8) {
      append(UInt8(truncatingIfNeeded: value >> Value(shift)))
    }
  }

  func littleEndian<Value: FixedWidthInteger & UnsignedInteger>(at place: Int) -> Value {
    var value: Value = 0
    for index in 0..<(Value.bitWidth / 8) { value |= Value(self[place + index]) << Value(8 * index) }
    return value
  }
}
