// Evaluates row tests on the 32,768 rows of a stripe at once.

import Amounts
import Columns
import Ledger

/// Makes the selection of one stripe after another. Tests narrow a selection: columns are tested in loops of
/// the vector unit, what is kept row by row only for the rows that are left.
///
/// Columns in row order are tested where they lie. Lanes of chunks make a bitmap for each chunk, side by
/// side; a square of 64 by 64 bytes is turned to bring them into row order and back, so that a chunk of which
/// no row is left is not read at all.
@safe struct StripeScan: ~Copyable {
  typealias Words = UnsafeMutablePointer<UInt64>

  let reader: RowReader
  let stop: StopFlag
  /// The rows of the stripe that passed.
  let selection = Selection()
  /// What a loop writes before it is combined with the selection.
  let scratch = Selection()
  /// For lanes of chunks: 64 bytes for each chunk of the stripe, in slot order. The rows to be tested, then
  /// those that passed.
  let laneBits = Selection()
  /// The same for rows of which the exact value must be looked at.
  let edgeBits = Selection()
  let loops = LoopsCache()
  /// Metadata and texts of records, by code.
  let members: MemberScan
  private(set) var stripe = 0
  /// How the stripe before it was reached, to ask for the memory of the next in time: -1, 0 or 1.
  private(set) var step = 0
  /// Rows of the stripe that the cut sees.
  private(set) var rowCount = 0
  /// Chunks that were not read because none of their rows was left.
  var chunksPruned: Int { loops.chunksPruned }

  /// With so few rows left, each is tested by itself.
  static let fewRows = 48

  init(reader: RowReader, stop: StopFlag) {
    self.reader = reader
    self.stop = stop
    members = MemberScan(reader, stop)
  }

  var firstRow: Int { stripe * Layout.stripeRows }

  /// Chunks of the stripe that have rows.
  var chunkCount: Int { min((rowCount + Layout.groupRows - 1) / Layout.groupRows, Layout.shardCount) }

  /// Selects the rows of a stripe that pass. O(rows of the stripe).
  mutating func select(_ test: RowTest, stripe: Int) throws(QueryStopped) {
    try move(to: stripe)
    unsafe Self.fill(selection.bits, 0..<rowCount)
    try unsafe narrow(selection.bits, test, isFull: rowCount == Layout.stripeRows)
  }

  private mutating func move(to stripe: Int) throws(QueryStopped) {
    try stop.check()
    step = abs(stripe - self.stripe) == 1 ? stripe - self.stripe : 0
    self.stripe = stripe
    rowCount = min(reader.rowCount - firstRow, Layout.stripeRows)
  }

  /// A test that is only to be counted, taken apart once for all stripes.
  struct Counting {
    /// Rows that may pass.
    let rows: Range<Int>
    /// What they must pass too.
    let tests: [RowTest]

    init(_ test: RowTest, _ reader: RowReader) {
      let tests = if case .all(let tests) = test { tests } else { [test] }
      var rows = 0..<reader.rowCount
      for test in tests { if case .rowRange(let range) = test { rows = rows.clamped(to: range) } }
      self.rows = rows
      self.tests = tests.filter { !$0.covers(rows) }
    }
  }

  /// Number of rows of some stripes that pass.
  mutating func count(_ test: RowTest, stripes: Range<Int>) throws(QueryStopped) -> Int {
    let counting = Counting(test, reader)
    var count = 0
    for stripe in stripes { count += try self.count(counting, stripe: stripe) }
    return count
  }

  /// Number of rows of a stripe that pass; the selection means nothing after it. Where one column decides
  /// alone no bitmap is made, and of the last of several tests none in row order.
  mutating func count(_ counting: Counting, stripe: Int) throws(QueryStopped) -> Int {
    try move(to: stripe)
    let rows = (firstRow..<firstRow + rowCount).clamped(to: counting.rows)
    if rows.isEmpty { return 0 }
    if rows.count == rowCount {
      if counting.tests.isEmpty { return rowCount }
      if counting.tests.count == 1, let count = countColumn(counting.tests[0]) { return count }
    }
    unsafe Self.fill(selection.bits, rows.lowerBound - firstRow..<rows.upperBound - firstRow)
    return try countNarrowed(counting.tests, isFull: rows.count == Layout.stripeRows)
  }

  /// Counts those of the selected rows that pass all tests.
  private func countNarrowed(_ tests: [RowTest], isFull: Bool) throws(QueryStopped) -> Int {
    for (place, test) in tests.enumerated() {
      if place == tests.count - 1, case .amounts(let column, let set) = test, column.hasLane,
        selection.count > Self.fewRows
      {
        return unsafe amounts(selection.bits, column, set, isFull: isFull && place == 0, onlyCounts: true)
      }
      try unsafe narrow(selection.bits, test, isFull: isFull && place == 0)
      if unsafe Self.isEmpty(selection.bits) { return 0 }
    }
    return selection.count
  }

  /// Keeps those of the selected rows that also pass `test`.
  func narrow(_ test: RowTest) throws(QueryStopped) {
    try unsafe narrow(selection.bits, test, isFull: false)
  }

  func appendWords(to words: inout [UInt64]) {
    for word in 0..<Selection.wordCount { words.append(unsafe selection.bits[word]) }
  }

  /// Calls `body` with each selected row, rising or falling, until it returns false.
  func forEachRow(ascending: Bool, _ body: (RowIndex) -> Bool) {
    let first = firstRow
    if ascending {
      selection.forEachPlace { body(RowIndex(first + $0)) }
    } else {
      selection.forEachPlaceReversed { body(RowIndex(first + $0)) }
    }
  }

  // MARK: Narrowing

  /// - Parameter isFull: whether all rows of a whole stripe are selected in `words`.
  private func narrow(_ words: Words, _ test: RowTest, isFull: Bool) throws(QueryStopped) {
    switch test {
    case .everything: return
    case .nothing: unsafe Self.fill(words, 0..<0)
    case .all(let tests):
      var isFull = isFull
      for test in tests {
        if test.covers(firstRow..<firstRow + rowCount) { continue }
        try unsafe narrow(words, test, isFull: isFull)
        if unsafe Self.isEmpty(words) { return }
        isFull = false
      }
    case .any(let tests): try unsafe narrowAny(words, tests, isFull: isFull)
    case .rowRange(let range):
      let low = min(max(range.lowerBound - firstRow, 0), Layout.stripeRows)
      let high = min(max(range.upperBound - firstRow, low), Layout.stripeRows)
      unsafe Self.fill(scratch.bits, low..<high)
      unsafe keep(words)
    case .rows(let rows):
      unsafe Self.fill(scratch.bits, 0..<0)
      for row in rows where row.index >= firstRow && row.index < firstRow + rowCount {
        let place = row.index - firstRow
        unsafe scratch.bits[place >> 6] |= 1 << UInt64(place & 63)
      }
      unsafe keep(words)
    case .otherRows(let rows):
      for row in rows where row.index >= firstRow && row.index < firstRow + rowCount {
        let place = row.index - firstRow
        unsafe words[place >> 6] &= ~(1 << UInt64(place & 63))
      }
    case .integers, .amounts, .codes, .flags, .exists:
      var isFull = isFull
      if !isFull {
        let count = unsafe Kernels.populationCount(words, wordCount: Selection.wordCount)
        if count == 0 { return }
        if count <= Self.fewRows { return try unsafe narrowRowByRow(words, test) }
        isFull = count == Layout.stripeRows
      }
      unsafe narrowColumn(words, test, isFull: isFull)
    case .metadata, .text(.record, _, _):
      if try unsafe narrowMember(words, test) { return }
      try unsafe narrowRowByRow(words, test)
    case .text, .decimal, .effectiveDate, .after: try unsafe narrowRowByRow(words, test)
    }
  }

  private func narrowAny(
    _ words: Words, _ tests: [RowTest], isFull: Bool
  ) throws(QueryStopped) {
    let found = Selection()
    let open = Selection()
    for (place, test) in tests.enumerated() {
      // Only rows that no earlier test took need be looked at.
      unsafe open.bits.update(from: words, count: Selection.wordCount)
      unsafe Self.merge(open.bits, found.bits, .drop)
      try unsafe narrow(open.bits, test, isFull: isFull && place == 0)
      unsafe Self.merge(found.bits, open.bits, .add)
    }
    unsafe words.update(from: found.bits, count: Selection.wordCount)
  }

  /// Tests the selected rows one after the other. What is the same for all of them is taken out of the loops:
  /// copying a test or finding a block costs more than most tests.
  private func narrowRowByRow(_ words: Words, _ test: RowTest) throws(QueryStopped) {
    switch test {
    case .text(.identifier, .like(let pattern), _):
      let identifiers = reader.identifiers
      let pattern = IdentifierPattern(pattern, kind: identifiers.kind)
      let stored = unsafe identifiers.storedIdentifiers(from: RowIndex(firstRow), count: rowCount)
      for word in 0..<(rowCount + 63) / 64 where unsafe words[word] != 0 {
        let rows = unsafe stored.baseAddress.unsafelyUnwrapped + word * 64
        unsafe words[word] &= pattern.candidates(rows, count: min(rowCount - word * 64, 64))
      }
      try unsafe filterRows(words) { place in
        unsafe pattern.isExact && stored[place].isUUID
          || pattern.matches(RowIndex(firstRow + place), identifiers, reader)
      }
    case .text(let column, let test, let matchesNull):
      try unsafe filterRows(words) { place in
        reader.withText(column, RowIndex(firstRow + place)) { test.matches($0) } ?? matchesNull
      }
    case .metadata(let test) where reader.table == .balances || reader.table == .transactions:
      let blocks = (0..<Layout.shardCount).map { reader.metadataBlock(stripe * Layout.shardCount + $0) }
      let matchesNone = test.condition.matchesNull
      try unsafe filterRows(words) { place in
        let row = RowIndex(firstRow + place)
        let handle = reader.metadataHandle(blocks[Layout.shard(of: row)], Layout.slot(of: row))
        return handle == 0 ? matchesNone : reader.withMetadata(handle: handle) { test.matches($0) }
      }
    default:
      try unsafe filterRows(words) { place in test.matches(RowIndex(firstRow + place), reader) }
    }
  }

  @inline(__always)
  private func filterRows(_ words: Words, _ isKept: (Int) -> Bool) throws(QueryStopped) {
    for word in 0..<Selection.wordCount {
      var rest = unsafe words[word]
      if rest == 0 { continue }
      try stop.check()
      var kept: UInt64 = 0
      while rest != 0 {
        let bit = rest.trailingZeroBitCount
        if isKept(word << 6 | bit) { kept |= 1 << UInt64(bit) }
        rest &= rest &- 1
      }
      unsafe words[word] = kept
    }
  }

  private func narrowColumn(_ words: Words, _ test: RowTest, isFull: Bool) {
    switch test {
    case .integers(.version, let set): unsafe versions(words, set, isFull: isFull)
    case .integers(let column, let set): unsafe integers(words, column, set, isFull: isFull)
    case .amounts(.precise, let set): unsafe preciseAmounts(words, set)
    case .amounts(.inflightBalance, let set): unsafe inflightBalances(words, set, isFull: isFull)
    case .amounts(let column, let set):
      _ = unsafe amounts(words, column, set, isFull: isFull, onlyCounts: false)
    case .codes(.identity, let set): unsafe identities(words, set, isFull: isFull)
    case .codes(let column, let set): unsafe codes(words, column, set)
    case .flags(let set): unsafe flags(words, set)
    case .exists: unsafe existing(words, isFull: isFull)
    default: preconditionFailure("columns have loops")
    }
  }

  // MARK: Bits

  /// Keeps what is in the scratch selection too. Bits of rows that do not exist were never set in `words`, so
  /// whatever the loops left there does no harm.
  func keep(_ words: Words) { unsafe Self.merge(words, scratch.bits, .keep) }

  static func merge(_ words: Words, _ other: Words, _ change: BitChange) {
    _ = unsafe Kernels.merge(words, with: other, wordCount: Selection.wordCount, change)
  }

  static func isEmpty(_ words: Words) -> Bool {
    var any: UInt64 = 0
    for word in 0..<Selection.wordCount { unsafe any |= words[word] }
    return any == 0
  }

  /// Selects those places and no other.
  private static func fill(_ words: Words, _ places: Range<Int>) {
    if places == 0..<Layout.stripeRows {
      return unsafe words.update(repeating: .max, count: Selection.wordCount)
    }
    for word in 0..<Selection.wordCount {
      let low = UInt64(min(max(places.lowerBound - word * 64, 0), 64))
      let high = UInt64(min(max(places.upperBound - word * 64, 0), 64))
      let below: (UInt64) -> UInt64 = { $0 == 64 ? .max : (1 << $0) - 1 }
      unsafe words[word] = below(high) & ~below(low)
    }
  }
}

extension RowTest {
  /// Whether all those rows pass, as far as row numbers alone can tell.
  func covers(_ rows: Range<Int>) -> Bool {
    switch self {
    case .everything: true
    case .rowRange(let range): range.lowerBound <= rows.lowerBound && range.upperBound >= rows.upperBound
    default: false
    }
  }
}

extension AmountColumn {
  /// Whether the amounts lie in a lane of chunks, with sketches.
  var hasLane: Bool {
    switch self {
    case .credit, .debit, .balance, .inflightCredit, .inflightDebit: true
    case .inflightBalance, .precise: false
    }
  }
}
