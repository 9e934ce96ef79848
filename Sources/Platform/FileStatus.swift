// What the kernel says about a file: kind, size, permissions, identity.

import CSys
import Glibc

/// What kind of thing a path names.
package enum FileKind: Equatable, Sendable {
  case regular, directory, symbolicLink, socket, other

  /// With its article, for error texts: "a regular file".
  package var noun: String {
    switch self {
    case .regular: "a regular file"
    case .directory: "a directory"
    case .symbolicLink: "a symbolic link"
    case .socket: "a socket"
    case .other: "a device or pipe"
    }
  }
}

/// The part of a `struct stat` that is used.
package struct FileStatus: Equatable, Sendable {
  package let kind: FileKind
  package let byteCount: Int
  /// Permission bits only, such as 0o600.
  package let permissions: UInt32
  package let ownerUserID: UInt32
  package let modified: Microseconds
  /// Device and inode: equal for two paths exactly when they name the same file.
  package let identity: FileIdentity

  package init(
    kind: FileKind, byteCount: Int, permissions: UInt32, ownerUserID: UInt32, modified: Microseconds,
    identity: FileIdentity
  ) {
    self.kind = kind
    self.byteCount = byteCount
    self.permissions = permissions
    self.ownerUserID = ownerUserID
    self.modified = modified
    self.identity = identity
  }
}

/// Device and inode of a file.
package struct FileIdentity: Hashable, Sendable {
  package let device: UInt64
  package let inode: UInt64

  package init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }
}

extension FileStatus {
  init(_ status: csys_status) {
    kind =
      switch status.mode & S_IFMT {
      case S_IFREG: .regular
      case S_IFDIR: .directory
      case S_IFLNK: .symbolicLink
      case S_IFSOCK: .socket
      default: .other
      }
    byteCount = Int(status.byte_count)
    permissions = status.mode & 0o7777
    ownerUserID = status.owner
    modified = Microseconds(status.modified_seconds * 1_000_000 + status.modified_nanoseconds / 1000)
    identity = FileIdentity(device: status.device, inode: status.inode)
  }
}
