// What has threads of its own beside the event loops.

import Platform
import Storage

/// The query threads and the snapshot thread.
final class Services: Sendable {
  let queries: QueryPool
  let snapshots: SnapshotKeeper
  let changes: ChangeReader

  init(shared: Shared, store: SnapshotStore) throws(SystemError) {
    queries = try QueryPool(threadCount: shared.configuration.queryThreadCount, shared: shared)
    changes = ChangeReader(of: shared.journal, in: store.directory, store.identifier)
    shared.journal.onProgress { [commitWatches = shared.commitWatches] _ in commitWatches.noteCommit() }
    snapshots = try SnapshotKeeper(store: store, shared: shared)
  }
}
