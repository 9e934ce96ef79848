// The newest groups in memory: built here, written from here, and readable until others take their place.

import Platform

/// Records of a stretch of positions, copied out of the journal.
package struct RecentRecords: Sendable, Equatable {
  /// Position of the first record.
  package var firstPosition: UInt64
  package var lastPosition: UInt64
  /// Whole records without gaps, as drawn in Ledger's `RecordHead`.
  package var bytes: [UInt8]
}

/// A ring of memory in which the writer builds one group after the other, each on a whole block.
///
/// One thread writes; the others read under the lock, which the writer takes to give groups up and to add
/// one.
@safe final class RecentGroups: Sendable {
  /// Where the records of a group lie.
  private struct Entry {
    var offset: Int
    var byteCount: Int
    var firstPosition: UInt64
    var lastPosition: UInt64
    /// Where the group itself lies: what may not be overwritten while the entry stands.
    var group: Range<Int>
  }

  private struct Index {
    /// Oldest first, from `start` on.
    var entries: [Entry] = []
    var start = 0
  }

  /// Where a group is being built.
  @safe struct Place {
    fileprivate let offset: Int
    let bytes: UnsafeMutableRawBufferPointer
  }

  private let memory: PageMemory
  private let index = Guarded(Index())
  /// Where the next group may begin; the writer's own.
  private nonisolated(unsafe) let cursor: UnsafeMutablePointer<Int>

  init(byteCount: Int) throws(SystemError) {
    memory = try PageMemory(byteCount: SegmentFormat.padded(max(byteCount, SegmentFormat.blockByteCount)))
    unsafe cursor = .allocate(capacity: 1)
    unsafe cursor.initialize(to: 0)
  }

  deinit { unsafe cursor.deallocate() }

  /// Room for a group of up to `byteCount` bytes, in place of the oldest ones; nil when there is not so much.
  /// The writer only. What the room held before is arbitrary.
  func room(_ byteCount: Int) -> Place? {
    let wanted = SegmentFormat.padded(byteCount)
    if wanted > memory.byteCount { return nil }
    let start = unsafe cursor.pointee + wanted <= memory.byteCount ? cursor.pointee : 0
    let range = start..<start + wanted
    // Behind the end of what is used nothing fits any more: those groups are the oldest.
    let skipped = unsafe start < cursor.pointee ? cursor.pointee..<memory.byteCount : range
    index.withLock { index in
      while index.start < index.entries.count {
        let group = index.entries[index.start].group
        if !group.overlaps(range) && !group.overlaps(skipped) { break }
        index.start += 1
      }
      if index.start * 2 > index.entries.count {
        index.entries.removeSubrange(..<index.start)
        index.start = 0
      }
    }
    unsafe cursor.pointee = start
    return unsafe Place(offset: start, bytes: UnsafeMutableRawBufferPointer(rebasing: memory.bytes[range]))
  }

  /// Keeps the group that was built in `place`. The writer only.
  /// - Parameters:
  ///   - byteCount: of the whole group.
  ///   - records: where in it the records lie.
  func keep(
    _ place: Place, byteCount: Int, records: Range<Int>, firstPosition: UInt64, lastPosition: UInt64
  ) {
    let end = place.offset + SegmentFormat.padded(byteCount)
    let entry = Entry(
      offset: place.offset + records.lowerBound, byteCount: records.count, firstPosition: firstPosition,
      lastPosition: lastPosition, group: place.offset..<end)
    index.withLock { $0.entries.append(entry) }
    unsafe cursor.pointee = end == memory.byteCount ? 0 : end
  }

  /// Copies the records from `position` on, of one group or of several that follow each other.
  /// - Parameters:
  ///   - limit: position of the last record that may be shown.
  ///   - byteLimit: stops after the group that reaches it.
  /// - Returns: nil when the records are not here (any more, or yet). The first one may be of an earlier
  ///   position: groups are copied whole, except that nothing after `limit` is.
  func records(from position: UInt64, upTo limit: UInt64, byteLimit: Int) -> RecentRecords? {
    index.withLock { index in
      var place = Self.place(of: position, in: index)
      guard place < index.entries.count, index.entries[place].firstPosition <= position else { return nil }
      var found = RecentRecords(
        firstPosition: index.entries[place].firstPosition, lastPosition: position - 1, bytes: [])
      while place < index.entries.count, index.entries[place].lastPosition <= limit {
        let entry = index.entries[place]
        // A group that was too large for the ring stands between them.
        if entry.firstPosition > found.lastPosition + 1 && !found.bytes.isEmpty { break }
        if !found.bytes.isEmpty {
          // A group that was larger than the memory is missing between its neighbours.
          if entry.firstPosition != found.lastPosition + 1 { break }
          if found.bytes.count + entry.byteCount > byteLimit { break }
        }
        unsafe found.bytes.append(
          contentsOf: UnsafeRawBufferPointer(
            start: memory.base + entry.offset, count: entry.byteCount))
        found.lastPosition = entry.lastPosition
        place += 1
      }
      return found.bytes.isEmpty ? nil : found
    }
  }

  /// Where the first entry is whose last record is at `position` or after it.
  private static func place(of position: UInt64, in index: Index) -> Int {
    var low = index.start
    var high = index.entries.count
    while low < high {
      let middle = (low + high) / 2
      if index.entries[middle].lastPosition < position { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Position of the oldest record that is here; nil when there is none.
  var firstPosition: UInt64? {
    index.withLock { $0.start < $0.entries.count ? $0.entries[$0.start].firstPosition : nil }
  }
}
