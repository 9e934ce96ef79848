// Random bytes from the kernel, good enough for identifiers and secrets.

/// getrandom(2): cryptographically strong, never blocks once the machine has booted. About half a µs a call,
/// so callers that make many identifiers draw some hundred bytes at a time.
package enum KernelRandom {
  /// Fills `bytes`.
  package static func fill(_ bytes: inout MutableSpan<UInt8>) {
    Syscalls.fillRandomly(&bytes)
  }

  /// `count` random bytes.
  package static func bytes(count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var span = bytes.mutableSpan
    fill(&span)
    return bytes
  }

  /// One random word, for seeds.
  package static func word() -> UInt64 {
    bytes(count: 8).reduce(0) { $0 << 8 | UInt64($1) }
  }
}
