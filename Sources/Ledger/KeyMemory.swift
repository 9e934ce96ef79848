// The idempotency keys of the latest commands, with what became of each.

import Columns
import Platform

/// Records of 1,024 keys. Written once by the writer; readers read those that their cut knows.
///
/// ```
/// record    content digest 8 bytes | text of the key | outcome      (see RecordBytes.swift)
/// ```
@safe final class KeyChunk: Sendable {
  static let recordCount = 1024

  private nonisolated(unsafe) let records: UnsafeMutablePointer<UnsafeMutableRawBufferPointer>

  init() {
    unsafe records = .allocate(capacity: Self.recordCount)
    unsafe records.initialize(
      repeating: UnsafeMutableRawBufferPointer(start: nil, count: 0), count: Self.recordCount)
  }

  deinit {
    for place in 0..<Self.recordCount { unsafe records[place].deallocate() }
    unsafe records.deallocate()
  }

  /// Writes a record once.
  func set(_ place: Int, _ bytes: [UInt8]) {
    unsafe precondition(records[place].baseAddress == nil, "a record is written once")
    let record = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    unsafe record.copyBytes(from: bytes)
    unsafe records[place] = record
  }

  /// The record's bytes, valid while the chunk lives.
  func bytes(_ place: Int) -> UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(records[place]) }
}

/// The keys that were remembered at one moment, oldest first. Any thread; no lock.
@safe package struct RememberedKeys: Sendable {
  /// Chunk n holds the keys with numbers n · 1,024 and on, counted from the first chunk's first key.
  fileprivate var chunks: [KeyChunk] = []
  fileprivate var firstChunkNumber = 0
  /// Numbers of the keys: each key ever remembered has the next one.
  fileprivate var first = 0
  fileprivate var end = 0

  package var count: Int { end - first }

  /// Calls `body` with the bytes of each record, oldest first, for a snapshot; `BooksRestorer` takes them
  /// back.
  package func forEachRecord<Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    for number in first..<end { try unsafe body(record(number)) }
  }

  fileprivate func record(_ number: Int) -> UnsafeRawBufferPointer {
    let place = number - firstChunkNumber * KeyChunk.recordCount
    return unsafe chunks[place / KeyChunk.recordCount].bytes(place % KeyChunk.recordCount)
  }
}

/// The latest keys by number and by hash. The writer's alone, but for the values of `remembered` that it
/// hands out.
struct KeyMemory {
  /// Keys that are remembered, unless a test sets fewer.
  static let defaultLimit = 1_000_000

  private(set) var remembered = RememberedKeys()
  private let limit: Int
  /// Open addressing: high half the tag of the hash, low half the key's number modulo `limit`, plus one; 0 is
  /// empty.
  private var slots: [UInt64] = []

  init(limit: Int = KeyMemory.defaultLimit) {
    precondition(limit > 0 && limit < Int(UInt32.max), "a limit that fits a slot")
    self.limit = limit
  }

  var count: Int { remembered.count }

  /// What the key stands for: the digest of its command and the outcome.
  func find(_ text: String) -> (contentDigest: UInt64, outcome: Outcome)? {
    if slots.isEmpty { return nil }
    let tag = Self.tag(text)
    var slot = Int(tag) & (slots.count - 1)
    while slots[slot] != 0 {
      if slots[slot] >> 32 == tag {
        let entry = unsafe Self.decoded(unsafe remembered.record(number(slots[slot])))
        if entry.key.text == text { return (entry.key.contentDigest, entry.outcome) }
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  /// Adds a key that is not remembered; the oldest goes when there are too many. O(outcome).
  mutating func append(_ key: IdempotencyKey, _ outcome: Outcome) {
    append(record: Self.record(key, outcome), text: key.text)
  }

  /// The record of a key, as it is drawn at `KeyChunk`. O(outcome).
  static func record(_ key: IdempotencyKey, _ outcome: Outcome) -> [UInt8] {
    var writer = RecordWriter()
    writer.append(word: key.contentDigest)
    writer.append(text: key.text)
    outcome.append(to: &writer)
    return writer.bytes
  }

  /// Adds a record that `RememberedKeys` gave out.
  mutating func restore(_ record: [UInt8]) throws(RecordFault) {
    let entry = try Self.parsed(record.span)
    if find(entry.key.text) != nil { throw .malformed }
    append(record: record, text: entry.key.text)
  }

  /// Adds the record of a key that is not remembered.
  mutating func append(record: [UInt8], text: String) {
    if remembered.count == limit { dropOldest() }
    if (remembered.count + 1) * 2 > slots.count { grow() }
    let place = remembered.end - remembered.firstChunkNumber * KeyChunk.recordCount
    if place / KeyChunk.recordCount == remembered.chunks.count { remembered.chunks.append(KeyChunk()) }
    remembered.chunks[place / KeyChunk.recordCount].set(place % KeyChunk.recordCount, record)
    insert(Self.tag(text) << 32 | UInt64(remembered.end % limit + 1))
    remembered.end += 1
  }

  // MARK: The index

  private static func tag(_ text: String) -> UInt64 {
    var text = text
    return text.withUTF8 { unsafe KeyHash.hash(UnsafeRawBufferPointer($0)) } >> 32
  }

  /// Number of the key in a slot: the one remembered number with that remainder.
  private func number(_ slot: UInt64) -> Int {
    let remainder = Int(slot & 0xFFFF_FFFF) - 1
    return remembered.first + (remainder - remembered.first % limit + limit) % limit
  }

  private mutating func insert(_ entry: UInt64) {
    var slot = Int(entry >> 32) & (slots.count - 1)
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = entry
  }

  private mutating func grow() {
    let old = slots
    slots = [UInt64](repeating: 0, count: max(old.count * 2, 64))
    for entry in old where entry != 0 { insert(entry) }
  }

  private mutating func dropOldest() {
    let text = unsafe Self.decoded(remembered.record(remembered.first)).key.text
    remove(Self.tag(text) << 32 | UInt64(remembered.first % limit + 1))
    remembered.first += 1
    if remembered.first / KeyChunk.recordCount > remembered.firstChunkNumber {
      remembered.chunks.removeFirst()
      remembered.firstChunkNumber += 1
    }
  }

  /// Takes an entry out and moves back those that it had displaced (Knuth, volume 3, 6.4, algorithm R).
  private mutating func remove(_ entry: UInt64) {
    let mask = slots.count - 1
    var hole = Int(entry >> 32) & mask
    while slots[hole] != entry { hole = (hole + 1) & mask }
    var next = (hole + 1) & mask
    while slots[next] != 0 {
      let home = Int(slots[next] >> 32) & mask
      if (next - home) & mask >= (next - hole) & mask {
        slots[hole] = slots[next]
        hole = next
      }
      next = (next + 1) & mask
    }
    slots[hole] = 0
  }

  // MARK: Records

  private static func decoded(_ record: UnsafeRawBufferPointer) -> (key: IdempotencyKey, outcome: Outcome) {
    do {
      return try unsafe parsed(Span(_unsafeBytes: record))
    } catch {
      preconditionFailure("a record that was written here: \(error)")
    }
  }

  static func parsed(
    _ bytes: Span<UInt8>
  ) throws(RecordFault) -> (key: IdempotencyKey, outcome: Outcome) {
    var reader = RecordReader(bytes)
    let digest = try reader.word()
    let text = try reader.text()
    let outcome = try Outcome(&reader)
    if !reader.isAtEnd { throw .malformed }
    return (IdempotencyKey(text: text, contentDigest: digest), outcome)
  }
}
