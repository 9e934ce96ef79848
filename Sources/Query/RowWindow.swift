// Tests of columns that never change, on a few hundred to a few thousand neighbouring rows at once.

import Columns
import Ledger

extension RowTest {
  /// Whether it looks only at columns that never change and lie in row order.
  var isFixed: Bool {
    switch self {
    case .nothing, .everything, .rowRange: true
    case .codes(let column, _): column != .identity
    case .integers(let column, _): column != .version
    case .flags: true
    case .all(let tests), .any(let tests): tests.allSatisfy(\.isFixed)
    case .amounts, .rows, .otherRows, .text, .metadata, .decimal, .effectiveDate, .exists, .after: false
    }
  }
}

/// A bitmap over the rows of a window, which lies in one stripe and begins at a multiple of 64.
@safe struct RowWindow: ~Copyable {
  private typealias Words = UnsafeMutablePointer<UInt64>

  let reader: RowReader
  private let bits = Words.allocate(capacity: Selection.wordCount)
  private let scratch = Words.allocate(capacity: Selection.wordCount)
  private(set) var first = 0
  private(set) var rowCount = 0

  init(reader: RowReader) { self.reader = reader }

  deinit {
    unsafe bits.deallocate()
    unsafe scratch.deallocate()
  }

  private var wordCount: Int { (rowCount + 63) / 64 }

  /// Selects the rows of the window that pass all of the tests, which are fixed.
  mutating func select(_ tests: [RowTest], rows: Range<Int>) {
    precondition(
      rows.lowerBound & 63 == 0 && !rows.isEmpty
        && rows.lowerBound / Layout.stripeRows == (rows.upperBound - 1) / Layout.stripeRows,
      "a window of one stripe")
    first = rows.lowerBound
    rowCount = rows.count
    unsafe bits.update(repeating: .max, count: wordCount)
    if rowCount & 63 != 0 { unsafe bits[wordCount - 1] = (1 << UInt64(rowCount & 63)) - 1 }
    for test in tests { unsafe narrow(bits, test) }
  }

  /// Takes out the rows whose bit is set in `word(row / 64)`.
  func remove(_ word: (Int) -> UInt64) {
    for place in 0..<wordCount { unsafe bits[place] &= ~word(first >> 6 + place) }
  }

  /// Number of selected rows.
  var count: Int { unsafe Kernels.populationCount(bits, wordCount: wordCount) }

  /// Appends at most `limit` of the selected rows, rising or falling.
  func append(to rows: inout [RowIndex], ascending: Bool, limit: Int) {
    var left = limit
    for step in 0..<wordCount {
      let place = ascending ? step : wordCount - 1 - step
      var rest = unsafe bits[place]
      while rest != 0 {
        if left == 0 { return }
        left -= 1
        let bit = ascending ? rest.trailingZeroBitCount : 63 - rest.leadingZeroBitCount
        rows.append(RowIndex(first + place << 6 + bit))
        rest &= ~(1 << UInt64(bit))
      }
    }
  }

  // MARK: Tests

  private func narrow(_ words: Words, _ test: RowTest) {
    switch test {
    case .everything: return
    case .nothing: unsafe words.update(repeating: 0, count: wordCount)
    case .all(let tests): for test in tests { unsafe narrow(words, test) }
    case .any(let tests): unsafe narrowAny(words, tests)
    case .rowRange(let range):
      for place in 0..<wordCount {
        let start = first + place * 64
        let low = UInt64(min(max(range.lowerBound - start, 0), 64))
        let high = UInt64(min(max(range.upperBound - start, Int(low)), 64))
        let below: (UInt64) -> UInt64 = { $0 == 64 ? .max : (1 << $0) - 1 }
        unsafe words[place] &= below(high) & ~below(low)
      }
    case .codes(let column, let set): unsafe codes(words, column, set)
    case .integers(let column, let set): unsafe integers(words, column, set)
    case .flags(let set):
      let flags = reader.table == .balances ? reader.books.balances.flags : reader.books.transactions.flags
      let values = unsafe flags.values(from: RowIndex(first), count: rowCount)
      unsafe Kernels.select(
        values.baseAddress.unsafelyUnwrapped, rowCount: rowCount, among: CodeMembers(bits: set),
        into: BitTarget(words, .keep))
    case .amounts, .rows, .otherRows, .text, .metadata, .decimal, .effectiveDate, .exists, .after:
      preconditionFailure("a fixed test")
    }
  }

  private func narrowAny(_ words: Words, _ tests: [RowTest]) {
    let found = Words.allocate(capacity: wordCount)
    let open = Words.allocate(capacity: wordCount)
    defer {
      unsafe found.deallocate()
      unsafe open.deallocate()
    }
    unsafe found.update(repeating: 0, count: wordCount)
    for test in tests {
      unsafe open.update(from: words, count: wordCount)
      unsafe narrow(open, test)
      for place in 0..<wordCount { unsafe found[place] |= open[place] }
    }
    unsafe words.update(from: found, count: wordCount)
  }

  private func integers(_ words: Words, _ column: IntegerColumn, _ set: IntegerRanges) {
    let values: SegmentedColumn<Int64> =
      switch column {
      case .createdAt: reader.createdAt
      case .currencyMultiplier: reader.books.balances.multipliers
      case .precision: reader.books.transactions.precisions
      case .version: preconditionFailure("a fixed column")
      }
    let base = unsafe values.values(from: RowIndex(first), count: rowCount).baseAddress.unsafelyUnwrapped
    if set.ranges.count == 1 {
      unsafe Kernels.select(base, rowCount: rowCount, in: set.ranges[0], into: BitTarget(words, .keep))
      return
    }
    unsafe scratch.update(repeating: 0, count: wordCount)
    for range in set.ranges {
      unsafe Kernels.select(base, rowCount: rowCount, in: range, into: BitTarget(scratch, .add))
    }
    for place in 0..<wordCount { unsafe words[place] &= scratch[place] }
  }

  private func codes(_ words: Words, _ column: CodeColumn, _ set: CodeSet) {
    let balances = reader.books.balances
    let target = unsafe BitTarget(words, set.isComplement ? .drop : .keep)
    switch column {
    case .ledger: select(balances.ledgers, set, target)
    case .currency: select(balances.currencies, set, target)
    case .indicator: select(balances.indicators, set, target)
    case .source: select(reader.books.transactions.sources, set, target)
    case .destination: select(reader.books.transactions.destinations, set, target)
    case .identity: preconditionFailure("a fixed column")
    }
  }

  private func select(_ column: SegmentedColumn<UInt32>, _ set: CodeSet, _ target: BitTarget) {
    let values = unsafe column.values(from: RowIndex(first), count: rowCount)
    unsafe Kernels.select(
      values.baseAddress.unsafelyUnwrapped, rowCount: rowCount, among: set.codes, into: target)
  }

  private func select(_ column: CodedColumn, _ set: CodeSet, _ target: BitTarget) {
    switch column.lanes(from: RowIndex(first), count: rowCount) {
    case .bytes(let codes):
      unsafe Kernels.select(codes, rowCount: rowCount, among: set.codes, into: target)
    case .shorts(let codes):
      unsafe Kernels.select(codes, rowCount: rowCount, among: set.codes, into: target)
    case .words(let codes):
      unsafe Kernels.select(codes, rowCount: rowCount, among: set.codes, into: target)
    }
  }
}
