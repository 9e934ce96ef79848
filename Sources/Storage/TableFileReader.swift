// Reading one table file block by block, everything checked before it is believed.

import Platform

/// One block as it was read: its head, and its raw bytes in the reader's memory.
struct ReadBlock {
  var head: BlockHead
  /// Where its head lies in the file.
  var offset: Int
}

/// Walks the blocks of a table file. Lengths are believed only after their checksum was right and they lie
/// within the file; memory is at most two blocks, 64 MiB each.
final class TableFileReader {
  private let file: OpenFile
  private let head: TableFileHead
  private let summary: TableSummary
  private let seed: UInt64
  private var offset = TableFileHead.byteCount
  private var blockCount = 0
  private var chain: UInt64
  private var stored = BlockBytes()
  private var raw = BlockBytes()
  private var decompressor = Decompressor()
  private(set) var isAtEnd = false

  /// Opens the file and checks its length and head.
  init(
    _ directory: DataDirectory, _ head: TableFileHead, _ summary: TableSummary
  ) throws(StorageError) {
    file = try Self.open(directory, summary)
    self.head = head
    self.summary = summary
    seed = head.seed
    chain = head.seed
    let bytes = try readSmall(at: 0, byteCount: TableFileHead.byteCount)
    if let (place, finding) = head.fault(in: bytes) { throw fault(place, finding) }
  }

  private static func open(
    _ directory: DataDirectory, _ summary: TableSummary
  ) throws(StorageError) -> OpenFile {
    let path = directory.path(of: summary.table.fileName)
    let file = try StorageError.damage(path) { () throws(SystemError) in
      try directory.open(summary.table.fileName, .read)
    }
    let size = try StorageError.damage(path) { () throws(SystemError) in try file.size() }
    if size == summary.byteCount { return file }
    let finding = "the file has \(size) bytes, expected \(summary.byteCount)"
    throw .damaged(StorageFault(path: path, offset: min(size, summary.byteCount), finding: finding))
  }

  var path: String { file.path }

  /// A fault of this file.
  func fault(_ place: Int, _ finding: String) -> StorageError {
    .damaged(StorageFault(path: file.path, offset: place, finding: finding))
  }

  /// The raw bytes of the block that was read last; may be changed in place.
  var bytes: BlockBytes {
    _read { yield raw }
    _modify { yield &raw }
  }

  /// Reads the next block; nil after the end block, when the file has been checked to end there.
  func next() throws(StorageError) -> ReadBlock? {
    guard let block = try nextHead() else { return nil }
    try readContent(block)
    return block
  }

  /// Reads the head of the next block and moves on to the block after it.
  func nextHead() throws(StorageError) -> ReadBlock? {
    if isAtEnd { return nil }
    let start = offset
    guard start <= summary.byteCount - BlockHead.byteCount else {
      throw fault(start, "the file ends inside the head of block \(blockCount)")
    }
    let bytes = try readSmall(at: start, byteCount: BlockHead.byteCount)
    let block: BlockHead
    do throws(ContentFault) {
      block = try BlockHead(bytes, seed: seed, offset: start)
    } catch {
      throw fault(start, "block \(blockCount): " + error.finding)
    }
    chain = Checksum.xxh3(bytes, seed: chain)
    guard block.number == UInt32(clamping: blockCount), block.table == head.table else {
      throw fault(
        start, "block \(block.number) of \(block.table.name) stands where block \(blockCount) is expected")
    }
    blockCount += 1
    offset = start + BlockHead.byteCount + Int(block.storedByteCount)
    guard offset <= summary.byteCount else {
      throw fault(
        start, "block \(block.number) goes on to byte \(offset), the file ends at \(summary.byteCount)")
    }
    if block.kind == .end {
      try checkEnd(block, start)
      return nil
    }
    return ReadBlock(head: block, offset: start)
  }

  private func checkEnd(_ block: BlockHead, _ start: Int) throws(StorageError) {
    guard block.firstRow == UInt64(summary.rowCount), block.storedByteCount == 0, block.rawByteCount == 0,
      block.rowCount == 0, blockCount == summary.blockCount, chain == summary.checksum
    else {
      throw fault(
        start,
        "the table ends with \(block.firstRow) rows in \(blockCount) blocks, expected "
          + "\(summary.rowCount) in \(summary.blockCount), or its heads do not give the summary's checksum")
    }
    guard offset == summary.byteCount else {
      throw fault(offset, "the file goes on after its end block to byte \(summary.byteCount)")
    }
    isAtEnd = true
  }

  /// Reads, checks and decompresses what a head promised.
  func readContent(_ block: ReadBlock) throws(StorageError) {
    let count = Int(block.head.storedByteCount)
    let place = block.offset + BlockHead.byteCount
    let isZstd = block.head.form == .zstd
    do throws(SystemError) {
      if isZstd {
        try stored.read(file, at: place, byteCount: count)
      } else {
        try raw.read(file, at: place, byteCount: count)
      }
    } catch {
      throw fault(place, error.description)
    }
    guard (isZstd ? stored.count : raw.count) == count else {
      throw fault(place, "the file ends inside block \(block.head.number)")
    }
    let checksum = isZstd ? stored.checksum(seed: seed) : raw.checksum(seed: seed)
    guard checksum == block.head.storedChecksum else {
      throw fault(
        place,
        "the checksum of block \(block.head.number) is \(hexadecimal(checksum)), expected "
          + hexadecimal(block.head.storedChecksum))
    }
    guard isZstd else {
      if block.head.rawByteCount != block.head.storedByteCount {
        throw fault(block.offset, "a block that is stored as it is has two lengths")
      }
      return
    }
    do throws(CompressionError) {
      try raw.decompress(stored, byteCount: Int(block.head.rawByteCount), with: &decompressor)
    } catch {
      throw fault(place, error.description)
    }
  }

  private func readSmall(at place: Int, byteCount: Int) throws(StorageError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: byteCount)
    let count: Int
    do throws(SystemError) {
      var span = bytes.mutableSpan
      count = try file.read(at: place, into: &span)
    } catch {
      throw fault(place, error.description)
    }
    guard count == byteCount else { throw fault(place + count, "the file ends here") }
    return bytes
  }
}
