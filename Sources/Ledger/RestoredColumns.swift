// Columns of consecutive rows on their way from a snapshot into books.

import Amounts
import Columns

/// Identifiers of consecutive rows: two halves a row. A low half that is none of a UUID stands for the next
/// of `chosen`, which are no UUIDs.
@safe package struct RestoredIdentifiers {
  let highs: UnsafeBufferPointer<UInt64>
  let lows: UnsafeBufferPointer<UInt64>
  let chosen: [Identifier]

  package init(highs: UnsafeBufferPointer<UInt64>, lows: UnsafeBufferPointer<UInt64>, chosen: [Identifier]) {
    unsafe self.highs = unsafe highs
    unsafe self.lows = unsafe lows
    self.chosen = chosen
  }
}

/// Amounts of consecutive rows: 64 bits a row, `AmountBlock.wideMark` standing for the next of `wide`.
@safe package struct RestoredAmounts {
  let narrow: UnsafeBufferPointer<Int64>
  let wide: [Amount]

  package init(narrow: UnsafeBufferPointer<Int64>, wide: [Amount]) {
    unsafe self.narrow = unsafe narrow
    self.wide = wide
  }
}

/// Records of consecutive rows: their lengths, `noRecord` for a row without one, and all their bytes.
@safe package struct RestoredRecords {
  package static let noRecord = UInt32.max
  let lengths: UnsafeBufferPointer<UInt32>
  let bytes: UnsafeRawBufferPointer

  /// - Parameter bytes: as many as the lengths add up to.
  package init(lengths: UnsafeBufferPointer<UInt32>, bytes: UnsafeRawBufferPointer) {
    unsafe self.lengths = unsafe lengths
    unsafe self.bytes = unsafe bytes
  }

  /// Whether no row has a record.
  var isEmpty: Bool { unsafe bytes.isEmpty && lengths.allSatisfy { $0 == Self.noRecord } }
}

/// The columns of consecutive balances, all of `rowCount` rows, valid during one call.
@safe package struct RestoredBalances {
  package let rowCount: Int
  package var identifiers: RestoredIdentifiers
  package var ledgers: UnsafeBufferPointer<UInt32>
  package var currencies: UnsafeBufferPointer<UInt32>
  /// 0 for none.
  package var indicators: UnsafeBufferPointer<UInt32>
  /// Row plus one, 0 for none.
  package var identities: UnsafeBufferPointer<UInt32>
  package var createdAt: UnsafeBufferPointer<Int64>
  package var multipliers: UnsafeBufferPointer<Int64>
  /// As in `BalanceTable.flags`.
  package var flags: UnsafeBufferPointer<UInt8>
  package var versions: UnsafeBufferPointer<UInt32>
  package var credits: RestoredAmounts
  package var debits: RestoredAmounts
  package var inflightCredits: RestoredAmounts
  package var inflightDebits: RestoredAmounts
  package var metadata: RestoredRecords

  package init(
    rowCount: Int, identifiers: RestoredIdentifiers, ledgers: UnsafeBufferPointer<UInt32>,
    currencies: UnsafeBufferPointer<UInt32>, indicators: UnsafeBufferPointer<UInt32>,
    identities: UnsafeBufferPointer<UInt32>, createdAt: UnsafeBufferPointer<Int64>,
    multipliers: UnsafeBufferPointer<Int64>, flags: UnsafeBufferPointer<UInt8>,
    versions: UnsafeBufferPointer<UInt32>, credits: RestoredAmounts, debits: RestoredAmounts,
    inflightCredits: RestoredAmounts, inflightDebits: RestoredAmounts, metadata: RestoredRecords
  ) {
    self.rowCount = rowCount
    self.identifiers = identifiers
    unsafe self.ledgers = unsafe ledgers
    unsafe self.currencies = unsafe currencies
    unsafe self.indicators = unsafe indicators
    unsafe self.identities = unsafe identities
    unsafe self.createdAt = unsafe createdAt
    unsafe self.multipliers = unsafe multipliers
    unsafe self.flags = unsafe flags
    unsafe self.versions = unsafe versions
    self.credits = credits
    self.debits = debits
    self.inflightCredits = inflightCredits
    self.inflightDebits = inflightDebits
    self.metadata = metadata
  }
}

/// The columns of consecutive transactions, all of `rowCount` rows, valid during one call. The chains are
/// made anew.
@safe package struct RestoredTransactions {
  package let rowCount: Int
  package var identifiers: RestoredIdentifiers
  package var sources: UnsafeBufferPointer<UInt32>
  package var destinations: UnsafeBufferPointer<UInt32>
  package var amounts: RestoredAmounts
  package var precisions: UnsafeBufferPointer<Int64>
  package var createdAt: UnsafeBufferPointer<Int64>
  package var positions: UnsafeBufferPointer<UInt64>
  /// As in `TransactionTable.flags`.
  package var flags: UnsafeBufferPointer<UInt8>
  /// As `TransactionTable.detailBytes` gave them.
  package var details: RestoredRecords
  package var metadata: RestoredRecords

  package init(
    rowCount: Int, identifiers: RestoredIdentifiers, sources: UnsafeBufferPointer<UInt32>,
    destinations: UnsafeBufferPointer<UInt32>, amounts: RestoredAmounts,
    precisions: UnsafeBufferPointer<Int64>, createdAt: UnsafeBufferPointer<Int64>,
    positions: UnsafeBufferPointer<UInt64>, flags: UnsafeBufferPointer<UInt8>, details: RestoredRecords,
    metadata: RestoredRecords
  ) {
    self.rowCount = rowCount
    self.identifiers = identifiers
    unsafe self.sources = unsafe sources
    unsafe self.destinations = unsafe destinations
    self.amounts = amounts
    unsafe self.precisions = unsafe precisions
    unsafe self.createdAt = unsafe createdAt
    unsafe self.positions = unsafe positions
    unsafe self.flags = unsafe flags
    self.details = details
    self.metadata = metadata
  }
}
