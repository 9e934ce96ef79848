// One bit for each code of a growing dictionary.

import Columns

/// A bit for each code below `codeCount`.
struct CodeMarks: Sendable {
  private(set) var words: [UInt64] = []
  private(set) var codeCount = 0

  /// Adds codes that are not marked.
  mutating func grow(to count: Int) {
    if count <= codeCount { return }
    words.append(contentsOf: repeatElement(0, count: (count + 63) / 64 - words.count))
    codeCount = count
  }

  mutating func set(_ code: Int) { words[code >> 6] |= 1 << UInt64(code & 63) }

  mutating func set(_ codes: Range<Int>) {
    var code = codes.lowerBound
    while code < codes.upperBound {
      if code & 63 == 0 && codes.upperBound - code >= 64 {
        words[code >> 6] = .max
        code += 64
      } else {
        set(code)
        code += 1
      }
    }
  }

  mutating func subtract(_ other: CodeMarks) {
    for place in 0..<min(words.count, other.words.count) { words[place] &= ~other.words[place] }
  }

  func contains(_ code: UInt32) -> Bool {
    Int(code >> 6) < words.count && words[Int(code >> 6)] >> UInt64(code & 63) & 1 != 0
  }

  /// The same marks in memory of their own: what is handed from thread to thread under a lock is copied, so
  /// that no memory is freed by one thread that another has read without the lock.
  func copy() -> CodeMarks {
    var copy = CodeMarks()
    copy.words.reserveCapacity(words.count)
    for word in words { copy.words.append(word) }
    copy.codeCount = codeCount
    return copy
  }

  /// Marks the values of the first `rowCount` lanes that lie in `bounds`, and no other of the 64-bit words
  /// that they reach into. There is room for them.
  mutating func select(
    _ lanes: UnsafePointer<Int64>, rowCount: Int, in bounds: ClosedRange<Int64>
  ) {
    unsafe words.withUnsafeMutableBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      // The kernel clears what lies past the last row only within its byte.
      unsafe (base + (rowCount + 63) / 64 * 8 - 8).storeBytes(of: 0, as: UInt64.self)
      unsafe Kernels.select(
        lanes, rowCount: rowCount, in: bounds,
        into: BitTarget(base.assumingMemoryBound(to: UInt64.self), .put))
    }
  }

  /// Calls `body` with each marked code below `count`, rising.
  func forEach(below count: Int, _ body: (Int) -> Void) {
    for place in 0..<(count + 63) / 64 {
      var rest = words[place]
      while rest != 0 {
        body(place << 6 | rest.trailingZeroBitCount)
        rest &= rest &- 1
      }
    }
  }
}
