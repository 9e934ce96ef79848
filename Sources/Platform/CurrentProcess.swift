// This process as the kernel knows it: pid, user, processors, environment, limits.

import CSys
import Glibc

/// This process.
package enum CurrentProcess {
  package static var id: Int32 { getpid() }

  package static var effectiveUserID: UInt32 { geteuid() }

  /// Processors this process may run on, at least 1: less than the machine has when `taskset` says so.
  package static var processorCount: Int { Int(csys_processor_count()) }

  /// Processor time that the calling thread has used, for measuring beside other work.
  package static var threadTime: Duration { .nanoseconds(Int64(csys_thread_nanoseconds())) }

  /// The value of an environment variable; nil when it is not set. Nothing here ever sets one.
  package static func environment(_ name: String) -> String? { Syscalls.environment(name) }

  /// The working directory; nil when it was removed.
  package static var workingDirectory: String? { Syscalls.workingDirectory() }

  /// Raises the number of open files to the hard limit.
  /// - Returns: how many may be open now.
  @discardableResult
  package static func raiseDescriptorLimit() throws(SystemError) -> Int {
    try Syscalls.raiseDescriptorLimit()
  }

  /// Ends the process at once with `code`; nothing is flushed and no destructor runs.
  package static func exitImmediately(_ code: Int32) -> Never { _exit(code) }

  /// Ends the process with `code`.
  package static func exit(_ code: Int32) -> Never { Glibc.exit(code) }
}
