// From the bytes of a column's block back to the values of its rows, trusting nothing in them.

import Amounts
import Columns
import Ledger

/// Values of fixed width.
struct ValueColumn<Value: FixedWidthInteger & BitwiseCopyable>: ~Copyable {
  private var bytes = BlockBytes()

  /// Takes over the block's bytes, which must be those of `rowCount` values.
  mutating func load(_ block: inout BlockBytes, rowCount: Int) throws(ContentFault) {
    swap(&bytes, &block)
    let expected = rowCount * MemoryLayout<Value>.size
    guard bytes.count == expected else {
      throw ContentFault("the column has \(bytes.count) bytes, expected \(expected) for \(rowCount) rows")
    }
  }

  /// As `load`, from differences of 64-bit values.
  mutating func load(differences block: inout BlockBytes, rowCount: Int) throws(ContentFault) {
    try load(&block, rowCount: rowCount)
    bytes.addUpDifferences(valueCount: rowCount)
  }

  subscript(place: Int) -> Value {
    @inline(__always) get { bytes.value(at: place * MemoryLayout<Value>.size) }
  }

  /// All values, valid until the next load.
  var values: UnsafeBufferPointer<Value> {
    unsafe bytes.values(at: 0, count: bytes.count / MemoryLayout<Value>.size)
  }
}

/// Amounts, read in row order.
struct AmountCursor: ~Copyable {
  private var bytes = BlockBytes()
  private var tail = 0

  mutating func load(_ block: inout BlockBytes, rowCount: Int) throws(ContentFault) {
    swap(&bytes, &block)
    tail = rowCount * 8
    guard bytes.count >= tail else {
      throw ContentFault("the amounts have \(bytes.count) bytes, expected at least \(tail)")
    }
  }

  /// All amounts of the `rowCount` rows, valid until the next load.
  mutating func amounts(rowCount: Int) throws(ContentFault) -> RestoredAmounts {
    let narrow: UnsafeBufferPointer<Int64> = unsafe bytes.values(at: 0, count: rowCount)
    var wide: [Amount] = []
    for place in 0..<rowCount where unsafe narrow[place] == AmountBlock.wideMark {
      wide.append(try self.wide())
    }
    guard tail == bytes.count else {
      throw ContentFault("\(bytes.count - tail) bytes follow the last wide amount")
    }
    return unsafe RestoredAmounts(narrow: narrow, wide: wide)
  }

  private mutating func wide() throws(ContentFault) -> Amount {
    let amount: Amount
    do throws(AmountError) { amount = try bytes.amount(at: &tail) } catch {
      throw ContentFault("a wide amount is not in its one form")
    }
    if let narrow = amount.int64, narrow != .min {
      throw ContentFault("\(narrow) is stored as a wide amount")
    }
    return amount
  }
}

/// Identifiers, read in row order.
struct IdentifierCursor: ~Copyable {
  private var bytes = BlockBytes()
  private var rowCount = 0
  private var tail = 0

  mutating func load(_ block: inout BlockBytes, rowCount: Int) throws(ContentFault) {
    swap(&bytes, &block)
    self.rowCount = rowCount
    tail = rowCount * 16
    guard bytes.count >= tail else {
      throw ContentFault("the identifiers have \(bytes.count) bytes, expected at least \(tail)")
    }
    bytes.addUpDifferences(valueCount: rowCount)
  }

  /// The identifiers of all rows, valid until the next load.
  mutating func all(kind: EntityKind) throws(ContentFault) -> RestoredIdentifiers {
    let lows: UnsafeBufferPointer<UInt64> = unsafe bytes.values(at: rowCount * 8, count: rowCount)
    var chosen: [Identifier] = []
    for place in 0..<rowCount where unsafe lows[place] >> 62 != 2 {
      chosen.append(try next(place, kind: kind))
    }
    try finish()
    return unsafe RestoredIdentifiers(highs: bytes.values(at: 0, count: rowCount), lows: lows, chosen: chosen)
  }

  mutating func next(_ place: Int, kind: EntityKind) throws(ContentFault) -> Identifier {
    let high: UInt64 = bytes.value(at: place * 8)
    let low: UInt64 = bytes.value(at: (rowCount + place) * 8)
    if low >> 62 == 2 { return .uuid(high: high, low: low) }
    guard high == 0, low == 0, tail < bytes.count else {
      throw ContentFault("an identifier is neither a UUID nor a chosen text")
    }
    let length: UInt8 = bytes.value(at: tail)
    guard Int(length) < bytes.count - tail else {
      throw ContentFault("a chosen identifier of \(length) bytes goes beyond the block")
    }
    let text = unsafe bytes.slice(at: tail + 1, count: Int(length))
    guard let identifier = unsafe Identifier(text, kind: kind), case .custom = identifier else {
      throw ContentFault("a chosen identifier is not one")
    }
    tail += 1 + Int(length)
    return identifier
  }

  func finish() throws(ContentFault) {
    guard tail == bytes.count else {
      throw ContentFault("\(bytes.count - tail) bytes follow the last chosen identifier")
    }
  }
}

/// Records, read in row order.
struct RecordCursor: ~Copyable {
  private var bytes = BlockBytes()
  private var tail = 0

  mutating func load(_ block: inout BlockBytes, rowCount: Int) throws(ContentFault) {
    swap(&bytes, &block)
    tail = rowCount * 4
    guard bytes.count >= tail else {
      throw ContentFault("the records have \(bytes.count) bytes, expected at least \(tail)")
    }
    var end = tail
    for place in 0..<rowCount {
      let length: UInt32 = bytes.value(at: place * 4)
      if length != SnapshotColumn.noRecord { end += Int(length) }
    }
    guard end == bytes.count else {
      throw ContentFault(
        "the records have \(bytes.count - tail) bytes, their lengths add up to \(end - tail)")
    }
  }

  /// All records of the `rowCount` rows, valid until the next load.
  func records(rowCount: Int) -> RestoredRecords {
    unsafe RestoredRecords(
      lengths: bytes.values(at: 0, count: rowCount),
      bytes: bytes.slice(at: rowCount * 4, count: bytes.count - rowCount * 4))
  }

  /// The record's bytes, valid until the next load; nil for none.
  mutating func nextOptional(_ place: Int) -> UnsafeRawBufferPointer? {
    let length: UInt32 = bytes.value(at: place * 4)
    if length == SnapshotColumn.noRecord { return nil }
    defer { tail += Int(length) }
    return unsafe bytes.slice(at: tail, count: Int(length))
  }

  mutating func next(_ place: Int) throws(ContentFault) -> UnsafeRawBufferPointer {
    guard let record = unsafe nextOptional(place) else { throw ContentFault("a record is missing") }
    return unsafe record
  }
}
