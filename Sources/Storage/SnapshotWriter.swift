// Writing the table files of a snapshot from a cut, on one or two threads, while writers go on.

import Ledger
import Platform
import Synchronization

/// How a snapshot is written.
package struct SnapshotOptions: Sendable, Equatable {
  /// Threads that encode, 1 or 2: two when nothing else needs the processors.
  package var workerCount: Int
  /// Past the page cache, where the file system can.
  package var direct: Bool

  package init(workerCount: Int = 1, direct: Bool = true) {
    precondition(workerCount == 1 || workerCount == 2, "one or two workers")
    self.workerCount = workerCount
    self.direct = direct
  }
}

/// How far a snapshot has come.
package struct SnapshotProgress: Sendable, Equatable {
  package var rowsDone: Int
  package var rowCount: Int
}

/// Called after each group of rows; false calls the snapshot off.
package typealias SnapshotObserver = @Sendable (SnapshotProgress) -> Bool

/// Writes the tables of one cut into one directory. Memory: some MiB for each worker, whatever the books
/// hold.
///
/// The work is dealt out by stripes; each worker encodes and compresses on its own and waits for its turn to
/// append, so that the files' bytes do not depend on the number of workers.
final class SnapshotWriter: Sendable {
  /// A stripe of a table, or what else is encoded in one go.
  private struct Task {
    var table: SnapshotTable
    var rows: Range<Int>
    var isFirst: Bool
    var isLast: Bool
  }

  private struct State {
    var nextTask = 0
    /// The task whose worker may append.
    var turn = 0
    var failure: StorageError?
    var rowsDone = 0
  }

  private let cut: Cut
  private let directory: DataDirectory
  private let snapshot: UInt64
  private let identifier: DirectoryIdentifier
  private let options: SnapshotOptions
  private let observer: SnapshotObserver
  private let tasks: [Task]
  private let rowCount: Int
  private let state = Gate(State())
  private let files: OpenTables

  /// Files being written: touched only by the worker whose turn it is.
  private final class OpenTables: @unchecked Sendable {
    var current: TableFileWriter?
    var summaries: [TableSummary] = []
  }

  init(
    _ cut: Cut, into directory: DataDirectory, identifier: DirectoryIdentifier, snapshot: UInt64,
    options: SnapshotOptions, observer: @escaping SnapshotObserver
  ) {
    self.cut = cut
    self.directory = directory
    self.identifier = identifier
    self.snapshot = snapshot
    self.options = options
    self.observer = observer
    files = OpenTables()
    var tasks: [Task] = []
    for table in SnapshotTable.allCases {
      let count = cut.rowCount(table)
      let step = table == .keys ? max(count, 1) : BlockLimit.rows
      var first = 0
      repeat {
        let end = min(first + step, count)
        tasks.append(Task(table: table, rows: first..<end, isFirst: first == 0, isLast: end == count))
        first = end
      } while first < count
    }
    self.tasks = tasks
    rowCount = SnapshotTable.allCases.reduce(0) { $0 + cut.rowCount($1) }
  }

  /// Writes all tables; returns when every file is synced.
  func write() throws(StorageError) -> [TableSummary] {
    let helper =
      options.workerCount == 2
      ? try StorageError.wrapping { () throws(SystemError) in
        try Thread(name: "snapshot", body: { self.work() })
      } : nil
    work()
    helper?.join()
    if let failure = state.withLock({ $0.failure }) { throw failure }
    precondition(files.summaries.count == SnapshotTable.allCases.count, "every table has its file")
    return files.summaries
  }

  private func head(_ table: SnapshotTable) -> TableFileHead {
    TableFileHead(table: table, directory: identifier, snapshot: snapshot, position: cut.position)
  }

  // MARK: One worker

  private func work() {
    var encoder = GroupEncoder(cut)
    while let number = takeTask() {
      do throws(StorageError) {
        try carryOut(number, &encoder)
      } catch {
        state.updateAndWakeAll { if $0.failure == nil { $0.failure = error } }
        return
      }
    }
  }

  private func takeTask() -> Int? {
    state.withLock { state in
      guard state.failure == nil, state.nextTask < tasks.count else { return nil }
      state.nextTask += 1
      return state.nextTask - 1
    }
  }

  private func carryOut(_ number: Int, _ encoder: inout GroupEncoder) throws(StorageError) {
    let task = tasks[number]
    let seed = head(task.table).seed
    var row = task.rows.lowerBound
    if task.table != .keys, row < task.rows.upperBound {
      row += encoder.encode(task.table, task.rows, seed: seed)
    }
    guard waitForTurn(number) else { return }
    if task.isFirst { try open(task.table) }
    if task.table == .keys {
      try appendKeys(&encoder, seed: seed)
    } else if row > task.rows.lowerBound {
      try append(encoder.output, rowCount: row - task.rows.lowerBound)
      while row < task.rows.upperBound {
        let count = encoder.encode(task.table, row..<task.rows.upperBound, seed: seed)
        try append(encoder.output, rowCount: count)
        row += count
      }
    }
    if task.isLast { try close() }
    state.updateAndWakeAll { $0.turn += 1 }
  }

  /// False when another worker has failed.
  private func waitForTurn(_ number: Int) -> Bool {
    state.wait { state in
      if state.failure != nil { return false }
      return state.turn == number ? true : nil
    }
  }

  // MARK: The files, for the worker whose turn it is

  private func open(_ table: SnapshotTable) throws(StorageError) {
    files.current = try StorageError.wrapping { () throws(SystemError) in
      try TableFileWriter(directory, head(table), direct: options.direct)
    }
  }

  private func append(_ group: borrowing EncodedGroup, rowCount count: Int) throws(StorageError) {
    guard let file = files.current else { preconditionFailure("a table's first task opens its file") }
    do throws(SystemError) { try file.append(group) } catch { throw .failed(error) }
    let done = state.withLock { state in
      state.rowsDone += count
      return state.rowsDone
    }
    if !observer(SnapshotProgress(rowsDone: done, rowCount: rowCount)) { throw .cancelled }
  }

  private func appendKeys(_ encoder: inout GroupEncoder, seed: UInt64) throws(StorageError) {
    var first = 0
    let keys = cut.keys
    encoder.beginKeys()
    try unsafe keys.forEachRecord { record throws(StorageError) in
      guard unsafe encoder.addKey(record) else { return }
      let count = encoder.endKeys(first: first, seed: seed)
      try append(encoder.output, rowCount: count)
      first += count
    }
    let count = encoder.endKeys(first: first, seed: seed)
    if count > 0 { try append(encoder.output, rowCount: count) }
  }

  private func close() throws(StorageError) {
    guard let file = files.current else { preconditionFailure("a table's first task opens its file") }
    files.current = nil
    files.summaries.append(try StorageError.wrapping { () throws(SystemError) in try file.finish() })
  }
}

extension Cut {
  /// Rows of a table of the snapshot.
  func rowCount(_ table: SnapshotTable) -> Int {
    switch table {
    case .currencies: currencyCount
    case .indicators: indicatorCount
    case .ledgers: ledgerCount
    case .identities: identityCount
    case .balances: balanceCount
    case .transactions: transactionCount
    case .keys: keys.count
    }
  }
}
