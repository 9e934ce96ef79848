// A descriptor kept for the moment when there are none left, so that clients can be turned away.

import CSys

/// A descriptor in reserve. When `accept` answers `.outOfDescriptors`, `turnAway` gives it up for a moment to
/// accept one client and close it: the client reads an end instead of waiting in a queue for ever, and the
/// listening socket does not stay ready and make the loop spin.
package struct SpareDescriptor: ~Copyable, Sendable {
  private var spare: Descriptor?

  package init() throws(SystemError) { spare = try Self.open() }

  /// Accepts one waiting client and closes it.
  /// - Returns: false when nobody is waiting, or another thread took the descriptor first; then wait for a
  ///   connection to close before watching the listening socket again.
  package mutating func turnAway(from server: borrowing ListeningSocket) -> Bool {
    spare = nil
    let accepted = Syscalls.accept(server.descriptor)
    if accepted >= 0 { Syscalls.close(accepted) }
    spare = try? Self.open()
    return accepted >= 0
  }

  private static func open() throws(SystemError) -> Descriptor {
    Descriptor(adopting: try Syscalls.open("/dev/null", flags: CSYS_OPEN_READ, mode: 0))
  }
}
