// A directory of a test's own, gone when the test is.

import Platform

/// A private directory with a short path (sockets need one). It is removed with all in it when this object
/// goes.
package final class TemporaryDirectory: Sendable {
  package let directory: DataDirectory

  /// The directory's path.
  package var path: String { directory.path }

  package init() throws {
    let name = "ll-" + String(KernelRandom.word(), radix: 36)
    directory = try DataDirectory(creating: PathName.join("/tmp", name))
  }

  /// A directory of that path, which is made; it goes in the same way.
  package init(at path: String) throws { directory = try DataDirectory(creating: path) }

  /// The path of `name` in it.
  package func path(of name: String) -> String { directory.path(of: name) }

  deinit { try? directory.removeWithContents() }
}
