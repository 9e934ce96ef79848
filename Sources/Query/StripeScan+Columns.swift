// Tests of columns that lie in row order.

import Columns
import Ledger

extension StripeScan {
  /// Tests codes. 1, 2 or 4 bytes a row, whichever the segment has.
  func codes(_ words: Words, _ column: CodeColumn, _ set: CodeSet) {
    prefetchNext(column)
    let target = unsafe BitTarget(words, set.isComplement ? .drop : .keep)
    switch codeLanes(column) {
    case .bytes(let codes): unsafe Kernels.select(codes, rowCount: rowCount, among: set.codes, into: target)
    case .shorts(let codes): unsafe Kernels.select(codes, rowCount: rowCount, among: set.codes, into: target)
    case .words(let codes): unsafe Kernels.select(codes, rowCount: rowCount, among: set.codes, into: target)
    }
  }

  func flags(_ words: Words, _ set: [UInt64]) {
    unsafe Kernels.select(
      flagLane, rowCount: rowCount, among: loops.members(set), into: BitTarget(words, .keep))
  }

  /// Tests 64-bit numbers. Eight bytes a row, so words without a row left are passed over.
  func integers(_ words: Words, _ column: IntegerColumn, _ set: IntegerRanges, isFull: Bool) {
    let lane = unsafe integerLane(column)
    guard let first = set.ranges.first, let last = set.ranges.last else {
      return unsafe words.update(repeating: 0, count: Selection.wordCount)
    }
    if set.ranges.count == 1 {
      return unsafe forEachRun(words, isFull: isFull) { start, count in
        unsafe Kernels.select(
          lane + start, rowCount: count, in: first, into: BitTarget(words + start / 64, .keep))
      }
    }
    let complement = set.complement
    if complement.ranges.count == 1 {
      return unsafe forEachRun(words, isFull: isFull) { start, count in
        unsafe Kernels.select(
          lane + start, rowCount: count, in: complement.ranges[0],
          into: BitTarget(words + start / 64, .drop))
      }
    }
    unsafe Kernels.select(
      lane, rowCount: rowCount, in: first.lowerBound...last.upperBound, into: BitTarget(words, .keep))
    unsafe Self.filter(unsafe words) { place in set.contains(unsafe lane[place]) }
  }

  /// Tests amounts of transactions; where a value is negative it is the place of a wide one.
  func preciseAmounts(_ words: Words, _ set: AmountRanges) {
    let transactions = reader.books.transactions
    let lane = unsafe transactions.narrowAmounts(from: RowIndex(firstRow), count: rowCount)
      .baseAddress.unsafelyUnwrapped
    let loops = loops.loops(set)
    let narrow = loops.narrow.intersection(0 ... .max)
    // So many rows that their values are still in the first cache when they are looked at once more.
    let step = 2048
    for start in stride(from: 0, to: rowCount, by: step) {
      let count = min(step, rowCount - start)
      let here = unsafe scratch.bits + start / 64
      let wordCount = (count + 63) / 64
      unsafe here.update(repeating: 0, count: wordCount)
      for range in narrow.ranges {
        unsafe Kernels.select(lane + start, rowCount: count, in: range, into: BitTarget(here, .add))
      }
      if unsafe Kernels.count(lane + start, rowCount: count, in: .min ... -1) > 0 {
        for row in start..<start + count where unsafe lane[row] < 0 {
          if loops.isInSet(transactions.amount(RowIndex(firstRow + row))) {
            unsafe scratch.bits[row >> 6] |= 1 << UInt64(row & 63)
          }
        }
      }
      _ = unsafe Kernels.merge(
        words + start / 64, with: here, wordCount: wordCount, loops.isComplement ? .drop : .keep)
    }
  }

  /// Number of rows of the stripe that pass a test of one column, without a bitmap; nil where that cannot be
  /// had.
  func countColumn(_ test: RowTest) -> Int? {
    switch test {
    case .codes(let column, let set) where column != .identity:
      prefetchNext(column)
      let members: Int
      switch codeLanes(column) {
      case .bytes(let codes): members = unsafe Kernels.count(codes, rowCount: rowCount, among: set.codes)
      case .shorts(let codes): members = unsafe Kernels.count(codes, rowCount: rowCount, among: set.codes)
      case .words(let codes): members = unsafe Kernels.count(codes, rowCount: rowCount, among: set.codes)
      }
      return set.isComplement ? rowCount - members : members
    case .flags(let set):
      return unsafe Kernels.count(flagLane, rowCount: rowCount, among: loops.members(set))
    case .integers(let column, let set) where column != .version:
      let complement = set.complement
      let isComplement = complement.ranges.count < set.ranges.count
      let ranges = isComplement ? complement.ranges : set.ranges
      if ranges.count > 1 { return nil }
      let lane = unsafe integerLane(column)
      let count = ranges.isEmpty ? 0 : unsafe Kernels.count(lane, rowCount: rowCount, in: ranges[0])
      return isComplement ? rowCount - count : count
    case .amounts(let column, let set) where column.hasLane && rowCount == Layout.stripeRows:
      return unsafe amounts(selection.bits, column, set, isFull: true, onlyCounts: true)
    default: return nil
    }
  }

  // MARK: Where columns lie

  /// Asks for the first codes of the stripe that is likely to be next: the loops ask ahead only in theirs.
  private func prefetchNext(_ column: CodeColumn) {
    let first = firstRow + step * Layout.stripeRows
    if step == 0 || first < 0 || first >= reader.rowCount { return }
    let byteCount = 2048
    switch codeLanes(column, from: RowIndex(first), count: 1) {
    case .bytes(let codes): unsafe Kernels.prefetchRun(codes, byteCount: byteCount)
    case .shorts(let codes): unsafe Kernels.prefetchRun(codes, byteCount: byteCount)
    case .words(let codes): unsafe Kernels.prefetchRun(codes, byteCount: byteCount)
    }
  }

  /// Codes of the stripe's rows.
  func codeLanes(_ column: CodeColumn) -> CodeLanes {
    codeLanes(column, from: RowIndex(firstRow), count: rowCount)
  }

  private func codeLanes(_ column: CodeColumn, from first: RowIndex, count rowCount: Int) -> CodeLanes {
    let transactions = reader.books.transactions
    switch column {
    case .ledger: return reader.books.balances.ledgers.lanes(from: first, count: rowCount)
    case .currency: return reader.books.balances.currencies.lanes(from: first, count: rowCount)
    case .indicator: return reader.books.balances.indicators.lanes(from: first, count: rowCount)
    case .source: return unsafe lanes(transactions.sources.values(from: first, count: rowCount))
    case .destination: return unsafe lanes(transactions.destinations.values(from: first, count: rowCount))
    case .identity: preconditionFailure("identities lie in blocks")
    }
  }

  private func lanes(_ codes: UnsafeBufferPointer<UInt32>) -> CodeLanes {
    unsafe .words(codes.baseAddress.unsafelyUnwrapped)
  }

  private var flagLane: UnsafePointer<UInt8> {
    let flags = reader.table == .balances ? reader.books.balances.flags : reader.books.transactions.flags
    return unsafe flags.values(from: RowIndex(firstRow), count: rowCount).baseAddress.unsafelyUnwrapped
  }

  private func integerLane(_ column: IntegerColumn) -> UnsafePointer<Int64> {
    let values: SegmentedColumn<Int64> =
      switch column {
      case .createdAt: reader.createdAt
      case .currencyMultiplier: reader.books.balances.multipliers
      case .precision: reader.books.transactions.precisions
      case .version: preconditionFailure("versions lie in blocks")
      }
    return unsafe values.values(from: RowIndex(firstRow), count: rowCount).baseAddress.unsafelyUnwrapped
  }

  // MARK: Rows that are left

  /// Calls `body` with runs of rows, each beginning at a word: all of them, or those between which at least a
  /// few words have no row left.
  @inline(__always)
  private func forEachRun(_ words: Words, isFull: Bool, _ body: (_ start: Int, _ count: Int) -> Void) {
    if isFull { return body(0, rowCount) }
    let emptyWords = 4
    let wordCount = (rowCount + 63) / 64
    var word = 0
    while word < wordCount {
      if unsafe words[word] == 0 {
        word += 1
        continue
      }
      let start = word
      var end = word + 1
      while word < wordCount, word - end < emptyWords {
        if unsafe words[word] != 0 { end = word + 1 }
        word += 1
      }
      body(start * 64, min(end * 64, rowCount) - start * 64)
      word = end
      while word < wordCount, unsafe words[word] == 0 { word += 1 }
    }
  }

  /// Keeps those of the rows for which `isKept` holds.
  private static func filter(_ words: Words, _ isKept: (Int) -> Bool) {
    for word in 0..<Selection.wordCount {
      var rest = unsafe words[word]
      while rest != 0 {
        let bit = rest.trailingZeroBitCount
        if !isKept(word << 6 | bit) { unsafe words[word] &= ~(1 << UInt64(bit)) }
        rest &= rest &- 1
      }
    }
  }
}
