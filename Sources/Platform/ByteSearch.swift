// Finding a byte in bytes, by the C library's vectorised search.

import Glibc

/// Searching bytes.
package enum ByteSearch {
  /// Where `byte` first stands in `bytes`; nil when it does not. About 30 GB/s in cache (a loop over a
  /// slice in Swift: 1 to 2).
  package static func firstIndex(of byte: UInt8, in bytes: Span<UInt8>) -> Int? {
    unsafe bytes.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress, let found = unsafe memchr(base, CInt(byte), buffer.count)
      else { return nil }
      return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }
  }
}
