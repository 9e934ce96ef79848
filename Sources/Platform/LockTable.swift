// A flat table of locks, one cache line each: what the shards, the index stripes and single locks are made
// of.

import Glibc

/// A fixed number of mutual exclusion locks in one block of memory, padded so that neighbours share no cache
/// line.
///
/// Locks are not recursive and not fair. Uncontended locking costs about 10 ns. The caller keeps the lock
/// order (docs/concurrency.md); the table itself knows no ranks.
@safe @usableFromInline package final class LockTable: Sendable {
  /// Bytes from one lock to the next: two cache lines, because the adjacent-line prefetcher pairs them.
  private static let stride = 128

  package let count: Int
  private nonisolated(unsafe) let base: UnsafeMutableRawPointer

  package init(count: Int) {
    precondition(count > 0, "a lock table holds at least one lock")
    unsafe precondition(MemoryLayout<pthread_mutex_t>.size <= Self.stride, "a lock fits its line")
    self.count = count
    unsafe self.base = UnsafeMutableRawPointer.allocate(
      byteCount: count * Self.stride, alignment: Self.stride)
    for index in 0..<count {
      let lock = unsafe base.advanced(by: index * Self.stride).bindMemory(
        to: pthread_mutex_t.self, capacity: 1)
      unsafe lock.initialize(to: pthread_mutex_t())
      unsafe pthread_mutex_init(lock, nil)
    }
  }

  deinit {
    for index in 0..<count { unsafe pthread_mutex_destroy(address(index)) }
    unsafe base.deallocate()
  }

  /// Blocks until the lock is held. O(1).
  package func lock(_ index: Int) {
    let failure = unsafe pthread_mutex_lock(address(index))
    precondition(failure == 0, "pthread_mutex_lock failed")
  }

  /// Takes the lock if it is free.
  package func tryLock(_ index: Int) -> Bool {
    unsafe pthread_mutex_trylock(address(index)) == 0
  }

  package func unlock(_ index: Int) {
    let failure = unsafe pthread_mutex_unlock(address(index))
    precondition(failure == 0, "pthread_mutex_unlock failed")
  }

  /// Runs `body` while the lock is held.
  @inline(__always)
  package func withLock<Result: ~Copyable, Failure: Error>(
    _ index: Int, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    lock(index)
    defer { unlock(index) }
    return try body()
  }

  private func address(_ index: Int) -> UnsafeMutablePointer<pthread_mutex_t> {
    precondition(index >= 0 && index < count, "lock index within the table")
    return unsafe base.advanced(by: index * Self.stride).assumingMemoryBound(to: pthread_mutex_t.self)
  }
}

/// One lock of its own.
@usableFromInline package struct Lock: Sendable {
  private let table = LockTable(count: 1)
  @usableFromInline package init() {}
  @usableFromInline package func lock() { table.lock(0) }
  package func tryLock() -> Bool { table.tryLock(0) }
  @usableFromInline package func unlock() { table.unlock(0) }

  /// Runs `body` while the lock is held.
  @inline(__always)
  package func withLock<Result: ~Copyable, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    lock()
    defer { unlock() }
    return try body()
  }
}
