// A transaction as values: what a caller asks for, and what a reader is shown.

import Amounts
import Columns
import Platform

/// One side of a transaction as the caller names it.
package enum Party: Hashable, Sendable {
  case balance(Identifier)
  /// `@name`: the balance with that indicator in the transaction's currency, made on the fly in the general
  /// ledger.
  case indicator(String)
}

/// A transaction that a client asks for.
package struct NewTransaction: Sendable, Equatable {
  package var identifier: Identifier?
  package var source: Party
  package var destination: Party
  /// Minor units, more than zero.
  package var amount: Amount
  /// Minor units in a unit, at least 1.
  package var precision: Int64
  package var currency: String
  package var reference: String
  package var description: String?
  package var allowOverdraft: Bool
  /// Minor units below zero that the source may reach; nil for none, or for no limit with `allowOverdraft`.
  package var overdraftLimit: Amount?
  package var effectiveDate: Microseconds?
  /// Compact JSON object, empty for `{}`.
  package var metadata: [UInt8]

  package init(
    identifier: Identifier? = nil, source: Party, destination: Party, amount: Amount, precision: Int64 = 1,
    currency: String, reference: String, description: String? = nil, allowOverdraft: Bool = false,
    overdraftLimit: Amount? = nil, effectiveDate: Microseconds? = nil, metadata: [UInt8] = []
  ) {
    self.identifier = identifier
    self.source = source
    self.destination = destination
    self.amount = amount
    self.precision = precision
    self.currency = currency
    self.reference = reference
    self.description = description
    self.allowOverdraft = allowOverdraft
    self.overdraftLimit = overdraftLimit
    self.effectiveDate = effectiveDate
    self.metadata = metadata
  }
}

/// What has become of a transaction.
package enum TransactionStatus: UInt8, Sendable, CaseIterable {
  case applied, inflight, scheduled, void, rejected

  package var name: StaticString {
    switch self {
    case .applied: "APPLIED"
    case .inflight: "INFLIGHT"
    case .scheduled: "SCHEDULED"
    case .void: "VOID"
    case .rejected: "REJECTED"
    }
  }
}

/// The rarely read part of a transaction, kept as one record that never changes.
///
/// ```
/// flags        UInt8     bit 0 description, 1 parent, 2 effective date, 3 overdraft limit, 4 metadata digest
/// reference    UInt16 length | bytes
/// description  UInt16 length | bytes          if bit 0
/// parent       two UInt64                     if bit 1
/// effective    Int64 microseconds             if bit 2
/// limit        Amount bytes                   if bit 3
/// digest       UInt64                         if bit 4
/// ```
package struct TransactionDetail: Sendable, Equatable {
  package var reference: String
  package var description: String?
  /// UUID of the batch that the transaction came in.
  package var batch: StoredIdentifier?
  package var effectiveDate: Microseconds?
  package var overdraftLimit: Amount?
  /// XXH3 of the metadata as first sent; metadata may change later, what a reference stands for may not.
  package var metadataDigest: UInt64?

  package init(
    reference: String, description: String? = nil, batch: StoredIdentifier? = nil,
    effectiveDate: Microseconds? = nil, overdraftLimit: Amount? = nil, metadataDigest: UInt64? = nil
  ) {
    self.reference = reference
    self.description = description
    self.batch = batch
    self.effectiveDate = effectiveDate
    self.overdraftLimit = overdraftLimit
    self.metadataDigest = metadataDigest
  }

  /// Writes the record to a heap.
  func append(to heap: TextHeap) -> HeapOffset {
    var flags: UInt8 = 0
    var byteCount = 3 + reference.utf8.count
    if let description {
      flags |= 1
      byteCount += 2 + description.utf8.count
    }
    if batch != nil {
      flags |= 2
      byteCount += 16
    }
    if effectiveDate != nil {
      flags |= 4
      byteCount += 8
    }
    if let overdraftLimit {
      flags |= 8
      byteCount += overdraftLimit.encodedByteCount
    }
    if metadataDigest != nil {
      flags |= 16
      byteCount += 8
    }
    return unsafe heap.append(byteCount: byteCount) { target in
      var target = unsafe target
      unsafe target.storeBytes(of: flags, as: UInt8.self)
      unsafe target += 1
      unsafe Self.write(reference, &target)
      if let description { unsafe Self.write(description, &target) }
      if let batch {
        unsafe Self.write(batch.high, &target)
        unsafe Self.write(batch.low, &target)
      }
      if let effectiveDate { unsafe Self.write(UInt64(bitPattern: effectiveDate.count), &target) }
      if let overdraftLimit { unsafe Self.write(overdraftLimit, &target) }
      if let metadataDigest { unsafe Self.write(metadataDigest, &target) }
    }
  }

  /// Reads a record that `append` wrote.
  package init(_ record: UnsafeRawBufferPointer) {
    let flags = unsafe record[0]
    var place = 1
    unsafe reference = Self.text(record, &place)
    unsafe description = flags & 1 != 0 ? Self.text(record, &place) : nil
    if flags & 2 != 0 {
      let high = unsafe Self.word(record, &place)
      batch = unsafe StoredIdentifier(high: high, low: Self.word(record, &place))
    } else {
      batch = nil
    }
    unsafe effectiveDate =
      flags & 4 != 0 ? Microseconds(Int64(bitPattern: Self.word(record, &place))) : nil
    if flags & 8 != 0 {
      let span = unsafe Span<UInt8>(_unsafeElements: record.bindMemory(to: UInt8.self))
      overdraftLimit = try? Amount(bytes: span, at: &place)
    } else {
      overdraftLimit = nil
    }
    unsafe metadataDigest = flags & 16 != 0 ? Self.word(record, &place) : nil
  }

  /// The reference's bytes in a record, without reading the rest. O(1).
  package static func referenceBytes(_ record: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let count = unsafe Int(record.loadUnaligned(fromByteOffset: 1, as: UInt16.self))
    return unsafe UnsafeRawBufferPointer(rebasing: record[3..<3 + count])
  }

  /// The description's bytes in a record, nil if absent. O(1).
  package static func descriptionBytes(_ record: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard unsafe record[0] & 1 != 0 else { return nil }
    let place = unsafe 3 + referenceBytes(record).count
    let count = unsafe Int(record.loadUnaligned(fromByteOffset: place, as: UInt16.self))
    return unsafe UnsafeRawBufferPointer(rebasing: record[place + 2..<place + 2 + count])
  }

  /// The batch in a record, nil if absent. O(1).
  package static func batch(_ record: UnsafeRawBufferPointer) -> StoredIdentifier? {
    guard unsafe record[0] & 2 != 0 else { return nil }
    var place = unsafe endOfTexts(record)
    let high = unsafe word(record, &place)
    return unsafe StoredIdentifier(high: high, low: word(record, &place))
  }

  /// The effective date in a record, nil if absent. O(1).
  package static func effectiveDate(_ record: UnsafeRawBufferPointer) -> Microseconds? {
    guard unsafe record[0] & 4 != 0 else { return nil }
    var place = unsafe endOfTexts(record) + (record[0] & 2 != 0 ? 16 : 0)
    return unsafe Microseconds(Int64(bitPattern: word(record, &place)))
  }

  /// The place after reference and description.
  private static func endOfTexts(_ record: UnsafeRawBufferPointer) -> Int {
    let place = unsafe 3 + referenceBytes(record).count
    guard let description = unsafe descriptionBytes(record) else { return place }
    return place + 2 + description.count
  }

  /// Whether bytes that come from outside are a record, so that the other functions may trust them.
  static func isWellFormed(_ record: UnsafeRawBufferPointer) -> Bool {
    guard let flags = unsafe record.first, flags >> 5 == 0 else { return false }
    var place = 1
    for isPresent in [true, flags & 1 != 0] where isPresent {
      if record.count - place < 2 { return false }
      place += unsafe 2 + Int(record.loadUnaligned(fromByteOffset: place, as: UInt16.self))
      if place > record.count { return false }
    }
    place += (flags & 2 != 0 ? 16 : 0) + (flags & 4 != 0 ? 8 : 0)
    if place > record.count { return false }
    if flags & 8 != 0 {
      let span = unsafe Span<UInt8>(_unsafeElements: record.bindMemory(to: UInt8.self))
      if (try? Amount(bytes: span, at: &place)) == nil { return false }
    }
    return place + (flags & 16 != 0 ? 8 : 0) == record.count
  }

  private static func write(_ text: String, _ target: inout UnsafeMutableRawPointer) {
    var text = text
    text.withUTF8 { bytes in
      unsafe target.storeBytes(of: UInt16(bytes.count), as: UInt16.self)
      if let base = bytes.baseAddress {
        unsafe (target + 2).copyMemory(from: base, byteCount: bytes.count)
      }
      unsafe target += 2 + bytes.count
    }
  }

  private static func write(_ word: UInt64, _ target: inout UnsafeMutableRawPointer) {
    unsafe target.storeBytes(of: word, as: UInt64.self)
    unsafe target += 8
  }

  private static func write(_ amount: Amount, _ target: inout UnsafeMutableRawPointer) {
    var bytes: [UInt8] = []
    amount.appendBytes(to: &bytes)
    unsafe target.copyMemory(from: bytes, byteCount: bytes.count)
    unsafe target += bytes.count
  }

  private static func text(_ record: UnsafeRawBufferPointer, _ place: inout Int) -> String {
    let count = unsafe Int(record.loadUnaligned(fromByteOffset: place, as: UInt16.self))
    place += 2 + count
    return unsafe String(decoding: record[place - count..<place], as: UTF8.self)
  }

  private static func word(_ record: UnsafeRawBufferPointer, _ place: inout Int) -> UInt64 {
    place += 8
    return unsafe record.loadUnaligned(fromByteOffset: place - 8, as: UInt64.self)
  }
}
