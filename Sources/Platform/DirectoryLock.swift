// The lock that lets one process at a time use a data directory, and says which one has it.

import Glibc

/// An flock on the file `LOCK` of a data directory. One owner; dropping it gives the lock back.
///
/// The kernel gives it back too when the process ends, however it ends, so a lock file left by a crash is no
/// obstacle. flock belongs to the open file: unlike an fcntl lock it does not vanish when another descriptor
/// of the same file is closed, and a second open in the same process is refused as well. The file holds the
/// holder's pid and its own inode number as lines, if the disk has room for them; it stays when the lock is
/// given back, emptied.
package struct DirectoryLock: ~Copyable, Sendable {
  package static let fileName = "LOCK"
  private let file: OpenFile

  /// Takes the lock, without waiting.
  ///
  /// - Throws: `.locked` with the pid of the process that has it; `.failed`, for example EROFS on a read-only
  ///   file system or ELOOP when `LOCK` is a symbolic link.
  package init(_ directory: DataDirectory) throws(DirectoryError) {
    let opened: OpenFile
    do throws(SystemError) { opened = try directory.open(Self.fileName, .createOrOpen) } catch {
      throw .failed(error)
    }
    let isTaken: Bool
    do throws(SystemError) { isTaken = try opened.lockExclusively() } catch { throw .failed(error) }
    guard isTaken else {
      throw .locked(path: directory.path, processID: Self.processID(in: opened))
    }
    do throws(SystemError) {
      try opened.truncate(to: 0)
      let inode = try opened.status().identity.inode
      try opened.write(Array("\(CurrentProcess.id)\n\(inode)\n".utf8), at: 0)
    } catch {
      // A full disk need not keep anybody from reading: the lock is held, only nobody is told by whom.
      guard error.name == "ENOSPC" || error.name == "EDQUOT" else {
        opened.unlock()
        throw .failed(error)
      }
    }
    file = opened
  }

  deinit {
    try? file.truncate(to: 0)
    // Closing is not enough: a child that another thread is starting has copies of all descriptors until its
    // exec, and with them would hold the lock a while longer.
    file.unlock()
  }

  /// Whether the directory is a copy of one that was in use, or was left by a crash: its lock file names a
  /// holder, and another file than itself. False when nothing tells.
  package static func isOfCopy(_ directory: DataDirectory) -> Bool {
    guard let bytes = try? directory.readFile(fileName, limit: 64),
      let status = try? directory.status(of: fileName)
    else { return false }
    let lines = bytes.split(separator: 0x0A)
    guard lines.count == 2, let inode = UInt64(String(decoding: lines[1], as: UTF8.self)) else {
      return false
    }
    return inode != status.identity.inode
  }

  /// The pid that the lock file names; nil when its holder has not written it yet.
  private static func processID(in file: borrowing OpenFile) -> Int32? {
    guard let bytes = try? file.readAll(limit: 64) else { return nil }
    return Int32(String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self))
  }
}
