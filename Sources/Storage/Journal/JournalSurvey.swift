// Which segments lie in a data directory, by their names and heads; changes nothing.

import Platform

/// A segment's file as the survey saw it.
package struct SegmentEntry: Sendable, Equatable {
  package enum State: Sendable, Equatable {
    /// Head and first block are zeros: prepared and never written to, as far as can be seen from there.
    case unused
    case begun(SegmentBeginning)
    /// Neither its head nor its first group can be read: torn, or damaged.
    case unreadable(finding: String)
    /// It cannot be what a crash leaves.
    case damaged(StorageFault)
  }

  package var number: UInt64
  package var path: String
  package var byteCount: Int
  package var state: State

  package var beginning: SegmentBeginning? {
    if case .begun(let beginning) = state { beginning } else { nil }
  }
}

/// How a segment begins, by its head or, if that is not right, by its first group.
package struct SegmentBeginning: Sendable, Equatable {
  package var incarnation: UInt32
  package var firstPosition: UInt64
  /// Checksum of the record before the first.
  package var chain: UInt64
  /// What is wrong with the head of the segment, when only its first group is right.
  package var headFinding: String?
}

/// The segments of a data directory, in the order of their numbers.
package struct JournalSurvey: Sendable {
  package let directory: DataDirectory
  /// Of the data directory; nil when nothing names one.
  package private(set) var identifier: DirectoryIdentifier?
  package private(set) var entries: [SegmentEntry] = []
  /// Names of segments that a crash left half prepared; they were never used.
  package private(set) var leftovers: [String] = []
  /// Whether files are read past the page cache.
  package private(set) var isDirect: Bool

  /// Looks at every segment's first two blocks.
  /// - Parameters:
  ///   - identifier: of the data directory; nil takes that of the first segment with a good head.
  ///   - direct: past the page cache, where the file system can.
  /// - Throws: `.foreign` for a segment of another directory or a later version; `.failed`.
  package init(
    _ directory: DataDirectory, _ identifier: DirectoryIdentifier?, direct: Bool = true
  ) throws(StorageError) {
    self.directory = directory
    self.identifier = identifier
    isDirect = direct
    let names = try StorageError.wrapping { () throws(SystemError) in try directory.names() }
    leftovers = names.filter { SegmentName.isUnfinished($0) }
    let numbers = names.compactMap { SegmentName.number($0) }.sorted()
    for number in numbers { entries.append(try look(at: number)) }
  }

  /// The greatest number of any segment; 0 for none.
  package var greatestNumber: UInt64 { entries.last?.number ?? 0 }

  /// Opens a segment for reading, past the page cache unless the file system cannot.
  static func open(
    _ directory: DataDirectory, _ name: String, _ mode: OpenFile.Mode, direct: Bool
  ) throws(SystemError) -> OpenFile {
    guard direct else { return try directory.open(name, mode) }
    do throws(SystemError) {
      return try directory.open(name, mode, direct: true)
    } catch {
      guard error.name == "EINVAL" else { throw error }
      return try directory.open(name, mode)
    }
  }

  private mutating func look(at number: UInt64) throws(StorageError) -> SegmentEntry {
    let name = SegmentName.name(number)
    var entry = SegmentEntry(
      number: number, path: directory.path(of: name), byteCount: 0, state: .unused)
    let head: [UInt8]
    let group: (head: GroupHead, checksum: UInt64)?
    let isOfOtherVersion: Bool
    do throws(SystemError) {
      let file = try Self.open(directory, name, .read, direct: isDirect)
      if !file.isDirect { isDirect = false }
      entry.byteCount = try file.size()
      guard entry.byteCount >= SegmentFormat.leastByteCount,
        entry.byteCount % SegmentFormat.blockByteCount == 0
      else {
        entry.state = .damaged(
          StorageFault(
            path: entry.path, offset: entry.byteCount,
            finding: "the file ends here: no segment is prepared with this size"))
        return entry
      }
      let window = try SegmentWindow(
        file, byteCount: entry.byteCount, pieceByteCount: SegmentFormat.leastByteCount)
      let blocks = try window.array(at: 0, count: SegmentFormat.leastByteCount)
      head = Array(blocks[..<SegmentFormat.blockByteCount])
      let first = blocks.span.extracting(SegmentFormat.blockByteCount...)
      let seed = seed(head)
      group = GroupHead.decode(first, seed: seed)
      isOfOtherVersion = GroupHead.isOfOtherVersion(first, seed: seed)
      if group == nil, SegmentWindow.isZero(blocks) { return entry }
    } catch {
      throw .failed(error)
    }
    if isOfOtherVersion {
      throw .foreign(
        StorageFault(
          path: entry.path, offset: SegmentFormat.blockByteCount,
          finding: "the segment was written by a newer version of this program: use that one"))
    }
    entry.state = try state(of: entry, SegmentHead.reading(head), group?.head)
    return entry
  }

  /// Seed for the group that follows a head: that of the directory.
  private func seed(_ head: [UInt8]) -> UInt64 {
    if let identifier { return SegmentFormat.seed(identifier) }
    if case .good(let head) = SegmentHead.reading(head) { return SegmentFormat.seed(head.directory) }
    return 0
  }

  private mutating func state(
    of entry: SegmentEntry, _ reading: SegmentHead.Reading, _ group: GroupHead?
  ) throws(StorageError) -> SegmentEntry.State {
    let headFinding: String
    switch reading {
    case .good(let head): return try state(of: entry, head)
    case .foreign(let finding):
      throw .foreign(StorageFault(path: entry.path, offset: 0, finding: finding))
    case .zeros: headFinding = "the segment's head is all zeros"
    case .bad(let finding): headFinding = finding
    }
    guard let group, group.block == 1, group.segment == entry.number & 0xFFFF else {
      return .unreadable(finding: headFinding)
    }
    return .begun(
      SegmentBeginning(
        incarnation: group.incarnation, firstPosition: group.firstPosition, chain: group.chain,
        headFinding: headFinding))
  }

  private mutating func state(
    of entry: SegmentEntry, _ head: SegmentHead
  ) throws(StorageError) -> SegmentEntry.State {
    if let identifier, head.directory != identifier {
      throw .foreign(
        StorageFault(
          path: entry.path, offset: 16,
          finding: "the segment belongs to data directory \(head.directory), this is \(identifier)"))
    }
    identifier = head.directory
    if head.segment != entry.number {
      return .damaged(
        StorageFault(
          path: entry.path, offset: 32,
          finding: "the head is that of segment \(head.segment): the file is in another one's place"))
    }
    if head.byteCount != entry.byteCount {
      return .damaged(
        StorageFault(
          path: entry.path, offset: min(head.byteCount, entry.byteCount),
          finding: "the file has \(entry.byteCount) bytes, its head says \(head.byteCount)"))
    }
    return .begun(
      SegmentBeginning(
        incarnation: head.incarnation, firstPosition: head.firstPosition, chain: head.chain,
        headFinding: nil))
  }
}
