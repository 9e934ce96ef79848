// A lock that writers get soon, however often readers come.

import Synchronization

/// A mutual exclusion lock for many short holders, of which some, the writers, must not be kept waiting by
/// the others.
///
/// A plain lock is not fair: who lets it go and wants it again at once nearly always has it before a sleeper
/// has woken up, some 50 µs later, so a reader that asks back to back takes most of a writer's time. Here a
/// writer first looks again for about as long as short holders hold it, and readers step back while a writer
/// waits. Uncontended it costs what a plain one costs.
@safe @usableFromInline package final class WriterFirstLock: Sendable {
  private let turn = Lock()
  /// Writers that have not got it yet.
  private let waiting = Atomic<Int>(0)

  /// Looks of a writer before it sleeps: some 20 µs.
  private static let writerLooks = 400
  /// Looks of a reader at whether writers wait: some 50 µs. It must not starve either.
  private static let readerLooks = 1500

  package init() {}

  /// Writers that wait now.
  package var waitingCount: Int { waiting.load(ordering: .relaxed) }

  /// Takes the lock for writing.
  package func lock() {
    if turn.tryLock() { return }
    waiting.add(1, ordering: .relaxed)
    for _ in 0..<Self.writerLooks {
      if turn.tryLock() {
        waiting.subtract(1, ordering: .relaxed)
        return
      }
      Thread.pause()
    }
    turn.lock()
    waiting.subtract(1, ordering: .relaxed)
  }

  /// Takes the lock for reading: after the writers that wait already, but for those that take longer than
  /// 50 µs to wake up.
  package func lockForReading() {
    var looks = 0
    while waiting.load(ordering: .relaxed) > 0, looks < Self.readerLooks {
      Thread.pause()
      looks += 1
    }
    turn.lock()
  }

  package func unlock() { turn.unlock() }

  /// Runs `body` while the lock is held for writing.
  @inline(__always)
  package func withLock<Result: ~Copyable, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    lock()
    defer { unlock() }
    return try body()
  }
}
