// What snapshots need of the journal: that it is ahead of them, and that it lets go of what they hold.

/// The journal as the snapshots see it.
package struct SnapshotJournal: Sendable {
  /// Waits until everything up to a position is synced.
  package var waitUntilDurable: @Sendable (_ position: UInt64) throws(StorageError) -> Void
  /// The segments with facts, oldest first.
  package var segments: @Sendable () -> [SegmentExtent]
  /// Removes segments all of whose facts are at a position or before it.
  package var removeSegments: @Sendable (_ position: UInt64) throws(StorageError) -> Void

  package init(
    waitUntilDurable: @escaping @Sendable (_ position: UInt64) throws(StorageError) -> Void,
    segments: @escaping @Sendable () -> [SegmentExtent],
    removeSegments: @escaping @Sendable (_ position: UInt64) throws(StorageError) -> Void
  ) {
    self.waitUntilDurable = waitUntilDurable
    self.segments = segments
    self.removeSegments = removeSegments
  }

  package init(_ journal: Journal) {
    waitUntilDurable = { position throws(StorageError) in try journal.waitUntilDurable(position) }
    segments = { journal.segments }
    removeSegments = { position throws(StorageError) in try journal.removeSegments(upTo: position) }
  }

  /// Number of the newest segment whose head is synced once `position` is.
  func newestNumber(upTo position: UInt64) -> UInt64 {
    segments().last { $0.firstPosition <= position }?.number ?? 0
  }
}
