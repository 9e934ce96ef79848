// Row numbers, and where a row lies: its shard, its chunk and its slot in the chunk.

/// The number of a row in its table. Row order is creation order; numbers are never used again.
@usableFromInline package struct RowIndex: Hashable, Comparable, Sendable, BitwiseCopyable {
  @usableFromInline package let rawValue: UInt32

  @inlinable package init(_ rawValue: UInt32) { self.rawValue = rawValue }
  @inlinable package init(_ index: Int) { rawValue = UInt32(index) }

  /// The same number as an index of collections.
  @inlinable package var index: Int { Int(rawValue) }

  @inlinable package static func < (left: RowIndex, right: RowIndex) -> Bool {
    left.rawValue < right.rawValue
  }
}

/// How rows are dealt out to shards and chunks.
///
/// ```
/// row           0..7   8..15  …  504..511   512..519 …            32768..32775 …
/// shard         0      1      …  63         0        …            0
/// chunk         0      1      …  63         0        …            64            (stripe · 64 + shard)
/// slot          0..7   0..7   …  0..7       8..15    …            0..7
/// ```
/// Eight rows that were made together stay together, so that a chunk's bitmap of 64 bytes goes into the
/// bitmap of its stripe byte by byte; the next eight go to another shard, so that neighbours do not share a
/// lock.
@usableFromInline package enum Layout {
  /// Locks, and slices of every table.
  @inlinable package static var shardCount: Int { 64 }
  /// Rows that stay together.
  @inlinable package static var groupRows: Int { 8 }
  /// Rows of a chunk: what is copied on write.
  @inlinable package static var chunkRows: Int { 512 }
  /// Rows of a stripe: one chunk of each shard, consecutive row numbers, the unit that a query works on.
  @inlinable package static var stripeRows: Int { shardCount * chunkRows }
  /// Rows of a table at most: row numbers are 32 bits wide, and the last value stands for "none".
  @inlinable package static var rowLimit: Int { Int(UInt32.max) }

  @inlinable package static func shard(of row: RowIndex) -> Int { (row.index >> 3) & 63 }

  /// Number of the chunk in its table, all shards counted.
  @inlinable package static func chunk(of row: RowIndex) -> Int {
    (row.index >> 15) << 6 | shard(of: row)
  }

  /// Place of the row in its chunk.
  @inlinable package static func slot(of row: RowIndex) -> Int {
    ((row.index >> 9) & 63) << 3 | (row.index & 7)
  }

  /// The row at a place of a chunk: inverse of `chunk(of:)` and `slot(of:)`.
  @inlinable package static func row(chunk: Int, slot: Int) -> RowIndex {
    RowIndex((chunk >> 6) << 15 | (slot >> 3) << 9 | (chunk & 63) << 3 | (slot & 7))
  }

  /// Chunks that `rowCount` rows reach into, at most.
  @inlinable package static func chunkCount(rows rowCount: Int) -> Int {
    (rowCount + stripeRows - 1) / stripeRows * shardCount
  }

  /// Stripes that `rowCount` rows reach into.
  @inlinable package static func stripeCount(rows rowCount: Int) -> Int {
    (rowCount + stripeRows - 1) / stripeRows
  }

  /// Rows of one shard among the first `rowCount`.
  package static func rowCount(ofShard shard: Int, rows rowCount: Int) -> Int {
    let (turns, rest) = rowCount.quotientAndRemainder(dividingBy: shardCount * groupRows)
    return turns * groupRows + min(max(rest - shard * groupRows, 0), groupRows)
  }
}
