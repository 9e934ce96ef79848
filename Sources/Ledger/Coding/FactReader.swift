// Reads the payload of a fact from bytes that come from a disk, trusting nothing.

import Amounts
import Columns
import Platform

/// Reads what `FactWriter` wrote, where it lies. What it gives that is not a value points into those bytes.
@safe struct FactReader {
  private var place: UnsafeRawPointer
  private let end: UnsafeRawPointer

  /// - Parameter bytes: stay for as long as the reader and what it gives are used.
  init(_ bytes: UnsafeRawBufferPointer) throws(RecordFault) {
    guard let start = bytes.baseAddress else { throw .truncated }
    unsafe place = unsafe start
    unsafe end = unsafe start + bytes.count
  }

  private var leftByteCount: Int { unsafe end - place }

  @inline(__always)
  private mutating func take(_ byteCount: Int) throws(RecordFault) -> UnsafeRawPointer {
    if byteCount > leftByteCount { throw .truncated }
    defer { unsafe place += byteCount }
    return unsafe place
  }

  @inline(__always)
  mutating func byte() throws(RecordFault) -> UInt8 { unsafe try take(1).load(as: UInt8.self) }

  @inline(__always)
  mutating func halfWord() throws(RecordFault) -> UInt32 {
    unsafe UInt32(littleEndian: try take(4).loadUnaligned(as: UInt32.self))
  }

  @inline(__always)
  mutating func word() throws(RecordFault) -> UInt64 {
    unsafe UInt64(littleEndian: try take(8).loadUnaligned(as: UInt64.self))
  }

  @inline(__always)
  mutating func time() throws(RecordFault) -> Microseconds {
    Microseconds(Int64(bitPattern: try word()))
  }

  @inline(__always)
  mutating func row() throws(RecordFault) -> RowIndex { RowIndex(try halfWord()) }

  /// A number in its one form: without zero bytes at its upper end.
  @inline(__always)
  mutating func number() throws(RecordFault) -> UInt64 {
    let first = try byte()
    return first < 0x80 ? UInt64(first) : try longNumber(first)
  }

  private mutating func longNumber(_ first: UInt8) throws(RecordFault) -> UInt64 {
    var value = UInt64(first & 0x7F)
    var shift: UInt64 = 7
    while true {
      let next = try byte()
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 {
        if next == 0 || shift == 63 && next > 1 { throw .malformed }
        return value
      }
      shift += 7
      if shift > 63 { throw .malformed }
    }
  }

  /// The next bytes, as many as a number before them says.
  @inline(__always)
  mutating func countedBytes() throws(RecordFault) -> UnsafeRawBufferPointer {
    let count = try number()
    if count > UInt64(leftByteCount) { throw .truncated }
    return unsafe UnsafeRawBufferPointer(start: try take(Int(count)), count: Int(count))
  }

  mutating func text() throws(RecordFault) -> String {
    let bytes = unsafe try countedBytes()
    guard let text = unsafe String(validating: bytes, as: UTF8.self) else { throw .malformed }
    return text
  }

  @inline(__always)
  mutating func identifier(_ kind: EntityKind) throws(RecordFault) -> Identifier {
    try identifierInPlace(kind).identifier
  }

  @inline(__always)
  mutating func identifierInPlace(_ kind: EntityKind) throws(RecordFault) -> EncodedIdentifier {
    let stored = StoredIdentifier(high: try word(), low: try word())
    if stored.isUUID { return EncodedIdentifier(stored) }
    if stored.high != 0 || stored.low != 0 { throw .malformed }
    let bytes = unsafe try countedBytes()
    guard let identifier = unsafe Identifier(bytes, kind: kind), case .custom = identifier else {
      throw .malformed
    }
    return unsafe EncodedIdentifier(text: bytes)
  }

  /// An amount that is more than zero.
  @inline(__always)
  mutating func amount() throws(RecordFault) -> EncodedAmount {
    let byteCount = unsafe leftByteCount > 0 ? Int(place.load(as: UInt8.self)) : 0
    if byteCount >= 1, byteCount < 8, leftByteCount > 8 {
      // The usual amount, in one load.
      let word = unsafe UInt64(littleEndian: (place + 1).loadUnaligned(as: UInt64.self))
      let value = word & (1 << UInt64(byteCount &* 8) &- 1)
      if value >> UInt64((byteCount &- 1) &* 8) == 0 { throw .malformed }
      unsafe place += 1 + byteCount
      return EncodedAmount(narrow: Int64(bitPattern: value))
    }
    let amount = unsafe try EncodedAmount(checking: rest)
    unsafe place += amount.byteCount
    return amount
  }

  /// All bytes that are left.
  var rest: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: place, count: leftByteCount) }

  func expectEnd() throws(RecordFault) {
    if leftByteCount != 0 { throw .malformed }
  }

  /// Whether bytes are UTF-8; quick for ASCII. O(bytes).
  static func isText(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var place = 0
    var seen: UInt64 = 0
    while bytes.count &- place >= 8 {
      seen |= unsafe bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
      place &+= 8
    }
    while place < bytes.count {
      seen |= unsafe UInt64(bytes[place])
      place &+= 1
    }
    if seen & 0x8080_8080_8080_8080 == 0 { return true }
    return unsafe String(validating: bytes, as: UTF8.self) != nil
  }
}

/// An identifier as it lies in a payload.
@safe struct EncodedIdentifier: BitwiseCopyable {
  /// The UUID; all zero for a chosen text.
  let uuid: StoredIdentifier
  /// The chosen text.
  let text: UnsafeRawBufferPointer

  @inline(__always)
  init(_ uuid: StoredIdentifier) {
    self.uuid = uuid
    unsafe text = UnsafeRawBufferPointer(start: nil, count: 0)
  }

  init(text: UnsafeRawBufferPointer) {
    uuid = StoredIdentifier(high: 0, low: 0)
    unsafe self.text = unsafe text
  }

  @inline(__always)
  var identifier: Identifier {
    if uuid.isUUID { return .uuid(high: uuid.high, low: uuid.low) }
    return .custom(unsafe String(decoding: text, as: UTF8.self))
  }

  /// As `IdentifierColumn.hash`.
  @inline(__always)
  var hash: UInt64 { uuid.isUUID ? KeyHash.hash(uuid.high, uuid.low) : unsafe KeyHash.hash(text) }
}

/// An amount of more than zero as it lies in a payload.
@safe struct EncodedAmount: BitwiseCopyable {
  /// The amount if it has fewer than 57 bits, else 0.
  private let narrow: Int64
  /// Its bytes if it has more.
  private let wide: UnsafeRawBufferPointer

  @inline(__always)
  init(narrow: Int64) {
    self.narrow = narrow
    unsafe wide = UnsafeRawBufferPointer(start: nil, count: 0)
  }

  /// The amount that `bytes` begin with.
  init(checking bytes: UnsafeRawBufferPointer) throws(RecordFault) {
    var offset = 0
    let amount = unsafe try? Amount(bytes: Span<UInt8>(_unsafeBytes: bytes), at: &offset)
    // What is wider than 63 bits is kept in a heap.
    guard let amount, amount.signum > 0, offset <= TextHeap.recordByteLimit else { throw .malformed }
    narrow = 0
    unsafe wide = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<offset])
  }

  var byteCount: Int { unsafe wide.count }

  @inline(__always)
  var amount: Amount { narrow != 0 ? Amount(narrow) : wideAmount }

  @inline(never)
  private var wideAmount: Amount {
    var offset = 0
    guard let amount = unsafe try? Amount(bytes: Span<UInt8>(_unsafeBytes: wide), at: &offset) else {
      preconditionFailure("the amount was read before")
    }
    return amount
  }
}
