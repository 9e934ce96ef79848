// Reading the journal: group by group, record by record, verified, up to the end that the table of cases
// gives.

import Platform

/// Records of whole commands, one after the other without gaps.
@safe package struct RecordRun {
  /// Valid until the next call of the reader.
  package let bytes: UnsafeRawBufferPointer
  package let recordCount: Int
  package let firstPosition: UInt64

  package var lastPosition: UInt64 { firstPosition + UInt64(recordCount) - 1 }
}

/// Reads the segments of a survey in order. Memory: two windows of 4 MiB, or the largest group and the
/// largest command twice.
///
/// Everything is verified: heads, places, checksums and their chains, positions, padding. What is handed out
/// are facts of whole commands only.
@safe package struct JournalReader: ~Copyable {
  /// A place where the next fact is not to be found.
  struct BadPlace {
    var place: TailFinding.Place
    var offset: Int
    var finding: String
    /// Records that the head of the group claims and that are not right.
    var lostCount = 0
    /// The place belongs to a group all of whose records are right.
    var isBehindRecords = false

    /// Where to look for what was written later: a group does not vouch for itself.
    var restOffset: Int { isBehindRecords ? SegmentFormat.padded(offset) : offset }
  }

  let survey: JournalSurvey
  let seed: UInt64
  /// Facts up to here are read and verified, but not handed out.
  let skipped: UInt64

  /// Where reading begins; nil when no segment was begun.
  var firstEntry: Int?
  /// Which segment is being read, by its place in the survey; nil before the first.
  var current: Int?
  var window: SegmentWindow?
  var offset = 0
  var incarnation: UInt32 = 0
  var group: UInt64 = 0
  var expected: UInt64
  var chain: UInt64 = 0
  /// A later start has begun with this position; facts from it on do not count here.
  var limit = UInt64.max

  /// Facts after the last end of a command, and the same for the run that is being handed out.
  var carry = UnitCarry()
  var handedOut = UnitCarry()
  var runs: [RecordRun] = []
  var nextRun = 0
  var bad: BadPlace?
  /// The last group read said that the server stopped.
  var isAtCleanStop = false

  /// Where the last whole command ended.
  var unitEnd: (position: UInt64, chain: UInt64, entry: Int, offset: Int)?
  var greatest: (incarnation: UInt32, group: UInt64) = (0, 0)
  var readByteCount = 0
  /// Set when everything has been read.
  package internal(set) var end: JournalEnd?

  /// - Parameters:
  ///   - position: facts after it are handed out; segments that hold none of them are not read. Nil hands out
  ///     all that there are, from the oldest segment on.
  package init(_ survey: JournalSurvey, after position: UInt64?) {
    self.survey = survey
    seed = SegmentFormat.seed(survey.identifier ?? DirectoryIdentifier(high: 0, low: 0))
    skipped = position ?? 0
    expected = (position ?? 0) + 1
    let begun = survey.entries.indices.filter { survey.entries[$0].beginning != nil }
    for entry in survey.entries {
      if let beginning = entry.beginning {
        greatest.incarnation = max(greatest.incarnation, beginning.incarnation)
      }
    }
    let first =
      position.flatMap { position in
        begun.last { survey.entries[$0].beginning?.firstPosition ?? .max <= position + 1 }
      } ?? begun.first
    guard let first, let beginning = survey.entries[first].beginning else { return }
    firstEntry = first
    if position == nil { expected = beginning.firstPosition }
  }

  /// The next facts, oldest first; nil at the end, which `end` describes.
  /// - Throws: `.damaged` with file, offset and position; `.foreign`; `.failed`.
  /// - Complexity: O(bytes of a group).
  package mutating func next() throws(StorageError) -> RecordRun? {
    while true {
      if nextRun < runs.count {
        nextRun += 1
        return runs[nextRun - 1]
      }
      runs.removeAll(keepingCapacity: true)
      nextRun = 0
      if end != nil { return nil }
      if current == nil {
        try begin()
      } else if let place = bad {
        bad = nil
        try resolve(place)
      } else {
        try readGroup()
      }
    }
  }
}

// MARK: - Segments

extension JournalReader {
  private mutating func begin() throws(StorageError) {
    guard let first = firstEntry, let beginning = survey.entries[first].beginning else {
      return try finishWithoutSegments()
    }
    if beginning.firstPosition > expected {
      throw .damaged(
        StorageFault(
          path: survey.entries[first].path, offset: 0,
          finding:
            "facts \(expected) to \(beginning.firstPosition - 1) are missing: this is the oldest segment, "
            + "and it begins with \(beginning.firstPosition)"))
    }
    expected = beginning.firstPosition
    chain = beginning.chain
    unitEnd = (expected - 1, chain, first, SegmentFormat.blockByteCount)
    try enter(first, beginning)
  }

  private mutating func enter(_ entry: Int, _ beginning: SegmentBeginning) throws(StorageError) {
    let found = survey.entries[entry]
    if beginning.incarnation != incarnation { group = 0 }
    current = entry
    incarnation = beginning.incarnation
    offset = SegmentFormat.blockByteCount
    limit = survey.entries[(entry + 1)...].reduce(.max) { limit, other in
      guard let other = other.beginning, other.incarnation > incarnation else { return limit }
      return min(limit, other.firstPosition)
    }
    window = try Self.window(survey, found)
  }

  private static func window(
    _ survey: JournalSurvey, _ entry: SegmentEntry
  ) throws(StorageError) -> SegmentWindow {
    do throws(SystemError) {
      let file = try JournalSurvey.open(
        survey.directory, SegmentName.name(entry.number), .read, direct: survey.isDirect)
      return try SegmentWindow(file, byteCount: entry.byteCount)
    } catch {
      throw .failed(error)
    }
  }

  func path(_ entry: Int?) -> String {
    entry.map { survey.entries[$0].path } ?? survey.directory.path
  }

  /// The segment that goes on where this one ends: the next that was begun, or that of the later start which
  /// has begun before the facts here end.
  /// - Throws: `.damaged` for one that no crash can have left so.
  private func nextEntry() throws(StorageError) -> Int? {
    guard let current else { return nil }
    for entry in survey.entries.indices.dropFirst(current + 1) {
      switch survey.entries[entry].state {
      case .damaged(let fault): throw .damaged(fault)
      case .begun(let beginning):
        if expected != limit || beginning.incarnation > incarnation { return entry }
      case .unused, .unreadable: break
      }
    }
    return nil
  }

  /// Decides what becomes of the journal at a place where the next fact is not to be found.
  mutating func resolve(_ bad: BadPlace) throws(StorageError) {
    var finding = TailFinding(
      place: bad.place, position: expected, hasOpenUnit: !carry.isEmpty, next: nil,
      hasRemains: false, durable: nil)
    if let entry = try nextEntry(), let beginning = survey.entries[entry].beginning {
      finding.next = TailFinding.Next(
        run: beginning.incarnation == incarnation
          ? .same : beginning.incarnation > incarnation ? .later : .earlier,
        firstPosition: beginning.firstPosition, isChained: beginning.chain == chain)
      if case .damaged(let damage) = TailTable.verdict(finding) { throw damaged(bad, damage) }
      return try enter(entry, beginning)
    }
    var rest = TailRest()
    // Behind a clean stop only a later start can have written, and that in later segments.
    let isStopped = bad.place == .cleanStop && carry.isEmpty
    try scanRest(&rest, from: isStopped ? window?.byteCount ?? 0 : bad.restOffset)
    finding.durable = rest.durable
    finding.hasRemains = rest.byteCount > 0
    if bad.isBehindRecords { finding.proof = expected - 1 }
    switch TailTable.verdict(finding) {
    case .damaged(let damage): throw damaged(bad, damage)
    case .torn: finish(torn: tornTail(bad, rest), rest)
    case .ends, .goesOn: finish(torn: nil, rest)
    }
  }

  func damaged(_ bad: BadPlace, _ damage: TailVerdict.Damage) -> StorageError {
    .damaged(
      StorageFault(
        path: path(current), offset: bad.offset, finding: "\(bad.finding); \(damage.text(expected))"))
  }
}

// MARK: - Groups

extension JournalReader {
  private mutating func readGroup() throws(StorageError) {
    if expected == limit {
      bad = BadPlace(place: .superseded, offset: offset, finding: "a later start begins here")
      return
    }
    guard let window else { preconditionFailure("a segment is open while it is read") }
    guard let block = unsafe try bytes(window, SegmentFormat.blockByteCount) else {
      bad = BadPlace(place: .fileEnd, offset: offset, finding: "the segment is full")
      return
    }
    let start = UnsafeRawBufferPointer(block)
    guard let (head, checksum) = unsafe GroupHead.decode(start, seed: seed) else {
      if unsafe GroupHead.isOfOtherVersion(start, seed: seed) { throw newerVersion() }
      bad =
        unsafe SegmentWindow.isZero(start)
        ? BadPlace(place: .zeros, offset: offset, finding: "nothing is written here")
        : BadPlace(place: .noGroup, offset: offset, finding: "this is not a group of the journal")
      return
    }
    if let finding = misfit(head) {
      bad = BadPlace(place: .noGroup, offset: offset, finding: finding, lostCount: head.recordCount)
      return
    }
    try checkSegmentHead(head)
    guard let group = unsafe try bytes(window, head.paddedByteCount) else {
      bad = BadPlace(
        place: .noGroup, offset: offset, finding: "the group is longer than its segment",
        lostCount: head.recordCount)
      return
    }
    readByteCount += group.count
    unsafe read(group, head, checksum)
  }

  private func bytes(
    _ window: SegmentWindow, _ count: Int
  ) throws(StorageError) -> UnsafeMutableRawBufferPointer? {
    do throws(SystemError) { return unsafe try window.bytes(at: offset, count: count) } catch {
      throw .failed(error)
    }
  }

  private func newerVersion() -> StorageError {
    .foreign(
      StorageFault(
        path: path(current), offset: offset,
        finding: "the group was written by a newer version of this program: use that one"))
  }

  /// Why a right head does not belong here; nil when it does.
  private func misfit(_ head: GroupHead) -> String? {
    guard let current else { return nil }
    let number = survey.entries[current].number
    if head.segment != number & 0xFFFF || Int(head.block) * SegmentFormat.blockByteCount != offset {
      return "the group belongs in block \(head.block) of another place"
    }
    if head.incarnation != incarnation { return "the group is of another run" }
    if group > 0 ? head.group != group + 1 : head.group <= greatest.group && greatest.group > 0 {
      return "the group has number \(head.group), the one before \(max(group, greatest.group))"
    }
    if head.firstPosition != expected {
      return "the group begins with fact \(head.firstPosition), expected \(expected)"
    }
    if head.chain != chain { return "the group does not follow the record before it" }
    return nil
  }

  /// A head that is not right is part of a torn first write, unless that write had been synced.
  private func checkSegmentHead(_ head: GroupHead) throws(StorageError) {
    guard let current, let beginning = survey.entries[current].beginning,
      let finding = beginning.headFinding, head.durable >= beginning.firstPosition
    else { return }
    throw .damaged(
      StorageFault(
        path: path(current), offset: 0,
        finding: "\(finding); it had been synced, as the group at byte \(offset) says"))
  }

  private mutating func read(_ group: UnsafeMutableRawBufferPointer, _ head: GroupHead, _ checksum: UInt64) {
    let start = GroupHead.byteCount
    let records = unsafe UnsafeMutableRawBufferPointer(
      rebasing: group[start..<start + head.recordByteCount])
    let walk = unsafe RecordChain.walk(
      records, seed: checksum, chain: chain, firstPosition: expected, limit: limit)
    if walk.unitRecordCount > 0, let current {
      unitEnd = (
        expected + UInt64(walk.unitRecordCount) - 1, walk.unitChain, current,
        offset + start + walk.unitByteCount
      )
    }
    unsafe handOut(UnsafeRawBufferPointer(records), walk)
    self.group = head.group
    isAtCleanStop = head.flags.contains(.cleanStop)
    greatest.group = max(greatest.group, head.group)
    expected += UInt64(walk.recordCount)
    chain = walk.chain
    let place = offset + start + walk.byteCount
    if walk.recordCount != head.recordCount || walk.finding != nil {
      if expected == limit && walk.finding == nil {
        bad = BadPlace(place: .superseded, offset: place, finding: "a later start begins here")
        return
      }
      bad = BadPlace(
        place: .badRecord, offset: place,
        finding: walk.finding
          ?? "the group has \(walk.recordCount) records, its head says \(head.recordCount)",
        lostCount: max(0, head.recordCount - walk.recordCount))
      return
    }
    let padding = unsafe UnsafeRawBufferPointer(rebasing: group[(start + head.recordByteCount)...])
    if unsafe !SegmentWindow.isZero(padding) {
      bad = BadPlace(
        place: .noGroup, offset: place, finding: "the bytes after the records of the group are not zero",
        isBehindRecords: true)
      return
    }
    offset += head.paddedByteCount
    if isAtCleanStop {
      bad = BadPlace(place: .cleanStop, offset: offset, finding: "the server stopped here")
    }
  }

  /// Puts the whole commands of a group among the runs, and keeps what follows them for the next group.
  private mutating func handOut(_ records: UnsafeRawBufferPointer, _ walk: RecordWalk) {
    var place = 0
    var position = expected
    if !carry.isEmpty {
      // The first end of a command, or all of it: the rest of what the groups before have begun.
      let byteCount = walk.unitRecordCount > 0 ? walk.firstUnitByteCount : walk.byteCount
      let recordCount = walk.unitRecordCount > 0 ? walk.firstUnitRecordCount : walk.recordCount
      unsafe carry.append(UnsafeRawBufferPointer(rebasing: records[..<byteCount]), recordCount: recordCount)
      if walk.unitRecordCount == 0 { return }
      swap(&carry, &handedOut)
      carry.removeAll()
      let first = position - UInt64(handedOut.recordCount - recordCount)
      unsafe addRun(handedOut.bytes, handedOut.recordCount, first)
      place = byteCount
      position += UInt64(recordCount)
    }
    let unitCount = walk.unitRecordCount - Int(position - expected)
    if unitCount > 0 {
      unsafe addRun(
        UnsafeRawBufferPointer(rebasing: records[place..<walk.unitByteCount]), unitCount, position)
    }
    let rest = unsafe UnsafeRawBufferPointer(rebasing: records[walk.unitByteCount..<walk.byteCount])
    if unsafe !rest.isEmpty {
      unsafe carry.append(rest, recordCount: walk.recordCount - walk.unitRecordCount)
    }
  }

  /// Adds a run without the facts that are to be skipped.
  private mutating func addRun(_ bytes: UnsafeRawBufferPointer, _ recordCount: Int, _ first: UInt64) {
    let skippedCount = skipped < first ? 0 : Int(min(skipped - first + 1, UInt64(recordCount)))
    if skippedCount == recordCount { return }
    let start = unsafe RecordChain.byteCount(ofFirst: skippedCount, in: bytes)
    unsafe runs.append(
      RecordRun(
        bytes: UnsafeRawBufferPointer(rebasing: bytes[start...]), recordCount: recordCount - skippedCount,
        firstPosition: first + UInt64(skippedCount)))
  }
}
