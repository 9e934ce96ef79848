// A disk in memory whose journal's syncs wait for the test.

import Platform
import TestSupport

/// Holds every sync of a segment between `hold` and `letGo`.
final class HeldDisk: Sendable {
  let disk = SimulatedDisk()

  private struct State {
    var isHeld = false
    var waiting = 0
  }

  private let state = Gate(State())

  init() {
    disk.watch { [state] call, moment in
      guard moment == .before, call.kind == .sync, call.path.contains("journal-") else { return }
      state.updateAndWakeAll { if $0.isHeld { $0.waiting += 1 } }
      state.wait { $0.isHeld ? nil : () }
    }
  }

  /// From now on no sync of the journal begins.
  func hold() { state.withLock { $0 = State(isHeld: true) } }

  /// Waits until a sync is held.
  func waitUntilHeld() { state.wait { $0.waiting > 0 ? () : nil } }

  func letGo() { state.updateAndWakeAll { $0.isHeld = false } }
}
