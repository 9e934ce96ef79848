// Facts as the bytes that the journal keeps: the payload of each type, drawn once.

import Amounts
import Columns
import Platform

// Payloads of version 1. All begin with the time of the fact in microseconds. `identifier`, `amount` and
// `number` are drawn at `FactWriter`; `text` is a number of bytes and UTF-8; a row is 4 bytes; metadata is
// the rest, a compact JSON object, nothing for {}.
//
//   ledger created            time 8 | created_at 8 | identifier | record: as EntityRecord
//   ledger updated            time 8 | row 4 | record without metadata
//   identity created          time 8 | created_at 8 | identifier | record
//   identity updated          time 8 | row 4 | record without metadata
//   identity deleted          time 8 | row 4
//   balance created           time 8 | ledger 4 | identity's row plus one, 0 for none 4 | flags 1 |
//                             identifier | multiplier (number) | currency (text) |
//                             indicator (text) if bit 3 | created_at 8 if bit 4 | metadata
//                             flags: bit 0 lineage, 1 and 2 strategy, 3 indicator, 4 created_at is not time
//   balance identity changed  time 8 | balance 4 | identity 4
//   metadata changed          time 8 | kind 1 (EntityKind) | row 4 | metadata
//   transaction posted        time 8 | source 4 | destination 4 | flags 1 | identifier | amount |
//                             precision (number) | byte count of the detail (number) |
//                             detail: as TransactionDetail | metadata
//                             flags: bits 0 to 3 status, 4 overdraft allowed
//   key remembered            time 8 | record: as KeyMemory
enum FactLayout {
  static let balanceIndicatorFlag: UInt8 = 8
  static let balanceCreatedAtFlag: UInt8 = 16
  static let balanceFlags: UInt8 = 31
  static let overdraftFlag: UInt8 = 16
  static let transactionFlags: UInt8 = 31

  /// Bytes of an identifier.
  @inline(__always)
  static func byteCount(of identifier: Identifier) -> Int {
    switch identifier {
    case .uuid: 16
    case .custom(let text): 16 + FactWriter.numberByteLimit + text.utf8.count
    }
  }

  /// Bytes of an amount, at most; the usual one is not measured.
  @inline(__always)
  static func byteBound(of amount: Amount) -> Int {
    amount.int64 != nil ? 9 : amount.encodedByteCount
  }

  /// Bytes of a text, at most.
  static func byteBound(of text: String) -> Int { FactWriter.numberByteLimit + text.utf8.count }
}

extension FactAppender {
  /// Writes the record of any fact but the two below. O(bytes).
  func append(_ fact: Fact, position: UInt64) {
    switch fact {
    case .ledgerCreated(let fact):
      appendCreated(
        .ledgerCreated, position, fact.identifier, createdAt: fact.createdAt, time: fact.time,
        EntityRecord(fields: [fact.name], metadata: fact.metadata))
    case .ledgerUpdated(let fact):
      appendUpdated(.ledgerUpdated, position, fact.ledger, fields: [fact.name], time: fact.time)
    case .identityCreated(let fact):
      appendCreated(
        .identityCreated, position, fact.identifier, createdAt: fact.createdAt, time: fact.time,
        EntityRecord(fields: fact.fields, metadata: fact.metadata))
    case .identityUpdated(let fact):
      appendUpdated(.identityUpdated, position, fact.identity, fields: fact.fields, time: fact.time)
    case .identityDeleted(let fact):
      append(.identityDeleted, position: position, payloadBound: 12) { writer in
        writer.append(time: fact.time)
        writer.append(row: fact.identity)
      }
    case .balanceCreated(let fact): append(fact, position: position)
    case .balanceIdentityChanged(let fact):
      append(.balanceIdentityChanged, position: position, payloadBound: 16) { writer in
        writer.append(time: fact.time)
        writer.append(row: fact.balance)
        writer.append(row: fact.identity)
      }
    case .metadataChanged(let fact):
      append(.metadataChanged, position: position, payloadBound: 13 + fact.metadata.count) { writer in
        writer.append(time: fact.time)
        writer.append(byte: fact.kind.rawValue)
        writer.append(row: fact.row)
        writer.append(bytes: fact.metadata)
      }
    case .transactionPosted, .keyRemembered: preconditionFailure("facts with functions of their own")
    }
  }

  /// Writes the record of a transaction whose detail lies in the table already. O(bytes).
  @inline(__always)
  func append(_ fact: borrowing TransactionPosted, detail: UnsafeRawBufferPointer, position: UInt64) {
    let bound =
      17 + FactLayout.byteCount(of: fact.identifier) + FactLayout.byteBound(of: fact.amount)
      + 2 * FactWriter.numberByteLimit + detail.count + fact.metadata.count
    append(.transactionPosted, position: position, payloadBound: bound) { writer in
      writer.append(time: fact.time)
      writer.append(row: fact.source)
      writer.append(row: fact.destination)
      writer.append(byte: fact.status.rawValue | (fact.allowOverdraft ? FactLayout.overdraftFlag : 0))
      writer.append(identifier: fact.identifier)
      writer.append(amount: fact.amount)
      writer.append(number: UInt64(bitPattern: fact.precision))
      writer.append(number: UInt64(detail.count))
      unsafe writer.append(bytes: detail)
      writer.append(bytes: fact.metadata)
    }
  }

  /// Writes the record of a key.
  /// - Parameter record: as `KeyMemory.record` made it.
  func append(keyRecord record: [UInt8], time: Microseconds, position: UInt64) {
    append(.keyRemembered, position: position, payloadBound: 8 + record.count) { writer in
      writer.append(time: time)
      writer.append(bytes: record)
    }
  }

  private func append(_ fact: BalanceCreated, position: UInt64) {
    let bound =
      33 + FactLayout.byteCount(of: fact.identifier) + FactLayout.byteBound(of: fact.currency)
      + (fact.indicator.map { FactLayout.byteBound(of: $0) } ?? 0) + fact.metadata.count
    let isDated = fact.createdAt != fact.time
    append(.balanceCreated, position: position, payloadBound: bound) { writer in
      writer.append(time: fact.time)
      writer.append(row: fact.ledger)
      writer.append(halfWord: fact.identity.map { $0.rawValue + 1 } ?? 0)
      writer.append(
        byte: FixedBalance.flags(
          tracksFundLineage: fact.tracksFundLineage, strategy: fact.allocationStrategy)
          | (fact.indicator == nil ? 0 : FactLayout.balanceIndicatorFlag)
          | (isDated ? FactLayout.balanceCreatedAtFlag : 0))
      writer.append(identifier: fact.identifier)
      writer.append(number: UInt64(bitPattern: fact.currencyMultiplier))
      writer.append(text: fact.currency)
      if let indicator = fact.indicator { writer.append(text: indicator) }
      if isDated { writer.append(time: fact.createdAt) }
      writer.append(bytes: fact.metadata)
    }
  }

  private func appendCreated(
    _ type: FactType, _ position: UInt64, _ identifier: Identifier, createdAt: Microseconds,
    time: Microseconds, _ record: EntityRecord
  ) {
    let record = record.encoded()
    let bound = 16 + FactLayout.byteCount(of: identifier) + record.count
    append(type, position: position, payloadBound: bound) { writer in
      writer.append(time: time)
      writer.append(time: createdAt)
      writer.append(identifier: identifier)
      writer.append(bytes: record)
    }
  }

  private func appendUpdated(
    _ type: FactType, _ position: UInt64, _ row: RowIndex, fields: [String?], time: Microseconds
  ) {
    let record = EntityRecord(fields: fields, metadata: []).encoded()
    append(type, position: position, payloadBound: 12 + record.count) { writer in
      writer.append(time: time)
      writer.append(row: row)
      writer.append(bytes: record)
    }
  }
}
