// An open file with one owner: whole reads and writes, sync, size; closing is the owner's last act.

import CSys
import Glibc

/// An open file. One owner; dropping it closes it silently, `close()` reports what close(2) says.
///
/// Reads and writes move all the bytes they are asked for: interruptions and short transfers are continued.
/// Nothing here is buffered. Offsets and sizes are in bytes. Positioned reads and writes may run on several
/// threads at once; `read(into:)` and `write(_:)` share the file's one position.
@safe
package struct OpenFile: ~Copyable, Sendable {
  /// How a file is opened. Files that are created get mode 0600.
  package enum Mode: Sendable {
    /// To read; it must exist.
    case read
    /// To read and write; it must exist.
    case readWrite
    /// To read and write; it must not exist (EEXIST), not even as a dangling link.
    case createNew
    /// To read and write, created when missing; a symbolic link at the end of the path is refused (ELOOP).
    case createOrOpen
    /// To write from the start; what was in it is lost.
    case replace
    /// To write at the end, created when missing.
    case append
  }

  private let owned: Descriptor
  /// Where the file lies when it is not the kernel's; nil otherwise.
  private let virtual: (any VirtualFile)?
  /// The path it was opened by, for error texts.
  package let path: String
  /// Opened with O_DIRECT: offsets, counts and addresses are multiples of `OpenFile.directAlignment`.
  package let isDirect: Bool

  /// What O_DIRECT asks of offsets, counts and addresses here.
  package static let directAlignment = 4096

  /// Opens the file at `path`, close-on-exec.
  ///
  /// - Parameter direct: past the page cache (O_DIRECT); EINVAL from file systems that cannot.
  package init(_ path: String, _ mode: Mode, direct: Bool = false) throws(SystemError) {
    var flags =
      switch mode {
      case .read: CSYS_OPEN_READ
      case .readWrite: CSYS_OPEN_READ | CSYS_OPEN_WRITE
      case .createNew: CSYS_OPEN_READ | CSYS_OPEN_WRITE | CSYS_OPEN_CREATE | CSYS_OPEN_EXCLUSIVE
      case .createOrOpen: CSYS_OPEN_READ | CSYS_OPEN_WRITE | CSYS_OPEN_CREATE | CSYS_OPEN_NOFOLLOW
      case .replace: CSYS_OPEN_WRITE | CSYS_OPEN_CREATE | CSYS_OPEN_TRUNCATE
      case .append: CSYS_OPEN_WRITE | CSYS_OPEN_CREATE | CSYS_OPEN_APPEND
      }
    if direct { flags |= CSYS_OPEN_DIRECT }
    let doing = mode == .createNew ? "create" : "open"
    owned = Descriptor(adopting: try Syscalls.open(path, flags: flags, mode: 0o600, doing: doing))
    virtual = nil
    self.path = path
    isDirect = direct
  }

  /// Opens the file at `path` of a virtual disk.
  init(_ path: String, _ mode: Mode, direct: Bool, on disk: any VirtualDisk) throws(SystemError) {
    virtual = try disk.open(path, mode, direct: direct)
    owned = .none
    self.path = path
    isDirect = direct
  }

  /// Takes over a descriptor that somebody else opened; `path` serves error texts.
  package init(adopting descriptor: CInt, path: String) {
    owned = Descriptor(adopting: descriptor)
    virtual = nil
    self.path = path
    isDirect = false
  }

  /// Closes the file and reports a delayed failure (EIO, ENOSPC on network file systems).
  package consuming func close() throws(SystemError) {
    if let virtual { return try virtual.close() }
    let path = self.path
    let result = owned.close()
    // The descriptor is closed even when close(2) was interrupted.
    if result < 0 && result != -EINTR {
      throw SystemError(code: -result, call: "close", doing: "close", path: path)
    }
  }

  /// For polling and inheriting only; it stays the property of this value. A file of a virtual disk has none.
  package var descriptor: CInt {
    precondition(virtual == nil, "a file of a virtual disk has no descriptor")
    return owned.number
  }
}

// MARK: - Reading

extension OpenFile {
  /// Reads from the file's position until `bytes` is full or the file ends.
  /// - Returns: how many bytes were read.
  package borrowing func read(into bytes: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    var done = 0
    while done < bytes.count {
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[done...])
      if let virtual {
        let count = unsafe try virtual.read(into: rest)
        if count == 0 { return done }
        done += count
        continue
      }
      switch unsafe try Syscalls.read(owned.number, into: rest, doing: "read", path: path) {
      case .bytes(0): return done
      case .bytes(let count): done += count
      case .wouldBlock: throw SystemError(code: EAGAIN, call: "read", doing: "read", path: path)
      case .peerGone: return done
      }
    }
    return done
  }

  /// Reads at `offset` until `bytes` is full or the file ends; the file's position stays.
  /// - Returns: how many bytes were read.
  package borrowing func read(
    at offset: Int, into bytes: UnsafeMutableRawBufferPointer
  ) throws(SystemError) -> Int {
    var done = 0
    while done < bytes.count {
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[done...])
      let count = unsafe try readOnce(at: offset + done, into: rest)
      done += count
      // A direct read that stops inside a block has met the end; going on from there would be EINVAL.
      if count == 0 || (isDirect && done % Self.directAlignment != 0) { break }
    }
    return done
  }

  private borrowing func readOnce(
    at offset: Int, into bytes: UnsafeMutableRawBufferPointer
  ) throws(SystemError) -> Int {
    if let virtual { return unsafe try virtual.read(at: offset, into: bytes) }
    return unsafe try Syscalls.pread(owned.number, into: bytes, at: offset, path: path)
  }

  package borrowing func read(into bytes: inout MutableSpan<UInt8>) throws(SystemError) -> Int {
    unsafe try bytes.withUnsafeMutableBytes { bytes throws(SystemError) in unsafe try read(into: bytes) }
  }

  package borrowing func read(at offset: Int, into bytes: inout MutableSpan<UInt8>) throws(SystemError) -> Int
  {
    unsafe try bytes.withUnsafeMutableBytes { bytes throws(SystemError) in
      unsafe try read(at: offset, into: bytes)
    }
  }

  /// All of a small file.
  /// - Throws: EFBIG when it has more than `limit` bytes.
  package borrowing func readAll(limit: Int) throws(SystemError) -> [UInt8] {
    let size = try self.size()
    if size > limit { throw SystemError(code: EFBIG, call: "fstat", doing: "read", path: path) }
    var bytes = [UInt8](repeating: 0, count: size)
    var span = bytes.mutableSpan
    let count = try read(at: 0, into: &span)
    bytes.removeLast(size - count)
    return bytes
  }
}

// MARK: - Writing

extension OpenFile {
  /// Writes all of `bytes` at the file's position.
  package borrowing func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
    guard let virtual else { return unsafe try Syscalls.writeAll(owned.number, bytes, path: path) }
    var done = 0
    while done < bytes.count {
      done += unsafe try virtual.write(UnsafeRawBufferPointer(rebasing: bytes[done...]))
    }
  }

  /// Writes all of `bytes` at `offset`; the file's position stays.
  package borrowing func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SystemError) {
    var done = 0
    while done < bytes.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
      let count = unsafe try writeOnce(rest, at: offset + done)
      if count == 0 { throw SystemError(code: EIO, call: "pwrite", doing: "write", path: path) }
      done += count
    }
  }

  private borrowing func writeOnce(
    _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(SystemError) -> Int {
    if let virtual { return unsafe try virtual.write(bytes, at: offset) }
    return unsafe try Syscalls.pwrite(owned.number, bytes, at: offset, path: path)
  }

  package borrowing func write(_ bytes: Span<UInt8>) throws(SystemError) {
    unsafe try bytes.withUnsafeBytes { bytes throws(SystemError) in unsafe try write(bytes) }
  }

  package borrowing func write(_ bytes: Span<UInt8>, at offset: Int) throws(SystemError) {
    unsafe try bytes.withUnsafeBytes { bytes throws(SystemError) in unsafe try write(bytes, at: offset) }
  }

  package borrowing func write(_ bytes: [UInt8]) throws(SystemError) { try write(bytes.span) }

  package borrowing func write(_ bytes: [UInt8], at offset: Int) throws(SystemError) {
    try write(bytes.span, at: offset)
  }
}

// MARK: - Durability and size

extension OpenFile {
  /// fdatasync: what was written, and the size needed to read it, is on the disk. Never call it again after
  /// it failed and believe the second answer: the kernel may have dropped the pages.
  package borrowing func sync() throws(SystemError) {
    if let virtual { return try virtual.sync() }
    return try Syscalls.syncContents(owned.number, path: path)
  }

  /// fsync: as `sync`, with times and permissions.
  package borrowing func syncAll() throws(SystemError) {
    if let virtual { return try virtual.syncAll() }
    return try Syscalls.syncAll(owned.number, path: path)
  }

  /// Bytes in the file.
  package borrowing func size() throws(SystemError) -> Int { try status().byteCount }

  package borrowing func status() throws(SystemError) -> FileStatus {
    if let virtual { return try virtual.status() }
    return try Syscalls.status(owned.number, path: path)
  }

  /// Cuts the file, or lengthens it by zeros (a hole).
  package borrowing func truncate(to byteCount: Int) throws(SystemError) {
    if let virtual { return try virtual.truncate(to: byteCount) }
    return try Syscalls.truncate(owned.number, to: byteCount, path: path)
  }

  /// Reserves room for the first `byteCount` bytes (at least 1), lengthening the file with zeros.
  /// - Throws: ENOSPC when the disk has no such room, EOPNOTSUPP from file systems that cannot promise.
  package borrowing func reserve(_ byteCount: Int) throws(SystemError) {
    if let virtual { return try virtual.reserve(byteCount) }
    return try Syscalls.allocate(owned.number, byteCount: byteCount, path: path)
  }

  /// Bytes that may still be written to the file system of this file.
  package borrowing func freeBytes() throws(SystemError) -> Int {
    if let virtual { return try virtual.freeBytes() }
    return try Syscalls.freeBytes(owned.number, path: path)
  }

  /// flock(2) without waiting: whether this open file now holds the lock. `unlock` gives it back; closing the
  /// file does so only when no process that is being started has a copy of the descriptor.
  borrowing func lockExclusively() throws(SystemError) -> Bool {
    if let virtual { return try virtual.lockExclusively() }
    return try Syscalls.lockExclusively(owned.number, path: path)
  }

  /// flock(2): gives the lock back now. A virtual file does so when it is closed: nobody has a copy of it.
  borrowing func unlock() {
    if virtual == nil { Syscalls.unlock(owned.number) }
  }
}
