// What a run of the ledger promised: the state after each command, and how much of it was acknowledged.

import Platform

/// The oracle of all proofs: states by position. Commands are whole: a start may find only a state that stood
/// after one of them, and none before the last that was acknowledged. Any thread.
final class History: Sendable {
  struct State: Sendable {
    /// Digest of the books after each command, by position.
    var digests: [UInt64: UInt64] = [:]
    /// Everything up to here was answered as done.
    var acknowledged: UInt64 = 0
    var newest: UInt64 = 0
  }

  private let state: Guarded<State>

  init(_ state: State = State()) { self.state = Guarded(state) }

  var acknowledged: UInt64 { state.withLock { $0.acknowledged } }
  var newest: UInt64 { state.withLock { $0.newest } }
  /// Nothing has been promised yet.
  var isEmpty: Bool { state.withLock { $0.digests.isEmpty } }

  /// The same promises; later ones do not reach it.
  func copy() -> History { History(state.withLock { $0 }) }

  /// Notes the state that a command has led to.
  func note(_ position: UInt64, digest: UInt64) {
    state.withLock { state in
      state.digests[position] = digest
      state.newest = max(state.newest, position)
    }
  }

  /// Notes that clients were told.
  func acknowledge(_ position: UInt64) {
    state.withLock { $0.acknowledged = max($0.acknowledged, position) }
  }

  /// What is known after a start that found `position`: whoever reads the books is told what they hold.
  func fork(at position: UInt64) -> History {
    var copy = state.withLock { $0 }
    copy.digests = copy.digests.filter { $0.key <= position }
    copy.acknowledged = position
    copy.newest = position
    return History(copy)
  }

  /// What is wrong with a state that a start found; nil when it may be.
  /// - Parameter since: states before this position are lost; nil means what was acknowledged.
  func objection(position: UInt64, digest: UInt64, since: UInt64? = nil) -> String? {
    state.withLock { state in
      let acknowledged = since ?? state.acknowledged
      // Nothing was ever promised: the directory may not even have been made.
      if state.digests.isEmpty { return nil }
      if position < acknowledged {
        return "facts \(position + 1) to \(acknowledged) were acknowledged and are lost"
      }
      // New books begin with a fact of their own time; those before were never spoken of.
      if acknowledged == 0, state.acknowledged == 0, position == 1 { return nil }
      guard let expected = state.digests[position] else {
        return "position \(position) is not the end of a command (newest \(state.newest))"
      }
      return expected == digest ? nil : "the state at position \(position) is another one"
    }
  }
}
