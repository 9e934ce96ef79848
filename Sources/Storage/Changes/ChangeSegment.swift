// One segment as followers read it: from any position on, without reading all that comes before it.

import Ledger
import Platform

/// A segment that is open for followers, with an index of places in it that grows as they read.
///
/// Every record is verified before it is given out, by the chain of checksums from the head of its group or
/// from a place of the index, which was verified when it was noted.
final class ChangeSegment: Sendable {
  /// Bytes between two places of the index, at least.
  private static let indexStep = 64 << 10

  /// Where a record begins.
  private struct Place {
    var offset: Int
    var position: UInt64
    /// Checksum of what stands before it: the seed of its own.
    var seed: UInt64
    /// Where the records of its group end, and position of the last of them.
    var groupEnd: Int
    var groupLast: UInt64
  }

  private struct State: ~Copyable {
    var window: RecordWindow
    /// By position.
    var index: [Place] = []
    /// Where the last reader stopped.
    var last: Place?
  }

  let number: UInt64
  private let seed: UInt64
  private let state: Guarded<State>

  init(number: UInt64, in directory: DataDirectory, seed: UInt64, direct: Bool) throws(SystemError) {
    self.number = number
    self.seed = seed
    let file = try directory.open(SegmentName.name(number), .read, direct: direct)
    state = Guarded(State(window: try RecordWindow(file)))
  }

  /// Copies whole records from `position` on, of positions up to `limit`, about `byteLimit` bytes and at
  /// least one record. One caller at a time; the others wait.
  /// - Returns: empty when the segment ends before `position`.
  /// - Complexity: O(bytes copied + one step of the index); the first to come so far reads the heads of the
  ///   groups before.
  func records(
    from position: UInt64, upTo limit: UInt64, byteLimit: Int
  ) throws(ChangeFault) -> [UInt8] {
    try state.withLock { state throws(ChangeFault) in
      let found = try? records(&state, from: position, upTo: limit, byteLimit)
      if let found, !found.isEmpty { return found }
      // What was read when less had been written may be zeros, or a part of a group.
      state.window.forget()
      return try records(&state, from: position, upTo: limit, byteLimit)
    }
  }

  private func records(
    _ state: inout State, from position: UInt64, upTo limit: UInt64, _ byteLimit: Int
  ) throws(ChangeFault) -> [UInt8] {
    guard var place = try place(of: position, &state) else { return [] }
    var records: [UInt8] = []
    while place.position <= limit {
      if place.offset == place.groupEnd {
        guard let next = try nextGroup(after: place, &state.window) else { break }
        place = next
        continue
      }
      let head = try record(at: place, &state.window)
      if !records.isEmpty, records.count + head.recordByteCount > byteLimit { break }
      state.window.append(recordAt: place.offset, head.recordByteCount, to: &records)
      step(&place, head, &state)
    }
    state.last = place
    return records
  }

  /// The place of the record of `position`; nil when the segment ends before it.
  private func place(of position: UInt64, _ state: inout State) throws(ChangeFault) -> Place? {
    var place =
      state.index[..<Self.upperBound(of: position, in: state.index)].last
      ?? Place(
        offset: SegmentFormat.blockByteCount, position: 0, seed: 0, groupEnd: SegmentFormat.blockByteCount,
        groupLast: 0)
    if let last = state.last, last.position <= position, last.position > place.position { place = last }
    while true {
      if place.offset == place.groupEnd {
        guard let next = try nextGroup(after: place, &state.window) else { return nil }
        place = next
        note(place, &state)
        continue
      }
      if place.position == position { return place }
      if place.position > position { return nil }
      if position > place.groupLast {
        place.offset = place.groupEnd
      } else {
        step(&place, try record(at: place, &state.window), &state)
      }
    }
  }

  /// The first place of the group behind `place`, which ends its own; nil when there is none.
  private func nextGroup(
    after place: Place, _ window: inout RecordWindow
  ) throws(ChangeFault) -> Place? {
    var offset = SegmentFormat.padded(place.offset)
    do throws(SystemError) {
      while let (head, checksum) = try window.groupHead(at: offset, seed: seed) {
        // Another segment's number: these blocks were copied here.
        guard head.segment == number & 0xFFFF else { return nil }
        let start = offset + GroupHead.byteCount
        if head.recordByteCount > 0 {
          return Place(
            offset: start, position: head.firstPosition, seed: checksum,
            groupEnd: start + head.recordByteCount,
            groupLast: head.firstPosition + UInt64(head.recordCount) - 1)
        }
        // A seal.
        offset += head.paddedByteCount
      }
      return nil
    } catch {
      throw .unreadable("\(error)")
    }
  }

  private func record(at place: Place, _ window: inout RecordWindow) throws(ChangeFault) -> RecordHead {
    let head = try window.record(at: place.offset, before: place.groupEnd, seed: place.seed)
    guard head.position == place.position else {
      throw window.fault(place.offset, "the record is of position \(head.position)")
    }
    return head
  }

  private func step(_ place: inout Place, _ head: RecordHead, _ state: inout State) {
    place.offset += head.recordByteCount
    place.position += 1
    place.seed = head.checksum
    if place.offset < place.groupEnd { note(place, &state) }
  }

  // MARK: The index

  /// Notes a place, if the one noted before it is far enough away.
  private func note(_ place: Place, _ state: inout State) {
    let next = Self.upperBound(of: place.position, in: state.index)
    if next > 0, place.offset - state.index[next - 1].offset < Self.indexStep { return }
    state.index.insert(place, at: next)
  }

  /// How many places are of `position` or before it.
  private static func upperBound(of position: UInt64, in index: [Place]) -> Int {
    var low = 0
    var high = index.count
    while low < high {
      let middle = (low + high) / 2
      if index[middle].position <= position { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
