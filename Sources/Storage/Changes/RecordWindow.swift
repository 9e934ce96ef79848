// A piece of a segment in memory: what has been read of the file, and where it stands there.

import Ledger
import Platform

/// Reads a file of whole blocks through aligned memory, past the page cache where the journal writes past it.
@safe
struct RecordWindow: ~Copyable {
  /// Bytes read for a look at a group's head, and for records.
  private static let headByteCount = 64 << 10
  private static let recordByteCount = 256 << 10

  private let file: OpenFile
  private var memory: PageMemory
  /// Where in the file the memory begins, and how many bytes of it have been read.
  private var start = 0
  private var byteCount = 0

  init(_ file: consuming OpenFile) throws(SystemError) {
    memory = try PageMemory(byteCount: Self.recordByteCount)
    self.file = file
  }

  var path: String { file.path }

  /// Forgets what was read: more may have been written since.
  mutating func forget() { byteCount = 0 }

  /// Reads until `count` bytes from `offset` on are here.
  /// - Returns: whether the file has them.
  private mutating func load(_ offset: Int, _ count: Int, ahead: Int) throws(SystemError) -> Bool {
    if offset >= start, offset + count <= start + byteCount { return true }
    let block = SegmentFormat.blockByteCount
    start = offset & ~(block - 1)
    let wanted = SegmentFormat.padded(max(offset - start + count, ahead))
    if wanted > memory.byteCount { memory = try PageMemory(byteCount: wanted) }
    byteCount = 0
    let room = unsafe UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<wanted])
    byteCount = unsafe try file.read(at: start, into: room)
    return offset + count <= start + byteCount
  }

  /// The head of the group at `offset` and its checksum; nil when there is none, or a wrong one.
  mutating func groupHead(at offset: Int, seed: UInt64) throws(SystemError) -> (GroupHead, UInt64)? {
    guard try load(offset, GroupHead.byteCount, ahead: Self.headByteCount) else { return nil }
    let bytes = unsafe UnsafeRawBufferPointer(
      rebasing: memory.bytes[offset - start..<offset - start + GroupHead.byteCount])
    guard let (head, checksum) = unsafe GroupHead.decode(bytes, seed: seed),
      Int(head.block) * SegmentFormat.blockByteCount == offset
    else { return nil }
    return (head, checksum)
  }

  /// The head of the record at `offset`, when the whole of it is right.
  /// - Parameters:
  ///   - end: of the group's records.
  ///   - seed: checksum of what stands before it in the group.
  /// - Throws: what is wrong with it.
  mutating func record(at offset: Int, before end: Int, seed: UInt64) throws(ChangeFault) -> RecordHead {
    guard end - offset >= RecordHead.byteCount, try isHere(offset, RecordHead.byteCount),
      let head = head(at: offset), head.recordByteCount <= end - offset,
      try isHere(offset, head.recordByteCount)
    else { throw fault(offset, "the record is cut off") }
    let place = offset - start
    let bytes = unsafe UnsafeMutableRawBufferPointer(
      rebasing: memory.bytes[place..<place + head.recordByteCount])
    // The checksum was made with zeros in its place.
    unsafe bytes.storeBytes(of: 0, toByteOffset: RecordHead.checksumOffset, as: UInt64.self)
    let expected = unsafe Checksum.xxh3(UnsafeRawBufferPointer(bytes), seed: seed)
    unsafe bytes.storeBytes(
      of: head.checksum.littleEndian, toByteOffset: RecordHead.checksumOffset, as: UInt64.self)
    guard head.checksum == expected else { throw fault(offset, "the checksum of the record is wrong") }
    return head
  }

  private mutating func isHere(_ offset: Int, _ count: Int) throws(ChangeFault) -> Bool {
    do throws(SystemError) { return try load(offset, count, ahead: Self.recordByteCount) } catch {
      throw .unreadable(error.description)
    }
  }

  private func head(at offset: Int) -> RecordHead? {
    let place = offset - start
    return try? unsafe RecordHead(
      UnsafeRawBufferPointer(rebasing: memory.bytes[place..<place + RecordHead.byteCount]))
  }

  /// Appends the record that `record` has just been asked for.
  func append(recordAt offset: Int, _ byteCount: Int, to records: inout [UInt8]) {
    let place = offset - start
    unsafe records.append(
      contentsOf: UnsafeRawBufferPointer(rebasing: memory.bytes[place..<place + byteCount]))
  }

  func fault(_ offset: Int, _ finding: String) -> ChangeFault {
    .unreadable(StorageFault(path: path, offset: offset, finding: finding).description)
  }
}
