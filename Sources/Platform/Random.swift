// Random bytes from the kernel, good enough for identifiers and secrets.

import CSys
import Glibc

/// getrandom(2): cryptographically strong, never blocks once the machine has booted. About 0.3 µs a call,
/// so callers that make many identifiers draw some hundred bytes at a time.
package enum KernelRandom {
  /// Fills `bytes`.
  package static func fill(_ bytes: inout MutableSpan<UInt8>) {
    unsafe bytes.withUnsafeMutableBytes { unsafe fill($0) }
  }

  /// `count` random bytes.
  package static func bytes(count: Int) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      unsafe fill(UnsafeMutableRawBufferPointer(buffer))
      initialized = count
    }
  }

  /// One random word, for seeds.
  package static func word() -> UInt64 {
    var word: UInt64 = 0
    unsafe withUnsafeMutableBytes(of: &word) { unsafe fill($0) }
    return word
  }

  private static func fill(_ bytes: UnsafeMutableRawBufferPointer) {
    var done = 0
    while done < bytes.count {
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[done...])
      let count = Syscalls.retrying { unsafe csys_random(rest.baseAddress, rest.count) }
      precondition(count > 0, "getrandom fails only for a bad address or on a kernel before 3.17")
      done += Int(count)
    }
  }
}
