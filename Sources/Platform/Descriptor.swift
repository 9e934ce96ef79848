// A file descriptor with one owner, closed exactly once.

import CSys
import Glibc

/// A descriptor with one owner; dropping it closes it.
struct Descriptor: ~Copyable, Sendable {
  let number: CInt

  init(adopting number: CInt) { self.number = number }

  /// No descriptor at all.
  static var none: Descriptor { Descriptor(adopting: -1) }

  /// Closes it.
  /// - Returns: 0, or minus errno. The number is free again either way.
  consuming func close() -> CInt {
    let result = Syscalls.close(number)
    discard self
    return result
  }

  deinit { if number >= 0 { Syscalls.close(number) } }
}
