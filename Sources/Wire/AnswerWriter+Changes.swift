// Answers and notifications of the change stream, around changes that are rendered already.

import Ledger

extension AnswerWriter {
  /// Bytes of changes in one answer, about: a reader goes on from `next_position`.
  package static let changesByteLimit = 4 << 20

  /// Begins the answer to `changes.read`: changes follow, then `endChanges`.
  package static func beginChanges(_ id: RequestID, into writer: inout JSONWriter) {
    beginResult(id, into: &writer)
    writer.raw(#"{"changes":["#)
  }

  /// Ends the answer to `changes.read`.
  /// - Parameters:
  ///   - next: position of the first change that is not in the answer.
  ///   - committed: the last position that could be read.
  ///   - position: for requests that ask for it by `meta`.
  package static func endChanges(
    next: UInt64, committed: UInt64, position: UInt64?, into writer: inout JSONWriter
  ) {
    writer.raw(#"],"next_position":"#)
    writer.digits(next)
    writer.raw(#","committed_position":"#)
    writer.digits(committed)
    writer.raw("}")
    endResult(position: position, into: &writer)
  }

  /// Writes the answer that ends a stream of changes.
  package static func changesStreamEnd(
    _ id: RequestID, count: Int, next: UInt64, committed: UInt64, position: UInt64?,
    into writer: inout JSONWriter
  ) {
    beginResult(id, into: &writer)
    writer.raw(#"{"count":"#)
    writer.digits(count)
    writer.raw(#","next_position":"#)
    writer.digits(next)
    writer.raw(#","committed_position":"#)
    writer.digits(committed)
    writer.raw("}")
    endResult(position: position, into: &writer)
  }

  /// Writes the answer to `changes.subscribe`.
  package static func subscribed(
    _ id: RequestID, from position: UInt64, committed: UInt64, position meta: UInt64?,
    into writer: inout JSONWriter
  ) {
    beginResult(id, into: &writer)
    writer.raw(#"{"subscription":"#)
    writer.value(id.json.utf8.span)
    writer.raw(#","from_position":"#)
    writer.digits(position)
    writer.raw(#","committed_position":"#)
    writer.digits(committed)
    writer.raw("}")
    endResult(position: meta, into: &writer)
  }

  /// Begins a notification of a stream of changes: changes follow, then `endStreamedChanges`.
  package static func beginStreamedChanges(_ id: RequestID, sequence: Int, into writer: inout JSONWriter) {
    writer.raw(#"{"jsonrpc":"2.0","method":"stream","params":{"id":"#)
    writer.value(id.json.utf8.span)
    writer.raw(#","seq":"#)
    writer.digits(sequence)
    writer.raw(#","rows":["#)
  }

  package static func endStreamedChanges(into writer: inout JSONWriter) { writer.raw("]}}\n") }

  /// Begins a notification of a subscription: changes follow, then `endNotifiedChanges`.
  package static func beginNotifiedChanges(_ id: RequestID, into writer: inout JSONWriter) {
    writer.raw(#"{"jsonrpc":"2.0","method":"changes","params":{"subscription":"#)
    writer.value(id.json.utf8.span)
    writer.raw(#","changes":["#)
  }

  package static func endNotifiedChanges(next: UInt64, into writer: inout JSONWriter) {
    writer.raw(#"],"next_position":"#)
    writer.digits(next)
    writer.raw("}}\n")
  }

  /// Writes the last notification of a subscription: why it ends, and where.
  package static func subscriptionEnd(
    _ id: RequestID, _ error: WireError, next: UInt64, into writer: inout JSONWriter
  ) {
    writer.raw(#"{"jsonrpc":"2.0","method":"changes","params":{"subscription":"#)
    writer.value(id.json.utf8.span)
    writer.raw(#","changes":[],"next_position":"#)
    writer.digits(next)
    writer.raw(#","error":"#)
    object(of: error, into: &writer)
    writer.raw("}}\n")
  }
}

extension WireError {
  /// The journal does not reach back to where reading was to begin: the snapshots hold what came before.
  package static func changesNotKept(oldest: UInt64) -> WireError {
    .notFound(
      "CHANGES_NOT_KEPT", "changes are kept from position \(oldest) on",
      [Member("oldest_position", json: String(oldest))])
  }
}
