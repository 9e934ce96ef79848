// What is wrong with something on disk: which file, where in it, what was expected.

import Platform

/// Damage found in one place. Its text is one line without a full stop:
/// `"/data/snapshot-12/balances.table" at byte 4096: the block's checksum is 1f…, expected 2e…`.
package struct StorageFault: Error, Equatable, Sendable, CustomStringConvertible {
  /// Path of the file or directory.
  package let path: String
  /// Where in the file, in bytes; nil when the whole file or directory is meant.
  package let offset: Int?
  /// What was found and what was expected.
  package let finding: String

  package init(path: String, offset: Int? = nil, finding: String) {
    self.path = path
    self.offset = offset
    self.finding = finding
  }

  package var description: String {
    let place = offset.map { " at byte \($0)" } ?? ""
    return "\"\(path)\"\(place): \(finding)"
  }
}

/// Why something cannot be done with a data directory.
package enum StorageError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The directory cannot be used at all.
  case directory(DirectoryError)
  /// A system call failed; what was to be written is not there.
  case failed(SystemError)
  /// Something on disk is damaged.
  case damaged(StorageFault)
  /// No snapshot can be loaded although there should be one; one fault for each that was tried.
  case noGoodSnapshot(path: String, faults: [StorageFault])
  /// The journal cannot be followed to its end, or does not reach what was written: starting would lose
  /// facts. `reachable`: the last position that a start can still bring back, nil when there is none.
  case journalBroken(path: String, faults: [StorageFault], reachable: UInt64?)
  /// `--recover-to` asks for a position that cannot be reached; why.
  case unreachable(position: UInt64, reason: String)
  /// The directory was written by a later version, or belongs to something else.
  case foreign(StorageFault)
  /// A snapshot is being written already.
  case busy
  /// The writing was called off.
  case cancelled
  /// A test stopped the writing where a crash might.
  case stopped

  package var description: String {
    switch self {
    case .directory(let error): error.description
    case .failed(let error): error.description
    case .damaged(let fault): fault.description
    case .noGoodSnapshot(let path, let faults):
      "no snapshot in \"\(path)\" can be loaded: " + faults.map(\.description).joined(separator: "; ")
        + "; nothing was changed: restore one from a copy, or move this directory away to start empty"
    case .journalBroken(let path, let faults, let reachable):
      "the journal in \"\(path)\" does not bring back all that was written: "
        + faults.map(\.description).joined(separator: "; ")
        + "; nothing was changed: `ledgerline check` names everything that is wrong; restore the directory "
        + "from a copy"
        + (reachable.map {
          ", or start with --recover-to \($0) (or less), which leaves out every fact after it and sets their "
            + "files aside"
        } ?? "")
    case .unreachable(let position, let reason):
      "the books cannot be brought to position \(position): \(reason); nothing was changed"
    case .foreign(let fault): fault.description
    case .busy: "a snapshot is being written already"
    case .cancelled: "the snapshot was called off"
    case .stopped: "the writing was stopped by a test"
    }
  }

  static func wrapping<Result: ~Copyable>(
    _ body: () throws(SystemError) -> Result
  ) throws(StorageError) -> Result {
    do throws(SystemError) { return try body() } catch { throw .failed(error) }
  }

  /// Runs `body`; what the kernel refuses to read counts as damage of the file at `path`.
  static func damage<Result: ~Copyable>(
    _ path: String, _ body: () throws(SystemError) -> Result
  ) throws(StorageError) -> Result {
    do throws(SystemError) { return try body() } catch {
      throw .damaged(StorageFault(path: path, finding: error.description))
    }
  }
}

/// Something wrong inside a block whose checksum is right: an error of ours, or somebody's forgery. The
/// reader adds file and offset.
struct ContentFault: Error, Equatable {
  let finding: String
  init(_ finding: String) { self.finding = finding }
}
