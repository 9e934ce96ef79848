// A directory that only its owner uses: created privately, listed, changed by rename, synced.

import CSys
import Glibc

/// Why a data directory cannot be used.
package enum DirectoryError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Any user of the machine may write to it.
  case worldWritable(path: String, permissions: UInt32)
  /// Something else stands at the path.
  case notADirectory(path: String, found: FileKind)
  /// Another process holds the lock; its pid is nil when the lock file does not say.
  case locked(path: String, processID: Int32?)
  case failed(SystemError)

  package var description: String {
    switch self {
    case .worldWritable(let path, let permissions):
      "the data directory \"\(escaped(path))\" may be written by every user (mode "
        + "0\(String(permissions, radix: 8))): take that away with chmod o-w, or choose another directory"
    case .notADirectory(let path, let kind):
      "\"\(escaped(path))\" is \(kind.noun), not a directory: choose another data directory"
    case .locked(let path, let processID?):
      "the data directory \"\(escaped(path))\" is in use by process \(processID): stop that server first"
    case .locked(let path, nil):
      "the data directory \"\(escaped(path))\" is in use by another process: stop that server first"
    case .failed(let error): error.description
    }
  }

  static func wrapping<Result>(
    _ body: () throws(SystemError) -> Result
  ) throws(DirectoryError) -> Result {
    do throws(SystemError) { return try body() } catch { throw .failed(error) }
  }
}

/// A directory and what is done in it by name. Holds no descriptor; names are single path components.
package struct DataDirectory: Sendable {
  package let path: String
  /// Where the directory lies when it is not the kernel's; nil otherwise.
  package let disk: (any VirtualDisk)?

  /// The directory at `path`, made with mode 0700 when it is missing (its parent must exist).
  ///
  /// - Throws: `.worldWritable`, `.notADirectory`, `.failed`.
  package init(creating path: String, on disk: (any VirtualDisk)? = nil) throws(DirectoryError) {
    let made = try DirectoryError.wrapping { () throws(SystemError) in
      try Self.makePrivate(path, disk)
    }
    if made {
      try DirectoryError.wrapping { () throws(SystemError) in
        try Self.sync(PathName.directory(of: Self.withoutTrailingSlash(path)), disk)
      }
    }
    try self.init(existing: path, on: disk)
  }

  /// The directory at `path`, which must exist.
  ///
  /// - Throws: `.worldWritable`, `.notADirectory`, `.failed` (ENOENT when missing).
  package init(existing path: String, on disk: (any VirtualDisk)? = nil) throws(DirectoryError) {
    let status = try DirectoryError.wrapping { () throws(SystemError) in try Self.status(at: path, disk) }
    guard status.kind == .directory else { throw .notADirectory(path: path, found: status.kind) }
    if status.permissions & 0o002 != 0 {
      throw .worldWritable(path: path, permissions: status.permissions)
    }
    self.path = path
    self.disk = disk
  }

  /// The directory `name` in this one, which must exist.
  ///
  /// - Throws: `.worldWritable`, `.notADirectory`, `.failed` (ENOENT when missing).
  package func directory(_ name: String) throws(DirectoryError) -> DataDirectory {
    try DataDirectory(existing: path(of: name), on: disk)
  }

  /// The path of the file `name` in this directory.
  package func path(of name: String) -> String { PathName.join(path, name) }

  /// The names in this directory, sorted by their bytes, without `.` and `..`.
  package func names() throws(SystemError) -> [String] {
    var names = if let disk { try disk.entries(of: path) } else { try Syscalls.entries(of: path) }
    names.removeAll { $0 == "." || $0 == ".." }
    names.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    return names
  }

  /// What `name` is; nil when there is no such thing. Links are not followed.
  package func status(of name: String) throws(SystemError) -> FileStatus? {
    if let disk { return try disk.linkStatus(path(of: name)) }
    return try Syscalls.linkStatus(path(of: name))
  }

  /// Gives the file or directory `name` the name `target`, replacing a file there. Atomic, but durable only
  /// after `sync`.
  package func rename(_ name: String, to target: String) throws(SystemError) {
    if let disk { return try disk.rename(path(of: name), to: path(of: target)) }
    try Syscalls.rename(path(of: name), to: path(of: target))
  }

  /// Removes the file `name`. Durable only after `sync`.
  package func removeFile(_ name: String) throws(SystemError) {
    if let disk { return try disk.unlink(path(of: name)) }
    try Syscalls.unlink(path(of: name))
  }

  /// Removes the directory `name` and all in it; links are removed, not followed.
  package func removeDirectory(_ name: String) throws(SystemError) {
    try DataDirectory(unchecked: path(of: name), on: disk).removeWithContents()
  }

  /// Removes this directory and all in it; links are removed, not followed.
  package func removeWithContents() throws(SystemError) {
    for name in try names() {
      if try status(of: name)?.kind == .directory {
        try removeDirectory(name)
      } else {
        try removeFile(name)
      }
    }
    if let disk { return try disk.removeDirectory(path) }
    try Syscalls.removeDirectory(path)
  }

  /// Makes the directory `name` (mode 0700), which must not exist. Durable only after `sync`.
  package func makeDirectory(_ name: String) throws(SystemError) -> DataDirectory {
    let inner = path(of: name)
    guard try Self.makePrivate(inner, disk) else {
      throw SystemError(code: EEXIST, call: "mkdir", doing: "create the directory", path: inner)
    }
    return DataDirectory(unchecked: inner, on: disk)
  }

  /// Opens the file `name`.
  package func open(
    _ name: String, _ mode: OpenFile.Mode, direct: Bool = false
  ) throws(SystemError) -> OpenFile {
    if let disk { return try OpenFile(path(of: name), mode, direct: direct, on: disk) }
    return try OpenFile(path(of: name), mode, direct: direct)
  }

  /// Makes names created, renamed and removed so far survive a power failure.
  package func sync() throws(SystemError) { try Self.sync(path, disk) }

  /// Replaces the file `name` by `bytes` in one step that survives a power failure at any moment: writes
  /// `name.tmp`, syncs it, renames it, syncs the directory. For small files; one writer per name.
  package func replaceFile(_ name: String, with bytes: [UInt8]) throws(SystemError) {
    let temporary = name + ".tmp"
    // A leftover of a process that died in the middle.
    if try status(of: temporary) != nil { try removeFile(temporary) }
    do throws(SystemError) {
      let file = try open(temporary, .createNew)
      try file.write(bytes)
      try file.sync()
      try file.close()
      try rename(temporary, to: name)
    } catch {
      try? removeFile(temporary)
      throw error
    }
    try sync()
  }

  /// All of the small file `name`; nil when it does not exist.
  /// - Throws: EFBIG when it has more than `limit` bytes.
  package func readFile(_ name: String, limit: Int = 1 << 20) throws(SystemError) -> [UInt8]? {
    do throws(SystemError) {
      let file = try open(name, .read)
      return try file.readAll(limit: limit)
    } catch {
      if error.code == ENOENT { return nil }
      throw error
    }
  }

  private init(unchecked path: String, on disk: (any VirtualDisk)?) {
    self.path = path
    self.disk = disk
  }

  private static func status(at path: String, _ disk: (any VirtualDisk)?) throws(SystemError) -> FileStatus {
    guard let disk else { return try Syscalls.status(at: path) }
    if let status = try disk.linkStatus(path) { return status }
    throw SystemError(code: ENOENT, call: "stat", doing: "look at", path: path)
  }

  /// - Returns: false when something stands at `path` already.
  private static func makePrivate(_ path: String, _ disk: (any VirtualDisk)?) throws(SystemError) -> Bool {
    do throws(SystemError) {
      if let disk {
        try disk.makeDirectory(path)
      } else {
        try Syscalls.makeDirectory(path, mode: 0o700)
      }
      return true
    } catch {
      if error.code == EEXIST { return false }
      throw error
    }
  }

  private static func withoutTrailingSlash(_ path: String) -> String {
    path.count > 1 && path.hasSuffix("/") ? withoutTrailingSlash(String(path.dropLast())) : path
  }

  private static func sync(_ path: String, _ disk: (any VirtualDisk)?) throws(SystemError) {
    if let disk { return try disk.syncDirectory(path) }
    let flags = CSYS_OPEN_READ | CSYS_OPEN_DIRECTORY
    let directory = Descriptor(
      adopting: try Syscalls.open(path, flags: flags, mode: 0, doing: "open the directory"))
    try Syscalls.syncAll(directory.number, path: path)
  }
}
