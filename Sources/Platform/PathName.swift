// Joining directory paths and names, without Foundation.

/// Paths as text. Nothing here asks the kernel.
package enum PathName {
  /// `directory/name`, with one slash between them.
  package static func join(_ directory: String, _ name: String) -> String {
    directory.hasSuffix("/") || directory.isEmpty ? directory + name : directory + "/" + name
  }

  /// The directory part: `a/b` of `a/b/c`, `/` of `/a`, `.` of `a`.
  package static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The last part: `c` of `a/b/c`.
  package static func last(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return path }
    return String(path[path.index(after: slash)...])
  }
}
