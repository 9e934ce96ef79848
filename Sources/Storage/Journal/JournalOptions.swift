// How the journal writes: when an answer counts as done, how large its files are.

import Platform

/// `--durability always|interval=MS|none`: what an answer to a write promises.
package enum Durability: Equatable, Sendable, CustomStringConvertible {
  /// No answer before its facts are synced.
  case always
  /// Answers at once; a sync so often.
  case interval(Duration)
  /// Answers at once; the kernel syncs when it likes, the journal when it is idle, rolls or stops.
  case none

  /// Reads `always`, `none`, or `interval=` and whole milliseconds from 1 to 3,600,000; nil for anything
  /// else.
  package init?(_ text: String) {
    switch text {
    case "always": self = .always
    case "none": self = .none
    default:
      let prefix = "interval="
      guard text.hasPrefix(prefix) else { return nil }
      let digits = text.dropFirst(prefix.count)
      guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
        let milliseconds = Int(digits), (1...3_600_000).contains(milliseconds)
      else { return nil }
      self = .interval(.milliseconds(milliseconds))
    }
  }

  package var description: String {
    switch self {
    case .always: "always"
    case .interval(let time): "interval=\(time.wholeNanoseconds / 1_000_000)"
    case .none: "none"
    }
  }
}

/// Settings of a journal. The defaults are what a server uses.
package struct JournalOptions: Sendable, Equatable {
  package var durability = Durability.always
  /// Segments grow fourfold in one run, from the first size to the second. Rounded up to whole blocks.
  package var firstSegmentByteCount = 1 << 20
  package var segmentByteCount = 64 << 20
  /// The smallest segment that is made on a disk that is nearly full.
  package var leastSegmentByteCount = 64 << 10
  /// Room that is left free on the disk: `--min-free`.
  package var minimumFreeByteCount = 32 << 20
  /// Past the page cache, where the file system can.
  package var direct = true
  /// After so long without a fact a seal is written.
  package var idleTime = Duration.milliseconds(50)
  /// Bytes of records in one group at most, but for a record that is larger.
  package var groupByteCount = 4 << 20
  /// Bytes of facts that wait, over which connections that write are not read further.
  package var softPendingByteCount = 16 << 20
  /// Bytes of facts that wait, over which commands are refused.
  package var hardPendingByteCount = 64 << 20
  /// Memory in which the newest groups stay readable for the change stream.
  package var recentByteCount = 16 << 20
  /// How long the journal's thread looks for work before it sleeps, while commands come one after the other.
  package var spinningTime = Duration.microseconds(100)
  /// How often a full disk is tried again.
  package var retryTime = Duration.milliseconds(200)

  package init() {}

  /// Makes no segment larger than `byteCount`, unless a command needs it.
  package mutating func limitSegments(to byteCount: Int) {
    segmentByteCount = byteCount
    firstSegmentByteCount = min(firstSegmentByteCount, byteCount)
    leastSegmentByteCount = min(leastSegmentByteCount, byteCount)
  }
}
