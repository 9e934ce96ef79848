// Where a journal goes on: what the reading of the old segments left behind for the writing of the new ones.

import Platform

/// A segment with facts in it.
package struct SegmentExtent: Sendable, Equatable {
  package var number: UInt64
  package var byteCount: Int
  /// Positions of its first and last fact that count; the last is the first less one when none does.
  package var firstPosition: UInt64
  package var lastPosition: UInt64

  package init(number: UInt64, byteCount: Int, firstPosition: UInt64, lastPosition: UInt64) {
    self.number = number
    self.byteCount = byteCount
    self.firstPosition = firstPosition
    self.lastPosition = lastPosition
  }
}

extension SegmentExtent {
  /// Numbers of the segments all of whose facts are at `position` or before it; never that of the newest.
  static func needless(_ segments: [SegmentExtent], upTo position: UInt64) -> [UInt64] {
    segments.dropLast().prefix { $0.lastPosition <= position }.map(\.number)
  }

  /// Removes segments, oldest first, and syncs the directory.
  static func remove(
    _ numbers: [UInt64], from directory: DataDirectory, didRemove: (UInt64) -> Void
  ) throws(SystemError) {
    if numbers.isEmpty { return }
    for number in numbers {
      let name = SegmentName.name(number)
      if try directory.status(of: name) != nil { try directory.removeFile(name) }
      didRemove(number)
    }
    try directory.sync()
  }
}

/// A segment of zeros that was never written to.
package struct PreparedExtent: Sendable, Equatable {
  package var number: UInt64
  package var byteCount: Int

  package init(number: UInt64, byteCount: Int) {
    self.number = number
    self.byteCount = byteCount
  }
}

/// What a writer must know of what was written before it.
package struct JournalStart: Sendable, Equatable {
  /// Position of the last fact that counts; writing goes on with the next.
  package var position: UInt64
  /// Checksum of its record; 0 when the journal does not hold it.
  package var chain: UInt64
  /// Greater than that of any start before.
  package var incarnation: UInt32
  /// Greater than that of any group.
  package var nextGroup: UInt64
  /// Greater than that of any file, prepared ones included.
  package var nextSegment: UInt64
  /// Oldest first.
  package var segments: [SegmentExtent]
  /// Segments with greater numbers than any other, in order.
  package var prepared: [PreparedExtent]

  package init(
    position: UInt64, chain: UInt64 = 0, incarnation: UInt32 = 1, nextGroup: UInt64 = 1,
    nextSegment: UInt64 = 1, segments: [SegmentExtent] = [], prepared: [PreparedExtent] = []
  ) {
    self.position = position
    self.chain = chain
    self.incarnation = incarnation
    self.nextGroup = nextGroup
    self.nextSegment = nextSegment
    self.segments = segments
    self.prepared = prepared
  }
}
