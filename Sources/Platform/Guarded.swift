// A value behind a lock of its own.

/// A value that one thread at a time sees. The lock is a pthread mutex and not the standard library's, which
/// the thread sanitizer does not see: it would report every value behind one as a race. Who has to wait for a
/// condition takes a `Gate`.
@safe @usableFromInline package final class Guarded<Value: ~Copyable>: @unchecked Sendable {
  // @unchecked: `value` is touched only between lock and unlock of its neighbour.
  @usableFromInline let lock = Lock()
  @usableFromInline let value: UnsafeMutablePointer<Value>

  @inlinable package init(_ value: consuming sending Value) {
    unsafe self.value = .allocate(capacity: 1)
    unsafe self.value.initialize(to: value)
  }

  deinit {
    unsafe value.deinitialize(count: 1)
    unsafe value.deallocate()
  }

  /// Runs `body` on the value under the lock. Calls from inside a body deadlock.
  @inlinable package func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    lock.lock()
    defer { lock.unlock() }
    return try unsafe body(&value.pointee)
  }
}
