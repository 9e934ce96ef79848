// Replacing a small file in one step, in a directory of any kind.

/// For files beside a user's own, where no `DataDirectory` is: the old content stands until the new one
/// is whole.
package enum FileReplacement {
  /// Gives the file at `path` the content `bytes`: writes `path.tmp`, syncs it, renames it. One writer for
  /// each path.
  package static func replace(_ path: String, with bytes: [UInt8]) throws(SystemError) {
    let temporary = path + ".tmp"
    let file = try OpenFile(temporary, .replace)
    try file.write(bytes)
    try file.sync()
    try file.close()
    try Syscalls.rename(temporary, to: path)
  }

  /// All of the small file at `path`; nil when it does not exist.
  /// - Throws: EFBIG when it has more than `limit` bytes.
  package static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8]? {
    guard try Syscalls.linkStatus(path) != nil else { return nil }
    return try OpenFile(path, .read).readAll(limit: limit)
  }

  /// Removes the file at `path`; one that is gone is no error.
  package static func remove(_ path: String) throws(SystemError) {
    guard try Syscalls.linkStatus(path) != nil else { return }
    try Syscalls.unlink(path)
  }
}
