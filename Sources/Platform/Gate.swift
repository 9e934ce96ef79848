// A value behind a lock with a condition to wait for: queues of thread pools, counts, one-time results.

import CSys
import Glibc

/// A value that only one thread at a time sees, and that threads can wait on.
///
/// The lock is a pthread mutex (asleep, not spinning), the waiting is by CLOCK_MONOTONIC. For the short
/// critical sections of shards there are spinning locks elsewhere. Calls from inside a body deadlock.
@safe
package final class Gate<Value>: @unchecked Sendable {
  // @unchecked: `state` is touched only between lock and unlock of `mutex`, its neighbour.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  private let state: UnsafeMutablePointer<Value>

  package init(_ value: sending Value) {
    unsafe mutex = .allocate(capacity: 1)
    unsafe condition = .allocate(capacity: 1)
    unsafe state = .allocate(capacity: 1)
    unsafe mutex.initialize(to: pthread_mutex_t())
    unsafe condition.initialize(to: pthread_cond_t())
    unsafe state.initialize(to: value)
    let code = unsafe pthread_mutex_init(mutex, nil) | csys_condition_init(condition)
    precondition(code == 0, "a mutex or a condition could not be made")
  }

  deinit {
    unsafe pthread_cond_destroy(condition)
    unsafe pthread_mutex_destroy(mutex)
    unsafe state.deinitialize(count: 1)
    unsafe state.deallocate()
    unsafe condition.deallocate()
    unsafe mutex.deallocate()
  }

  /// Runs `body` on the value under the lock. Wakes nobody.
  package func withLock<Result, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    return unsafe try body(&state.pointee)
  }

  /// Runs `body` under the lock, then wakes one waiter.
  package func updateAndWakeOne<Result>(_ body: (inout Value) -> Result) -> Result {
    unsafe pthread_mutex_lock(mutex)
    let result = unsafe body(&state.pointee)
    unsafe pthread_mutex_unlock(mutex)
    unsafe pthread_cond_signal(condition)
    return result
  }

  /// Runs `body` under the lock, then wakes every waiter.
  package func updateAndWakeAll<Result>(_ body: (inout Value) -> Result) -> Result {
    unsafe pthread_mutex_lock(mutex)
    let result = unsafe body(&state.pointee)
    unsafe pthread_mutex_unlock(mutex)
    unsafe pthread_cond_broadcast(condition)
    return result
  }

  /// Waits until `body`, run under the lock now and after each wake-up, answers a value.
  package func wait<Result>(_ body: (inout Value) -> Result?) -> Result {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    while true {
      if let result = unsafe body(&state.pointee) { return result }
      unsafe pthread_cond_wait(condition, mutex)
    }
  }

  /// As `wait`, for at most `limit`; nil when the time is over and `body` still answers nil.
  package func wait<Result>(atMost limit: Duration, _ body: (inout Value) -> Result?) -> Result? {
    let deadline = SystemClock().monotonicTime() + limit
    var time = timespec()
    time.tv_sec = Int(clamping: deadline.nanoseconds / 1_000_000_000)
    time.tv_nsec = Int(deadline.nanoseconds % 1_000_000_000)
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    while true {
      if let result = unsafe body(&state.pointee) { return result }
      if unsafe pthread_cond_timedwait(condition, mutex, &time) == ETIMEDOUT {
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
