// Writing the journal, one step a call: what stands in the fact log becomes a group; a sync; a new segment; a
// seal.

import Ledger
import Platform

/// What a step of the writer did.
package enum WriterStep: Sendable, Equatable {
  /// Nothing was waiting.
  case nothing
  /// A group was written, and synced if the durability is `always`.
  case wrote
  /// Facts wait, but no segment is prepared.
  case waitsForSegment
}

/// How far the journal is.
package struct JournalPositions: Sendable, Equatable {
  /// Ends of the last unit that is in a group handed to the kernel, and of the last that is synced.
  package var written: UInt64
  package var durable: UInt64
}

/// The journal without threads: whoever owns it says when to write, sync, prepare and seal.
///
/// One group is one write and one sync (durability `always`), strictly one after the other. No block that was
/// synced is written again. After a failed write or sync every call throws the same error.
@safe package struct JournalWriter: ~Copyable {
  private static let block = SegmentFormat.blockByteCount

  /// Counts of what was done, for reports.
  package struct Counts: Sendable, Equatable {
    package var groups: UInt64 = 0
    package var seals: UInt64 = 0
    package var syncs: UInt64 = 0
    package var recordBytes: UInt64 = 0
    package var writtenBytes: UInt64 = 0
  }

  /// Where admission is asked for.
  package let room: JournalRoom
  let recent: RecentGroups
  package private(set) var positions: JournalPositions
  package private(set) var counts = Counts()
  /// Past the page cache; nil before the first segment.
  package private(set) var isDirect: Bool?
  /// The segments that this writer has begun, the one at hand left out, oldest first.
  package private(set) var closed: [SegmentExtent] = []
  /// The segment at hand, with the facts that are in it; nil before the first group.
  package private(set) var current: SegmentExtent?

  private let log: FactLog
  private let options: JournalOptions
  private let directory: DirectoryIdentifier
  private let seed: UInt64
  private let incarnation: UInt32
  private var chain: UInt64
  private var nextPosition: UInt64
  private var nextGroup: UInt64
  private var segment: SegmentFile?
  /// Bytes of the current segment that are written; 0 before its first group.
  private var offset = 0
  private var isSynced = true
  private var isSealed = true
  private var failure: StorageError?
  private let sealBlock: PageMemory

  /// - Parameters:
  ///   - log: its first fact is the one after `start.position`; nobody else drains it.
  ///   - start: from the reading of what was written before.
  package init(
    _ directory: DirectoryIdentifier, log: FactLog, start: JournalStart, options: JournalOptions
  ) throws(StorageError) {
    do throws(SystemError) {
      let memory = try PageMemory(byteCount: 2 * Self.block)
      recent = try RecentGroups(byteCount: max(options.recentByteCount, 2 * options.groupByteCount))
      sealBlock = memory
    } catch {
      throw .failed(error)
    }
    room = JournalRoom(log: log, options: options)
    self.log = log
    self.options = options
    self.directory = directory
    seed = SegmentFormat.seed(directory)
    incarnation = start.incarnation
    chain = start.chain
    nextPosition = start.position + 1
    nextGroup = start.nextGroup
    positions = JournalPositions(written: start.position, durable: start.position)
  }

  // MARK: Steps

  /// Writes one group of what stands in the log, and syncs it if the durability is `always`.
  /// - Throws: `.failed`, and nothing more is written ever after.
  package mutating func commitPending() throws(StorageError) -> WriterStep {
    if let failure { throw failure }
    guard let first = log.nextRecordByteCount else { return .nothing }
    let least = SegmentFormat.padded(GroupHead.byteCount + first)
    if segment == nil || rest < least {
      guard try roll() else { return .waitsForSegment }
      if rest < least {
        // Only what was not admitted can meet this: the segment is left with its head alone.
        return .waitsForSegment
      }
    }
    if PlantedFaults.has(.syncBeforeWrite) { try sync() }
    try writeGroup(first)
    if PlantedFaults.has(.syncBeforeWrite) {
      positions.durable = positions.written
    } else if options.durability == .always {
      try sync()
    }
    return .wrote
  }

  /// Syncs what is written.
  package mutating func sync() throws(StorageError) {
    if let failure { throw failure }
    guard !isSynced, let segment else { return }
    if !PlantedFaults.has(.skippedSync) {
      try attempt { () throws(SystemError) in try segment.file.sync() }
    }
    counts.syncs += 1
    isSynced = true
    positions.durable = positions.written
  }

  /// Says on the disk that everything before is synced: an empty group, if anything was written since the
  /// last.
  /// - Parameter isCleanStop: nothing follows.
  /// - Returns: whether a seal was written; there may be no room for one.
  @discardableResult
  package mutating func seal(isCleanStop: Bool = false) throws(StorageError) -> Bool {
    if let failure { throw failure }
    guard let segment, offset > 0, !isSealed || isCleanStop else { return false }
    try sync()
    guard room.takeSealBlock() else { return false }
    let head = GroupHead(
      flags: isCleanStop ? [.seal, .cleanStop] : .seal, segment: segment.number, group: nextGroup,
      firstPosition: nextPosition, durable: positions.durable, chain: chain, recordByteCount: 0,
      recordCount: 0, incarnation: incarnation, block: UInt32(offset / Self.block))
    let block = unsafe UnsafeMutableRawBufferPointer(rebasing: sealBlock.bytes[..<Self.block])
    _ = unsafe head.encode(into: block, seed: seed)
    let place = offset
    try attempt { () throws(SystemError) in
      unsafe try segment.file.write(UnsafeRawBufferPointer(block), at: place)
      try segment.file.sync()
    }
    offset += Self.block
    nextGroup += 1
    counts.seals += 1
    counts.syncs += 1
    counts.writtenBytes += UInt64(Self.block)
    isSealed = true
    return true
  }

  /// Whether anything was written since the last seal.
  package var needsSeal: Bool { !isSealed }
  /// Whether anything written is not synced.
  package var needsSync: Bool { !isSynced }
  /// All segments that this writer has begun, oldest first.
  package var begun: [SegmentExtent] { closed + (current.map { [$0] } ?? []) }

  // MARK: Details

  /// Bytes of the current segment for groups of records: its last block is kept for a seal.
  private var rest: Int {
    guard let segment else { return 0 }
    return segment.byteCount - max(offset, Self.block) - Self.block
  }

  /// Goes on to the next segment.
  /// - Returns: false when none is prepared.
  private mutating func roll() throws(StorageError) -> Bool {
    // In every mode, so that a segment never begins before the one before it is safe.
    if !PlantedFaults.has(.unsyncedRoll) { try sync() }
    guard let next = room.takeSegment() else { return false }
    segment = next
    isDirect = next.file.isDirect
    offset = 0
    if let current { closed.append(current) }
    current = SegmentExtent(
      number: next.number, byteCount: next.byteCount, firstPosition: nextPosition,
      lastPosition: nextPosition - 1)
    return true
  }

  private mutating func writeGroup(_ first: Int) throws(StorageError) {
    guard let segment else { preconditionFailure("a group is written into a segment") }
    let largest = max(options.groupByteCount, first)
    let recordLimit = min(
      max(first, min(largest, log.pendingByteCount)), rest - GroupHead.byteCount)
    let headByteCount = offset == 0 ? Self.block : 0
    let wanted = headByteCount + SegmentFormat.padded(GroupHead.byteCount + recordLimit)
    if let place = recent.room(wanted) {
      let group = unsafe try write(segment, place.bytes, headByteCount, recordLimit)
      let start = headByteCount + GroupHead.byteCount
      recent.keep(
        place, byteCount: group.byteCount, records: start..<start + group.drained.byteCount,
        firstPosition: nextPosition - UInt64(group.drained.recordCount),
        lastPosition: group.drained.lastPosition)
      return
    }
    // A record that is larger than the memory for recent groups; it is read from its segment if need be.
    let memory: PageMemory
    do throws(SystemError) { memory = try PageMemory(byteCount: wanted) } catch { throw .failed(error) }
    _ = unsafe try write(segment, memory.bytes, headByteCount, recordLimit)
  }

  /// Builds a group in `bytes`, the head of its segment before it if it is the first, and writes it.
  private mutating func write(
    _ segment: SegmentFile, _ bytes: UnsafeMutableRawBufferPointer, _ headByteCount: Int, _ recordLimit: Int
  ) throws(StorageError) -> (drained: DrainedFacts, byteCount: Int) {
    let start = headByteCount + GroupHead.byteCount
    room.beginGroup()
    let drained = unsafe log.drain(
      into: UnsafeMutableRawBufferPointer(rebasing: bytes[start..<start + recordLimit]))
    precondition(
      drained.recordCount > 0 && drained.lastPosition == nextPosition + UInt64(drained.recordCount) - 1,
      "positions of facts follow each other")
    let place = max(offset, Self.block)
    let head = GroupHead(
      segment: segment.number, group: nextGroup, firstPosition: nextPosition,
      durable: PlantedFaults.has(.earlyWatermark) ? drained.lastPosition : positions.durable,
      chain: chain, recordByteCount: drained.byteCount, recordCount: drained.recordCount,
      incarnation: incarnation, block: UInt32(place / Self.block))
    let whole = headByteCount + head.paddedByteCount
    if headByteCount > 0 { unsafe fillSegmentHead(segment, bytes) }
    unsafe seal(head, UnsafeMutableRawBufferPointer(rebasing: bytes[headByteCount..<whole]))
    room.place(
      paddedByteCount: head.paddedByteCount, recordByteCount: drained.byteCount,
      lastPosition: drained.lastPosition)
    let target = place - headByteCount
    try attempt { () throws(SystemError) in
      unsafe try segment.file.write(UnsafeRawBufferPointer(rebasing: bytes[..<whole]), at: target)
    }
    note(drained, head)
    return (drained, whole)
  }

  /// Writes the head of a group before its records, their checksums into them, zeros behind them.
  private mutating func seal(_ head: GroupHead, _ group: UnsafeMutableRawBufferPointer) {
    let checksum = unsafe head.encode(into: group, seed: seed)
    let end = GroupHead.byteCount + head.recordByteCount
    chain = unsafe RecordChain.seal(
      UnsafeMutableRawBufferPointer(rebasing: group[GroupHead.byteCount..<end]), seed: checksum)
    unsafe UnsafeMutableRawBufferPointer(rebasing: group[end...]).initializeMemory(
      as: UInt8.self, repeating: 0)
  }

  private func fillSegmentHead(_ segment: SegmentFile, _ bytes: UnsafeMutableRawBufferPointer) {
    let head = SegmentHead(
      incarnation: incarnation, directory: directory, segment: segment.number, byteCount: segment.byteCount,
      firstPosition: nextPosition, chain: chain, durable: positions.durable, firstGroup: nextGroup)
    unsafe bytes.copyBytes(from: head.encoded())
  }

  /// Notes a group that is written.
  private mutating func note(_ drained: DrainedFacts, _ head: GroupHead) {
    offset = max(offset, Self.block) + head.paddedByteCount
    nextGroup += 1
    nextPosition = drained.lastPosition + 1
    if drained.lastUnitEnd > 0 { positions.written = drained.lastUnitEnd }
    current?.lastPosition = drained.lastPosition
    isSynced = false
    isSealed = false
    counts.groups += 1
    counts.recordBytes += UInt64(drained.byteCount)
    counts.writtenBytes += UInt64(head.paddedByteCount)
  }

  /// Runs what touches the disk; its failure is the last thing that happens.
  private mutating func attempt(_ body: () throws(SystemError) -> Void) throws(StorageError) {
    do throws(SystemError) {
      do throws(SystemError) { try body() } catch {
        guard PlantedFaults.has(.retriedSync), error.call == "fdatasync" else { throw error }
        try body()
      }
    } catch {
      let error = StorageError.failed(error)
      failure = error
      room.fail(error)
      throw error
    }
  }
}
