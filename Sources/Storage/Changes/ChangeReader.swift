// Facts by position, for those who follow the books: out of the journal's memory, or out of old segments.

import Ledger
import Platform

/// A committed fact as a follower gets it.
package struct KeptFact: Sendable {
  package let position: UInt64
  package let fact: Fact
  /// The last fact of its command.
  package let endsCommand: Bool
}

/// Why facts cannot be read.
package enum ChangeFault: Error, Sendable {
  /// Older than what is kept.
  case notKept(oldest: UInt64)
  /// A segment cannot be read, or is damaged.
  case unreadable(String)
}

/// Reads what the journal holds, beside its writing. Any thread, except that reading may wait for the disk.
package final class ChangeReader: Sendable {
  /// Segments that are kept open.
  private static let openLimit = 4
  /// Bytes of records that a cursor reads ahead, about.
  static let pieceByteCount = 256 << 10

  private let directory: DataDirectory
  private let seed: UInt64
  private let journal: Journal
  /// The segments that were read last, the newest of them at the end.
  private let open = Guarded<[ChangeSegment]>([])

  package init(of journal: Journal, in directory: DataDirectory, _ identifier: DirectoryIdentifier) {
    self.journal = journal
    self.directory = directory
    seed = SegmentFormat.seed(identifier)
  }

  /// Position of the last fact that followers are shown: committed, and written.
  package var readablePosition: UInt64 { journal.shownPosition }

  /// Position of the oldest fact that is kept; that of the next one when there is none.
  package var oldestPosition: UInt64 {
    journal.segments.first { $0.firstPosition <= $0.lastPosition }?.firstPosition ?? readablePosition + 1
  }

  /// Begins to read with the fact of `position`, which may be one that is still to come.
  package func cursor(from position: UInt64) -> ChangeCursor { ChangeCursor(self, from: position) }

  /// Copies whole records from `position` on, at least one.
  /// - Parameter limit: readable; the last position that is wanted, though more may come.
  func records(from position: UInt64, upTo limit: UInt64) throws(ChangeFault) -> RecentRecords {
    if let records = journal.recentRecords(from: position, byteLimit: Self.pieceByteCount) {
      return records
    }
    // A segment may be removed between the look at the list and its opening.
    for _ in 0..<3 {
      guard let (number, last) = segment(of: position) else { throw .notKept(oldest: oldestPosition) }
      guard let segment = try segment(number) else { continue }
      let bytes = try segment.records(
        from: position, upTo: min(limit, last), byteLimit: Self.pieceByteCount)
      if bytes.isEmpty { break }
      return RecentRecords(firstPosition: position, lastPosition: position, bytes: bytes)
    }
    if position < oldestPosition { throw .notKept(oldest: oldestPosition) }
    throw .unreadable("position \(position) is in none of the segments of \"\(directory.path)\"")
  }

  /// The segment that holds the fact of `position`, and the position of its last fact that counts; of the
  /// newest segment, which grows, no last position is known.
  private func segment(of position: UInt64) -> (number: UInt64, last: UInt64)? {
    let segments = journal.segments
    guard let index = segments.lastIndex(where: { $0.firstPosition <= position }) else { return nil }
    let found = segments[index]
    return (found.number, index == segments.count - 1 ? .max : found.lastPosition)
  }

  /// The segment of that number, opened; nil when it is not there any more.
  private func segment(_ number: UInt64) throws(ChangeFault) -> ChangeSegment? {
    let kept = journal.segments.first?.number ?? 0
    let found = open.withLock { open -> ChangeSegment? in
      // What was removed gives its room back when it is closed.
      open.removeAll { $0.number < kept }
      return open.first { $0.number == number }
    }
    if let found { return found }
    do throws(SystemError) {
      let segment = try opened(number)
      open.withLock { open in
        if open.count == Self.openLimit { open.removeFirst() }
        open.append(segment)
      }
      return segment
    } catch {
      if error.name == "ENOENT" { return nil }
      throw .unreadable("\(error)")
    }
  }

  /// Opens a segment past the page cache if it is written so: pages of it could be old.
  private func opened(_ number: UInt64) throws(SystemError) -> ChangeSegment {
    let isDirect = journal.report.isDirect ?? journal.options.direct
    return try ChangeSegment(number: number, in: directory, seed: seed, direct: isDirect)
  }
}
