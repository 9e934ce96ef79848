// How the journal is doing, for `server.info`, `server.stats` and metrics.

import Platform

/// What the journal has done since the start, and what it has room for.
package struct JournalReport: Sendable, Equatable {
  package enum State: Sendable, Equatable {
    case running
    /// No room can be made; writes are refused.
    case full(SystemError)
    case failed(StorageError)
  }

  package var state: State
  package var durability: Durability
  /// Past the page cache; nil before the first segment is ready.
  package var isDirect: Bool?
  package var committedPosition: UInt64
  package var writtenPosition: UInt64
  package var durablePosition: UInt64
  /// Segments with facts, their bytes on the disk, and the number of the newest (0 for none).
  package var segmentCount: Int
  package var segmentByteCount: Int
  package var newestSegment: UInt64
  /// Segments that are ready for later.
  package var preparedCount: Int
  /// Bytes that can still be written without making a segment.
  package var freeByteCount: Int
  /// Bytes of facts that wait to be written.
  package var pendingByteCount: Int
  package var groupCount: UInt64
  package var sealCount: UInt64
  package var syncCount: UInt64
  /// Bytes of records, and of the groups around them.
  package var recordByteCount: UInt64
  package var writtenByteCount: UInt64
  /// How long a group took to be written and synced.
  package var commitTimes: CommitTimes
}

/// How long commits took, counted by classes of time that grow by a quarter of an octave.
package struct CommitTimes: Sendable, Equatable {
  private var counts = [UInt64](repeating: 0, count: 160)
  package private(set) var count: UInt64 = 0
  package private(set) var total = Duration.zero
  package private(set) var slowest = Duration.zero

  /// A value that shares no memory with this one.
  func copied() -> CommitTimes {
    var copy = self
    copy.counts = counts.map { $0 }
    return copy
  }

  mutating func add(_ time: Duration) {
    let nanoseconds = UInt64(max(1, time.wholeNanoseconds))
    let octave = 63 - nanoseconds.leadingZeroBitCount
    let quarter = octave < 2 ? 0 : Int(nanoseconds >> UInt64(octave - 2)) & 3
    counts[min(octave * 4 + quarter, counts.count - 1)] += 1
    count += 1
    total += time
    slowest = max(slowest, time)
  }

  /// The time within which `share` (0 to 1) of the commits were done, rounded up to its class; zero when
  /// there were none.
  package func quantile(_ share: Double) -> Duration {
    let rank = UInt64((Double(count) * share).rounded(.up))
    var sum: UInt64 = 0
    for (place, classCount) in counts.enumerated() where classCount > 0 {
      sum += classCount
      if sum >= max(rank, 1) {
        let (octave, quarter) = (place / 4, place % 4)
        let upper = octave < 2 ? 2 << octave : (5 + quarter) << (octave - 2)
        return min(.nanoseconds(upper), slowest)
      }
    }
    return .zero
  }
}
