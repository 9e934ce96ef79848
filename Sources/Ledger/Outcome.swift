// What a command has done, as rows: the caller renders them.

import Columns

/// The result of a command that was carried out.
package enum Outcome: Sendable, Equatable {
  case ledger(RowIndex)
  case identity(RowIndex)
  case identityDeleted(RowIndex)
  case balance(RowIndex)
  /// One entry for each balance asked for, in order.
  case balances([ItemOutcome])
  case metadata(EntityKind, RowIndex)
  case transaction(PostedItem)
  /// The batch's identifier and one entry for each transaction asked for, in order.
  case transactions(batch: Identifier, [ItemOutcome])
}

/// A transaction that stands, and whether it stood before.
package struct PostedItem: Sendable, Equatable {
  package let row: RowIndex
  package let replayed: Bool

  package init(row: RowIndex, replayed: Bool) {
    self.row = row
    self.replayed = replayed
  }
}

/// What became of one item of a batch.
package enum ItemOutcome: Sendable, Equatable {
  case done(PostedItem)
  case refused(Refusal)
}

/// An outcome with the journal position from which on it can be seen.
package struct Execution: Sendable, Equatable {
  package let outcome: Outcome
  package let position: UInt64
  /// The idempotency key had been used for the same command before; the outcome is that command's.
  package let replayed: Bool

  package init(outcome: Outcome, position: UInt64, replayed: Bool) {
    self.outcome = outcome
    self.position = position
    self.replayed = replayed
  }
}
