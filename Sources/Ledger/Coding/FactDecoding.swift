// Facts read back from the bytes that the journal keeps.

import Amounts
import Columns
import Platform

extension Fact {
  /// Reads a record. What the fact says may still be impossible for the books at hand: a replay looks there.
  /// - Parameter record: the whole record, its head included; its checksum is the journal's affair.
  /// - Throws: what is wrong with the bytes; `newer` for a type or version that this program does not know.
  /// - Complexity: O(bytes), and O(items) for the outcome of a batch.
  package static func decode(
    _ record: UnsafeRawBufferPointer
  ) throws(RecordFault) -> (position: UInt64, fact: Fact) {
    let head = unsafe try RecordHead(record)
    if head.recordByteCount != record.count {
      throw head.recordByteCount > record.count ? .truncated : .malformed
    }
    guard let type = head.knownType else { throw .newer(type: head.type, version: head.version) }
    let payload = unsafe UnsafeRawBufferPointer(rebasing: record[RecordHead.byteCount...])
    return (head.position, unsafe try Fact(payload, type))
  }

  init(_ payload: UnsafeRawBufferPointer, _ type: FactType) throws(RecordFault) {
    switch type {
    case .ledgerCreated: self = .ledgerCreated(unsafe try LedgerCreated(payload))
    case .ledgerUpdated: self = .ledgerUpdated(unsafe try LedgerUpdated(payload))
    case .identityCreated: self = .identityCreated(unsafe try IdentityCreated(payload))
    case .identityUpdated: self = .identityUpdated(unsafe try IdentityUpdated(payload))
    case .identityDeleted: self = .identityDeleted(unsafe try IdentityDeleted(payload))
    case .balanceCreated: self = .balanceCreated(unsafe try BalanceCreated(payload))
    case .balanceIdentityChanged:
      self = .balanceIdentityChanged(unsafe try BalanceIdentityChanged(payload))
    case .metadataChanged: self = .metadataChanged(unsafe try MetadataChanged(payload))
    case .transactionPosted: self = .transactionPosted(unsafe try TransactionRecord(payload).fact)
    case .keyRemembered: self = .keyRemembered(unsafe try KeyRemembered(payload))
    }
  }
}

extension LedgerCreated {
  init(_ payload: UnsafeRawBufferPointer) throws(RecordFault) {
    var reader = unsafe try FactReader(payload)
    let (time, createdAt) = (try reader.time(), try reader.time())
    let identifier = try reader.identifier(.ledger)
    let record = unsafe try EntityRecord(checking: reader.rest, fieldCount: LedgerField.allCases.count)
    guard let name = record.fields[LedgerField.name.rawValue] else { throw .malformed }
    self.init(
      identifier: identifier, name: name, metadata: record.metadata, createdAt: createdAt, time: time)
  }
}

extension LedgerUpdated {
  init(_ payload: UnsafeRawBufferPointer) throws(RecordFault) {
    var reader = unsafe try FactReader(payload)
    let (time, row) = (try reader.time(), try reader.row())
    let record = unsafe try EntityRecord(checking: reader.rest, fieldCount: LedgerField.allCases.count)
    guard let name = record.fields[LedgerField.name.rawValue], record.metadata.isEmpty else {
      throw .malformed
    }
    self.init(ledger: row, name: name, time: time)
  }
}

extension IdentityCreated {
  init(_ payload: UnsafeRawBufferPointer) throws(RecordFault) {
    var reader = unsafe try FactReader(payload)
    let (time, createdAt) = (try reader.time(), try reader.time())
    let identifier = try reader.identifier(.identity)
    let record = unsafe try EntityRecord(checking: reader.rest, fieldCount: IdentityField.allCases.count)
    self.init(
      identifier: identifier, fields: record.fields, metadata: record.metadata, createdAt: createdAt,
      time: time)
  }
}

extension IdentityUpdated {
  init(_ payload: UnsafeRawBufferPointer) throws(RecordFault) {
    var reader = unsafe try FactReader(payload)
    let (time, row) = (try reader.time(), try reader.row())
    let record = unsafe try EntityRecord(checking: reader.rest, fieldCount: IdentityField.allCases.count)
    if !record.metadata.isEmpty { throw .malformed }
    self.init(identity: row, fields: record.fields, time: time)
  }
}

extension IdentityDeleted {
  init(_ payload: UnsafeRawBufferPointer) throws(RecordFault) {
    var reader = unsafe try FactReader(payload)
    self.init(identity: RowIndex(0), time: try reader.time())
    identity = try reader.row()
    try reader.expectEnd()
  }
}

extension BalanceCreated {
  init(_ payload: UnsafeRawBufferPointer) throws(RecordFault) {
    var reader = unsafe try FactReader(payload)
    let (time, ledger, identity) = (try reader.time(), try reader.row(), try reader.halfWord())
    let flags = try reader.byte()
    guard flags & ~FactLayout.balanceFlags == 0, let strategy = AllocationStrategy(rawValue: flags >> 1 & 3)
    else { throw .malformed }
    let identifier = try reader.identifier(.balance)
    let multiplier = Int64(bitPattern: try reader.number())
    let currency = try Self.name(&reader)
    let indicator = flags & FactLayout.balanceIndicatorFlag != 0 ? try Self.name(&reader) : nil
    let createdAt = flags & FactLayout.balanceCreatedAtFlag != 0 ? try reader.time() : time
    self.init(
      identifier: identifier, ledger: ledger, currency: currency,
      identity: identity == 0 ? nil : RowIndex(identity - 1), indicator: indicator,
      currencyMultiplier: multiplier, tracksFundLineage: flags & 1 != 0, allocationStrategy: strategy,
      metadata: unsafe [UInt8](reader.rest), createdAt: createdAt, time: time)
  }

  /// A text that goes into a dictionary.
  private static func name(_ reader: inout FactReader) throws(RecordFault) -> String {
    let name = try reader.text()
    if name.utf8.count > TextHeap.recordByteLimit { throw .malformed }
    return name
  }
}

extension BalanceIdentityChanged {
  init(_ payload: UnsafeRawBufferPointer) throws(RecordFault) {
    var reader = unsafe try FactReader(payload)
    let (time, balance, identity) = (try reader.time(), try reader.row(), try reader.row())
    try reader.expectEnd()
    self.init(balance: balance, identity: identity, time: time)
  }
}

extension MetadataChanged {
  init(_ payload: UnsafeRawBufferPointer) throws(RecordFault) {
    var reader = unsafe try FactReader(payload)
    let time = try reader.time()
    guard let kind = EntityKind(rawValue: try reader.byte()), kind != .batch else { throw .malformed }
    let row = try reader.row()
    self.init(kind: kind, row: row, metadata: unsafe [UInt8](reader.rest), time: time)
  }
}

extension KeyRemembered {
  init(_ payload: UnsafeRawBufferPointer) throws(RecordFault) {
    var reader = unsafe try FactReader(payload)
    let time = try reader.time()
    let (key, outcome) = unsafe try KeyMemory.parsed(Span(_unsafeBytes: reader.rest))
    self.init(key: key, outcome: outcome, time: time)
  }
}

extension EntityRecord {
  /// Reads a record that comes from outside.
  fileprivate init(checking record: UnsafeRawBufferPointer, fieldCount: Int) throws(RecordFault) {
    guard unsafe Self.isWellFormed(record, fieldCount: fieldCount) else { throw .malformed }
    for number in 0..<fieldCount {
      guard let field = unsafe Self.field(number, of: record) else { continue }
      if unsafe !FactReader.isText(field) { throw .malformed }
    }
    unsafe self.init(record, fieldCount: fieldCount)
  }
}

/// A posted transaction as it lies in its payload: rarer members are bytes in place, so that a replay copies
/// them once.
@safe struct TransactionRecord {
  let time: Microseconds
  let source: RowIndex
  let destination: RowIndex
  let amount: EncodedAmount
  let precision: Int64
  /// As `TransactionTable.flags`.
  let flags: UInt8
  let identifier: EncodedIdentifier
  let detail: UnsafeRawBufferPointer
  let metadata: UnsafeRawBufferPointer

  /// - Parameter payload: stays for as long as the record is used.
  @inline(__always)
  init(_ payload: UnsafeRawBufferPointer) throws(RecordFault) {
    var reader = unsafe try FactReader(payload)
    time = try reader.time()
    source = try reader.row()
    destination = try reader.row()
    flags = try reader.byte()
    identifier = try reader.identifierInPlace(.transaction)
    amount = try reader.amount()
    precision = Int64(bitPattern: try reader.number())
    unsafe detail = unsafe try reader.countedBytes()
    unsafe metadata = unsafe reader.rest
    let isSound =
      unsafe flags & ~FactLayout.transactionFlags == 0 && TransactionStatus(rawValue: flags & 15) != nil
      && detail.count <= TextHeap.recordByteLimit && TransactionDetail.isWellFormed(detail)
      && FactReader.isText(TransactionDetail.referenceBytes(detail))
    if !isSound { throw .malformed }
    if let description = unsafe TransactionDetail.descriptionBytes(detail) {
      if unsafe !FactReader.isText(description) { throw .malformed }
    }
  }

  /// The same as a fact of its own.
  var fact: TransactionPosted {
    get throws(RecordFault) {
      guard let status = TransactionStatus(rawValue: flags & 15) else { throw .malformed }
      return unsafe TransactionPosted(
        identifier: identifier.identifier, source: source, destination: destination, amount: amount.amount,
        precision: precision, status: status, allowOverdraft: flags & FactLayout.overdraftFlag != 0,
        detail: TransactionDetail(detail), metadata: [UInt8](metadata), time: time)
    }
  }
}
