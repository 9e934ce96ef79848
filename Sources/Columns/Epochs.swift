// Which cuts are held: writers ask before they overwrite, readers ask before a block is given back.

import Platform
import Synchronization

/// Numbers the cuts of one set of books.
///
/// A cut with epoch `E` sees every block born before `E`. A writer must not overwrite a block born before the
/// newest held cut; a block is given back when its successor was born before the oldest held cut, because no
/// reader walks past that successor.
@usableFromInline package final class Epochs: Sendable {
  private let held = Guarded<[UInt64]>([])
  private let currentEpoch = Atomic<UInt64>(1)
  private let newestHeldEpoch = Atomic<UInt64>(0)
  private let oldestHeldEpoch = Atomic<UInt64>(.max)

  package init() {}

  /// The epoch in which blocks are born now.
  package var current: UInt64 { currentEpoch.load(ordering: .relaxed) }

  /// Epoch of the newest held cut, 0 when none is held.
  package var newestHeld: UInt64 { newestHeldEpoch.load(ordering: .acquiring) }

  /// Epoch of the oldest held cut, `UInt64.max` when none is held.
  package var oldestHeld: UInt64 { oldestHeldEpoch.load(ordering: .acquiring) }

  /// Number of cuts held.
  package var heldCount: Int { held.withLock { $0.count } }

  /// Begins a cut. The caller keeps writers out meanwhile. O(1).
  package func begin() -> UInt64 {
    held.withLock { epochs in
      let epoch = current + 1
      currentEpoch.store(epoch, ordering: .releasing)
      epochs.append(epoch)
      publishBounds(epochs)
      return epoch
    }
  }

  /// Ends a cut that `begin` began. O(cuts held).
  package func end(_ epoch: UInt64) {
    held.withLock { epochs in
      guard let place = epochs.firstIndex(of: epoch) else { preconditionFailure("a cut ends once") }
      epochs.remove(at: place)
      publishBounds(epochs)
    }
  }

  /// Epochs are appended in rising order, so the bounds are the ends.
  private func publishBounds(_ epochs: [UInt64]) {
    newestHeldEpoch.store(epochs.last ?? 0, ordering: .releasing)
    oldestHeldEpoch.store(epochs.first ?? .max, ordering: .releasing)
  }
}
