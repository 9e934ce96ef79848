// Where the journal ends, after it was read, and what writing needs to go on from there.

import Platform

/// What a reader found at the end.
package struct JournalEnd: Sendable, Equatable {
  /// Position of the last fact that counts: the end of a command. What reading began after, if no fact
  /// follows.
  package var position: UInt64
  /// Checksum of its record; 0 when no record was read.
  package var chain: UInt64
  /// The greatest of all that were seen; 0 for none.
  package var incarnation: UInt32
  package var greatestGroup: UInt64
  package var greatestSegment: UInt64
  /// The last group says that the server stopped.
  package var isCleanStop: Bool
  /// What a crash left unfinished, and does not count.
  package var tornTail: TornTail?
  /// Every file but the prepared ones, oldest first; each with the facts of it that count.
  package var segments: [SegmentExtent]
  /// Files of zeros that come after all others.
  package var prepared: [PreparedExtent]
  /// The segment in which the last group lies, and bytes of it up to the end of that group; nil for none.
  package var lastSegment: SegmentExtent?
  package var usedByteCount: Int
  /// Bytes that were read.
  package var readByteCount: Int

  /// What a writer begins with.
  /// - Parameter position: of the last fact in the books, if that is not where the journal ends.
  package func start(at position: UInt64? = nil) -> JournalStart {
    let last = position ?? self.position
    return JournalStart(
      position: last, chain: last == self.position ? chain : 0,
      incarnation: incarnation + (PlantedFaults.has(.sameIncarnation) ? 0 : 1),
      nextGroup: greatestGroup + 1, nextSegment: greatestSegment + 1, segments: segments,
      prepared: prepared)
  }
}

extension JournalEnd {
  /// Makes sure that what was read is on the disk, before anything is built on it.
  ///
  /// After a stop that was not clean the kernel may hold pages of the last segment that no sync has written,
  /// or whose write has failed before. Read past the page cache, the bytes are the disk's own, and one sync
  /// brings them out of its volatile cache. Otherwise what counts is written over itself, so that the sync
  /// means it.
  package func secure(_ survey: JournalSurvey) throws(StorageError) {
    guard !isCleanStop, !PlantedFaults.has(.unsecuredTail), let lastSegment else { return }
    do throws(SystemError) {
      let file = try JournalSurvey.open(
        survey.directory, SegmentName.name(lastSegment.number), .readWrite, direct: survey.isDirect)
      if !file.isDirect {
        let piece = 1 << 20
        var offset = 0
        while offset < usedByteCount {
          var bytes = [UInt8](repeating: 0, count: min(piece, usedByteCount - offset))
          var span = bytes.mutableSpan
          let count = try file.read(at: offset, into: &span)
          guard count == bytes.count else { break }
          try file.write(bytes, at: offset)
          offset += count
        }
      }
      try file.sync()
      try file.close()
    } catch {
      throw .failed(error)
    }
  }
}
