// The Swift face of the C loops over columns.

import CKernels

/// Loops that are worth a vector unit. Each has a Swift twin in the tests.
@usableFromInline package enum Kernels {
  /// Set bits in `wordCount` words.
  package static func populationCount(_ words: UnsafePointer<UInt64>, wordCount: Int) -> Int {
    unsafe ckernels_popcount(words, wordCount)
  }
}
