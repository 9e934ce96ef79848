// What has happened to the books: one closed list, from which every table can be made again.

import Amounts
import Columns
import Platform

/// One accepted change, with every identifier and time in it, so that applying it decides nothing. The n-th
/// fact has journal position n. New rows take the next row number of their table; rows that exist are named
/// by number.
package enum Fact: Sendable, Equatable {
  case ledgerCreated(LedgerCreated)
  case ledgerUpdated(LedgerUpdated)
  case identityCreated(IdentityCreated)
  case identityUpdated(IdentityUpdated)
  case identityDeleted(IdentityDeleted)
  case balanceCreated(BalanceCreated)
  case balanceIdentityChanged(BalanceIdentityChanged)
  case metadataChanged(MetadataChanged)
  case transactionPosted(TransactionPosted)
  case keyRemembered(KeyRemembered)

  /// When the fact was accepted; never earlier than the fact before it.
  package var time: Microseconds {
    switch self {
    case .ledgerCreated(let fact): fact.time
    case .ledgerUpdated(let fact): fact.time
    case .identityCreated(let fact): fact.time
    case .identityUpdated(let fact): fact.time
    case .identityDeleted(let fact): fact.time
    case .balanceCreated(let fact): fact.time
    case .balanceIdentityChanged(let fact): fact.time
    case .metadataChanged(let fact): fact.time
    case .transactionPosted(let fact): fact.time
    case .keyRemembered(let fact): fact.time
    }
  }
}

package struct LedgerCreated: Sendable, Equatable {
  package var identifier: Identifier
  package var name: String
  /// Compact JSON object, empty for `{}`, here and in the other facts.
  package var metadata: [UInt8]
  /// Differs from `time` for imports only, here and in the other facts.
  package var createdAt: Microseconds
  package var time: Microseconds
}

package struct LedgerUpdated: Sendable, Equatable {
  package var ledger: RowIndex
  package var name: String
  package var time: Microseconds
}

package struct IdentityCreated: Sendable, Equatable {
  package var identifier: Identifier
  /// By `IdentityField`, one entry for each case.
  package var fields: [String?]
  package var metadata: [UInt8]
  package var createdAt: Microseconds
  package var time: Microseconds
}

package struct IdentityUpdated: Sendable, Equatable {
  package var identity: RowIndex
  /// All fields as they are from now on, by `IdentityField`.
  package var fields: [String?]
  package var time: Microseconds
}

package struct IdentityDeleted: Sendable, Equatable {
  package var identity: RowIndex
  package var time: Microseconds
}

package struct BalanceCreated: Sendable, Equatable {
  package var identifier: Identifier
  package var ledger: RowIndex
  package var currency: String
  package var identity: RowIndex?
  package var indicator: String?
  package var currencyMultiplier: Int64
  package var tracksFundLineage: Bool
  package var allocationStrategy: AllocationStrategy
  package var metadata: [UInt8]
  package var createdAt: Microseconds
  package var time: Microseconds
}

package struct BalanceIdentityChanged: Sendable, Equatable {
  package var balance: RowIndex
  package var identity: RowIndex
  package var time: Microseconds
}

package struct MetadataChanged: Sendable, Equatable {
  /// Never `.batch`: a batch has no metadata.
  package var kind: EntityKind
  package var row: RowIndex
  package var metadata: [UInt8]
  package var time: Microseconds
}

package struct TransactionPosted: Sendable, Equatable {
  package var identifier: Identifier
  package var source: RowIndex
  package var destination: RowIndex
  /// Minor units, more than zero.
  package var amount: Amount
  package var precision: Int64
  package var status: TransactionStatus
  package var allowOverdraft: Bool
  package var detail: TransactionDetail
  package var metadata: [UInt8]
  /// Also the transaction's created_at.
  package var time: Microseconds
}

package struct KeyRemembered: Sendable, Equatable {
  package var key: IdempotencyKey
  package var outcome: Outcome
  package var time: Microseconds
}
