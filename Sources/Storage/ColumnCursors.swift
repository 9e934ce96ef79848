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

  @inline(__always)
  mutating func next(_ place: Int) throws(ContentFault) -> Amount {
    let narrow: Int64 = bytes.value(at: place * 8)
    return narrow == .min ? try wide() : Amount(narrow)
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

  /// After the last row: nothing may be left.
  func finish() throws(ContentFault) {
    guard tail == bytes.count else {
      throw ContentFault("\(bytes.count - tail) bytes follow the last wide amount")
    }
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

  /// The UUID of a row to come, nil when it has a chosen text.
  @inline(__always)
  func uuid(_ place: Int) -> StoredIdentifier? {
    let stored = StoredIdentifier(
      high: bytes.value(at: place * 8), low: bytes.value(at: (rowCount + place) * 8))
    return stored.isUUID ? stored : nil
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
  /// Where the record begins that `ahead` gives next.
  private var aheadTail = 0

  mutating func load(_ block: inout BlockBytes, rowCount: Int) throws(ContentFault) {
    swap(&bytes, &block)
    tail = rowCount * 4
    aheadTail = tail
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

  /// The bytes of a record to come, nil for none. In row order, apart from `next`.
  @inline(__always)
  mutating func ahead(_ place: Int) -> UnsafeRawBufferPointer? {
    let length: UInt32 = bytes.value(at: place * 4)
    if length == SnapshotColumn.noRecord { return nil }
    defer { aheadTail += Int(length) }
    return unsafe bytes.slice(at: aheadTail, count: Int(length))
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
