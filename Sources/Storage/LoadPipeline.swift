// Loading on several threads: one reads and decompresses, one restores rows, others fill indexes, whoever is
// free doing what is next.

import Ledger
import Platform

/// A snapshot on its way into books, in stages. Each stage is at one row at a time, on one thread at a time;
/// different stages run beside each other:
///
/// - reading: groups in the order of the tables, at most three ahead;
/// - rows: groups one after the other into the tables;
/// - indexes, each following the rows of its table.
///
/// A worker takes the first of these that can go on: rows before reading, reading before indexes, so that the
/// indexes fill what time is left, and are filled beside each other when the rows are done.
final class LoadPipeline: Sendable {
  private struct IndexProgress {
    let name: RestoredIndexes.Name
    let table: SnapshotTable
    /// Rows that are in the tables, and in the index.
    var rowCount = 0
    var doneCount = 0
    var isBusy = false
  }

  /// Where a group came from, for faults that are found in its index.
  private struct Origin {
    let table: SnapshotTable
    let firstRow: Int
    let path: String
    let offsets: [Int]
  }

  private struct State {
    var ready: [GroupColumns] = []
    var spare: [GroupColumns] = [GroupColumns(), GroupColumns(), GroupColumns()]
    var isReading = false
    var isRead = false
    var isRestoring = false
    var indexes = [
      IndexProgress(name: .balanceIdentifiers, table: .balances),
      IndexProgress(name: .balanceLists, table: .balances),
      IndexProgress(name: .transactionIdentifiers, table: .transactions),
      IndexProgress(name: .transactionReferences, table: .transactions),
    ]
    var origins: [Origin] = []
    var failure: StorageError?

    var isDone: Bool {
      isRead && ready.isEmpty && !isRestoring && indexes.allSatisfy { $0.doneCount == $0.rowCount }
    }
  }

  private enum Job {
    case read(into: GroupColumns)
    case restore(GroupColumns)
    case fill(Int, Range<Int>)
  }

  /// Rows that an index takes in at a time.
  private static let indexBatch = 1 << 16

  private let source: GroupSource
  private let restoration: Restoration
  private let indexes: RestoredIndexes
  private let state = Gate(State())
  private let observer: @Sendable (_ rowCount: Int) -> Void

  /// - Parameter observer: called with the rows of each group that was restored, on any thread, one at a
  ///   time.
  init(
    _ reader: SnapshotReader, clock: any TimeSource, observer: @escaping @Sendable (_ rowCount: Int) -> Void
  ) {
    source = GroupSource(reader)
    let restoration = Restoration(clock: clock, expected: reader.summary.expectedCounts)
    indexes = restoration.indexes
    self.restoration = restoration
    self.observer = observer
  }

  /// Runs all stages on `threadCount` threads, the calling one among them.
  func run(threadCount: Int) throws(StorageError) -> Restoration {
    var helpers: [Thread] = []
    defer { for helper in helpers { helper.join() } }
    for _ in 1..<max(threadCount, 1) {
      do throws(SystemError) {
        helpers.append(try Thread(name: "load", body: { self.work() }))
      } catch {
        state.updateAndWakeAll { $0.failure = .failed(error) }
        throw .failed(error)
      }
    }
    work()
    if let failure = state.withLock({ $0.failure }) { throw failure }
    return restoration
  }

  // MARK: One worker

  private func work() {
    while let job = nextJob() {
      do throws(StorageError) {
        switch job {
        case .read(let group): try read(into: group)
        case .restore(let group): try restore(group)
        case .fill(let number, let rows): try fill(number, rows)
        }
      } catch {
        state.updateAndWakeAll { if $0.failure == nil { $0.failure = error } }
        return
      }
    }
  }

  /// What to do next; nil when everything is done or something has failed.
  private func nextJob() -> Job? {
    let job: Job?? = state.wait { state in
      if state.failure != nil || state.isDone { return .some(nil) }
      if !state.isRestoring, !state.ready.isEmpty {
        state.isRestoring = true
        return .some(.restore(state.ready.removeFirst()))
      }
      if !state.isReading, !state.isRead, let spare = state.spare.popLast() {
        state.isReading = true
        return .some(.read(into: spare))
      }
      for number in state.indexes.indices where !state.indexes[number].isBusy {
        let (done, count) = (state.indexes[number].doneCount, state.indexes[number].rowCount)
        guard done < count else { continue }
        state.indexes[number].isBusy = true
        return .some(.fill(number, done..<min(count, done + Self.indexBatch)))
      }
      return nil
    }
    return job ?? nil
  }

  private func read(into group: GroupColumns) throws(StorageError) {
    let isThere = try source.read(into: group)
    state.updateAndWakeAll { state in
      state.isReading = false
      if isThere {
        state.ready.append(group)
      } else {
        state.isRead = true
      }
    }
  }

  private func restore(_ group: GroupColumns) throws(StorageError) {
    do throws(ContentFault) {
      try restoration.restore(group)
    } catch {
      throw .damaged(
        StorageFault(
          path: group.path, offset: group.offsets[restoration.columnPlace],
          finding: "the group of \(group.table.name) from row \(group.firstRow): \(error.finding)"))
    }
    observer(group.rowCount)
    let origin = Origin(
      table: group.table, firstRow: group.firstRow, path: group.path, offsets: group.offsets)
    let end = group.firstRow + group.rowCount
    state.updateAndWakeAll { state in
      state.isRestoring = false
      state.spare.append(group)
      for number in state.indexes.indices where state.indexes[number].table == origin.table {
        state.indexes[number].rowCount = end
      }
      state.origins.append(origin)
    }
  }

  private func fill(_ number: Int, _ rows: Range<Int>) throws(StorageError) {
    let (name, table) = state.withLock { ($0.indexes[number].name, $0.indexes[number].table) }
    do throws(RestoreFault) {
      try indexes.fill(name, rows)
    } catch {
      let column =
        name == .transactionReferences
        ? SnapshotColumn.Transaction.detail : SnapshotColumn.Transaction.identifier
      throw fault(error, table, Int(column) - 1)
    }
    state.updateAndWakeAll { state in
      state.indexes[number].doneCount = rows.upperBound
      state.indexes[number].isBusy = false
    }
  }

  private func fault(_ fault: RestoreFault, _ table: SnapshotTable, _ columnPlace: Int) -> StorageError {
    guard case .duplicate(_, let row, _) = fault else { preconditionFailure("an index finds duplicates") }
    let origin = state.withLock { state in
      state.origins.last { $0.table == table && $0.firstRow <= row }
    }
    guard let origin else { preconditionFailure("each row came in a group") }
    return .damaged(
      StorageFault(
        path: origin.path, offset: origin.offsets[columnPlace],
        finding: "the group of \(table.name) from row \(origin.firstRow): \(ContentFault(fault).finding)"))
  }
}

/// The groups of all tables in order. One thread at a time.
private final class GroupSource: @unchecked Sendable {
  // @unchecked: one thread at a time reads; the pipeline sees to that.
  private let reader: SnapshotReader
  private var tables = SnapshotTable.allCases.makeIterator()
  private var current: (table: SnapshotTable, file: TableFileReader)?
  private var firstRow = 0

  init(_ reader: SnapshotReader) { self.reader = reader }

  /// False after the last group, when every file has been checked to its end.
  func read(into group: GroupColumns) throws(StorageError) -> Bool {
    while true {
      if let (table, file) = current {
        if try group.read(file, table, firstRow: firstRow) {
          firstRow += group.rowCount
          return true
        }
        current = nil
      }
      guard let table = tables.next() else { return false }
      current = (table, try reader.table(table))
      firstRow = 0
    }
  }
}

extension SnapshotSummary {
  /// Rows to make room for: as many as it promises, but no more than could lie in so many bytes.
  var expectedCounts: TableCounts {
    func count(_ table: SnapshotTable) -> Int {
      let byteCount = tables.first { $0.table == table }?.byteCount ?? 0
      return min(rowCount(table), byteCount / 2)
    }
    return TableCounts(
      balances: count(.balances), transactions: count(.transactions), ledgers: count(.ledgers),
      identities: count(.identities))
  }
}
