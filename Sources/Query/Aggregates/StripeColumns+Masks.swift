// Sums and bounds of the rows of a stripe whose bit is set, by the loops over lanes.

import Amounts
import Columns
import Ledger

/// Bitmaps of one stripe, and its rows by chunk.
struct StripeMask {
  /// In row order.
  var words = [UInt64](repeating: 0, count: Selection.wordCount)
  /// The same bits, the 512 of each chunk together; made when they are asked for.
  private var chunks = [UInt64](repeating: 0, count: Selection.wordCount)
  private var isDealt = false

  /// Number of set bits. O(words).
  var count: Int {
    unsafe words.withUnsafeBufferPointer { words in
      unsafe Kernels.populationCount(words.baseAddress.unsafelyUnwrapped, wordCount: Selection.wordCount)
    }
  }

  /// Takes all selected rows.
  mutating func take(_ selection: borrowing Selection) {
    isDealt = false
    unsafe words.withUnsafeMutableBufferPointer { words in
      unsafe words.baseAddress.unsafelyUnwrapped.update(from: selection.bits, count: Selection.wordCount)
    }
  }

  /// Takes the selected rows whose place is in `range`.
  mutating func take(_ selection: borrowing Selection, in range: Range<Int>) {
    isDealt = false
    for word in 0..<Selection.wordCount {
      let low = min(max(range.lowerBound - word << 6, 0), 64)
      let high = min(max(range.upperBound - word << 6, low), 64)
      let below: UInt64 = high == 64 ? .max : 1 << UInt64(high) - 1
      let before: UInt64 = low == 64 ? .max : 1 << UInt64(low) - 1
      words[word] = unsafe selection.bits[word] & below & ~before
    }
  }

  /// Takes the selected rows with one code in a column of small codes.
  mutating func take(
    _ selection: borrowing Selection, _ columns: StripeColumns, _ lanes: SmallCodes, _ code: UInt32
  ) {
    isDealt = false
    unsafe words.withUnsafeMutableBufferPointer { words in
      let start = unsafe words.baseAddress.unsafelyUnwrapped
      unsafe start.update(from: selection.bits, count: Selection.wordCount)
      unsafe lanes.keep(code, columns, BitTarget(start, .keep))
    }
  }

  /// Calls `body` with the bits of each chunk that has any.
  mutating func forEachChunk(_ body: (_ chunk: Int, UnsafePointer<UInt8>) -> Void) {
    if !isDealt {
      unsafe words.withUnsafeBufferPointer { words in
        unsafe chunks.withUnsafeMutableBufferPointer { chunks in
          unsafe Kernels.transpose(
            words.baseAddress.unsafelyUnwrapped, into: chunks.baseAddress.unsafelyUnwrapped)
        }
      }
      isDealt = true
    }
    let wordsOfChunk = Layout.chunkRows / 64
    unsafe chunks.withUnsafeBufferPointer { chunks in
      for chunk in 0..<Layout.shardCount {
        let bits = unsafe chunks.baseAddress.unsafelyUnwrapped + chunk * wordsOfChunk
        var any: UInt64 = 0
        for word in 0..<wordsOfChunk { unsafe any |= bits[word] }
        if any == 0 { continue }
        unsafe body(chunk, UnsafeRawPointer(bits).assumingMemoryBound(to: UInt8.self))
      }
    }
  }
}

/// A group column whose few codes are each looked for by one loop over the column.
struct SmallCodes {
  /// So many codes at most: each costs a pass over the codes and one over the values.
  static let codeLimit = 16

  private enum Lanes {
    case codes(CodeColumn)
    /// The code in each flags byte.
    case flags(shift: UInt8, mask: UInt8)
  }

  private let lanes: Lanes
  let count: Int

  /// Nil for columns that are not kept as codes of their rows, or have many.
  init?(_ source: GroupColumn.Source, _ reader: RowReader) {
    switch source {
    case .ledger: lanes = .codes(.ledger)
    case .currency where reader.table == .balances: lanes = .codes(.currency)
    case .indicator: lanes = .codes(.indicator)
    case .lineageFlag: lanes = .flags(shift: 0, mask: 1)
    case .strategy: lanes = .flags(shift: 1, mask: 3)
    case .status: lanes = .flags(shift: 0, mask: 15)
    case .currency, .identity, .source, .destination, .created: return nil
    }
    count = reader.codeCount(source)
    if count > Self.codeLimit { return nil }
  }

  /// Keeps the bits of the rows of a stripe that have `code`.
  fileprivate func keep(_ code: UInt32, _ columns: StripeColumns, _ target: BitTarget) {
    let first = RowIndex(columns.stripe * Layout.stripeRows)
    let rowCount = columns.rowCount
    let reader = columns.reader
    switch lanes {
    case .codes(let column):
      let members = CodeMembers([code])
      switch reader.codeLanes(column, from: first, count: rowCount) {
      case .bytes(let codes): unsafe Kernels.select(codes, rowCount: rowCount, among: members, into: target)
      case .shorts(let codes): unsafe Kernels.select(codes, rowCount: rowCount, among: members, into: target)
      case .words(let codes): unsafe Kernels.select(codes, rowCount: rowCount, among: members, into: target)
      }
    case .flags(let shift, let mask):
      var set = [UInt64](repeating: 0, count: 4)
      for value in UInt8.min ... .max where UInt32(value >> shift & mask) == code {
        set[Int(value >> 6)] |= 1 << UInt64(value & 63)
      }
      let flags = reader.table == .balances ? reader.books.balances.flags : reader.books.transactions.flags
      let values = unsafe flags.values(from: first, count: rowCount)
      unsafe Kernels.select(
        values.baseAddress.unsafelyUnwrapped, rowCount: rowCount, among: CodeMembers(bits: set), into: target)
    }
  }
}

extension StripeColumns {
  /// Adds the values of the rows of a mask to a group.
  func add(_ field: MeasuredField, _ mask: inout StripeMask, to sums: inout GroupSums, _ number: Int) {
    switch field {
    case .createdAt: addTimes(mask, to: &sums, number)
    case .amount(.precise): addPrecise(mask, to: &sums, number)
    case .amount(let column): addLane(column, &mask, to: &sums, number)
    }
  }

  private func addLane(
    _ column: AmountColumn, _ mask: inout StripeMask, to sums: inout GroupSums, _ number: Int
  ) {
    let (table, laneCount, lane) = reader.lanes(column)
    unsafe mask.forEachChunk { chunk, bits in
      guard let block = table.block(stripe * Layout.shardCount + chunk, cut: reader.cut.epoch) else {
        return sums.addBounds(0, 0, to: number)
      }
      let lanes = AmountBlock(block, laneCount: laneCount)
      let values = unsafe lanes.lane(lane)
      var wideCount = 0
      if sums.needs.contains(.sum) {
        let found = unsafe Kernels.sum(values, rowCount: Layout.chunkRows, selected: bits)
        sums.add(found.sum, to: number)
        wideCount = found.wideCount
      }
      if !sums.needs.isDisjoint(with: [.least, .greatest]) {
        let found = unsafe Kernels.bounds(values, rowCount: Layout.chunkRows, selected: bits)
        sums.addBounds(found.least, found.greatest, to: number)
        wideCount = found.wideCount
      }
      if wideCount > 0 { unsafe addWide(lanes, lane, bits, to: &sums, number) }
    }
  }

  /// Adds the values of a chunk that are wider than 64 bits and whose bit is set.
  private func addWide(
    _ lanes: AmountBlock, _ lane: Int, _ bits: UnsafePointer<UInt8>, to sums: inout GroupSums, _ number: Int
  ) {
    unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Layout.chunkRows / 64) { wide in
      let start = unsafe wide.baseAddress.unsafelyUnwrapped
      unsafe Kernels.select(
        lanes.lane(lane), rowCount: Layout.chunkRows, in: AmountBlock.wideMark...AmountBlock.wideMark,
        into: BitTarget(start, .put))
      for word in 0..<Layout.chunkRows / 64 {
        var rest = unsafe start[word]
        while rest != 0 {
          let slot = word << 6 | rest.trailingZeroBitCount
          rest &= rest &- 1
          if unsafe bits[slot >> 3] >> UInt8(slot & 7) & 1 == 0 { continue }
          sums.add(lanes.amount(lane: lane, slot: slot), to: number)
        }
      }
    }
  }

  private func addTimes(_ mask: StripeMask, to sums: inout GroupSums, _ number: Int) {
    let times = unsafe reader.createdAt.values(from: RowIndex(firstRow), count: rowCount)
    let found = unsafe mask.words.withUnsafeBytes { bits in
      unsafe Kernels.bounds(
        times.baseAddress.unsafelyUnwrapped, rowCount: rowCount,
        selected: bits.bindMemory(to: UInt8.self).baseAddress)
    }
    sums.addBounds(found.least, found.greatest, to: number)
  }

  /// Transactions lie in row order; a negative value is the place of a wide one.
  private func addPrecise(_ mask: StripeMask, to sums: inout GroupSums, _ number: Int) {
    let narrow = unsafe reader.books.transactions.narrowAmounts(from: RowIndex(firstRow), count: rowCount)
    let values = unsafe narrow.baseAddress.unsafelyUnwrapped
    // Only the words that have bits: a stripe may hold the runs of many days.
    guard let first = mask.words.firstIndex(where: { $0 != 0 }),
      let last = mask.words.lastIndex(where: { $0 != 0 })
    else { return }
    var words = Array(mask.words[first...last])
    let start = first << 6
    let count = min((last + 1) << 6, rowCount) - start
    var wide: [UInt64] = words
    unsafe wide.withUnsafeMutableBufferPointer { wide in
      unsafe Kernels.select(
        values + start, rowCount: count, in: .min ... -1,
        into: BitTarget(wide.baseAddress.unsafelyUnwrapped, .keep))
    }
    for word in wide.indices where wide[word] != 0 {
      words[word] &= ~wide[word]
      var rest = wide[word]
      while rest != 0 {
        let place = start + word << 6 + rest.trailingZeroBitCount
        sums.add(reader.books.transactions.amount(RowIndex(firstRow + place)), to: number)
        rest &= rest &- 1
      }
    }
    unsafe words.withUnsafeBytes { bytes in
      let bits = unsafe bytes.bindMemory(to: UInt8.self).baseAddress
      if sums.needs.contains(.sum) {
        sums.add(unsafe Kernels.sum(values + start, rowCount: count, selected: bits).sum, to: number)
      }
      if !sums.needs.isDisjoint(with: [.least, .greatest]) {
        let bounds = unsafe Kernels.bounds(values + start, rowCount: count, selected: bits)
        sums.addBounds(bounds.least, bounds.greatest, to: number)
      }
    }
  }
}
