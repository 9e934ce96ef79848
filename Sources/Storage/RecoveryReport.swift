// What opening a data directory found and did, as values and as lines for a log.

import Platform

/// Facts at the end of the journal that no sync had covered when the writing process died: nobody had been
/// told that they are safe.
package struct TornTail: Sendable, Equatable {
  /// Path of the segment, and where in it the first byte lies that does not count.
  package var path: String
  package var offset: Int
  /// Bytes and whole facts that were found there and do not count.
  package var byteCount: Int
  package var factCount: Int
}

/// What a recovery to a position left out.
package struct LeftOut: Sendable, Equatable {
  /// The position that was asked for, and that of the last fact kept: the last whole command up to it.
  package var requestedPosition: UInt64
  package var position: UInt64
  /// Position of the last fact known to have been there.
  package var lastPosition: UInt64
  /// New names of the files and directories that were set aside.
  package var names: [String] = []
}

/// What opening a data directory found and did.
package struct RecoveryReport: Sendable, Equatable {
  package var path: String
  /// The directory held nothing before.
  package var isNew = false
  /// What was loaded; nil for new books.
  package var loaded: SnapshotDescription?
  package var loadingTime = Duration.zero
  /// Everything damaged or missing, in the order it was met.
  package var faults: [StorageFault] = []
  /// An older snapshot was loaded because the newest is damaged: what was written after it is not there.
  package var fellBack = false
  /// Facts of the journal that were applied on top of what was loaded.
  package var replayedFactCount = 0
  package var replayTime = Duration.zero
  /// Segments of the journal that were read, and their bytes.
  package var segmentCount = 0
  package var segmentByteCount = 0
  /// What a crash left unfinished at the end of the journal; it was cut off.
  package var tornTail: TornTail?
  /// `--recover-to`: what was left out on purpose.
  package var leftOut: LeftOut?
  /// Position of the last fact in the books.
  package var position: UInt64 = 0
  /// Worth a line in the log, but nothing is wrong.
  package var notes: [String] = []

  /// One line each for a log or `server.info`, the most important first.
  package var lines: [String] {
    var lines: [String] = []
    if fellBack, let loaded {
      lines.append(
        "the newest snapshot is damaged: \(loaded.name) was loaded, what was written after it is lost")
    }
    if let leftOut {
      lines.append(
        "recovered to position \(leftOut.position) as asked: facts \(leftOut.position + 1) to "
          + "\(leftOut.lastPosition) are left out; their files were set aside as "
          + leftOut.names.joined(separator: ", "))
    }
    lines += faults.map(\.description)
    if let tornTail {
      lines.append(
        "the journal's end was cut off where a crash tore it: \(tornTail.byteCount) bytes, "
          + "\(tornTail.factCount) whole facts, from byte \(tornTail.offset) of \"\(tornTail.path)\"; "
          + "nobody had been told that they are safe")
    }
    if let loaded {
      lines.append(
        "\(loaded.name) loaded: \(loaded.balanceCount) balances, \(loaded.transactionCount) transactions in "
          + "\(loadingTime.wholeNanoseconds / 1_000_000) ms")
    }
    if replayedFactCount > 0 {
      lines.append(
        "journal replayed: \(replayedFactCount) facts from \(segmentCount) segments in "
          + "\(replayTime.wholeNanoseconds / 1_000_000) ms")
    }
    return lines + notes
  }
}
