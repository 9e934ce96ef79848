// Groups by a few columns of small codes: each selected row of a chunk is added to its group as it lies.

import Amounts
import Columns
import Ledger

/// The sums and bounds of groups whose numbers are made of codes that lie in lanes.
struct CodedGroups {
  /// So many groups at most: their parts stay in the second cache, and are gone through for every stripe.
  static let groupLimit = 1024

  private enum Lanes {
    case codes(CodeColumn)
    /// A part of the flags byte.
    case flags(shift: UInt8, mask: UInt8)
  }

  /// The columns with the number of codes that each has.
  private let columns: [(lanes: Lanes, base: Int)]
  private var parts: GroupParts
  /// For each row of the stripe, where the only column does not have the numbers itself.
  private var numbers = [UInt16](repeating: 0, count: Layout.stripeRows)
  /// What the rows of a chunk hold that was never written.
  private static let zeros = [Int64](repeating: 0, count: Layout.chunkRows)

  /// Nil for columns that are not kept as codes of their rows, fields that do not lie in lanes, or too many
  /// groups.
  init?(_ groupBy: [GroupColumn], _ fields: [MeasuredField], _ numbering: GroupNumbering, _ reader: RowReader)
  {
    guard reader.table == .balances, !groupBy.isEmpty, let groupCount = numbering.denseCount,
      groupCount <= Self.groupLimit, fields.allSatisfy(\.isLane)
    else { return nil }
    var columns: [(Lanes, Int)] = []
    for (place, column) in groupBy.enumerated() {
      let lanes: Lanes
      switch column.source {
      case .ledger: lanes = .codes(.ledger)
      case .currency: lanes = .codes(.currency)
      case .indicator: lanes = .codes(.indicator)
      case .lineageFlag: lanes = .flags(shift: 0, mask: 1)
      case .strategy: lanes = .flags(shift: 1, mask: 3)
      case .identity, .source, .destination, .status, .created: return nil
      }
      columns.append((lanes, numbering.bases[place]))
    }
    self.columns = columns
    parts = GroupParts(groupCount: groupCount)
  }

  /// Adds the selected rows of a stripe.
  /// - Parameters:
  ///   - fields: what is measured; none when rows are only counted.
  ///   - counted: gets the number of rows of each group that has any.
  mutating func add(
    _ mask: inout StripeMask, _ columns: StripeColumns, _ fields: [MeasuredField],
    to totals: inout [GroupSums], _ stop: StopFlag, counted: (_ group: Int, _ count: Int) -> Void
  ) throws(QueryStopped) {
    // Asked once: a writer may widen a column meanwhile.
    let codes = codes(columns)
    if codes == nil { makeNumbers(columns) }
    // Apart from the numbers, which are lent meanwhile.
    var parts = GroupParts(groupCount: 0)
    swap(&parts, &self.parts)
    defer { swap(&parts, &self.parts) }
    if fields.isEmpty {
      withNumbers(codes) { Self.count(&mask, $0, &parts) }
      parts.takeSums { number, found in counted(number, found.count) }
    }
    for index in fields.indices {
      try stop.check()
      guard case .amount(let column) = fields[index] else { preconditionFailure("amounts lie in lanes") }
      // The first sums count the rows, wanted or not.
      let needs = index == 0 ? totals[index].needs.union(.sum) : totals[index].needs
      withNumbers(codes) { numbers in
        Self.add(column, needs, &mask, columns, numbers, &parts) { number, amount in
          totals[index].add(amount, to: number)
          if index == 0 { counted(number, 1) }
        }
      }
      parts.takeSums { number, found in
        if totals[index].needs.contains(.sum) { totals[index].add(found.sum, to: number) }
        if index == 0 { counted(number, found.count) }
      }
      parts.takeBounds { number, least, greatest in totals[index].addBounds(least, greatest, to: number) }
    }
  }

  /// Adds the values of a column to the parts; those beyond 64 bits are given to `wideValue`.
  private static func add(
    _ column: AmountColumn, _ needs: GroupSums.Needs, _ mask: inout StripeMask, _ columns: StripeColumns,
    _ numbers: GroupNumbers, _ parts: inout GroupParts, wideValue: (_ group: Int, Amount) -> Void
  ) {
    let (table, laneCount, lane) = columns.reader.lanes(column)
    let blocks = table.blocks(ofStripe: columns.stripe)
    let epoch = columns.reader.cut.epoch
    unsafe withWideWords { wide in
      unsafe mask.forEachChunk { chunk, bits in
        let block = blocks.block(chunk, cut: epoch).map { AmountBlock($0, laneCount: laneCount) }
        let next = unsafe self.values(blocks, chunk + 1, epoch, lane)
        var wideCount = 0
        unsafe withValues(block, lane) { values in
          if needs.contains(.sum) {
            wideCount = unsafe parts.addSums(
              values, chunk: chunk, numbers, selected: bits, next: next, wide: wide)
          }
          if !needs.isDisjoint(with: [.least, .greatest]) {
            wideCount = unsafe parts.addBounds(
              values, chunk: chunk, numbers, selected: bits, next: next, wide: wide)
          }
        }
        if wideCount == 0 { return }
        guard let block else { preconditionFailure("zeros are narrow") }
        for word in 0..<Layout.chunkRows / 64 {
          var rest = unsafe wide[word]
          while rest != 0 {
            let slot = word << 6 | rest.trailingZeroBitCount
            rest &= rest &- 1
            wideValue(
              numbers.number(of: Layout.row(chunk: chunk, slot: slot).index),
              block.amount(lane: lane, slot: slot))
          }
        }
      }
    }
  }

  /// Counts rows.
  private static func count(_ mask: inout StripeMask, _ numbers: GroupNumbers, _ parts: inout GroupParts) {
    unsafe withWideWords { wide in
      unsafe mask.forEachChunk { chunk, bits in
        unsafe withValues(nil, 0) { values in
          _ = unsafe parts.addSums(values, chunk: chunk, numbers, selected: bits, next: nil, wide: wide)
        }
      }
    }
  }

  private static func withWideWords(_ body: (UnsafeMutablePointer<UInt64>) -> Void) {
    unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Layout.chunkRows / 64) { words in
      unsafe body(words.baseAddress.unsafelyUnwrapped)
    }
  }

  /// The values of a chunk, if there is one and it was ever written.
  private static func values(
    _ blocks: StripeBlocks, _ chunk: Int, _ epoch: UInt64, _ lane: Int
  ) -> UnsafePointer<Int64>? {
    guard chunk < Layout.shardCount, let block = blocks.block(chunk, cut: epoch) else { return nil }
    return unsafe UnsafePointer(AmountBlock(block, laneCount: lane + 1).lane(lane))
  }

  private static func withValues(
    _ block: AmountBlock?, _ lane: Int, _ body: (UnsafePointer<Int64>) -> Void
  ) {
    if let block { return unsafe body(block.lane(lane)) }
    unsafe zeros.withUnsafeBufferPointer { unsafe body($0.baseAddress.unsafelyUnwrapped) }
  }

  // MARK: Numbers

  /// The only column's codes where they lie, if they are numbers as they are.
  ///
  /// A stripe that is not full has rows behind its last one that a writer may be at: its codes are copied.
  private func codes(_ columns: StripeColumns) -> GroupNumbers? {
    guard self.columns.count == 1, columns.rowCount == Layout.stripeRows,
      case .codes(let column) = self.columns[0].lanes
    else { return nil }
    switch columns.reader.codeLanes(column, from: RowIndex(columns.firstRow), count: columns.rowCount) {
    case .bytes(let codes): return unsafe .bytes(codes)
    case .shorts(let codes): return unsafe .shorts(codes)
    case .words: return nil
    }
  }

  private func withNumbers(_ codes: GroupNumbers?, _ body: (GroupNumbers) -> Void) {
    if let codes { return body(codes) }
    unsafe numbers.withUnsafeBufferPointer { unsafe body(.shorts($0.baseAddress.unsafelyUnwrapped)) }
  }

  /// Combines the codes of all columns.
  private mutating func makeNumbers(_ columns: StripeColumns) {
    let (first, rowCount) = (RowIndex(columns.firstRow), columns.rowCount)
    let reader = columns.reader
    for (place, column) in self.columns.enumerated() {
      let base = UInt16(place == 0 ? 0 : max(column.base, 1))
      unsafe numbers.withUnsafeMutableBufferPointer { numbers in
        let numbers = unsafe UnsafeMutableBufferPointer(rebasing: numbers[..<rowCount])
        switch column.lanes {
        case .codes(let source):
          switch reader.codeLanes(source, from: first, count: rowCount) {
          case .bytes(let codes): unsafe Self.combine(numbers, base) { unsafe UInt16(codes[$0]) }
          case .shorts(let codes): unsafe Self.combine(numbers, base) { unsafe codes[$0] }
          case .words(let codes):
            unsafe Self.combine(numbers, base) { unsafe UInt16(truncatingIfNeeded: codes[$0]) }
          }
        case .flags(let shift, let mask):
          let flags = unsafe reader.books.balances.flags.values(from: first, count: rowCount)
          unsafe Self.combine(numbers, base) { unsafe UInt16(flags[$0] >> shift & mask) }
        }
      }
    }
  }

  @inline(__always)
  private static func combine(
    _ numbers: UnsafeMutableBufferPointer<UInt16>, _ base: UInt16, _ code: (Int) -> UInt16
  ) {
    for place in numbers.indices { unsafe numbers[place] = numbers[place] &* base &+ code(place) }
  }
}

extension GroupNumbers {
  /// The number of a row, by its place in the stripe.
  fileprivate func number(of place: Int) -> Int {
    switch self {
    case .bytes(let numbers): unsafe Int(numbers[place])
    case .shorts(let numbers): unsafe Int(numbers[place])
    }
  }
}

extension MeasuredField {
  /// Whether its values lie in a lane of the balances' chunks.
  fileprivate var isLane: Bool { if case .amount(let column) = self { column.hasLane } else { false } }
}
