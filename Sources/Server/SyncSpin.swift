// Waiting awake for a sync that is about to end.

import Platform

/// Whether it pays to stay awake while the journal syncs, learnt from how often it did.
struct SyncSpin {
  /// Longer than nearly every sync of a disk that is worth waiting awake for.
  private static let longest = Duration.microseconds(150)
  /// Looks at the position between two looks at the clock and the sockets.
  private static let looksPerRound = 64
  /// Spins that may fail in a row before some are left out.
  private static let patience = 4
  /// Sleeps until spinning is tried again.
  private static let rest = 64

  private let hasCores: Bool
  private var failureCount = 0
  private var restCount = 0

  /// - Parameter loopCount: loops that may spin at a time; without a core beside them, whoever spins keeps
  ///   the journal and the clients from working.
  init(loopCount: Int, processorCount: Int = CurrentProcess.processorCount) {
    hasCores = processorCount > loopCount
  }

  /// Whether to spin now. Counts the sleeps while it rests.
  var isWorthwhile: Bool {
    mutating get {
      if !hasCores { return false }
      if failureCount < Self.patience { return true }
      restCount += 1
      if restCount < Self.rest { return false }
      restCount = 0
      failureCount = Self.patience - 1
      return true
    }
  }

  /// Looks until `isThere`, until a socket has something, or until it has been long enough.
  /// - Returns: what the sockets brought, if anything; nil when it was in vain.
  mutating func wait(
    clock: any TimeSource, events: borrowing EventLoop, _ isThere: () -> Bool
  ) -> Wakefulness? {
    let end = clock.monotonicTime() + Self.longest
    while true {
      for _ in 0..<Self.looksPerRound {
        if isThere() {
          failureCount = 0
          return Wakefulness(eventCount: 0, isWoken: false)
        }
      }
      if let wakefulness = try? events.wait(timeout: .zero),
        wakefulness.eventCount > 0 || wakefulness.isWoken
      {
        return wakefulness
      }
      // The journal's thread or the client may need this processor.
      Thread.yield()
      if clock.monotonicTime() >= end {
        failureCount += 1
        return nil
      }
    }
  }
}
