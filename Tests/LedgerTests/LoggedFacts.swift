// The records of a log as an array, cut into records and units.

import Columns
import Platform

@testable import Ledger

/// What a log has given so far.
struct LoggedFacts {
  private(set) var bytes: [UInt8] = []
  /// Place behind each record, and whether the record ends a unit.
  private(set) var ends: [(offset: Int, endsUnit: Bool)] = []

  /// Takes everything that is published.
  mutating func take(from log: FactLog) throws {
    while let next = log.nextRecordByteCount {
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(next, 10_000), alignment: 16)
      defer { unsafe buffer.deallocate() }
      let drained = unsafe log.drain(into: buffer)
      let first = bytes.count
      unsafe bytes.append(contentsOf: buffer[..<drained.byteCount])
      var place = first
      while place < bytes.count {
        let head = unsafe try bytes.withUnsafeBytes { (all) throws in
          unsafe try RecordHead(UnsafeRawBufferPointer(rebasing: all[place...]))
        }
        place += head.recordByteCount
        ends.append((place, head.endsUnit))
      }
    }
  }

  /// The bytes of each record.
  var records: [[UInt8]] {
    ends.indices.map { Array(bytes[($0 == 0 ? 0 : ends[$0 - 1].offset)..<ends[$0].offset]) }
  }

  func facts() throws -> [(position: UInt64, fact: Fact)] { try records.map { try Self.decode($0) } }

  static func decode(_ record: [UInt8]) throws(RecordFault) -> (position: UInt64, fact: Fact) {
    unsafe try record.span.withUnsafeBytes { (bytes) throws(RecordFault) in unsafe try Fact.decode(bytes) }
  }

  /// The record that a log makes of a fact.
  static func encode(_ fact: Fact, position: UInt64) throws -> [UInt8] {
    let log = FactLog()
    switch fact {
    case .transactionPosted(let fact):
      let heap = TextHeap()
      unsafe log.appender.append(fact, detail: heap.bytes(fact.detail.append(to: heap)), position: position)
    case .keyRemembered(let fact):
      log.appender.append(
        keyRecord: KeyMemory.record(fact.key, fact.outcome), time: fact.time, position: position)
    case .ledgerCreated, .ledgerUpdated, .identityCreated, .identityUpdated, .identityDeleted,
      .balanceCreated,
      .balanceIdentityChanged, .metadataChanged:
      log.appender.append(fact, position: position)
    }
    log.appender.endUnit()
    var facts = LoggedFacts()
    try facts.take(from: log)
    return facts.bytes
  }
}

extension FactReplayer {
  mutating func apply(_ records: some Collection<UInt8>) throws(ReplayFault) {
    let records = Array(records)
    unsafe try records.span.withUnsafeBytes { (bytes) throws(ReplayFault) in unsafe try apply(bytes) }
  }
}

/// New books without anything, brought forward by records.
func replayed(
  _ records: some Collection<UInt8>, clock: any TimeSource, seed: (UInt64, UInt64) = (5, 5)
) throws -> Books {
  let books = Books(emptyWith: clock, seed: seed)
  var replayer = FactReplayer(books)
  try replayer.apply(records)
  return books
}
