// A balance as values: what a caller asks for, and what a reader is shown.

import Amounts
import Columns
import Platform

/// The order in which the money of several providers is spent.
package enum AllocationStrategy: UInt8, Sendable, CaseIterable {
  case fifo, lifo, proportional

  package var name: StaticString {
    switch self {
    case .fifo: "FIFO"
    case .lifo: "LIFO"
    case .proportional: "PROPORTIONAL"
    }
  }
}

/// What never changes of a balance, as its creator gave it.
package struct NewBalance: Sendable, Equatable {
  /// Chosen by the caller, or nil for a new one.
  package var identifier: Identifier?
  package var ledger: Identifier
  package var currency: String
  package var identity: Identifier?
  /// `@name`; only in the general ledger.
  package var indicator: String?
  package var currencyMultiplier: Int64
  package var tracksFundLineage: Bool
  package var allocationStrategy: AllocationStrategy
  /// For imports; nil means now.
  package var createdAt: Microseconds?
  /// Compact JSON object, empty for `{}`.
  package var metadata: [UInt8]

  package init(
    identifier: Identifier? = nil, ledger: Identifier, currency: String, identity: Identifier? = nil,
    indicator: String? = nil, currencyMultiplier: Int64 = 1, tracksFundLineage: Bool = false,
    allocationStrategy: AllocationStrategy = .fifo, createdAt: Microseconds? = nil, metadata: [UInt8] = []
  ) {
    self.identifier = identifier
    self.ledger = ledger
    self.currency = currency
    self.identity = identity
    self.indicator = indicator
    self.currencyMultiplier = currencyMultiplier
    self.tracksFundLineage = tracksFundLineage
    self.allocationStrategy = allocationStrategy
    self.createdAt = createdAt
    self.metadata = metadata
  }
}

/// The changing part of a balance at one moment; the fixed part is read from the table by row.
package struct BalanceImage: Sendable, Equatable {
  package let row: RowIndex
  package var credit: Amount
  package var debit: Amount
  package var balance: Amount
  package var inflightCredit: Amount
  package var inflightDebit: Amount
  package var inflightBalance: Amount { inflightCredit - inflightDebit }
  /// 1 when created, one more for each transaction that touches the balance.
  package var version: UInt32
  package var identity: RowIndex?
  /// Compact JSON object, empty for `{}`.
  package var metadata: [UInt8]

  package init(
    row: RowIndex, credit: Amount, debit: Amount, balance: Amount, inflightCredit: Amount,
    inflightDebit: Amount,
    version: UInt32, identity: RowIndex?, metadata: [UInt8]
  ) {
    self.row = row
    self.credit = credit
    self.debit = debit
    self.balance = balance
    self.inflightCredit = inflightCredit
    self.inflightDebit = inflightDebit
    self.version = version
    self.identity = identity
    self.metadata = metadata
  }
}
