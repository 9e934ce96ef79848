// A disk in memory that loses power, tears writes and fails on purpose.

import Glibc
import Platform

/// A file system in memory that keeps what was synced apart from what was not.
///
/// The rules, as strict as POSIX allows: bytes and size of a file last once the file was synced; a name that
/// was made, changed or removed lasts once its directory was synced; all else may be there after a power
/// loss, or not, or in part (`PowerLoss`). After a failed sync the next one succeeds without having saved
/// anything. Transfers of a file that was opened past the page cache trap when they are not aligned. Errors
/// are those of the kernel. Any thread may call.
package final class SimulatedDisk: VirtualDisk {
  struct State: Sendable {
    /// 0 is the root. Nodes that nobody can reach stay until the next power loss.
    var nodes = [SimulatedNode(isDirectory: true)]
    var changeCount = 0
    var callCount = 0
    var capacity = 1 << 40
    var usedPageCount = 0
    var faults: [DiskFault] = []
    var struckCount = 0
    /// The open file that holds the lock, by node.
    var locks: [Int: Int] = [:]
    var openCount = 0
  }

  let state: Guarded<State>
  /// In an object, because a function that passes through a generic container is wrapped anew each time.
  private final class Watcher: Sendable {
    let tell: @Sendable (DiskCall, DiskCall.Moment) -> Void
    init(_ tell: @escaping @Sendable (DiskCall, DiskCall.Moment) -> Void) { self.tell = tell }
  }
  private let watcher = Guarded<Watcher?>(nil)

  package convenience init() { self.init(State()) }

  init(_ state: State) { self.state = Guarded(state) }

  // MARK: For tests

  /// The same disk as it is now, unsynced changes and all; open files, locks, faults and the watcher stay
  /// behind. So it is also what a process finds that comes after a killed one.
  /// - Complexity: O(files); bytes are shared until one of the two writes them.
  package func copy() -> SimulatedDisk {
    var state = self.state.withLock { $0 }
    state.locks = [:]
    state.faults = []
    return SimulatedDisk(state)
  }

  /// Tells `watcher` of every call, before and after it is carried out, on the calling thread and outside the
  /// disk's lock: it may copy the disk.
  package func watch(_ watcher: (@Sendable (DiskCall, DiskCall.Moment) -> Void)?) {
    self.watcher.withLock { $0 = watcher.map(Watcher.init) }
  }

  package func plant(_ fault: DiskFault) { state.withLock { $0.faults.append(fault) } }
  package func removeFaults() { state.withLock { $0.faults = [] } }
  /// Calls that failed because a fault was planted.
  package var struckCount: Int { state.withLock { $0.struckCount } }
  package var callCount: Int { state.withLock { $0.callCount } }
  /// Changes made so far; equal for a disk and its copy as long as neither changes.
  package var changeCount: Int { state.withLock { $0.changeCount } }
  /// Changes of files and directories that no sync has covered.
  package var unsyncedCount: Int {
    state.withLock { $0.nodes.reduce(0) { $0 + $1.pending.count + $1.pendingEntries.count } }
  }

  /// Bytes that files may take, in pages of 4 KiB.
  package func setCapacity(_ byteCount: Int) { state.withLock { $0.capacity = byteCount } }
  package var usedByteCount: Int { state.withLock { $0.usedPageCount * PagedBytes.pageByteCount } }

  // MARK: Carrying a call out

  /// - Parameter body: gets the error that a planted fault asks for; carries out what part of the call is
  ///   done all the same.
  func perform<Result>(
    _ kind: DiskCall.Kind, _ path: String, offset: Int = 0, byteCount: Int = 0,
    _ body: (inout State, DiskCall, SystemError?) throws(SystemError) -> Result
  ) throws(SystemError) -> Result {
    let (call, failure) = state.withLock { $0.begin(kind, path, offset: offset, byteCount: byteCount) }
    let watcher = watcher.withLock { $0 }
    watcher?.tell(call, .before)
    defer { watcher?.tell(call, .after) }
    return try state.withLock { state throws(SystemError) in
      if kind.isChange { state.changeCount += 1 }
      let result = try body(&state, call, failure)
      if let failure { throw failure }
      return result
    }
  }

  package func open(
    _ path: String, _ mode: OpenFile.Mode, direct: Bool
  ) throws(SystemError) -> any VirtualFile {
    let exists = state.withLock { $0.node(path) != nil }
    let makes =
      switch mode {
      case .read, .readWrite: false
      case .createNew: true
      case .createOrOpen, .append: !exists
      case .replace: true
      }
    let opened = try perform(makes ? .create : .open, path) { state, call, failure throws(SystemError) in
      if let failure { throw failure }
      return try state.open(path, mode, call)
    }
    return SimulatedFile(
      self, path, node: opened.node, number: opened.number, mode: mode, isDirect: direct)
  }

  package func entries(of path: String) throws(SystemError) -> [String] {
    try perform(.list, path) { state, call, failure throws(SystemError) in
      if failure != nil { return [] }
      return Array(state.nodes[try state.directory(path, call)].entries.keys)
    }
  }

  package func linkStatus(_ path: String) throws(SystemError) -> FileStatus? {
    try perform(.look, path) { state, _, failure throws(SystemError) in
      failure == nil ? state.node(path).map { state.status($0) } : nil
    }
  }

  package func rename(_ path: String, to target: String) throws(SystemError) {
    try perform(.rename, path) { state, call, failure throws(SystemError) in
      if failure == nil { try state.rename(path, to: target, call) }
    }
  }

  package func unlink(_ path: String) throws(SystemError) {
    try perform(.unlink, path) { state, call, failure throws(SystemError) in
      if failure == nil { try state.remove(path, directory: false, call) }
    }
  }

  package func makeDirectory(_ path: String) throws(SystemError) {
    try perform(.makeDirectory, path) { state, call, failure throws(SystemError) in
      if failure != nil { return }
      if state.node(path) != nil { throw call.failure(EEXIST) }
      _ = try state.make(path, directory: true, call)
    }
  }

  package func removeDirectory(_ path: String) throws(SystemError) {
    try perform(.removeDirectory, path) { state, call, failure throws(SystemError) in
      if failure == nil { try state.remove(path, directory: true, call) }
    }
  }

  package func syncDirectory(_ path: String) throws(SystemError) {
    try perform(.syncDirectory, path) { state, call, failure throws(SystemError) in
      state.sync(try state.directory(path, call), fails: failure != nil)
    }
  }
}
