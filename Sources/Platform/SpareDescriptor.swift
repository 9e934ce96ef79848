// Descriptors kept for the moment when there are none left, so that clients can be turned away.

import CSys

/// Descriptors in reserve. When `accept` answers `.outOfDescriptors`, `turnAway` gives one up for a moment to
/// accept one client and close it: the client reads an end instead of waiting in a queue for ever, and the
/// listening socket does not stay ready and make the loop spin.
///
/// There are three, because another thread that opens a file may be faster than the accepting one: what it
/// has taken comes back only when something else is closed.
package struct SpareDescriptor: ~Copyable, Sendable {
  private var first: Descriptor?
  private var second: Descriptor?
  private var third: Descriptor?

  package init() throws(SystemError) {
    first = try Self.open()
    second = try Self.open()
    third = try Self.open()
  }

  /// Accepts one waiting client and closes it.
  /// - Returns: false when nobody is waiting, or other threads took the descriptors first; then wait for a
  ///   connection to close before watching the listening socket again.
  package mutating func turnAway(from server: borrowing ListeningSocket) -> Bool {
    defer { refill() }
    first = nil
    if Self.turnAwayOne(from: server) { return true }
    second = nil
    if Self.turnAwayOne(from: server) { return true }
    third = nil
    return Self.turnAwayOne(from: server)
  }

  private static func turnAwayOne(from server: borrowing ListeningSocket) -> Bool {
    let accepted = Syscalls.accept(server.descriptor)
    if accepted < 0 { return false }
    Syscalls.close(accepted)
    return true
  }

  private mutating func refill() {
    if first == nil { first = try? Self.open() }
    if second == nil { second = try? Self.open() }
    if third == nil { third = try? Self.open() }
  }

  private static func open() throws(SystemError) -> Descriptor {
    Descriptor(adopting: try Syscalls.open("/dev/null", flags: CSYS_OPEN_READ, mode: 0))
  }
}
