// Comparing runs of bytes, by the C library's vectorised comparison.

import Glibc

/// Whether two runs hold the same bytes. O(bytes).
package func bytesAreEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
  if left.count != right.count { return false }
  guard let first = left.baseAddress, let second = right.baseAddress else { return true }
  return unsafe memcmp(first, second, left.count) == 0
}

/// Whether `left` comes before `right`: bytes are compared as unsigned numbers, and a run comes after those
/// that it begins with. O(bytes).
package func bytesPrecede(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
  let common = min(left.count, right.count)
  if common > 0, let first = left.baseAddress, let second = right.baseAddress {
    let order = unsafe memcmp(first, second, common)
    if order != 0 { return order < 0 }
  }
  return left.count < right.count
}
