// Requests that have not been answered yet because a query thread or a stream is at work, by connection and
// id.

import Platform
import Query
import Synchronization
import Wire

/// Finds what `server.cancel` and a hang-up are to stop. Any thread.
final class RunningRequests: Sendable {
  struct Entry: Sendable {
    let id: RequestID?
    let place: AnswerPlace
    let stop: StopFlag
    let inbox: LoopInbox
    /// The user who asked.
    let user: UInt32
    /// A write that waits for room in the journal: a hang-up does not stop it.
    var isWrite = false
    /// When the cut was taken that the request holds; nil if it holds none.
    var cutTakenAt: MonotonicTime?
    /// A subscription: answered, but not over.
    var isAnswered = false
  }

  private let cancelled = Atomic<UInt64>(0)
  private let entries = Guarded<[UInt64: [Entry]]>([:])

  /// Requests running now, subscriptions left out.
  var count: Int { count(where: { !$0.isAnswered }) }

  /// Requests that were told to stop before they were answered: by a cancellation, a hang-up, an old cut.
  var cancelledCount: Int { Int(cancelled.load(ordering: .relaxed)) }

  /// Subscriptions, of all connections.
  var subscriptionCount: Int { count(where: \.isAnswered) }

  private func count(where isMeant: (Entry) -> Bool) -> Int {
    entries.withLock { $0.reduce(0) { $0 + $1.value.count(where: isMeant) } }
  }

  func add(_ connection: UInt64, _ entry: Entry) {
    entries.withLock { $0[connection, default: []].append(entry) }
  }

  func remove(_ connection: UInt64, _ place: AnswerPlace) {
    entries.withLock { entries in
      entries[connection]?.removeAll { $0.place == place }
      if entries[connection]?.isEmpty == true { entries[connection] = nil }
    }
  }

  /// Stops every request of the connection that bears the id, as far as `peer` may: a user who only reads
  /// stops nobody else's.
  /// - Returns: how many there were.
  func cancel(_ connection: UInt64, id: RequestID, by peer: Peer) -> Int {
    stop(connection) { $0.id == id && (peer.mayWrite || $0.user == peer.credentials.userID) }
  }

  /// Stops every request of the connection, its writes only with `includingWrites`.
  func cancelAll(_ connection: UInt64, includingWrites: Bool = false) {
    _ = stop(connection) { includingWrites || !$0.isWrite }
  }

  /// Stops every request of a connection that is closed; nobody waits for their answers.
  func forget(_ connection: UInt64) {
    let entries = entries.withLock { $0.removeValue(forKey: connection) ?? [] }
    for entry in entries {
      if !entry.isAnswered { cancelled.wrappingAdd(1, ordering: .relaxed) }
      entry.stop.cancel()
    }
  }

  /// Ends the queries whose cuts are older than `greatestAge`; with `isTooHeavy` also those of the oldest
  /// cut, because replaced blocks are kept until the oldest cut has gone.
  /// - Returns: how many were ended.
  func expireCuts(now: MonotonicTime, greatestAge: Duration, isTooHeavy: Bool) -> Int {
    let expired = entries.withLock { entries in
      let holding = entries.flatMap { connection, list in
        list.compactMap { entry in entry.cutTakenAt.map { (connection, entry, $0) } }
      }
      let oldest = holding.map(\.2).min()
      return holding.filter { now - $0.2 > greatestAge || isTooHeavy && $0.2 == oldest }
    }
    for (connection, entry, _) in expired {
      cancelled.wrappingAdd(1, ordering: .relaxed)
      entry.stop.expireCut()
      entry.inbox.post(.lookAgain(connection: connection))
    }
    return expired.count
  }

  private func stop(_ connection: UInt64, where isMeant: (Entry) -> Bool) -> Int {
    let meant = entries.withLock { $0[connection]?.filter(isMeant) ?? [] }
    for entry in meant {
      if !entry.isAnswered { cancelled.wrappingAdd(1, ordering: .relaxed) }
      entry.stop.cancel()
      entry.inbox.post(.lookAgain(connection: connection))
    }
    return meant.count
  }
}
