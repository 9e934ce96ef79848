// Tells the loops that have subscribers when something was committed, and only those.

import Platform
import Synchronization

/// One loop's wish to be told of the next commit.
final class CommitWatch: Sendable {
  private let inbox: LoopInbox
  private let isArmed = Atomic<Bool>(false)

  init(inbox: LoopInbox) { self.inbox = inbox }

  /// Asks to be told once. Whoever arms looks afterwards whether something was committed meanwhile.
  func arm() { _ = isArmed.exchange(true, ordering: .sequentiallyConsistent) }

  /// Something was committed.
  func noteCommit() {
    if isArmed.exchange(false, ordering: .sequentiallyConsistent) { inbox.post(.changesCommitted) }
  }
}

/// The loops of a server, as the journal's thread knows them.
final class CommitWatches: Sendable {
  private let watches = Guarded<[CommitWatch]>([])

  func add(_ inbox: LoopInbox) -> CommitWatch {
    let watch = CommitWatch(inbox: inbox)
    watches.withLock { $0.append(watch) }
    return watch
  }

  /// Something was committed: wakes the loops that wait for it. Called after each group of the journal.
  func noteCommit() {
    for watch in watches.withLock({ $0 }) { watch.noteCommit() }
  }
}
