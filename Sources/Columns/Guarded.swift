// A value behind a lock of its own.

import Platform

/// A value that one thread at a time sees. The lock is a pthread mutex and not the standard library's, which
/// the thread sanitizer does not see: it would report every value behind one as a race.
@safe final class Guarded<Value>: @unchecked Sendable {
  // @unchecked: `value` is touched only between lock and unlock of its neighbour.
  private let lock = Lock()
  private let value: UnsafeMutablePointer<Value>

  init(_ value: sending Value) {
    unsafe self.value = .allocate(capacity: 1)
    unsafe self.value.initialize(to: value)
  }

  deinit {
    unsafe value.deinitialize(count: 1)
    unsafe value.deallocate()
  }

  /// Runs `body` on the value under the lock. Calls from inside a body deadlock.
  func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
    lock.lock()
    defer { lock.unlock() }
    return unsafe body(&value.pointee)
  }
}
