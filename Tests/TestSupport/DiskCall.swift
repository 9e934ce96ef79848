// The calls that a simulated disk takes: their kinds, and faults planted at one of them.

import Glibc
import Platform

/// One call of a simulated disk.
package struct DiskCall: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    case open, create, read, write, sync, truncate, reserve, look, list, measure, lock
    case rename, unlink, makeDirectory, removeDirectory, syncDirectory

    /// Whether the disk may be another one after the call.
    package var isChange: Bool {
      switch self {
      case .open, .read, .look, .list, .measure, .lock: false
      case .create, .write, .sync, .truncate, .reserve, .rename, .unlink, .makeDirectory, .removeDirectory,
        .syncDirectory:
        true
      }
    }

    /// The system call that it stands for, and what error texts say was being done.
    var names: (call: String, doing: String) {
      switch self {
      case .open: ("open", "open")
      case .create: ("open", "create")
      case .read: ("pread", "read")
      case .write: ("pwrite", "write")
      case .sync: ("fdatasync", "sync")
      case .truncate: ("ftruncate", "set the size of")
      case .reserve: ("fallocate", "reserve room for")
      case .look: ("lstat", "look at")
      case .list: ("opendir", "list")
      case .measure: ("fstatvfs", "measure the free space of")
      case .lock: ("flock", "lock")
      case .rename: ("rename", "rename")
      case .unlink: ("unlink", "remove")
      case .makeDirectory: ("mkdir", "create the directory")
      case .removeDirectory: ("rmdir", "remove the directory")
      case .syncDirectory: ("fsync", "sync")
      }
    }
  }

  /// When something is told of a call.
  package enum Moment: Sendable { case before, after }

  package let kind: Kind
  package let path: String
  /// Where in the file, and how many bytes, for reads, writes and sizes.
  package let offset: Int
  package let byteCount: Int
  /// How many calls the disk had taken before.
  package let number: Int

  /// The error of this call.
  func failure(_ code: CInt) -> SystemError {
    SystemError(code: code, call: kind.names.call, doing: kind.names.doing, path: path)
  }
}

/// A failure that is to happen at the n-th call of a kind.
package struct DiskFault: Sendable {
  package var kind: DiskCall.Kind
  /// 1 is the next call of the kind.
  package var turn: Int
  package var code: CInt
  /// Every later call of the kind fails too.
  package var isForever: Bool
  /// Only calls whose path contains this count; empty for all.
  package var place: String

  package init(
    _ kind: DiskCall.Kind, turn: Int, code: CInt = EIO, isForever: Bool = false, place: String = ""
  ) {
    precondition(turn >= 1, "the next call is the first")
    self.kind = kind
    self.turn = turn
    self.code = code
    self.isForever = isForever
    self.place = place
  }

  /// Notes a call.
  /// - Returns: whether this call fails.
  mutating func strikes(_ call: DiskCall) -> Bool {
    guard call.kind == kind, place.isEmpty || call.path.contains(place) else { return false }
    turn -= 1
    return turn == 0 || (turn < 0 && isForever)
  }
}
