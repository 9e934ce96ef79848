// One follower's place in the journal.

import Ledger

/// Gives facts one after the other, each once and none left out. One thread at a time.
package final class ChangeCursor: @unchecked Sendable {
  // @unchecked: whoever holds it hands it on; two threads never use it at once.

  private let reader: ChangeReader
  /// Position of the fact that comes next.
  package private(set) var position: UInt64
  /// Records read ahead, and where the next one begins.
  fileprivate var records: [UInt8] = []
  fileprivate var place = 0
  /// A fact that was taken and given back.
  private var waiting: KeptFact?

  init(_ reader: ChangeReader, from position: UInt64) {
    self.reader = reader
    self.position = position
  }

  /// The next fact; nil when it is of a later position than `limit`, which is readable.
  package func next(through limit: UInt64) throws(ChangeFault) -> KeptFact? {
    if let waiting, waiting.position <= limit {
      self.waiting = nil
      position += 1
      return waiting
    }
    guard waiting == nil, position <= limit else {
      // Nothing is kept for a follower that has everything.
      if place == records.count, place > 0 {
        records = []
        place = 0
      }
      return nil
    }
    if place == records.count { try read(upTo: limit) }
    let kept = try decoded()
    place += recordByteCount(at: place)
    position += 1
    return kept
  }

  /// Gives back the fact that `next` gave last.
  package func putBack(_ fact: KeptFact) {
    precondition(fact.position == position - 1 && waiting == nil, "the fact that was given last")
    waiting = fact
    position -= 1
  }

  private func read(upTo limit: UInt64) throws(ChangeFault) {
    let found = try reader.records(from: position, upTo: limit)
    records = found.bytes
    place = 0
    for _ in found.firstPosition..<position { place += recordByteCount(at: place) }
  }
}

// MARK: - Records

extension ChangeCursor {
  private func recordByteCount(at place: Int) -> Int {
    Int(records.littleEndian(at: place) as UInt32)
  }

  private func decoded() throws(ChangeFault) -> KeptFact {
    do throws(RecordFault) {
      return unsafe try records.withUnsafeBytes { bytes in
        Result { () throws(RecordFault) in unsafe try decoded(bytes) }
      }.get()
    } catch {
      throw .unreadable("the fact of position \(position): \(error)")
    }
  }

  private func decoded(_ records: UnsafeRawBufferPointer) throws(RecordFault) -> KeptFact {
    let rest = unsafe UnsafeRawBufferPointer(rebasing: records[place...])
    let head = unsafe try RecordHead(rest)
    guard head.position == position, head.recordByteCount <= rest.count else { throw .malformed }
    let (_, fact) = unsafe try Fact.decode(
      UnsafeRawBufferPointer(rebasing: rest[..<head.recordByteCount]))
    return KeptFact(position: position, fact: fact, endsCommand: head.endsUnit)
  }
}
