// Commands of any shape, put into a log without books: the journal does not care what a record holds.

import Platform
import TestSupport

@testable import Ledger
@testable import Storage

/// Fills a log with units of random records and remembers what it put there.
struct SyntheticFacts {
  /// What was put in, by position (the first is position 1).
  struct Record: Equatable {
    var payload: [UInt8]
    var endsUnit: Bool
  }

  private(set) var log = FactLog()
  private(set) var records: [Record] = []
  var generator: SeededGenerator

  init(_ seed: Seed) { generator = seed.generator }

  var position: UInt64 { UInt64(records.count) }

  /// Forgets what came after `position`, and begins a new log there: another life of the server.
  mutating func restart(at position: UInt64) {
    records.removeSubrange(Int(position)...)
    log = FactLog()
    log.appender.begin(at: position)
  }

  /// One command.
  /// - Parameter byteCounts: payload bytes of each of its records.
  mutating func addUnit(_ byteCounts: [Int]) {
    for (place, byteCount) in byteCounts.enumerated() {
      let payload = (0..<byteCount).map { _ in UInt8.random(in: 0...255, using: &generator) }
      records.append(Record(payload: payload, endsUnit: place == byteCounts.count - 1))
      log.appender.append(.metadataChanged, position: position, payloadBound: byteCount) {
        $0.append(bytes: payload)
      }
    }
    log.appender.endUnit()
  }

  /// Payload bytes for a command: mostly one small record, at times many, at times a large one.
  mutating func someByteCounts(largest: Int) -> [Int] {
    switch Int.random(in: 0..<12, using: &generator) {
    case 0: return (0..<Int.random(in: 2...40, using: &generator)).map { _ in small() }
    case 1: return [small(), Int.random(in: 0...largest, using: &generator), small()]
    case 2: return (0..<Int.random(in: 2...5, using: &generator)).map { _ in largest / 3 }
    default: return [small()]
    }
  }

  private mutating func small() -> Int { Int.random(in: 0...300, using: &generator) }

  /// Bytes of such a unit in the log.
  static func byteCount(_ byteCounts: [Int]) -> Int {
    byteCounts.reduce(0) { $0 + $1 + RecordHead.byteCount }
  }

  /// Whether `bytes` are the records from `first` to `last` as they were put in, checksums left out.
  func match(_ bytes: [UInt8], from first: UInt64, to last: UInt64) -> Bool {
    var place = 0
    for position in first..<(last + 1) {
      let record = records[Int(position) - 1]
      let end = place + RecordHead.byteCount + record.payload.count
      guard end <= bytes.count,
        bytes.littleEndian(at: place) as UInt32 == UInt32(end - place),
        bytes.littleEndian(at: place + 8) as UInt64 == position,
        bytes[place + RecordHead.flagsOffset] == (record.endsUnit ? 1 : 0),
        bytes[(place + RecordHead.byteCount)..<end].elementsEqual(record.payload)
      else { return false }
      place = end
    }
    return place == bytes.count
  }
}
