// What clients ask the books to do.

import Amounts
import Platform

/// A change that is asked for. Names are resolved and texts decoded before a command is made; whether it can
/// be done is decided by `Books.execute`.
package enum Command: Sendable {
  case createLedger(NewLedger)
  case updateLedger(Identifier, name: String)
  case createIdentity(NewIdentity)
  /// Sets the given fields; nil clears one.
  case updateIdentity(Identifier, fields: [(IdentityField, String?)])
  case deleteIdentity(Identifier)
  case createBalance(NewBalance)
  case createBalances([NewBalance], atomic: Bool)
  case setBalanceIdentity(balance: Identifier, identity: Identifier)
  /// The merge is the caller's, because the books know no JSON: it gets the compact object as it stands
  /// (empty for `{}`) and returns the new one. It runs while the books are locked and must be quick and pure.
  case updateMetadata(EntityKind, Identifier, merge: @Sendable ([UInt8]) throws(Refusal) -> [UInt8])
  case postTransaction(NewTransaction)
  case postTransactions([NewTransaction], atomic: Bool)
}

package struct NewLedger: Sendable, Equatable {
  package var identifier: Identifier?
  package var name: String
  package var metadata: [UInt8]
  package var createdAt: Microseconds?

  package init(
    identifier: Identifier? = nil, name: String, metadata: [UInt8] = [], createdAt: Microseconds? = nil
  ) {
    self.identifier = identifier
    self.name = name
    self.metadata = metadata
    self.createdAt = createdAt
  }
}

package struct NewIdentity: Sendable, Equatable {
  package var identifier: Identifier?
  /// By `IdentityField`, one entry for each case.
  package var fields: [String?]
  package var metadata: [UInt8]
  package var createdAt: Microseconds?

  package init(
    identifier: Identifier? = nil, fields: [String?], metadata: [UInt8] = [], createdAt: Microseconds? = nil
  ) {
    precondition(fields.count == IdentityField.allCases.count, "one entry for each identity field")
    self.identifier = identifier
    self.fields = fields
    self.metadata = metadata
    self.createdAt = createdAt
  }
}

/// What makes a repeated write a replay: the key that the client chose, and a digest of method and params.
package struct IdempotencyKey: Hashable, Sendable {
  /// 1 to 128 bytes.
  package let text: String
  package let contentDigest: UInt64

  package init(text: String, contentDigest: UInt64) {
    self.text = text
    self.contentDigest = contentDigest
  }
}
