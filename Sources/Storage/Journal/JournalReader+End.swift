// The end of the reading: what stands behind it, and what that means for the next start.

import Platform

/// What stands after the place where the next fact is not to be found.
struct TailRest {
  /// The greatest durable watermark of a right head of a group.
  var durable: UInt64?
  /// Bytes up to the last block that is not zero, in all files.
  var byteCount = 0
  /// Records that right heads claim.
  var factCount = 0
  /// Places in the survey of files that looked unused and are not.
  var dirtyEntries: Set<Int> = []
}

extension JournalReader {
  /// Looks at every block from `offset` of the current segment on, and of all segments after it.
  mutating func scanRest(_ rest: inout TailRest, from offset: Int) throws(StorageError) {
    do throws(SystemError) {
      if let window {
        let block = offset & ~(SegmentFormat.blockByteCount - 1)
        let end = try scan(window, from: block, &rest)
        rest.byteCount += max(0, end - offset)
      }
      for entry in survey.entries.indices.dropFirst(current.map { $0 + 1 } ?? 0) {
        let found = survey.entries[entry]
        let file = try JournalSurvey.open(
          survey.directory, SegmentName.name(found.number), .read, direct: survey.isDirect)
        let window = try SegmentWindow(file, byteCount: found.byteCount)
        let end = try scan(window, from: 0, &rest)
        rest.byteCount += end
        if end > 0 { rest.dirtyEntries.insert(entry) }
      }
    } catch {
      throw .failed(error)
    }
  }

  /// - Returns: where the last block ends that is not zero; 0 if there is none.
  private mutating func scan(
    _ window: SegmentWindow, from offset: Int, _ rest: inout TailRest
  ) throws(SystemError) -> Int {
    let piece = 1 << 20
    let block = SegmentFormat.blockByteCount
    var end = 0
    var place = offset
    while place < window.byteCount {
      let count = min(piece, window.byteCount - place)
      guard let bytes = unsafe try window.bytes(at: place, count: count) else { break }
      readByteCount += count
      if unsafe !SegmentWindow.isZero(UnsafeRawBufferPointer(bytes)) {
        for start in stride(from: 0, to: count, by: block) {
          let candidate = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<start + block])
          if unsafe SegmentWindow.isZero(candidate) { continue }
          end = place + start + block
          guard let (head, _) = unsafe GroupHead.decode(candidate, seed: seed) else { continue }
          rest.durable = max(rest.durable ?? 0, head.durable)
          greatest.group = max(greatest.group, head.group)
          greatest.incarnation = max(greatest.incarnation, head.incarnation)
          if head.firstPosition > expected { rest.factCount += head.recordCount }
        }
      }
      place += count
    }
    return end
  }

  /// A journal without a segment that was begun.
  mutating func finishWithoutSegments() throws(StorageError) {
    for entry in survey.entries {
      if case .damaged(let fault) = entry.state { throw .damaged(fault) }
    }
    var rest = TailRest()
    try scanRest(&rest, from: 0)
    let finding = TailFinding(
      place: .zeros, position: expected, hasOpenUnit: false, next: nil, hasRemains: rest.byteCount > 0,
      durable: rest.durable)
    let place = BadPlace(place: .zeros, offset: 0, finding: "no segment of the journal begins here")
    switch TailTable.verdict(finding) {
    case .damaged(let damage): throw damaged(place, damage)
    case .torn: finish(torn: tornTail(place, rest), rest)
    case .ends, .goesOn: finish(torn: nil, rest)
    }
  }

  /// What is cut off: the open command and everything from the bad place on.
  func tornTail(_ bad: BadPlace, _ rest: TailRest) -> TornTail {
    let start = carry.isEmpty ? nil : unitEnd
    return TornTail(
      path: path(start?.entry ?? current), offset: start?.offset ?? bad.offset,
      byteCount: carry.byteCount + rest.byteCount,
      factCount: carry.recordCount + bad.lostCount + rest.factCount)
  }

  mutating func finish(torn: TornTail?, _ rest: TailRest) {
    let position = unitEnd?.position ?? expected - 1
    var segments: [SegmentExtent] = []
    var prepared: [PreparedExtent] = []
    var nextFirst = position + 1
    for (place, entry) in survey.entries.enumerated().reversed() {
      if entry.state == .unused && segments.isEmpty && !rest.dirtyEntries.contains(place) {
        prepared.append(PreparedExtent(number: entry.number, byteCount: entry.byteCount))
        continue
      }
      let first = min(entry.beginning?.firstPosition ?? nextFirst, nextFirst)
      segments.append(
        SegmentExtent(
          number: entry.number, byteCount: entry.byteCount, firstPosition: first,
          lastPosition: nextFirst - 1))
      nextFirst = first
    }
    let last = current.map { survey.entries[$0].number }
    let used = unitEnd.map { $0.entry == current ? max($0.offset, offset) : offset } ?? offset
    end = JournalEnd(
      position: position, chain: unitEnd?.chain ?? 0, incarnation: greatest.incarnation,
      greatestGroup: greatest.group, greatestSegment: survey.greatestNumber,
      isCleanStop: isAtCleanStop, tornTail: torn, segments: segments.reversed(),
      prepared: prepared.reversed(), lastSegment: segments.first { $0.number == last },
      usedByteCount: SegmentFormat.padded(used), readByteCount: readByteCount)
    window = nil
  }
}
