// Signals read from a descriptor by an event loop instead of interrupting a thread.

import CSys
import Glibc

/// A signal that asks the process to do something.
package enum Signal: Int32, Sendable, CaseIterable {
  case interrupt = 2
  case terminate = 15
  case hangup = 1

  /// `SIGTERM` and so on.
  package var name: String {
    switch self {
    case .interrupt: "SIGINT"
    case .terminate: "SIGTERM"
    case .hangup: "SIGHUP"
    }
  }
}

/// A descriptor that becomes readable when one of some signals arrives.
package struct SignalDescriptor: ~Copyable, Sendable {
  private let owned: Descriptor

  /// Blocks `signals` in the calling thread and in every thread it starts later, and receives them here.
  /// Call it on the main thread before others start, or a thread without the block takes the signal.
  package init(_ signals: [Signal]) throws(SystemError) {
    owned = Descriptor(adopting: try Syscalls.signalDescriptor(signals.map(\.rawValue)))
  }

  /// For `EventLoop` only.
  package var descriptor: CInt { owned.number }

  /// The next signal; nil when none is waiting. Does not block.
  package borrowing func next() throws(SystemError) -> Signal? {
    let result = Syscalls.retrying { csys_next_signal(owned.number) }
    return Signal(rawValue: try Syscalls.checked(result, "read", "receive a signal", nil))
  }

  /// Makes writing to a closed pipe or socket answer EPIPE, and to a file past its limit EFBIG, instead of
  /// ending the process; call it at start.
  package static func ignoreBrokenPipes() {
    _ = csys_ignore_signal(SIGPIPE)
    _ = csys_ignore_signal(SIGXFSZ)
  }
}
