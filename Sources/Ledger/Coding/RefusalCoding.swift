// Refusals as bytes, for batches whose outcome is remembered.

import Amounts

extension Refusal {
  /// The number of the case, then its values in order.
  func append(to writer: inout RecordWriter) {
    switch self {
    case .keyReused(let key): Self.append(0, key, to: &writer)
    case .batchItem(let index, let refusal):
      writer.append(byte: 1)
      writer.append(number: index)
      refusal.append(to: &writer)
    case .tableFull(let kind):
      writer.append(byte: 2)
      writer.append(byte: kind.rawValue)
    case .identifierTaken(let kind, let text):
      writer.append(byte: 3)
      writer.append(byte: kind.rawValue)
      writer.append(text: text)
    case .ledgerNotFound(let text): Self.append(4, text, to: &writer)
    case .identityNotFound(let text): Self.append(5, text, to: &writer)
    case .balanceNotFound(let text, let role): Self.append(6, text, role, to: &writer)
    case .transactionNotFound(let text): Self.append(7, text, to: &writer)
    case .indicatorOutsideGeneralLedger(let ledger): Self.append(8, ledger, to: &writer)
    case .indicatorTaken(let indicator, let currency): Self.append(9, indicator, currency, to: &writer)
    case .lineageWithoutIdentity: writer.append(byte: 10)
    case .identityInUse(let text, let balanceCount):
      Self.append(11, text, to: &writer)
      writer.append(number: balanceCount)
    case .metadataTooLong(let byteCount, let limit):
      writer.append(byte: 12)
      writer.append(number: byteCount)
      writer.append(number: limit)
    case .duplicateReference(let reference, let transaction, let differences):
      Self.append(13, reference, transaction, to: &writer)
      writer.append(number: differences.count)
      for name in differences { writer.append(text: name) }
    case .sameBalance(let text): Self.append(14, text, to: &writer)
    case .currencyMismatch(let balance, let balanceCurrency, let transactionCurrency, let role):
      Self.append(15, balance, balanceCurrency, to: &writer)
      writer.append(text: transactionCurrency)
      writer.append(text: role)
    case .insufficientFunds(let balance, let available, let requested):
      Self.append(16, balance, to: &writer)
      writer.append(amount: available)
      writer.append(amount: requested)
    case .overdraftExceeded(let balance, let available, let requested, let limit):
      Self.append(17, balance, to: &writer)
      writer.append(amount: available)
      writer.append(amount: requested)
      writer.append(amount: limit)
    }
  }

  /// - Parameter isNested: whether the refusal is that of an item; one within another is never written.
  init(_ reader: inout RecordReader, isNested: Bool = false) throws(RecordFault) {
    switch try reader.byte() {
    case 0: self = .keyReused(key: try reader.text())
    case 1:
      if isNested { throw .malformed }
      self = .batchItem(index: try reader.number(), try Refusal(&reader, isNested: true))
    case 2: self = .tableFull(try reader.kind())
    case 3: self = .identifierTaken(try reader.kind(), try reader.text())
    case 4: self = .ledgerNotFound(try reader.text())
    case 5: self = .identityNotFound(try reader.text())
    case 6: self = .balanceNotFound(try reader.text(), role: try reader.text())
    case 7: self = .transactionNotFound(try reader.text())
    case 8: self = .indicatorOutsideGeneralLedger(ledger: try reader.text())
    case 9: self = .indicatorTaken(indicator: try reader.text(), currency: try reader.text())
    case 10: self = .lineageWithoutIdentity
    case 11: self = .identityInUse(try reader.text(), balanceCount: try reader.number())
    case 12: self = .metadataTooLong(byteCount: try reader.number(), limit: try reader.number())
    case 13:
      let reference = try reader.text()
      let transaction = try reader.text()
      var differences: [String] = []
      for _ in 0..<(try reader.number()) { differences.append(try reader.text()) }
      self = .duplicateReference(reference, transaction: transaction, differences: differences)
    case 14: self = .sameBalance(try reader.text())
    case 15:
      self = .currencyMismatch(
        balance: try reader.text(), balanceCurrency: try reader.text(),
        transactionCurrency: try reader.text(), role: try reader.text())
    case 16:
      self = .insufficientFunds(
        balance: try reader.text(), available: try reader.amount(), requested: try reader.amount())
    case 17:
      self = .overdraftExceeded(
        balance: try reader.text(), available: try reader.amount(), requested: try reader.amount(),
        limit: try reader.amount())
    default: throw .malformed
    }
  }

  private static func append(_ tag: UInt8, _ texts: String..., to writer: inout RecordWriter) {
    writer.append(byte: tag)
    for text in texts { writer.append(text: text) }
  }
}
