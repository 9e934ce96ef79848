// Reading ahead: one thread reads, checks and decompresses groups while another restores them.

import Platform

/// The raw columns of one group, on their way from the reading thread to the restoring one.
final class GroupColumns: @unchecked Sendable {
  // @unchecked: one thread at a time has it; the queue hands it over.
  fileprivate(set) var table = SnapshotTable.currencies
  fileprivate(set) var rowCount = 0
  fileprivate(set) var firstRow = 0
  /// Path of the file, and where in it each column's block begins.
  fileprivate(set) var path = ""
  fileprivate(set) var offsets: [Int] = []
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
  fileprivate func read(_ reader: TableFileReader, _ table: SnapshotTable, firstRow: Int) throws(StorageError)
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

/// Reads all groups of a snapshot in order, at most two ahead.
final class GroupQueue: Sendable {
  private struct State {
    var ready: [GroupColumns] = []
    var spare: [GroupColumns] = []
    var failure: StorageError?
    var isDone = false
    var isAbandoned = false
  }

  private let reader: SnapshotReader
  private let state: Gate<State>

  init(_ reader: SnapshotReader) {
    self.reader = reader
    state = Gate(State(spare: [GroupColumns(), GroupColumns(), GroupColumns()]))
  }

  /// Runs the reading thread while `body` takes groups; when this returns the thread has ended.
  func run<Result>(_ body: (GroupQueue) throws(StorageError) -> Result) throws(StorageError) -> Result {
    let thread = try StorageError.wrapping { () throws(SystemError) in
      try Thread(name: "load", body: { self.readAll() })
    }
    defer {
      state.updateAndWakeAll { $0.isAbandoned = true }
      thread.join()
    }
    return try body(self)
  }

  /// The next group, to be given back; nil after the last, when every file has been checked to its end.
  func take() throws(StorageError) -> GroupColumns? {
    enum Step {
      case group(GroupColumns)
      case failure(StorageError)
      case end
    }
    let step: Step = state.wait { state in
      if !state.ready.isEmpty { return .group(state.ready.removeFirst()) }
      if let failure = state.failure { return .failure(failure) }
      return state.isDone ? .end : nil
    }
    switch step {
    case .group(let group): return group
    case .failure(let error): throw error
    case .end: return nil
    }
  }

  func giveBack(_ group: GroupColumns) { state.updateAndWakeAll { $0.spare.append(group) } }

  // MARK: The reading thread

  private func readAll() {
    do throws(StorageError) {
      for table in SnapshotTable.allCases where try !readTable(table) { return }
      state.updateAndWakeAll { $0.isDone = true }
    } catch {
      state.updateAndWakeAll { $0.failure = error }
    }
  }

  /// False when nobody waits for more.
  private func readTable(_ table: SnapshotTable) throws(StorageError) -> Bool {
    let file = try reader.table(table)
    var firstRow = 0
    while true {
      let spare: GroupColumns?? = state.wait { state in
        if state.isAbandoned { return .some(nil) }
        return state.spare.popLast().map { .some($0) }
      }
      guard let group = spare ?? nil else { return false }
      guard try group.read(file, table, firstRow: firstRow) else {
        state.updateAndWakeAll { $0.spare.append(group) }
        return true
      }
      firstRow += group.rowCount
      state.updateAndWakeAll { $0.ready.append(group) }
    }
  }
}
