// The checksums of records: each is seeded with the one before it, the first with its group's head.

import Ledger
import Platform

/// What a walk over the records of a group found.
struct RecordWalk: Equatable {
  /// Whole records that are right, from the first on.
  var byteCount = 0
  var recordCount = 0
  /// Checksum of the last of them, or what the walk began with.
  var chain: UInt64
  /// The part of them up to the last end of a unit, and the checksum there.
  var unitByteCount = 0
  var unitRecordCount = 0
  var unitChain: UInt64
  /// The part of them up to the first end of a unit.
  var firstUnitByteCount = 0
  var firstUnitRecordCount = 0
  /// Why the walk ended before the end of the bytes; nil when all are right, or at the limit.
  var finding: String?
}

/// Filling in and verifying the checksums of records.
enum RecordChain {
  /// Fills in the checksums of whole records that were written here.
  /// - Parameters:
  ///   - records: their checksum fields are zero.
  ///   - seed: checksum of the group's head.
  /// - Returns: checksum of the last record, or the seed if there is none. O(bytes).
  static func seal(_ records: UnsafeMutableRawBufferPointer, seed: UInt64) -> UInt64 {
    var chain = seed
    var place = 0
    while place < records.count {
      let byteCount = unsafe Int(UInt32(littleEndian: records.load(at: place)))
      precondition(
        byteCount >= RecordHead.byteCount && byteCount <= records.count - place, "records lie without gaps")
      chain = unsafe Checksum.xxh3(
        UnsafeRawBufferPointer(rebasing: records[place..<place + byteCount]), seed: chain)
      unsafe records.storeBytes(
        of: chain.littleEndian, toByteOffset: place + RecordHead.checksumOffset, as: UInt64.self)
      place += byteCount
    }
    return chain
  }

  /// Bytes of the first `recordCount` of some verified records. O(records).
  static func byteCount(ofFirst recordCount: Int, in records: UnsafeRawBufferPointer) -> Int {
    var place = 0
    for _ in 0..<recordCount {
      place += unsafe Int(
        UInt32(littleEndian: records.loadUnaligned(fromByteOffset: place, as: UInt32.self)))
    }
    return place
  }

  /// Verifies records that were read, trusting nothing. O(bytes).
  /// - Parameters:
  ///   - records: the bytes that the group's head claims; left as they are.
  ///   - seed: checksum of the group's head.
  ///   - firstPosition: of the first record.
  ///   - limit: the walk ends before the record of this position.
  static func walk(
    _ records: UnsafeMutableRawBufferPointer, seed: UInt64, chain: UInt64, firstPosition: UInt64,
    limit: UInt64
  ) -> RecordWalk {
    var walk = RecordWalk(chain: chain, unitChain: chain)
    var seed = seed
    var position = firstPosition
    while walk.byteCount < records.count, position < limit {
      let place = walk.byteCount
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: records[place...])
      guard rest.count >= RecordHead.byteCount else {
        walk.finding = "a record of \(rest.count) bytes"
        break
      }
      let byteCount = unsafe Int(UInt32(littleEndian: rest.load(at: 0)))
      guard byteCount >= RecordHead.byteCount, byteCount <= rest.count else {
        walk.finding = "the record claims \(byteCount) bytes, \(rest.count) are left in its group"
        break
      }
      let record = unsafe UnsafeMutableRawBufferPointer(rebasing: rest[..<byteCount])
      let found = unsafe UInt64(
        littleEndian: record.loadUnaligned(
          fromByteOffset: RecordHead.checksumOffset, as: UInt64.self))
      unsafe record.storeBytes(of: 0, toByteOffset: RecordHead.checksumOffset, as: UInt64.self)
      let expected = unsafe Checksum.xxh3(UnsafeRawBufferPointer(record), seed: seed)
      unsafe record.storeBytes(
        of: found.littleEndian, toByteOffset: RecordHead.checksumOffset, as: UInt64.self)
      let named = unsafe UInt64(
        littleEndian: record.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      guard found == expected || PlantedFaults.has(.uncheckedRecords), named == position else {
        walk.finding =
          found == expected
          ? "the record is of position \(named), expected \(position)"
          : "the checksum of the record is \(hexadecimal(found)), expected \(hexadecimal(expected))"
        break
      }
      seed = found
      position += 1
      walk.chain = found
      walk.byteCount += byteCount
      walk.recordCount += 1
      if unsafe record[RecordHead.flagsOffset] & RecordHead.endsUnitFlag != 0 || PlantedFaults.has(.halfUnits)
      {
        if walk.unitByteCount == 0 {
          walk.firstUnitByteCount = walk.byteCount
          walk.firstUnitRecordCount = walk.recordCount
        }
        walk.unitByteCount = walk.byteCount
        walk.unitRecordCount = walk.recordCount
        walk.unitChain = found
      }
    }
    return walk
  }
}

extension UnsafeMutableRawBufferPointer {
  fileprivate func load(at offset: Int) -> UInt32 {
    unsafe loadUnaligned(fromByteOffset: offset, as: UInt32.self)
  }
}
