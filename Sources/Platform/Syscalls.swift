// One wrapper for each system call: EINTR is retried, "would block" is a value, all else is a SystemError.

import CSys
import Glibc

/// What a call that may wait came to.
package enum Readiness: Equatable, Sendable {
  /// Bytes moved (of a write), or read: 0 is the end of a file or stream.
  case bytes(Int)
  /// The descriptor is nonblocking, or has a timeout, and nothing can be moved now.
  case wouldBlock
  /// The other end of a pipe or socket is gone (EPIPE, ECONNRESET).
  case peerGone
}

/// The door to the kernel. Every function names its system call; none keeps state.
enum Syscalls {
  /// Repeats `call` while a signal interrupts it; answers its result or minus errno.
  @inline(__always)
  static func retrying<Result: FixedWidthInteger & SignedInteger>(_ call: () -> Result) -> Result {
    while true {
      let result = call()
      if result != -Result(EINTR) { return result }
    }
  }

  /// The result, or the error that a negative one stands for.
  @inline(__always)
  static func checked<Result: FixedWidthInteger & SignedInteger>(
    _ result: Result, _ call: String, _ doing: String, _ path: String?
  ) throws(SystemError) -> Result {
    if result >= 0 { return result }
    throw SystemError(code: CInt(0 - result), call: call, doing: doing, path: path)
  }

  /// A path as the kernel takes it. A NUL inside would silently cut it short, so it is refused.
  static func checkPath(_ path: String, _ call: String, _ doing: String) throws(SystemError) {
    if path.utf8.contains(0) || path.isEmpty {
      throw SystemError(code: path.isEmpty ? ENOENT : EINVAL, call: call, doing: doing, path: path)
    }
  }

  // MARK: Files

  static func open(
    _ path: String, flags: CInt, mode: UInt32, doing: String = "open"
  ) throws(SystemError) -> CInt {
    try checkPath(path, "open", doing)
    return try checked(retrying { unsafe csys_open(path, flags, mode) }, "open", doing, path)
  }

  /// close(2). Never retried: on Linux the descriptor is gone whatever the answer.
  @discardableResult
  static func close(_ descriptor: CInt) -> CInt { csys_close(descriptor) }

  static func read(
    _ descriptor: CInt, into bytes: UnsafeMutableRawBufferPointer, doing: String, path: String?
  ) throws(SystemError) -> Readiness {
    let result = retrying { unsafe csys_read(descriptor, bytes.baseAddress, bytes.count) }
    return try readiness(result, "read", doing, path)
  }

  static func write(
    _ descriptor: CInt, _ bytes: UnsafeRawBufferPointer, doing: String, path: String?
  ) throws(SystemError) -> Readiness {
    let result = retrying { unsafe csys_write(descriptor, bytes.baseAddress, bytes.count) }
    return try readiness(result, "write", doing, path)
  }

  /// Writes all of `bytes` to a blocking descriptor. A peer that is gone is EPIPE.
  static func writeAll(
    _ descriptor: CInt, _ bytes: UnsafeRawBufferPointer, path: String?
  ) throws(SystemError) {
    var done = 0
    while done < bytes.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
      switch unsafe try write(descriptor, rest, doing: "write", path: path) {
      case .bytes(0): throw SystemError(code: EIO, call: "write", doing: "write", path: path)
      case .bytes(let count): done += count
      case .wouldBlock: throw SystemError(code: EAGAIN, call: "write", doing: "write", path: path)
      case .peerGone: throw SystemError(code: EPIPE, call: "write", doing: "write", path: path)
      }
    }
  }

  /// Writes all of `bytes`, waiting for room when the descriptor is nonblocking.
  static func writeAllWaiting(_ descriptor: CInt, _ bytes: Span<UInt8>) throws(SystemError) {
    unsafe try bytes.withUnsafeBytes { bytes throws(SystemError) in
      var done = 0
      while done < bytes.count {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
        switch unsafe try write(descriptor, rest, doing: "write", path: nil) {
        case .bytes(let count): done += count
        case .wouldBlock: waitUntilReady(descriptor, toWrite: true)
        case .peerGone: throw SystemError(code: EPIPE, call: "write", doing: "write")
        }
      }
    }
  }

  static func read(_ descriptor: CInt, into bytes: inout MutableSpan<UInt8>) throws(SystemError) -> Readiness
  {
    unsafe try bytes.withUnsafeMutableBytes { bytes throws(SystemError) in
      unsafe try read(descriptor, into: bytes, doing: "read", path: nil)
    }
  }

  /// poll(2): waits until a read or write would not block.
  static func waitUntilReady(_ descriptor: CInt, toWrite: Bool) {
    _ = retrying { csys_poll(descriptor, toWrite ? 1 : 0, -1) }
  }

  static func pread(
    _ descriptor: CInt, into bytes: UnsafeMutableRawBufferPointer, at offset: Int, path: String?
  ) throws(SystemError) -> Int {
    let result = retrying {
      unsafe csys_pread(descriptor, bytes.baseAddress, bytes.count, Int64(offset))
    }
    return Int(try checked(result, "pread", "read", path))
  }

  static func pwrite(
    _ descriptor: CInt, _ bytes: UnsafeRawBufferPointer, at offset: Int, path: String?
  ) throws(SystemError) -> Int {
    let result = retrying {
      unsafe csys_pwrite(descriptor, bytes.baseAddress, bytes.count, Int64(offset))
    }
    return Int(try checked(result, "pwrite", "write", path))
  }

  /// fdatasync(2): the contents, and what is needed to find them again, are on the disk.
  static func syncContents(_ descriptor: CInt, path: String?) throws(SystemError) {
    _ = try checked(retrying { csys_fdatasync(descriptor) }, "fdatasync", "sync", path)
  }

  /// fsync(2): all of the file, its times too; on a directory, its entries.
  static func syncAll(_ descriptor: CInt, path: String?) throws(SystemError) {
    _ = try checked(retrying { csys_fsync(descriptor) }, "fsync", "sync", path)
  }

  static func truncate(_ descriptor: CInt, to byteCount: Int, path: String?) throws(SystemError) {
    let result = retrying { csys_ftruncate(descriptor, Int64(byteCount)) }
    _ = try checked(result, "ftruncate", "set the size of", path)
  }

  static func allocate(_ descriptor: CInt, byteCount: Int, path: String?) throws(SystemError) {
    let result = retrying { csys_fallocate(descriptor, 0, Int64(byteCount)) }
    _ = try checked(result, "fallocate", "reserve room for", path)
  }

  static func status(_ descriptor: CInt, path: String?) throws(SystemError) -> FileStatus {
    var status = csys_status()
    _ = try checked(unsafe csys_fstat(descriptor, &status), "fstat", "look at", path)
    return FileStatus(status)
  }

  /// Bytes that this user may still write to the file system of `descriptor`.
  static func freeBytes(_ descriptor: CInt, path: String?) throws(SystemError) -> Int {
    var free: UInt64 = 0
    let result = unsafe csys_fstatfs_free(descriptor, &free)
    _ = try checked(result, "fstatvfs", "measure the free space of", path)
    return Int(clamping: free)
  }

  /// What stands at `path`; nil when nothing does. A symbolic link is looked at itself, not followed.
  static func linkStatus(_ path: String) throws(SystemError) -> FileStatus? {
    try checkPath(path, "lstat", "look at")
    var status = csys_status()
    let result = unsafe csys_stat(path, 0, &status)
    if result == -ENOENT { return nil }
    _ = try checked(result, "lstat", "look at", path)
    return FileStatus(status)
  }

  static func makeDirectory(_ path: String, mode: UInt32) throws(SystemError) {
    try checkPath(path, "mkdir", "create the directory")
    _ = try checked(unsafe csys_mkdir(path, mode), "mkdir", "create the directory", path)
  }

  static func removeDirectory(_ path: String) throws(SystemError) {
    try checkPath(path, "rmdir", "remove the directory")
    _ = try checked(unsafe csys_rmdir(path), "rmdir", "remove the directory", path)
  }

  static func unlink(_ path: String) throws(SystemError) {
    try checkPath(path, "unlink", "remove")
    _ = try checked(unsafe csys_unlink(path), "unlink", "remove", path)
  }

  static func rename(_ from: String, to target: String) throws(SystemError) {
    try checkPath(from, "rename", "rename")
    try checkPath(target, "rename", "rename to")
    let result = unsafe csys_rename(from, target)
    _ = try checked(result, "rename", "rename to \"\(escaped(target))\"", from)
  }

  /// What `path` leads to; links are followed.
  static func status(at path: String) throws(SystemError) -> FileStatus {
    try checkPath(path, "stat", "look at")
    var status = csys_status()
    _ = try checked(unsafe csys_stat(path, 1, &status), "stat", "look at", path)
    return FileStatus(status)
  }

  static func setPermissions(of path: String, _ permissions: UInt32) throws(SystemError) {
    _ = try checked(unsafe csys_chmod(path, permissions), "chmod", "set the permissions of", path)
  }

  /// The names in a directory in the order of the kernel, `.` and `..` among them.
  static func entries(of path: String) throws(SystemError) -> [String] {
    try checkPath(path, "opendir", "list")
    var directory: UnsafeMutableRawPointer?
    let opened = retrying { unsafe csys_open_directory(path, &directory) }
    _ = try checked(opened, "opendir", "list", path)
    defer { unsafe csys_close_directory(directory) }
    var names: [String] = []
    var code: CInt = 0
    while let name = unsafe csys_next_entry(directory, &code) {
      unsafe names.append(String(cString: name))
    }
    _ = try checked(code, "readdir", "list", path)
    return names
  }

  /// flock(2): true when this open file now holds the lock, false when another does.
  static func lockExclusively(_ descriptor: CInt, path: String) throws(SystemError) -> Bool {
    let result = retrying { csys_flock_exclusive(descriptor) }
    if result == -EWOULDBLOCK { return false }
    _ = try checked(result, "flock", "lock", path)
    return true
  }

  /// flock(2): gives the lock back, for every descriptor of this open file.
  static func unlock(_ descriptor: CInt) { _ = retrying { csys_flock_release(descriptor) } }

  /// A result of read, write, recv or send, with the values that are no errors told apart.
  static func readiness(
    _ result: Int64, _ call: String, _ doing: String, _ path: String?
  ) throws(SystemError) -> Readiness {
    if result >= 0 { return .bytes(Int(result)) }
    switch CInt(-result) {
    case EAGAIN: return .wouldBlock
    case EPIPE, ECONNRESET: return .peerGone
    default: throw SystemError(code: CInt(-result), call: call, doing: doing, path: path)
    }
  }
}
