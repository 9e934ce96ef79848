// A program that is given its standard input through a pipe, such as a pager.

/// A running child. One owner; dropping it closes its input and waits for its end.
package struct ChildProcess: ~Copyable {
  package let processID: Int32
  /// The writing end of the pipe; -1 once it is closed and the child is waited for.
  private var input: CInt

  /// Starts `arguments[0]`, looked up in PATH, with standard output and error shared with this process.
  /// - Throws: ENOENT when there is no such program.
  package init(_ arguments: [String]) throws(SystemError) {
    precondition(!arguments.isEmpty, "a program has a name")
    let (pid, writingEnd) = try Syscalls.spawn(arguments)
    processID = pid
    input = writingEnd
  }

  /// Its standard input, valid until `finish`; nil after it.
  package var standardInput: OutputStream? { input < 0 ? nil : OutputStream(descriptor: input) }

  /// Closes its input and waits for its end.
  /// - Returns: its exit code; 128 plus the signal's number when a signal ended it.
  @discardableResult
  package mutating func finish() throws(SystemError) -> Int32 {
    precondition(input >= 0, "a child is waited for once")
    Syscalls.close(input)
    input = -1
    let result = Syscalls.wait(processID)
    return try Syscalls.checked(result, "waitpid", "wait for process \(processID)", nil)
  }

  deinit {
    if input >= 0 {
      Syscalls.close(input)
      _ = Syscalls.wait(processID)
    }
  }
}
