// Evaluates row tests on the 32,768 rows of a stripe at once.

import Amounts
import Columns
import Ledger

/// Makes the selection of one stripe after another. Tests narrow a selection: columns are tested in loops of
/// the vector unit, what is kept row by row only for the rows that are left.
@safe struct StripeScan: ~Copyable {
  typealias Words = UnsafeMutablePointer<UInt64>

  let reader: RowReader
  let stop: StopFlag
  /// The rows of the stripe that passed.
  let selection = Selection()
  /// What a column's loop writes, before it is combined with the selection.
  let scratch = Selection()
  /// The same for lanes of chunks: 64 bytes for each chunk of the stripe, in slot order.
  let lanesScratch = Selection()
  private(set) var stripe = 0
  /// Rows of the stripe that the cut sees.
  private(set) var rowCount = 0

  /// With so few rows left, each is tested by itself.
  private static let fewRows = 48

  init(reader: RowReader, stop: StopFlag) {
    self.reader = reader
    self.stop = stop
  }

  var firstRow: Int { stripe * Layout.stripeRows }

  /// Selects the rows of a stripe that pass. O(rows of the stripe).
  mutating func select(_ test: RowTest, stripe: Int) throws(QueryStopped) {
    try stop.check()
    self.stripe = stripe
    rowCount = min(reader.rowCount - firstRow, Layout.stripeRows)
    unsafe Self.fill(selection.bits, 0..<rowCount)
    try unsafe narrow(selection.bits, test)
  }

  /// Keeps those of the selected rows that also pass `test`.
  func narrow(_ test: RowTest) throws(QueryStopped) { try unsafe narrow(selection.bits, test) }

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

  private func narrow(_ words: Words, _ test: RowTest) throws(QueryStopped) {
    switch test {
    case .everything: return
    case .nothing: unsafe Self.fill(words, 0..<0)
    case .all(let tests):
      for test in tests {
        try unsafe narrow(words, test)
        if unsafe Self.isEmpty(words) { return }
      }
    case .any(let tests): try unsafe narrowAny(words, tests)
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
      let count = unsafe Kernels.populationCount(words, wordCount: Selection.wordCount)
      if count == 0 { return }
      if count <= Self.fewRows { return try unsafe narrowRowByRow(words, test) }
      unsafe narrowColumn(words, test)
    case .text, .metadata, .decimal, .effectiveDate, .after: try unsafe narrowRowByRow(words, test)
    }
  }

  private func narrowAny(_ words: Words, _ tests: [RowTest]) throws(QueryStopped) {
    let found = Selection()
    let open = Selection()
    for test in tests {
      // Only rows that no earlier test took need be looked at.
      for word in 0..<Selection.wordCount { unsafe open.bits[word] = words[word] & ~found.bits[word] }
      try unsafe narrow(open.bits, test)
      for word in 0..<Selection.wordCount { unsafe found.bits[word] |= open.bits[word] }
    }
    unsafe words.update(from: found.bits, count: Selection.wordCount)
  }

  /// Tests the selected rows one after the other. What is the same for all of them is taken out of the loops:
  /// copying a test or finding a block costs more than most tests.
  private func narrowRowByRow(_ words: Words, _ test: RowTest) throws(QueryStopped) {
    switch test {
    case .text(.identifier, .like(let pattern), _):
      let identifiers = reader.identifiers
      try unsafe filterRows(words) { place in
        reader.withIdentifier(identifiers, RowIndex(firstRow + place)) { pattern.matches($0) }
      }
    case .text(let column, let test, let matchesNull):
      try unsafe filterRows(words) { place in
        reader.withText(column, RowIndex(firstRow + place)) { test.matches($0) } ?? matchesNull
      }
    case .metadata(let test) where reader.table == .balances || reader.table == .transactions:
      let blocks = (0..<Layout.shardCount).map { reader.metadataBlock(stripe * Layout.shardCount + $0) }
      let matchesNone = test.condition == .isNull
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

  private func narrowColumn(_ words: Words, _ test: RowTest) {
    switch test {
    case .integers(.version, let set): unsafe versions(words, set)
    case .integers(let column, let set): unsafe integers(words, column, set)
    case .amounts(.precise, let set): unsafe preciseAmounts(words, set)
    case .amounts(.inflightBalance, let set): unsafe inflightBalances(words, set)
    case .amounts(let column, let set): unsafe amounts(words, column, set)
    case .codes(.identity, let set): unsafe identities(words, set)
    case .codes(let column, let set): unsafe codes(words, column, set)
    case .flags(let set):
      let flags = reader.table == .balances ? reader.books.balances.flags : reader.books.transactions.flags
      let values = unsafe flags.values(from: RowIndex(firstRow), count: rowCount)
      unsafe Kernels.select(
        values.baseAddress.unsafelyUnwrapped, rowCount: rowCount, among: CodeMembers(bits: set),
        into: target(adding: false))
      unsafe keep(words)
    case .exists: unsafe existing(words)
    default: preconditionFailure("columns have loops")
    }
  }

  // MARK: Columns in row order

  private func integers(_ words: Words, _ column: IntegerColumn, _ set: IntegerRanges) {
    let values: SegmentedColumn<Int64> =
      switch column {
      case .createdAt: reader.createdAt
      case .currencyMultiplier: reader.books.balances.multipliers
      case .precision: reader.books.transactions.precisions
      case .version: preconditionFailure("versions lie in blocks")
      }
    let base = unsafe values.values(from: RowIndex(firstRow), count: rowCount).baseAddress.unsafelyUnwrapped
    unsafe selectRanges(base, rowCount, set, target(adding: false), target(adding: true))
    unsafe keep(words)
  }

  private func preciseAmounts(_ words: Words, _ set: AmountRanges) {
    let base = unsafe reader.books.transactions.narrowAmounts(from: RowIndex(firstRow), count: rowCount)
      .baseAddress.unsafelyUnwrapped
    let narrow = set.integers(in: 0 ... .max)
    unsafe selectRanges(base, rowCount, narrow, target(adding: false), target(adding: true))
    // A negative value is the place of a wide one.
    let wide = Selection()
    unsafe Kernels.select(base, rowCount: rowCount, in: .min ... -1, into: BitTarget(wide.bits, .put))
    wide.forEachPlace { place in
      if set.contains(reader.books.transactions.amount(RowIndex(firstRow + place))) {
        unsafe scratch.bits[place >> 6] |= 1 << UInt64(place & 63)
      }
      return true
    }
    unsafe keep(words)
  }

  private func codes(_ words: Words, _ column: CodeColumn, _ set: CodeSet) {
    let target = target(adding: false)
    switch lanes(column) {
    case .bytes(let codes): unsafe Kernels.select(codes, rowCount: rowCount, among: set.codes, into: target)
    case .shorts(let codes): unsafe Kernels.select(codes, rowCount: rowCount, among: set.codes, into: target)
    case .words(let codes): unsafe Kernels.select(codes, rowCount: rowCount, among: set.codes, into: target)
    }
    unsafe keep(words, complement: set.isComplement)
  }

  /// The codes of the stripe's rows where they lie.
  private func lanes(_ column: CodeColumn) -> CodeLanes {
    let first = RowIndex(firstRow)
    switch column {
    case .ledger: return reader.books.balances.ledgers.lanes(from: first, count: rowCount)
    case .currency: return reader.books.balances.currencies.lanes(from: first, count: rowCount)
    case .indicator: return reader.books.balances.indicators.lanes(from: first, count: rowCount)
    case .source: return unsafe lanes(reader.books.transactions.sources.values(from: first, count: rowCount))
    case .destination:
      return unsafe lanes(reader.books.transactions.destinations.values(from: first, count: rowCount))
    case .identity: preconditionFailure("identities lie in blocks")
    }
  }

  private func lanes(_ values: UnsafeBufferPointer<UInt32>) -> CodeLanes {
    unsafe .words(values.baseAddress.unsafelyUnwrapped)
  }

  // MARK: Lanes of chunks

  private func versions(_ words: Words, _ set: IntegerRanges) {
    let codes = set.intersection(0...Int64(UInt32.max))
    forEachChunk(of: reader.books.balances.totals) { chunk, block in
      guard let block else { return fill(chunk, set.contains(1)) }
      let values = unsafe AmountBlock(block, laneCount: BalanceTable.Lane.count).words
      fill(chunk, false)
      for range in codes.ranges {
        let bounds = UInt32(range.lowerBound)...UInt32(range.upperBound)
        unsafe Kernels.select(
          values, rowCount: Layout.chunkRows, in: bounds, into: target(chunk: chunk, adding: true))
      }
    }
    unsafe keep(words)
  }

  private func amounts(_ words: Words, _ column: AmountColumn, _ set: AmountRanges) {
    let (table, laneCount, lane) = lanes(column)
    let narrow = set.integers(in: (.min + 1) ... .max)
    let acceptsZero = set.contains(.zero)
    forEachChunk(of: table) { chunk, block in
      guard let block else { return fill(chunk, acceptsZero) }
      let lanes = AmountBlock(block, laneCount: laneCount)
      let values = unsafe lanes.lane(lane)
      unsafe selectRanges(
        values, Layout.chunkRows, narrow, target(chunk: chunk, adding: false),
        target(chunk: chunk, adding: true))
      guard lanes.wideCount > 0 else { return }
      for slot in 0..<Layout.chunkRows where unsafe values[slot] == AmountBlock.wideMark {
        if set.contains(lanes.amount(lane: lane, slot: slot)) { setBit(chunk, slot) }
      }
    }
    unsafe keep(words)
  }

  func lanes(_ column: AmountColumn) -> (table: BlockTable, laneCount: Int, lane: Int) {
    let balances = reader.books.balances
    return switch column {
    case .credit: (balances.totals, BalanceTable.Lane.count, BalanceTable.Lane.credit)
    case .debit: (balances.totals, BalanceTable.Lane.count, BalanceTable.Lane.debit)
    case .balance: (balances.totals, BalanceTable.Lane.count, BalanceTable.Lane.balance)
    case .inflightCredit: (balances.holds, BalanceTable.HoldLane.count, BalanceTable.HoldLane.credit)
    case .inflightDebit: (balances.holds, BalanceTable.HoldLane.count, BalanceTable.HoldLane.debit)
    case .inflightBalance, .precise: preconditionFailure("not a lane")
    }
  }

  private func inflightBalances(_ words: Words, _ set: AmountRanges) {
    let acceptsZero = set.contains(.zero)
    forEachChunk(of: reader.books.balances.holds) { chunk, block in
      guard let block else { return fill(chunk, acceptsZero) }
      let holds = AmountBlock(block, laneCount: BalanceTable.HoldLane.count)
      fill(chunk, false)
      for slot in 0..<Layout.chunkRows {
        let credit = holds.amount(lane: BalanceTable.HoldLane.credit, slot: slot)
        let debit = holds.amount(lane: BalanceTable.HoldLane.debit, slot: slot)
        if set.contains(credit - debit) { setBit(chunk, slot) }
      }
    }
    unsafe keep(words)
  }

  private func identities(_ words: Words, _ set: CodeSet) {
    forEachChunk(of: reader.books.balances.cells) { chunk, block in
      // Zero is a member or not; whether the set is a complement is settled when all is combined.
      guard let block else { return fill(chunk, set.contains(0) != set.isComplement) }
      let values = unsafe CellBlock(block).lane(BalanceTable.Cell.identity)
      unsafe Kernels.select(
        values, rowCount: Layout.chunkRows, among: set.codes, into: target(chunk: chunk, adding: false))
    }
    unsafe keep(words, complement: set.isComplement)
  }

  private func existing(_ words: Words) {
    forEachChunk(of: reader.entities.cells) { chunk, block in
      guard let block else { return fill(chunk, false) }
      unsafe Kernels.select(
        CellBlock(block).lane(0), rowCount: Layout.chunkRows, in: 1 ... .max,
        into: target(chunk: chunk, adding: false))
    }
    unsafe keep(words)
  }

  /// Calls `body` with each chunk of the stripe that has rows; it fills the chunk's bits in `lanesScratch`,
  /// which are brought into row order after it.
  private func forEachChunk(of table: BlockTable, _ body: (_ chunk: Int, Block?) -> Void) {
    for chunk in 0..<Layout.shardCount where chunk * Layout.groupRows < rowCount {
      body(chunk, table.block(stripe * Layout.shardCount + chunk, cut: reader.cut.epoch))
    }
    unsafe Kernels.transpose(lanesScratch.bits, into: scratch.bits)
  }

  // MARK: Bits

  /// Where the bits of a column in row order go.
  private func target(adding: Bool) -> BitTarget {
    unsafe BitTarget(scratch.bits, adding ? .add : .put)
  }

  /// Where the bits of a chunk's lane go.
  private func target(chunk: Int, adding: Bool) -> BitTarget {
    unsafe BitTarget(lanesScratch.bits + chunk * 8, adding ? .add : .put)
  }

  /// Sets all bits of a chunk.
  private func fill(_ chunk: Int, _ value: Bool) {
    for word in chunk * 8..<chunk * 8 + 8 { unsafe lanesScratch.bits[word] = value ? .max : 0 }
  }

  /// Sets one bit of a chunk.
  private func setBit(_ chunk: Int, _ slot: Int) {
    unsafe lanesScratch.bits[chunk * 8 + (slot >> 6)] |= 1 << UInt64(slot & 63)
  }

  /// Keeps what is (or is not) in the scratch selection too. Bits of rows that do not exist were never set in
  /// `words`, so whatever the loops left there does no harm.
  private func keep(_ words: Words, complement: Bool = false) {
    let flip: UInt64 = complement ? .max : 0
    for word in 0..<Selection.wordCount { unsafe words[word] &= scratch.bits[word] ^ flip }
  }

  private static func isEmpty(_ words: Words) -> Bool {
    var any: UInt64 = 0
    for word in 0..<Selection.wordCount { unsafe any |= words[word] }
    return any == 0
  }

  /// Selects those places and no other.
  private static func fill(_ words: Words, _ places: Range<Int>) {
    for word in 0..<Selection.wordCount {
      let low = UInt64(min(max(places.lowerBound - word * 64, 0), 64))
      let high = UInt64(min(max(places.upperBound - word * 64, 0), 64))
      let below: (UInt64) -> UInt64 = { $0 == 64 ? .max : (1 << $0) - 1 }
      unsafe words[word] = below(high) & ~below(low)
    }
  }
}

/// Rows whose value lies in one of the ranges: a loop for each, or, where they are many, one over their hull
/// and an exact look at what it leaves.
private func selectRanges(
  _ values: UnsafePointer<Int64>, _ rowCount: Int, _ set: IntegerRanges, _ first: BitTarget, _ next: BitTarget
) {
  let loopLimit = 6
  if set.ranges.count > loopLimit, let low = set.ranges.first?.lowerBound,
    let high = set.ranges.last?.upperBound
  {
    unsafe Kernels.select(values, rowCount: rowCount, in: low...high, into: first)
    first.filter(rowCount: rowCount) { row in unsafe set.contains(values[row]) }
    return
  }
  guard let head = set.ranges.first else { return first.findNone(rowCount: rowCount) }
  unsafe Kernels.select(values, rowCount: rowCount, in: head, into: first)
  for range in set.ranges.dropFirst() {
    unsafe Kernels.select(values, rowCount: rowCount, in: range, into: next)
  }
}
