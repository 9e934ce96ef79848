// Writing one table file: blocks one after the other, in pieces that suit the disk.

import Platform

/// Gathers bytes and writes them in pieces of 4 MiB, past the page cache where the file system can.
///
/// Past the page cache a snapshot is written twice as fast here, and it does not push out what others have in
/// the cache.
@safe struct DirectSink: ~Copyable {
  private static let pieceByteCount = 4 << 20

  private let file: OpenFile
  private let piece: PageMemory
  private var filled = 0
  private var written = 0

  /// Makes the file `name`, which must not exist.
  init(_ directory: DataDirectory, _ name: String, direct: Bool) throws(SystemError) {
    let opened = try Self.make(directory, name, direct: direct)
    let memory = try PageMemory(byteCount: Self.pieceByteCount)
    file = opened
    piece = memory
  }

  private static func make(
    _ directory: DataDirectory, _ name: String, direct: Bool
  ) throws(SystemError) -> OpenFile {
    guard direct else { return try directory.open(name, .createNew) }
    do throws(SystemError) {
      return try directory.open(name, .createNew, direct: true)
    } catch {
      // The file system cannot write past the cache (tmpfs of older kernels, some network file systems).
      guard error.name == "EINVAL" else { throw error }
      if try directory.status(of: name) != nil { try directory.removeFile(name) }
      return try directory.open(name, .createNew)
    }
  }

  /// Bytes that were appended.
  var byteCount: Int { written + filled }

  mutating func append(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
    var done = 0
    while done < bytes.count {
      let count = min(bytes.count - done, Self.pieceByteCount - filled)
      guard let source = bytes.baseAddress else { return }
      unsafe (piece.base + filled).copyMemory(from: source + done, byteCount: count)
      filled += count
      done += count
      if filled == Self.pieceByteCount { try flush() }
    }
  }

  mutating func append(_ bytes: [UInt8]) throws(SystemError) {
    unsafe try bytes.span.withUnsafeBytes { bytes throws(SystemError) in unsafe try append(bytes) }
  }

  private mutating func flush() throws(SystemError) {
    unsafe try file.write(UnsafeRawBufferPointer(start: piece.base, count: filled), at: written)
    written += filled
    filled = 0
  }

  /// Writes what is left, gives the file its length and syncs it. The sink is not used afterwards.
  mutating func finish() throws(SystemError) {
    let total = byteCount
    if filled > 0 {
      // A direct write has a whole number of blocks; what is too much is cut off afterwards.
      let unit = OpenFile.directAlignment
      let padded = file.isDirect ? (filled + unit - 1) / unit * unit : filled
      unsafe (piece.base + filled).initializeMemory(as: UInt8.self, repeating: 0, count: padded - filled)
      unsafe try file.write(UnsafeRawBufferPointer(start: piece.base, count: padded), at: written)
      if padded > filled { try file.truncate(to: total) }
    }
    try file.sync()
  }
}

/// The columns of one group of rows, compressed and ready to be appended to a table file.
@safe struct EncodedGroup: ~Copyable {
  fileprivate var packer = BlockPacker()
  private var joined = BlockBytes()

  init() {}

  /// Starts a group; columns follow in the order of the table's schema.
  mutating func begin(_ table: SnapshotTable, seed: UInt64, firstRow: Int, rowCount: Int) {
    precondition(rowCount > 0 && rowCount <= BlockLimit.rows, "a group has rows, a stripe's at most")
    packer.begin(table, seed: seed, firstRow: firstRow, rowCount: rowCount)
  }

  mutating func add(_ column: UInt8, _ bytes: borrowing BlockBytes) { packer.add(column, bytes) }

  mutating func add(_ column: UInt8, _ split: borrowing SplitColumn) {
    joined.removeAll()
    joined.append(split.lane)
    joined.append(split.tail)
    packer.add(column, joined)
  }

  /// A column of values as they lie in memory.
  mutating func add<Value: FixedWidthInteger & BitwiseCopyable>(
    _ column: UInt8, values: UnsafeBufferPointer<Value>
  ) {
    joined.removeAll()
    unsafe joined.append(values: values)
    packer.add(column, joined)
  }

  /// A column of values that rise, as differences.
  mutating func add<Value: FixedWidthInteger & BitwiseCopyable>(
    _ column: UInt8, differences values: UnsafeBufferPointer<Value>
  ) {
    joined.removeAll()
    unsafe joined.append(differences: values)
    packer.add(column, joined)
  }
}

/// Compresses columns one after the other and keeps the shorter form of each.
private struct BlockPacker: ~Copyable {
  private var compressor = Compressor()
  private var packed = BlockBytes()
  var stored = BlockBytes(capacity: 1 << 20)
  var heads: [BlockHead] = []
  private var table = SnapshotTable.currencies
  private var seed: UInt64 = 0
  private var firstRow = 0
  private(set) var rowCount = 0

  init() {}

  mutating func begin(_ table: SnapshotTable, seed: UInt64, firstRow: Int, rowCount: Int) {
    self.table = table
    self.seed = seed
    self.firstRow = firstRow
    self.rowCount = rowCount
    heads.removeAll(keepingCapacity: true)
    stored.removeAll()
  }

  mutating func add(_ column: UInt8, _ bytes: borrowing BlockBytes) {
    precondition(bytes.count <= BlockLimit.rawByteCount, "a column of a group fits a block")
    let isShorter = packed.compress(bytes, with: &compressor)
    let checksum: UInt64
    let count: Int
    if isShorter {
      stored.append(packed)
      checksum = packed.checksum(seed: seed)
      count = packed.count
    } else {
      stored.append(bytes)
      checksum = bytes.checksum(seed: seed)
      count = bytes.count
    }
    heads.append(
      BlockHead(
        kind: .column, form: isShorter ? .zstd : .raw, table: table, column: column, number: 0,
        firstRow: UInt64(firstRow), rowCount: UInt32(rowCount), rawByteCount: UInt32(bytes.count),
        storedByteCount: UInt32(count), storedChecksum: checksum))
  }
}

/// A column with a lane of fixed width and a tail of what does not fit it.
struct SplitColumn: ~Copyable {
  var lane = BlockBytes()
  var tail = BlockBytes()

  var byteCount: Int { lane.count + tail.count }

  mutating func removeAll() {
    lane.removeAll()
    tail.removeAll()
  }
}

/// Writes the blocks of one table file in order. One thread at a time.
@safe final class TableFileWriter {
  private let head: TableFileHead
  private let seed: UInt64
  private var sink: DirectSink
  private var blockCount = 0
  private var rowCount = 0
  private var chain: UInt64

  init(_ directory: DataDirectory, _ head: TableFileHead, direct: Bool) throws(SystemError) {
    var opened = try DirectSink(directory, head.table.fileName, direct: direct)
    try opened.append(head.encoded())
    sink = opened
    self.head = head
    seed = head.seed
    chain = head.seed
  }

  /// Appends the blocks of a group, whose rows follow those appended before.
  func append(_ group: borrowing EncodedGroup) throws(SystemError) {
    var place = 0
    for block in group.packer.heads {
      precondition(Int(block.firstRow) == rowCount && block.table == head.table, "groups come in row order")
      let count = Int(block.storedByteCount)
      try appendHead(block)
      unsafe try sink.append(group.packer.stored.slice(at: place, count: count))
      place += count
    }
    rowCount += group.packer.rowCount
  }

  private func appendHead(_ block: BlockHead) throws(SystemError) {
    var block = block
    block.number = UInt32(blockCount)
    let bytes = block.encoded(seed: seed, offset: sink.byteCount)
    chain = Checksum.xxh3(bytes, seed: chain)
    try sink.append(bytes)
    blockCount += 1
  }

  /// Appends the end block and syncs the file; the last call.
  func finish() throws(SystemError) -> TableSummary {
    let end = BlockHead(
      kind: .end, form: .raw, table: head.table, column: 0, number: 0, firstRow: UInt64(rowCount),
      rowCount: 0, rawByteCount: 0, storedByteCount: 0, storedChecksum: 0)
    try appendHead(end)
    let summary = TableSummary(
      table: head.table, rowCount: rowCount, blockCount: blockCount, byteCount: sink.byteCount,
      checksum: chain)
    try sink.finish()
    return summary
  }
}
