// A value behind a lock with a condition to wait for: queues of thread pools, counts, one-time results.

import CSys

/// A value that only one thread at a time sees, and that threads can wait on.
///
/// The lock is a pthread mutex (asleep, not spinning), the waiting is by CLOCK_MONOTONIC. For the short
/// critical sections of shards there are spinning locks elsewhere. Calls from inside a body deadlock.
@safe
package final class Gate<Value>: @unchecked Sendable {
  // @unchecked: `state` is touched only between lock and unlock of `gate`, its neighbour.
  private let gate: OpaquePointer
  private let state: UnsafeMutablePointer<Value>

  package init(_ value: sending Value) {
    guard let gate = unsafe csys_gate_create() else { preconditionFailure("no memory for a mutex") }
    unsafe self.gate = unsafe gate
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: value)
  }

  deinit {
    unsafe csys_gate_destroy(gate)
    unsafe state.deinitialize(count: 1)
    unsafe state.deallocate()
  }

  /// Runs `body` on the value under the lock. Wakes nobody.
  package func withLock<Result, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    unsafe csys_gate_lock(gate)
    defer { unsafe csys_gate_unlock(gate) }
    return unsafe try body(&state.pointee)
  }

  /// Runs `body` under the lock, then wakes one waiter.
  package func updateAndWakeOne<Result>(_ body: (inout Value) -> Result) -> Result {
    unsafe csys_gate_lock(gate)
    let result = unsafe body(&state.pointee)
    unsafe csys_gate_unlock(gate)
    unsafe csys_gate_wake_one(gate)
    return result
  }

  /// Runs `body` under the lock, then wakes every waiter.
  package func updateAndWakeAll<Result>(_ body: (inout Value) -> Result) -> Result {
    unsafe csys_gate_lock(gate)
    let result = unsafe body(&state.pointee)
    unsafe csys_gate_unlock(gate)
    unsafe csys_gate_wake_all(gate)
    return result
  }

  /// Waits until `body`, run under the lock now and after each wake-up, answers a value.
  @discardableResult
  package func wait<Result>(_ body: (inout Value) -> Result?) -> Result {
    unsafe csys_gate_lock(gate)
    defer { unsafe csys_gate_unlock(gate) }
    while true {
      if let result = unsafe body(&state.pointee) { return result }
      unsafe csys_gate_wait(gate)
    }
  }

  /// As `wait`, for at most `limit`; nil when the time is over and `body` still answers nil.
  package func wait<Result>(atMost limit: Duration, _ body: (inout Value) -> Result?) -> Result? {
    let deadline = SystemClock().monotonicTime() + limit
    unsafe csys_gate_lock(gate)
    defer { unsafe csys_gate_unlock(gate) }
    while true {
      if let result = unsafe body(&state.pointee) { return result }
      if unsafe csys_gate_wait_until(gate, deadline.nanoseconds) == 1 {
        return unsafe body(&state.pointee)
      }
    }
  }
}

/// A count of permits; taking one waits until there is one.
package final class Semaphore: Sendable {
  private let permits: Gate<Int>

  package init(permits: Int = 0) {
    precondition(permits >= 0, "permits are counted from zero")
    self.permits = Gate(permits)
  }

  /// Adds a permit and wakes one waiter.
  package func signal() { permits.updateAndWakeOne { $0 += 1 } }

  /// Takes a permit, waiting for it.
  package func wait() { permits.wait { Self.take(&$0) } }

  /// Takes a permit within `limit`; false when none came.
  package func wait(atMost limit: Duration) -> Bool {
    permits.wait(atMost: limit) { Self.take(&$0) } != nil
  }

  private static func take(_ permits: inout Int) -> Void? {
    if permits == 0 { return nil }
    permits -= 1
    return ()
  }
}
