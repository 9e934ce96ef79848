// This process as the kernel knows it: pid, user, processors, environment, limits.

import CSys
import Glibc

/// This process.
package enum CurrentProcess {
  package static var id: Int32 { getpid() }

  package static var effectiveUserID: UInt32 { geteuid() }

  /// Processors this process may run on, at least 1: less than the machine has when `taskset` says so.
  package static var processorCount: Int { Int(csys_processor_count()) }

  /// The value of an environment variable; nil when it is not set. Nothing here ever sets one.
  package static func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }

  /// The working directory; nil when it was removed.
  package static var workingDirectory: String? {
    guard let path = unsafe getcwd(nil, 0) else { return nil }
    defer { unsafe free(path) }
    return unsafe String(cString: path)
  }

  /// Raises the number of open files to the hard limit.
  /// - Returns: how many may be open now.
  @discardableResult
  package static func raiseDescriptorLimit() throws(SystemError) -> Int {
    var limit: UInt64 = 0
    let result = unsafe csys_raise_descriptor_limit(&limit)
    _ = try Syscalls.checked(result, "setrlimit", "raise the number of open files", nil)
    return Int(clamping: limit)
  }

  /// Ends the process at once with `code`; nothing is flushed and no destructor runs.
  package static func exitImmediately(_ code: Int32) -> Never { _exit(code) }

  /// Ends the process with `code`.
  package static func exit(_ code: Int32) -> Never { Glibc.exit(code) }
}
