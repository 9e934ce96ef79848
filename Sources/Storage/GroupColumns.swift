// The columns of one group of rows as they were read from a table file.

import Platform

/// The raw columns of one group, on their way from the thread that reads them to the one that restores them.
final class GroupColumns: @unchecked Sendable {
  // @unchecked: one thread at a time has it; the pipeline hands it over.
  private(set) var table = SnapshotTable.currencies
  private(set) var rowCount = 0
  private(set) var firstRow = 0
  /// Path of the file, and where in it each column's block begins.
  private(set) var path = ""
  private(set) var offsets: [Int] = []
  private let columns: [ColumnBytes]

  private final class ColumnBytes {
    var bytes = BlockBytes()
  }

  init() { columns = (0..<16).map { _ in ColumnBytes() } }

  /// The bytes of a column, by its number.
  subscript(column: UInt8) -> BlockBytes {
    _read { yield columns[Int(column)].bytes }
    _modify { yield &columns[Int(column)].bytes }
  }

  /// Bytes of all columns.
  var byteCount: Int { columns.reduce(0) { $0 + $1.bytes.count } }

  /// Fills itself with the next group; false at the end of the table.
  func read(_ reader: TableFileReader, _ table: SnapshotTable, firstRow: Int) throws(StorageError)
    -> Bool
  {
    self.table = table
    self.firstRow = firstRow
    path = reader.path
    offsets.removeAll(keepingCapacity: true)
    for column in table.columns {
      guard let block = try reader.next() else {
        if column == table.columns.lowerBound { return false }
        throw reader.fault(offsets[0], "the group ends before column \(column)")
      }
      if column == table.columns.lowerBound { rowCount = Int(block.head.rowCount) }
      guard block.head.column == column, block.head.firstRow == UInt64(firstRow),
        Int(block.head.rowCount) == rowCount, rowCount > 0
      else {
        throw reader.fault(
          block.offset,
          "column \(block.head.column) of \(block.head.rowCount) rows from row "
            + "\(block.head.firstRow) stands where column \(column) from row \(firstRow) is expected")
      }
      offsets.append(block.offset)
      swap(&self[column], &reader.bytes)
    }
    return true
  }
}
