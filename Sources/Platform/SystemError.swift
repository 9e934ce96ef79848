// A system call that failed: which, with what errno, while doing what to which path.

/// A failed system call. Its text is one line without a full stop:
/// `cannot write "/var/lib/ledger/journal-0.seg": No space left on device (ENOSPC from pwrite)`.
package struct SystemError: Error, Equatable, Sendable {
  /// The errno value, for example 28 for ENOSPC.
  package let code: CInt
  /// The system call, for example `pwrite`.
  package let call: String
  /// What was being done, to follow "cannot": `write`, `open the journal`.
  package let doing: String
  /// The file it was done to, where there is one.
  package let path: String?

  package init(code: CInt, call: String, doing: String, path: String? = nil) {
    self.code = code
    self.call = call
    self.doing = doing
    self.path = path
  }

  /// The errno's name, for example `ENOSPC`; `errno 4095` where glibc knows none.
  package var name: String { Syscalls.errorName(code) ?? "errno \(code)" }

  /// What the errno means, in English: `No space left on device`.
  package var meaning: String { Syscalls.errorText(code) }
}

extension SystemError: CustomStringConvertible {
  package var description: String {
    let place = path.map { " \"\(escaped($0))\"" } ?? ""
    return "cannot \(doing)\(place): \(meaning) (\(name) from \(call))"
  }
}

/// `path` with quotes, backslashes and control characters escaped: it stays on one line inside its quotes.
func escaped(_ path: String) -> String {
  var text = ""
  for scalar in path.unicodeScalars {
    if scalar.value < 0x20 || scalar == "\"" || scalar == "\\" || scalar.value == 0x7F {
      text += scalar.escaped(asASCII: false)
    } else {
      text.unicodeScalars.append(scalar)
    }
  }
  return text
}
