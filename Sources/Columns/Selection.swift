// The rows of a stripe that survive a filter: one bit a row.

/// A bitmap over the 32,768 rows of a stripe, in row order: 4 KiB, used again from stripe to stripe.
@safe @usableFromInline package struct Selection: ~Copyable {
  package static let wordCount = Layout.stripeRows / 64

  /// The words of the bitmap, row 0 of the stripe in the lowest bit of the first word.
  @usableFromInline let words: UnsafeMutablePointer<UInt64>

  /// An empty selection.
  package init() {
    unsafe words = .allocate(capacity: Self.wordCount)
    unsafe words.initialize(repeating: 0, count: Self.wordCount)
  }

  deinit { unsafe words.deallocate() }

  /// The bitmap, for kernels.
  @inlinable package var bits: UnsafeMutablePointer<UInt64> { unsafe words }

  /// Selects the first `rowCount` rows and no other.
  package mutating func selectFirst(_ rowCount: Int) {
    precondition(rowCount >= 0 && rowCount <= Layout.stripeRows, "rows of a stripe")
    for word in 0..<Self.wordCount {
      let rows = min(max(rowCount - word * 64, 0), 64)
      unsafe words[word] = rows == 64 ? .max : (1 << UInt64(rows)) - 1
    }
  }

  package mutating func selectNone() { unsafe words.update(repeating: 0, count: Self.wordCount) }

  /// Keeps the rows that `other` has too.
  package mutating func formIntersection(_ other: borrowing Selection) {
    for word in 0..<Self.wordCount { unsafe words[word] &= other.words[word] }
  }

  /// Adds the rows that `other` has.
  package mutating func formUnion(_ other: borrowing Selection) {
    for word in 0..<Self.wordCount { unsafe words[word] |= other.words[word] }
  }

  /// Takes over the rows of `other`.
  package mutating func copy(_ other: borrowing Selection) {
    unsafe words.update(from: other.words, count: Self.wordCount)
  }

  /// Number of selected rows. O(words).
  package var count: Int { unsafe Kernels.populationCount(words, wordCount: Self.wordCount) }

  package var isEmpty: Bool {
    for word in 0..<Self.wordCount where unsafe words[word] != 0 { return false }
    return true
  }

  @inlinable package subscript(place: Int) -> Bool {
    get {
      assert(place >= 0 && place < Layout.stripeRows, "place of the stripe")
      return unsafe words[place >> 6] >> UInt64(place & 63) & 1 != 0
    }
    set {
      assert(place >= 0 && place < Layout.stripeRows, "place of the stripe")
      let bit = UInt64(1) << UInt64(place & 63)
      if newValue { unsafe words[place >> 6] |= bit } else { unsafe words[place >> 6] &= ~bit }
    }
  }

  /// Calls `body` with each selected place of the stripe, rising, until it returns false.
  @inlinable package func forEachPlace(_ body: (Int) -> Bool) {
    for word in 0..<(Layout.stripeRows / 64) {
      var rest = unsafe words[word]
      while rest != 0 {
        if !body(word << 6 | rest.trailingZeroBitCount) { return }
        rest &= rest &- 1
      }
    }
  }

  /// Calls `body` with each selected place of the stripe, falling, until it returns false.
  @inlinable package func forEachPlaceReversed(_ body: (Int) -> Bool) {
    for word in stride(from: Layout.stripeRows / 64 - 1, through: 0, by: -1) {
      var rest = unsafe words[word]
      while rest != 0 {
        let bit = 63 - rest.leadingZeroBitCount
        if !body(word << 6 | bit) { return }
        rest &= ~(1 << UInt64(bit))
      }
    }
  }
}
