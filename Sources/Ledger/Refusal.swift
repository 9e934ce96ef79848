// Why the books refuse a command: one closed list, in order of precedence.

import Amounts

/// Why a command is refused, most urgent first: when several apply, the first is reported. Nothing has been
/// changed.
package indirect enum Refusal: Error, Equatable, Sendable {
  /// The idempotency key stands for another command.
  case keyReused(key: String)
  /// An item of an atomic batch is refused, and with it the batch. `index` counts from 0.
  case batchItem(index: Int, Refusal)
  /// A table has as many rows as row numbers can count.
  case tableFull(EntityKind)
  case identifierTaken(EntityKind, String)
  case ledgerNotFound(String)
  case identityNotFound(String)
  /// `role` is the member that named it: `balance_id`, `source`, `destination`.
  case balanceNotFound(String, role: String)
  case transactionNotFound(String)
  /// An indicator is given for a balance outside the general ledger.
  case indicatorOutsideGeneralLedger(ledger: String)
  case indicatorTaken(indicator: String, currency: String)
  /// Fund lineage needs an identity.
  case lineageWithoutIdentity
  case identityInUse(String, balanceCount: Int)
  /// Metadata would grow beyond its bound.
  case metadataTooLong(byteCount: Int, limit: Int)
  /// The reference stands for a transaction with other content; `differences` names the members that differ.
  case duplicateReference(String, transaction: String, differences: [String])
  /// Source and destination are one balance.
  case sameBalance(String)
  case currencyMismatch(balance: String, balanceCurrency: String, transactionCurrency: String, role: String)
  /// `available` is balance less inflight debits; no overdraft is allowed.
  case insufficientFunds(balance: String, available: Amount, requested: Amount)
  /// The balance would fall below minus `limit`.
  case overdraftExceeded(balance: String, available: Amount, requested: Amount, limit: Amount)
}
