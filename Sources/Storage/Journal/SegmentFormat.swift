// The bytes of a journal segment around its records: the head of the file, the head of a group.
//
// A segment is a file of whole blocks of 4 KiB, filled with zeros and synced before it is used. Block 0 is
// its head, written together with the first group. Each group starts on a fresh block: a head of 64 bytes,
// records without gaps, zeros to the end of the block. Numbers are little-endian.
//
//   head of a segment, block 0                      head of a group
//    0  8  "LEDGJRNL"                                0  4  "LGRP"
//    8  4  format version, 1                         4  1  format version, 1
//   12  4  incarnation                               5  1  flags: bit 0 seal, bit 1 clean stop
//   16 16  directory id: high half, low half         6  2  segment number, its low 16 bits
//   32  8  segment number                            8  8  group number
//   40  8  byte count of the file                   16  8  position of the first record
//   48  8  position of the first record             24  8  durable watermark
//   56  8  checksum of the record before it         32  8  checksum of the record before the first
//   64  8  durable watermark                        40  4  byte count of the records
//   72  8  number of its first group                44  4  record count
//   80  8  XXH3 of the block with this field 0      48  4  incarnation
//   88     zeros                                    52  4  number of the block in the file
//                                                   56  8  XXH3 of bytes 0..<56, seed: the directory's
//
// The checksum of a group's head is the seed of its first record, that of each record the seed of the next.

import Ledger
import Platform

/// Names of segment files: `journal-` and the number in eight digits or more.
package enum SegmentName {
  private static let prefix = "journal-"
  private static let suffix = ".seg"
  /// Ends the name of a segment that is not yet filled with zeros.
  static let unfinishedSuffix = ".seg.tmp"

  package static func name(_ number: UInt64) -> String { stem(number) + suffix }

  static func unfinishedName(_ number: UInt64) -> String { stem(number) + unfinishedSuffix }

  /// The number in the name of a segment; nil for other names.
  package static func number(_ name: String) -> UInt64? {
    guard name.hasPrefix(prefix), name.hasSuffix(suffix),
      let number = UInt64(name.dropFirst(prefix.count).dropLast(suffix.count)),
      SegmentFormat.numbers.contains(number), self.name(number) == name
    else { return nil }
    return number
  }

  /// Whether it is of a segment whose making a crash cut short.
  package static func isUnfinished(_ name: String) -> Bool {
    name.hasPrefix(prefix) && name.hasSuffix(unfinishedSuffix)
  }

  private static func stem(_ number: UInt64) -> String {
    let digits = String(number)
    return prefix + String(repeating: "0", count: max(0, 8 - digits.utf8.count)) + digits
  }
}

/// Sizes of the format.
package enum SegmentFormat {
  package static let blockByteCount = OpenFile.directAlignment
  /// A file with fewer bytes is no segment: the head and one group.
  package static let leastByteCount = 2 * blockByteCount
  static let version: UInt32 = 1
  /// Positions, and numbers of groups and segments, that can be: one can count on from each for ever.
  static let numbers: Range<UInt64> = 1..<1 << 62
  static let incarnations: Range<UInt32> = 0..<1 << 31

  /// `byteCount` and what lacks to a whole number of blocks.
  static func padded(_ byteCount: Int) -> Int { (byteCount + blockByteCount - 1) & ~(blockByteCount - 1) }

  /// Seed of the checksums of group heads: a head of another directory is no head here.
  static func seed(_ directory: DirectoryIdentifier) -> UInt64 {
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(directory.high)
    bytes.appendLittleEndian(directory.low)
    return Checksum.xxh3(bytes)
  }
}

/// Block 0 of a segment.
struct SegmentHead: Equatable, Sendable {
  private static let magic: [UInt8] = Array("LEDGJRNL".utf8)
  private static let checksumOffset = 80

  var incarnation: UInt32
  var directory: DirectoryIdentifier
  var segment: UInt64
  var byteCount: Int
  var firstPosition: UInt64
  /// Checksum of the record before the first; 0 when there is none.
  var chain: UInt64
  var durable: UInt64
  var firstGroup: UInt64

  /// The block.
  func encoded() -> [UInt8] {
    var bytes = Self.magic
    bytes.appendLittleEndian(SegmentFormat.version)
    bytes.appendLittleEndian(incarnation)
    for word in [
      directory.high, directory.low, segment, UInt64(byteCount), firstPosition, chain, durable, firstGroup,
    ] {
      bytes.appendLittleEndian(word)
    }
    bytes += [UInt8](repeating: 0, count: SegmentFormat.blockByteCount - bytes.count)
    let checksum = Checksum.xxh3(bytes)
    for place in 0..<8 {
      bytes[Self.checksumOffset + place] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt64(place)))
    }
    return bytes
  }

  /// What block 0 of a file holds.
  enum Reading: Equatable {
    case zeros
    case good(SegmentHead)
    /// Whole, but of another kind or version.
    case foreign(finding: String)
    case bad(finding: String)
  }

  /// Reads block 0.
  static func reading(_ block: [UInt8]) -> Reading {
    precondition(block.count == SegmentFormat.blockByteCount, "the head of a segment is read whole")
    guard Array(block[..<8]) == magic else {
      return SegmentWindow.isZero(block) ? .zeros : .bad(finding: "this is not the head of a segment")
    }
    var cleared = block
    for place in checksumOffset..<checksumOffset + 8 { cleared[place] = 0 }
    let found: UInt64 = block.littleEndian(at: checksumOffset)
    let expected = Checksum.xxh3(cleared)
    guard found == expected else {
      return .bad(
        finding: "the checksum of the segment's head is \(hexadecimal(found)), expected "
          + hexadecimal(expected))
    }
    let version: UInt32 = block.littleEndian(at: 8)
    guard version == SegmentFormat.version else {
      return .foreign(
        finding: "the segment is of format version \(version), this program reads \(SegmentFormat.version): "
          + "use the version that wrote it")
    }
    guard let byteCount = Int(exactly: block.littleEndian(at: 40) as UInt64) else {
      return .bad(finding: "the segment's head names an impossible size")
    }
    let head = SegmentHead(
      incarnation: block.littleEndian(at: 12),
      directory: DirectoryIdentifier(high: block.littleEndian(at: 16), low: block.littleEndian(at: 24)),
      segment: block.littleEndian(at: 32), byteCount: byteCount,
      firstPosition: block.littleEndian(at: 48), chain: block.littleEndian(at: 56),
      durable: block.littleEndian(at: 64), firstGroup: block.littleEndian(at: 72))
    guard SegmentFormat.numbers.contains(head.firstPosition),
      SegmentFormat.incarnations.contains(head.incarnation)
    else { return .bad(finding: "the segment's head names an impossible position or incarnation") }
    return .good(head)
  }
}

/// The first 64 bytes of a group.
struct GroupHead: Equatable, Sendable {
  static let byteCount = 64
  private static let magic: UInt32 = 0x5052_474C  // "LGRP"
  private static let version: UInt8 = 1

  /// What a group without records says.
  struct Flags: OptionSet, Sendable {
    let rawValue: UInt8
    /// Nothing was waiting: everything before it is synced.
    static let seal = Flags(rawValue: 1)
    /// The server stopped: nothing follows in this incarnation.
    static let cleanStop = Flags(rawValue: 2)
  }

  var flags: Flags = []
  var segment: UInt64
  var group: UInt64
  /// Of the next record, if the group has none.
  var firstPosition: UInt64
  /// Position of the last fact that was known to be synced when the group was written; the end of a unit.
  var durable: UInt64
  /// Checksum of the record before the first.
  var chain: UInt64
  var recordByteCount: Int
  var recordCount: Int
  var incarnation: UInt32
  var block: UInt32

  /// Bytes of the whole group.
  var paddedByteCount: Int { SegmentFormat.padded(Self.byteCount + recordByteCount) }

  /// Writes the head.
  /// - Returns: its checksum, the seed of the first record.
  func encode(into bytes: UnsafeMutableRawBufferPointer, seed: UInt64) -> UInt64 {
    precondition(bytes.count >= Self.byteCount, "a head has 64 bytes")
    let word = UInt64(Self.magic) | UInt64(Self.version) << 32 | UInt64(flags.rawValue) << 40
    unsafe bytes.store(word | (segment & 0xFFFF) << 48, at: 0)
    unsafe bytes.store(group, at: 8)
    unsafe bytes.store(firstPosition, at: 16)
    unsafe bytes.store(durable, at: 24)
    unsafe bytes.store(chain, at: 32)
    unsafe bytes.store(UInt64(UInt32(recordByteCount)) | UInt64(UInt32(recordCount)) << 32, at: 40)
    unsafe bytes.store(UInt64(incarnation) | UInt64(block) << 32, at: 48)
    let checksum = unsafe Checksum.xxh3(UnsafeRawBufferPointer(rebasing: bytes[..<56]), seed: seed)
    unsafe bytes.store(checksum, at: 56)
    return checksum
  }

  /// Reads a head; nil unless it begins as one, its checksum is right and its numbers can be.
  /// - Returns: the head and its checksum.
  static func decode(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> (head: GroupHead, checksum: UInt64)? {
    guard bytes.count >= byteCount else { return nil }
    let word = unsafe bytes.word(at: 0)
    guard UInt32(truncatingIfNeeded: word) == magic else { return nil }
    let checksum = unsafe bytes.word(at: 56)
    guard unsafe Checksum.xxh3(UnsafeRawBufferPointer(rebasing: bytes[..<56]), seed: seed) == checksum,
      UInt8(truncatingIfNeeded: word >> 32) == version
    else { return nil }
    let counts = unsafe bytes.word(at: 40)
    let places = unsafe bytes.word(at: 48)
    let head = unsafe GroupHead(
      flags: Flags(rawValue: UInt8(truncatingIfNeeded: word >> 40)), segment: word >> 48,
      group: bytes.word(at: 8), firstPosition: bytes.word(at: 16), durable: bytes.word(at: 24),
      chain: bytes.word(at: 32), recordByteCount: Int(counts & 0xFFFF_FFFF), recordCount: Int(counts >> 32),
      incarnation: UInt32(truncatingIfNeeded: places), block: UInt32(truncatingIfNeeded: places >> 32))
    // Whoever can make a checksum must not be able to make a number overflow.
    guard SegmentFormat.numbers.contains(head.firstPosition), SegmentFormat.numbers.contains(head.group),
      SegmentFormat.incarnations.contains(head.incarnation)
    else { return nil }
    return (head, checksum)
  }

  static func decode(_ bytes: Span<UInt8>, seed: UInt64) -> (head: GroupHead, checksum: UInt64)? {
    unsafe bytes.withUnsafeBytes { unsafe decode($0, seed: seed) }
  }

  static func isOfOtherVersion(_ bytes: Span<UInt8>, seed: UInt64) -> Bool {
    unsafe bytes.withUnsafeBytes { unsafe isOfOtherVersion($0, seed: seed) }
  }

  /// Whether `bytes` begin with a right head of a version that this program does not know.
  static func isOfOtherVersion(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> Bool {
    guard bytes.count >= byteCount else { return false }
    let word = unsafe bytes.word(at: 0)
    return unsafe UInt32(truncatingIfNeeded: word) == magic
      && UInt8(truncatingIfNeeded: word >> 32) != version
      && Checksum.xxh3(UnsafeRawBufferPointer(rebasing: bytes[..<56]), seed: seed) == bytes.word(at: 56)
  }
}

extension UnsafeMutableRawBufferPointer {
  fileprivate func store(_ word: UInt64, at offset: Int) {
    unsafe storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt64.self)
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func word(at offset: Int) -> UInt64 {
    unsafe UInt64(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}
