// Why the facts of a journal cannot be applied to the books at hand.

import Columns

/// What is wrong with a fact, and at which position.
package struct ReplayFault: Error, Equatable, Sendable, CustomStringConvertible {
  package enum Reason: Error, Equatable, Sendable {
    /// The record cannot be read, or a newer program has written it.
    case record(RecordFault)
    /// The record says another position than the one that follows.
    case position(found: UInt64)
    /// The fact is earlier than the one before it.
    case timeRunsBack
    /// It names a row that does not exist or was deleted.
    case noSuchRow(member: String)
    /// It makes something whose name or key is in use.
    case taken(member: String)
    /// A value that no fact has.
    case badValue(member: String)
    /// A table has as many rows as row numbers can count.
    case tableFull(EntityKind)
  }

  /// Journal position at which a sound fact was expected.
  package var position: UInt64
  package var reason: Reason

  package init(position: UInt64, reason: Reason) {
    self.position = position
    self.reason = reason
  }

  /// A newer version of this program has written the fact.
  package var isNewer: Bool {
    if case .record(.newer) = reason { return true }
    return false
  }

  package var description: String {
    switch reason {
    case .record(.newer(let type, let version)):
      "fact \(position) was written by a newer version: type \(type), layout \(version)"
    case .record(.truncated): "fact \(position) ends too early"
    case .record(.malformed): "fact \(position) is not one that this program writes"
    case .position(let found): "fact \(found) stands where fact \(position) is expected"
    case .timeRunsBack: "fact \(position) is earlier than the one before it"
    case .noSuchRow(let member): "\(member) of fact \(position) names a row that does not exist"
    case .taken(let member): "\(member) of fact \(position) is in use already"
    case .badValue(let member): "\(member) of fact \(position) has a value that no fact has"
    case .tableFull(let kind): "fact \(position) makes one \(kind) more than there can be"
    }
  }
}
