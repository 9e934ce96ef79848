// The tree of a simulated disk: paths, names, room.

import Glibc
import Platform

extension SimulatedDisk.State {
  mutating func begin(
    _ kind: DiskCall.Kind, _ path: String, offset: Int, byteCount: Int
  ) -> (DiskCall, SystemError?) {
    let call = DiskCall(kind: kind, path: path, offset: offset, byteCount: byteCount, number: callCount)
    callCount += 1
    var failure: SystemError?
    for place in faults.indices where faults[place].strikes(call) && failure == nil {
      failure = call.failure(faults[place].code)
      struckCount += 1
    }
    return (call, failure)
  }

  // MARK: Finding

  /// The node at an absolute path.
  func node(_ path: String) -> Int? {
    precondition(path.hasPrefix("/"), "paths on a simulated disk are absolute: \"\(path)\"")
    var node = 0
    for name in path.split(separator: "/") {
      guard nodes[node].isDirectory, let next = nodes[node].entries[String(name)] else { return nil }
      node = next
    }
    return node
  }

  func existing(_ path: String, _ call: DiskCall) throws(SystemError) -> Int {
    guard let node = node(path) else { throw call.failure(ENOENT) }
    return node
  }

  func directory(_ path: String, _ call: DiskCall) throws(SystemError) -> Int {
    let node = try existing(path, call)
    guard nodes[node].isDirectory else { throw call.failure(ENOTDIR) }
    return node
  }

  func status(_ node: Int) -> FileStatus {
    FileStatus(
      kind: nodes[node].isDirectory ? .directory : .regular, byteCount: nodes[node].cached.byteCount,
      permissions: nodes[node].isDirectory ? 0o700 : 0o600, ownerUserID: CurrentProcess.effectiveUserID,
      modified: Microseconds(Int64(nodes[node].modified)),
      identity: FileIdentity(device: 0, inode: UInt64(node)))
  }

  // MARK: Changing names

  mutating func open(
    _ path: String, _ mode: OpenFile.Mode, _ call: DiskCall
  ) throws(SystemError) -> (node: Int, number: Int) {
    var found = node(path)
    switch mode {
    case .read, .readWrite: if found == nil { throw call.failure(ENOENT) }
    case .createNew: if found != nil { throw call.failure(EEXIST) }
    case .createOrOpen, .replace, .append: break
    }
    if let found, nodes[found].isDirectory, mode != .read { throw call.failure(EISDIR) }
    if mode == .replace, let found, nodes[found].cached.byteCount > 0 { change(found, .truncate(0)) }
    if found == nil { found = try make(path, directory: false, call) }
    guard let found else { preconditionFailure("a file is found or made") }
    openCount += 1
    return (found, openCount)
  }

  mutating func make(_ path: String, directory: Bool, _ call: DiskCall) throws(SystemError) -> Int {
    let parent = try self.directory(PathName.directory(of: path), call)
    let node = nodes.count
    nodes.append(SimulatedNode(isDirectory: directory))
    change(parent, .set(PathName.last(of: path), node: node))
    return node
  }

  mutating func rename(_ path: String, to target: String, _ call: DiskCall) throws(SystemError) {
    let parent = PathName.directory(of: path)
    precondition(parent == PathName.directory(of: target), "a simulated disk renames within a directory")
    let node = try existing(path, call)
    if let replaced = self.node(target) {
      if replaced == node { return }
      if nodes[replaced].isDirectory {
        guard nodes[node].isDirectory else { throw call.failure(EISDIR) }
        guard nodes[replaced].entries.isEmpty else { throw call.failure(ENOTEMPTY) }
      } else if nodes[node].isDirectory {
        throw call.failure(ENOTDIR)
      }
      usedPageCount -= nodes[replaced].cached.pageCount
    }
    change(
      try directory(parent, call), .rename(PathName.last(of: path), to: PathName.last(of: target), node: node)
    )
  }

  mutating func remove(_ path: String, directory: Bool, _ call: DiskCall) throws(SystemError) {
    let node = try existing(path, call)
    guard nodes[node].isDirectory == directory else { throw call.failure(directory ? ENOTDIR : EISDIR) }
    guard nodes[node].entries.isEmpty else { throw call.failure(ENOTEMPTY) }
    usedPageCount -= nodes[node].cached.pageCount
    change(
      try self.directory(PathName.directory(of: path), call), .remove(PathName.last(of: path), node: node))
  }

  private mutating func change(_ directory: Int, _ change: EntryChange) {
    change.apply(to: &nodes[directory].entries)
    nodes[directory].pendingEntries.append(Pending(number: changeCount, change: change))
    nodes[directory].modified = changeCount
  }

  // MARK: Changing files

  mutating func change(_ node: Int, _ change: FileChange) {
    let before = nodes[node].cached.pageCount
    change.apply(to: &nodes[node].cached)
    usedPageCount += nodes[node].cached.pageCount - before
    nodes[node].pending.append(Pending(number: changeCount, change: change))
    nodes[node].modified = changeCount
  }

  /// How many of `count` bytes at `offset` there is room for.
  func room(_ node: Int, at offset: Int, count: Int) -> Int {
    let page = PagedBytes.pageByteCount
    let free = max(0, capacity / page - usedPageCount)
    if nodes[node].cached.missingPageCount(at: offset, count: count) <= free { return count }
    var fits = 0
    // Up to the end of the last page that still fits.
    while fits < count {
      let next = min(count, (offset + fits) / page * page + page - offset)
      if nodes[node].cached.missingPageCount(at: offset, count: next) > free { break }
      fits = next
    }
    return fits
  }

  /// Syncs a node. One that fails loses what was to be synced, all of it or every other change.
  mutating func sync(_ node: Int, fails: Bool) {
    guard fails else { return nodes[node].sync() }
    let spared = struckCount % 2
    nodes[node].failSync { spared == 0 && $0 % 2 == 0 }
  }
}
