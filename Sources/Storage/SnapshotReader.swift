// One snapshot on disk, opened for reading: its tables, and a check of all their blocks.

import Platform

/// Reads one snapshot.
struct SnapshotReader: Sendable {
  let directory: DataDirectory
  let summary: SnapshotSummary

  init(_ parent: DataDirectory, _ candidate: SnapshotCandidate) throws(StorageError) {
    let path = parent.path(of: candidate.name)
    do throws(DirectoryError) { directory = try parent.directory(candidate.name) } catch {
      throw .damaged(StorageFault(path: path, finding: error.description))
    }
    summary = candidate.summary
  }

  /// The checked blocks of a table.
  func table(_ table: SnapshotTable) throws(StorageError) -> TableFileReader {
    guard let tableSummary = summary.tables.first(where: { $0.table == table }) else {
      preconditionFailure("a summary has every table")
    }
    let head = TableFileHead(
      table: table, directory: summary.directory, snapshot: summary.snapshot, position: summary.position)
    return try TableFileReader(directory, head, tableSummary)
  }

  /// Reads and checks every block of every table without keeping anything; all faults that can be told apart.
  func verify(observer: (_ byteCount: Int) -> Void = { _ in }) -> [StorageFault] {
    SnapshotTable.allCases.flatMap { verify($0, observer: observer) }
  }

  /// As `verify`, for one table.
  func verify(_ table: SnapshotTable, observer: (_ byteCount: Int) -> Void = { _ in }) -> [StorageFault] {
    var faults: [StorageFault] = []
    do throws(StorageError) {
      let reader = try self.table(table)
      while let block = try reader.nextHead() {
        do throws(StorageError) { try reader.readContent(block) } catch {
          guard case .damaged(let fault) = error else { throw error }
          faults.append(fault)
        }
        observer(Int(block.head.storedByteCount))
      }
    } catch {
      faults.append(error.fault(in: directory.path))
    }
    return faults
  }
}
