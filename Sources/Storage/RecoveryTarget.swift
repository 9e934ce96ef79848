// Recovering to a position: facts after it are left out for good, their files set aside under other names.
//
// The order of the steps, each of which survives a crash after it:
//
//   1 everything up to the position is loaded and verified; nothing on the disk has changed
//   2 a manifest with `cut` that lists only snapshots up to the position: from here on a start without the
//     option carries the recovery on (before, it finds everything as it was)
//   3 snapshots and segments that hold only later facts get names that do not count
//   4 a segment that begins with the position after the cut: later facts in an older segment, in which
//     earlier ones stand too, are superseded by it for good
//   5 a manifest without `cut` that names this segment

import Ledger
import Platform

/// Names of what a recovery to a position has set aside.
enum LeftOutName {
  private static let prefix = "left-out-after-"

  static func of(_ name: String, position: UInt64, number: Int) -> String {
    prefix + "\(position)-" + (number == 0 ? "" : "\(number)-") + name
  }

  static func isOne(_ name: String) -> Bool { name.hasPrefix(prefix) }
}

/// The files that a recovery to a position sets aside, and what goes on after it.
struct PositionCut {
  let directory: DataDirectory
  let identifier: DirectoryIdentifier
  /// Position of the last fact that stays.
  let position: UInt64
  /// Checksum of its record, nil when no segment that stays holds it.
  let chain: UInt64?
  let survey: JournalSurvey
  let greatest: (incarnation: UInt32, group: UInt64)

  /// Whether a segment stays: when something in it counts.
  private func stays(_ entry: SegmentEntry) -> Bool {
    // Without the record of the last fact nothing could be chained to it, so no older segment leads there.
    if chain == nil { return false }
    if entry.state == .unused { return true }
    guard let last = survey.entries.last(where: { isBefore($0) }) else { return false }
    return entry.number <= last.number
  }

  private func isBefore(_ entry: SegmentEntry) -> Bool {
    entry.beginning?.firstPosition ?? .max <= position
  }

  /// Whether there is anything to leave out.
  func isNeeded(lastRead: UInt64, snapshotNames: [String]) -> Bool {
    lastRead > position || !snapshotNames.isEmpty
      || survey.entries.contains { $0.state != .unused && !stays($0) }
  }

  /// Position of the last fact that heads of segments and names of snapshots tell of.
  func lastKnown(_ lastRead: UInt64, snapshotNames: [String]) -> UInt64 {
    let begun = survey.entries.compactMap { $0.beginning.map { $0.firstPosition - 1 } }
    return max(
      lastRead, (begun + snapshotNames.compactMap { SnapshotName.position($0) }).max() ?? 0, position)
  }

  /// Step 3.
  func setAside(snapshotNames: [String]) throws(StorageError) -> [String] {
    let segments = survey.entries.filter { !stays($0) && $0.state != .unused }
      .map { SegmentName.name($0.number) }
    var names: [String] = []
    try StorageError.wrapping { () throws(SystemError) in
      for name in snapshotNames + segments where try directory.status(of: name) != nil {
        var number = 0
        while try directory.status(of: LeftOutName.of(name, position: position, number: number)) != nil {
          number += 1
        }
        let target = LeftOutName.of(name, position: position, number: number)
        try directory.rename(name, to: target)
        names.append(target)
      }
      try directory.sync()
    }
    return names
  }

  /// Step 4: writes the segment that begins after the cut.
  /// - Returns: what a journal begins with.
  func begin() throws(StorageError) -> JournalStart {
    let number = survey.greatestNumber + 1
    let incarnation = greatest.incarnation + 1
    let group = greatest.group + 1
    let head = SegmentHead(
      incarnation: incarnation, directory: identifier, segment: number,
      byteCount: SegmentFormat.leastByteCount, firstPosition: position + 1, chain: chain ?? 0,
      durable: position, firstGroup: group)
    let seal = GroupHead(
      flags: .seal, segment: number, group: group, firstPosition: position + 1, durable: position,
      chain: chain ?? 0, recordByteCount: 0, recordCount: 0, incarnation: incarnation, block: 1)
    let bytes = head.encoded() + seal.encodedBlock(seed: SegmentFormat.seed(identifier))
    try StorageError.wrapping { () throws(SystemError) in
      try directory.replaceFile(SegmentName.name(number), with: bytes)
    }
    var segments = survey.entries.filter { stays($0) || $0.state == .unused }.map { entry in
      let first = min(entry.beginning?.firstPosition ?? position + 1, position + 1)
      return SegmentExtent(
        number: entry.number, byteCount: entry.byteCount, firstPosition: first, lastPosition: position)
    }
    segments.append(
      SegmentExtent(
        number: number, byteCount: bytes.count, firstPosition: position + 1, lastPosition: position))
    return JournalStart(
      position: position, chain: chain ?? 0, incarnation: incarnation + 1, nextGroup: group + 1,
      nextSegment: number + 1, segments: segments)
  }
}

extension GroupHead {
  /// A block that holds this head alone.
  fileprivate func encodedBlock(seed: UInt64) -> [UInt8] {
    var block = [UInt8](repeating: 0, count: SegmentFormat.blockByteCount)
    unsafe block.withUnsafeMutableBytes { _ = unsafe encode(into: $0, seed: seed) }
    return block
  }
}
