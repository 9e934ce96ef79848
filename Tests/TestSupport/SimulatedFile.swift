// An open file of a simulated disk.

import Glibc
import Platform
import Synchronization

/// One open file. Closing it, or letting go of it, gives its lock back.
final class SimulatedFile: VirtualFile {
  private let disk: SimulatedDisk
  private let path: String
  private let node: Int
  private let number: Int
  private let mode: OpenFile.Mode
  private let isDirect: Bool
  private let position = Guarded(0)

  init(
    _ disk: SimulatedDisk, _ path: String, node: Int, number: Int, mode: OpenFile.Mode, isDirect: Bool
  ) {
    self.disk = disk
    self.path = path
    self.node = node
    self.number = number
    self.mode = mode
    self.isDirect = isDirect
  }

  deinit { giveLockBack() }

  private func giveLockBack() {
    disk.state.withLock { state in
      if state.locks[node] == number { state.locks[node] = nil }
    }
  }

  private var mayWrite: Bool { mode != .read }
  private var mayRead: Bool { mode != .replace && mode != .append }

  // MARK: Reading

  func read(into bytes: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    let count = unsafe try read(at: position.withLock { $0 }, into: bytes)
    position.withLock { $0 += count }
    return count
  }

  func read(at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    unsafe checkAlignment(offset, bytes.count, bytes.baseAddress.map { UInt(bitPattern: $0) })
    return try disk.perform(.read, path, offset: offset, byteCount: bytes.count) {
      state, call, failure throws(SystemError) in
      guard mayRead else { throw call.failure(EBADF) }
      if state.nodes[node].isDirectory { throw call.failure(EISDIR) }
      if failure != nil { return 0 }
      let seen = isDirect ? state.nodes[node].written : state.nodes[node].cached
      return unsafe seen.read(at: offset, into: bytes)
    }
  }

  // MARK: Writing

  func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int {
    let place = mode == .append ? try status().byteCount : position.withLock { $0 }
    let count = unsafe try write(bytes, at: place)
    position.withLock { $0 = place + count }
    return count
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SystemError) -> Int {
    unsafe checkAlignment(offset, bytes.count, bytes.baseAddress.map { UInt(bitPattern: $0) })
    return try disk.perform(.write, path, offset: offset, byteCount: bytes.count) {
      state, call, failure throws(SystemError) in
      guard mayWrite else { throw call.failure(EBADF) }
      // A write that fails may have got part of the way: every other one here has.
      let half = state.struckCount % 2 == 0 ? bytes.count / 1024 * 512 : 0
      let wanted = failure == nil ? bytes.count : half
      let count = state.room(node, at: offset, count: wanted)
      if count > 0 {
        let written = unsafe [UInt8](UnsafeRawBufferPointer(rebasing: bytes.prefix(count)))
        state.change(node, .write(written, offset: offset))
      } else if unsafe failure == nil && !bytes.isEmpty {
        throw call.failure(ENOSPC)
      }
      return count
    }
  }

  private func checkAlignment(_ offset: Int, _ count: Int, _ address: UInt?) {
    guard isDirect else { return }
    let unit = OpenFile.directAlignment
    precondition(
      offset % unit == 0 && count % unit == 0 && (address ?? 0) % UInt(unit) == 0,
      "a direct transfer of \(count) bytes at \(offset) of \(path) is not aligned")
  }

  // MARK: The rest

  func sync() throws(SystemError) {
    try disk.perform(.sync, path) { state, _, failure throws(SystemError) in
      state.sync(node, fails: failure != nil)
    }
  }

  func syncAll() throws(SystemError) { try sync() }

  func status() throws(SystemError) -> FileStatus {
    try disk.perform(.look, path) { state, _, _ throws(SystemError) in state.status(node) }
  }

  func truncate(to byteCount: Int) throws(SystemError) {
    try disk.perform(.truncate, path, byteCount: byteCount) { state, call, failure throws(SystemError) in
      guard mayWrite else { throw call.failure(EINVAL) }
      if failure == nil { state.change(node, .truncate(byteCount)) }
    }
  }

  func reserve(_ byteCount: Int) throws(SystemError) {
    try disk.perform(.reserve, path, byteCount: byteCount) { state, call, failure throws(SystemError) in
      guard mayWrite else { throw call.failure(EBADF) }
      if failure != nil { return }
      guard state.room(node, at: 0, count: byteCount) == byteCount else { throw call.failure(ENOSPC) }
      state.change(node, .reserve(byteCount))
    }
  }

  func freeBytes() throws(SystemError) -> Int {
    try disk.perform(.measure, path) { state, _, _ throws(SystemError) in
      max(0, state.capacity - state.usedPageCount * PagedBytes.pageByteCount)
    }
  }

  func lockExclusively() throws(SystemError) -> Bool {
    try disk.perform(.lock, path) { state, _, failure throws(SystemError) in
      if failure != nil { return false }
      if let holder = state.locks[node] { return holder == number }
      state.locks[node] = number
      return true
    }
  }

  func close() throws(SystemError) { giveLockBack() }
}
