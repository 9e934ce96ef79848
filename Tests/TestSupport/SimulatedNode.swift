// Files and directories of a simulated disk: what is cached, what the disk holds, what lies between them.

/// A change of a file that no sync has covered yet.
enum FileChange: Sendable {
  case write([UInt8], offset: Int)
  case truncate(Int)
  case reserve(Int)

  /// Whether a file of `byteCount` bytes gets another size by it.
  func changesSize(of byteCount: Int) -> Bool {
    switch self {
    case .write(let bytes, let offset): offset + bytes.count > byteCount
    case .truncate(let count): count != byteCount
    case .reserve(let count): count > byteCount
    }
  }

  func apply(to bytes: inout PagedBytes) {
    switch self {
    case .write(let written, let offset): bytes.write(written, at: offset)
    case .truncate(let count): bytes.setByteCount(count)
    case .reserve(let count): bytes.reserve(count)
    }
  }
}

/// A change of a directory that no sync has covered yet.
enum EntryChange: Sendable {
  case set(String, node: Int)
  case remove(String, node: Int)
  case rename(String, to: String, node: Int)

  /// Carries the change out, as far as what went before it is there.
  func apply(to entries: inout [String: Int]) {
    switch self {
    case .set(let name, let node): entries[name] = node
    case .remove(let name, let node): if entries[name] == node { entries[name] = nil }
    case .rename(let name, let target, let node):
      if entries[name] == node { entries[name] = nil }
      entries[target] = node
    }
  }
}

/// A change with its place in the order of all changes of the disk.
struct Pending<Change: Sendable>: Sendable {
  let number: Int
  let change: Change
}

/// A file or a directory. What readers see is `cached`; what outlasts a power loss for certain is `durable`;
/// `pending` leads from the one to the other, unless a sync failed: then part of what is cached never gets to
/// the disk, though the next sync succeeds, as on Linux.
struct SimulatedNode: Sendable {
  let isDirectory: Bool
  /// Number of the last change.
  var modified = 0
  var cached = PagedBytes()
  var durable = PagedBytes()
  var pending: [Pending<FileChange>] = []
  var entries: [String: Int] = [:]
  var durableEntries: [String: Int] = [:]
  var pendingEntries: [Pending<EntryChange>] = []
  /// A sync failed: the disk does not hold what is cached.
  var hasDiverged = false

  init(isDirectory: Bool) { self.isDirectory = isDirectory }

  /// What a direct read sees: it makes the kernel write what is dirty, but a page whose writing failed is
  /// clean.
  var written: PagedBytes {
    guard hasDiverged else { return cached }
    var bytes = durable
    for change in pending { change.change.apply(to: &bytes) }
    return bytes
  }

  mutating func sync() {
    durable = written
    pending.removeAll()
    if hasDiverged {
      for change in pendingEntries { change.change.apply(to: &durableEntries) }
    } else {
      durableEntries = entries
    }
    pendingEntries.removeAll()
  }

  /// A sync that fails: what was to be synced counts as written from now on, but only the changes that
  /// `arrives` says got to the disk.
  mutating func failSync(arrives: (Int) -> Bool) {
    hasDiverged = true
    for change in pending where arrives(change.number) { change.change.apply(to: &durable) }
    for change in pendingEntries where arrives(change.number) { change.change.apply(to: &durableEntries) }
    pending.removeAll()
    pendingEntries.removeAll()
  }
}
