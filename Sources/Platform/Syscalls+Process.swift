// The wrappers of Syscalls.swift for the process: signals, children, environment, random bytes, error names.

import CSys
import Glibc

extension Syscalls {
  /// "ENOSPC" for its number.
  static func errorName(_ code: CInt) -> String? {
    guard let text = unsafe csys_error_name(code) else { return nil }
    return unsafe String(cString: text)
  }

  /// "No space left on device".
  static func errorText(_ code: CInt) -> String { unsafe String(cString: csys_error_text(code)) }

  static func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }

  static func workingDirectory() -> String? {
    guard let path = unsafe getcwd(nil, 0) else { return nil }
    defer { unsafe free(path) }
    return unsafe String(cString: path)
  }

  static func raiseDescriptorLimit() throws(SystemError) -> Int {
    var limit: UInt64 = 0
    let result = unsafe csys_raise_descriptor_limit(&limit)
    _ = try checked(result, "setrlimit", "raise the number of open files", nil)
    return Int(clamping: limit)
  }

  /// Blocks the signals in this thread and answers a descriptor that reports them.
  static func signalDescriptor(_ signals: [CInt]) throws(SystemError) -> CInt {
    let result = unsafe csys_signalfd(signals, CInt(signals.count))
    return try checked(result, "signalfd", "receive signals", nil)
  }

  static func windowSize(_ descriptor: CInt) -> Terminal.Size? {
    var columns: CInt = 0
    var rows: CInt = 0
    guard unsafe csys_window_size(descriptor, &columns, &rows) == 0 else { return nil }
    return Terminal.Size(columns: Int(columns), rows: Int(rows))
  }

  static func fillRandomly(_ bytes: inout MutableSpan<UInt8>) {
    unsafe bytes.withUnsafeMutableBytes { bytes in
      var done = 0
      while done < bytes.count {
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[done...])
        let count = retrying { unsafe csys_random(rest.baseAddress, rest.count) }
        precondition(count > 0, "getrandom fails only for a bad address or on a kernel before 3.17")
        done += Int(count)
      }
    }
  }

  /// Starts a program of PATH: its pid and the writing end of a pipe to its standard input.
  static func spawn(_ arguments: [String]) throws(SystemError) -> (Int32, CInt) {
    for argument in arguments where argument.utf8.contains(0) {
      throw SystemError(code: EINVAL, call: "posix_spawn", doing: "run with the argument", path: argument)
    }
    // One text with a NUL after each argument, and pointers into it.
    let text = arguments.flatMap { Array($0.utf8CString) }
    var offset = 0
    let offsets = arguments.map { argument in
      defer { offset += argument.utf8.count + 1 }
      return offset
    }
    var writingEnd: CInt = -1
    let result = unsafe text.withUnsafeBufferPointer { text in
      var pointers = unsafe [UnsafePointer<CChar>?]()
      for offset in offsets { unsafe pointers.append(text.baseAddress.map { unsafe $0 + offset }) }
      unsafe pointers.append(nil)
      return unsafe csys_spawn(pointers, &writingEnd)
    }
    return (try checked(result, "posix_spawn", "run", arguments[0]), writingEnd)
  }

  /// waitpid(2): the exit code (128 and the signal's number for a signal), or minus errno.
  static func wait(_ processID: Int32) -> CInt { retrying { csys_wait(processID) } }
}
