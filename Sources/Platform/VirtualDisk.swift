// A file system of the program's own making, to which directories and files can be moved as a whole.

/// What stands below `DataDirectory`, `OpenFile` and `DirectoryLock` in place of the kernel.
///
/// Tests hand in one that loses power, tears writes and fails on purpose. Each requirement is one system call
/// with the kernel's meaning, errors included; paths are absolute. Any thread may call.
package protocol VirtualDisk: AnyObject, Sendable {
  /// open(2), with the flags that stand for the mode.
  func open(
    _ path: String, _ mode: OpenFile.Mode, direct: Bool
  ) throws(SystemError) -> any VirtualFile

  /// The names in a directory, in any order, without `.` and `..`.
  func entries(of path: String) throws(SystemError) -> [String]

  /// What stands at `path`; nil when nothing does.
  func linkStatus(_ path: String) throws(SystemError) -> FileStatus?

  func rename(_ path: String, to target: String) throws(SystemError)
  func unlink(_ path: String) throws(SystemError)
  /// - Throws: EEXIST when something stands there.
  func makeDirectory(_ path: String) throws(SystemError)
  /// - Throws: ENOTEMPTY when it is not empty.
  func removeDirectory(_ path: String) throws(SystemError)
  /// fsync(2) on a directory.
  func syncDirectory(_ path: String) throws(SystemError)
}

/// An open file of a `VirtualDisk`. The last reference to it is its descriptor: letting go of it closes it.
package protocol VirtualFile: AnyObject, Sendable {
  /// Reads at the file's position and moves it. 0 is the end of the file.
  func read(into bytes: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int
  /// pread(2): may move less than it was asked for.
  func read(at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int
  /// Writes at the file's position and moves it; may move less than it was asked for.
  func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int
  /// pwrite(2): may move less than it was asked for.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SystemError) -> Int
  /// fdatasync(2).
  func sync() throws(SystemError)
  /// fsync(2).
  func syncAll() throws(SystemError)
  func status() throws(SystemError) -> FileStatus
  /// ftruncate(2).
  func truncate(to byteCount: Int) throws(SystemError)
  /// fallocate(2) without flags.
  func reserve(_ byteCount: Int) throws(SystemError)
  func freeBytes() throws(SystemError) -> Int
  /// flock(2) without waiting: false when another open file holds the lock.
  func lockExclusively() throws(SystemError) -> Bool
  /// close(2). Nothing else is called afterwards.
  func close() throws(SystemError)
}
