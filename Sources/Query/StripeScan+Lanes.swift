// Tests of lanes that lie in the chunks of a stripe, 512 rows each.

import Amounts
import Columns
import Ledger

/// A lane of a table's blocks: what must be near when a chunk is tested.
struct LaneMemory {
  let table: BlockTable
  /// The bytes that a test of the whole chunk reads, in the block's payload.
  let offset: Int
  let byteCount: Int
  /// Where the value of slot 0 lies that a test of a single row reads, and how wide it is.
  let rowOffset: Int
  let rowByteCount: Int

  init(table: BlockTable, offset: Int, byteCount: Int, rowOffset: Int? = nil, rowByteCount: Int) {
    self.table = table
    self.offset = offset
    self.byteCount = byteCount
    self.rowOffset = rowOffset ?? offset
    self.rowByteCount = rowByteCount
  }
}

extension StripeScan {
  /// Chunks whose memory is asked for ahead of the one that is tested.
  private static var chunksAhead: Int { 8 }
  /// With so few rows of a chunk left, each is looked at by itself.
  private static var fewRowsOfChunk: Int { 8 }

  // MARK: Columns

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

  /// Tests amounts: their sketches first, and the exact values of those rows whose sketch does not tell.
  /// Those are asked for when they are found and looked at when the stripe has been gone through.
  ///
  /// Returns the number of rows that pass when that is all that is wanted; else `words` is narrowed.
  func amounts(
    _ words: Words, _ column: AmountColumn, _ set: AmountRanges, isFull: Bool, onlyCounts: Bool
  ) -> Int {
    let (table, laneCount, lane) = lanes(column)
    let loops = loops.loops(set)
    let memory = LaneMemory(
      table: table, offset: AmountBlock.sketchOffset(lane, laneCount: laneCount),
      byteCount: Layout.chunkRows * 2, rowOffset: lane * Layout.chunkRows * 8, rowByteCount: 8)
    let reaching = chunks(reaching: loops.leastCode, column)
    if reaching == 0 { return unsafe noAmounts(words, loops, isFull: isFull, onlyCounts: onlyCounts) }
    let wantsBits = !(onlyCounts && isFull)
    let place = LanePlace(laneCount: laneCount, lane: lane, reaching: reaching)
    let sure =
      loops.sureCodes == nil
      ? unsafe edgedAmounts(words, memory, loops, place, isFull: isFull, wantsBits: wantsBits)
      : unsafe sureAmounts(words, memory, loops, place, isFull: isFull, wantsBits: wantsBits)
    if !wantsBits { return loops.isComplement ? rowCount - sure : sure }
    return unsafe finishLanes(words, isFull: isFull, isComplement: loops.isComplement, onlyCounts: onlyCounts)
  }

  /// A bit for each chunk of the stripe: whether any of its amounts can have that code or a greater one, by
  /// its zone maximum.
  private func chunks(reaching code: UInt16, _ column: AmountColumn) -> UInt64 {
    guard code > Sketch.zero, let zone = ZoneLane(column, reader.books.balances) else { return .max }
    return zone.maxima.chunks(ofStripe: stripe, reaching: code, lane: zone.lane)
  }

  /// As `amounts` where no row of the stripe is in the set of the loops.
  private func noAmounts(_ words: Words, _ loops: AmountLoops, isFull: Bool, onlyCounts: Bool) -> Int {
    self.loops.chunksPruned += chunkCount
    if onlyCounts {
      if !loops.isComplement { return 0 }
      return isFull ? rowCount : unsafe Kernels.populationCount(words, wordCount: Selection.wordCount)
    }
    if !loops.isComplement { unsafe words.update(repeating: 0, count: Selection.wordCount) }
    return 0
  }

  /// Where amounts lie in their blocks, and in which chunks of the stripe any of them can be in the set.
  private struct LanePlace {
    let laneCount: Int
    let lane: Int
    let reaching: UInt64
  }

  /// Tests sketches that always tell. Returns the number of rows in the set when no bits are wanted.
  private func sureAmounts(
    _ words: Words, _ memory: LaneMemory, _ loops: AmountLoops, _ place: LanePlace,
    isFull: Bool, wantsBits: Bool
  ) -> Int {
    guard let codes = loops.sureCodes else { preconditionFailure("a range without edges") }
    let rowCount = Layout.chunkRows
    let offset = memory.offset
    var sure = 0
    let zeroIsIn = loops.isInSet(.zero)
    let absent = unsafe forEachChunk(
      words, memory, isFull: isFull, zeroIsIn: zeroIsIn, reaching: place.reaching
    ) { _, block, bits in
      let sketches = unsafe (block.payload + offset).assumingMemoryBound(to: UInt16.self)
      if wantsBits {
        unsafe Kernels.select(sketches, rowCount: rowCount, in: codes, into: BitTarget(bits, .put))
      } else {
        sure += unsafe Kernels.count(sketches, rowCount: rowCount, in: codes)
      }
    } passes: { block, slot in
      loops.contains(AmountBlock(block, laneCount: place.laneCount), lane: place.lane, slot: slot)
    }
    return zeroIsIn ? sure + absent * rowCount : sure
  }

  /// Tests sketches of which some do not tell. Returns the number of rows in the set when no bits are wanted.
  private func edgedAmounts(
    _ words: Words, _ memory: LaneMemory, _ loops: AmountLoops, _ place: LanePlace,
    isFull: Bool, wantsBits: Bool
  ) -> Int {
    let (edgeWords, epoch, offset) = unsafe (edgeBits.bits, reader.cut.epoch, memory.offset)
    let openWords = unsafe isFull ? nil : scratch.bits
    let only = loops.edgedCodes
    var edgeChunks: UInt64 = 0
    var sure = 0
    let zeroIsIn = loops.isInSet(.zero)
    let absent = unsafe forEachChunk(
      words, memory, isFull: isFull, zeroIsIn: zeroIsIn, reaching: place.reaching
    ) { chunk, block, bits in
      let sketches = unsafe (block.payload + offset).assumingMemoryBound(to: UInt16.self)
      let edges = unsafe edgeWords + chunk * 8
      var found: (sure: Int, edges: Int)
      if let only {
        found = unsafe Kernels.selectSketches(
          sketches, rowCount: Layout.chunkRows, in: only.bounds, sure: only.sure,
          into: wantsBits ? bits : nil, edges: edges)
      } else {
        found = unsafe loops.select(sketches: sketches, into: bits, edges: edges)
      }
      sure += found.sure
      if found.edges == 0 { return }
      if let openWords = unsafe openWords {
        _ = unsafe Kernels.merge(edges, with: openWords + chunk * 8, wordCount: 8, .keep)
        found.edges = unsafe Kernels.populationCount(edges, wordCount: 8)
      }
      edgeChunks |= 1 << UInt64(chunk)
      if found.edges <= AmountLoops.fewEdges {
        unsafe loops.prefetch(
          AmountBlock(block, laneCount: place.laneCount), lane: place.lane, edges: edges)
      }
    } passes: { block, slot in
      loops.contains(AmountBlock(block, laneCount: place.laneCount), lane: place.lane, slot: slot)
    }
    let blocks = memory.table.blocks(ofStripe: stripe)
    while edgeChunks != 0 {
      let chunk = edgeChunks.trailingZeroBitCount
      edgeChunks &= edgeChunks &- 1
      guard let block = blocks.block(chunk, cut: epoch) else { continue }
      sure += unsafe loops.resolve(
        AmountBlock(block, laneCount: place.laneCount), lane: place.lane, edges: edgeWords + chunk * 8,
        into: laneBits.bits + chunk * 8)
    }
    return zeroIsIn ? sure + absent * Layout.chunkRows : sure
  }

  func versions(_ words: Words, _ set: IntegerRanges, isFull: Bool) {
    let ranges = set.intersection(0...Int64(UInt32.max)).ranges.map {
      UInt32($0.lowerBound)...UInt32($0.upperBound)
    }
    let laneCount = BalanceTable.Lane.count
    let memory = LaneMemory(
      table: reader.books.balances.totals, offset: laneCount * Layout.chunkRows * 8,
      byteCount: Layout.chunkRows * 4, rowByteCount: 4)
    unsafe forEachChunk(words, memory, isFull: isFull, zeroIsIn: set.contains(1)) { _, block, bits in
      let values = unsafe AmountBlock(block, laneCount: laneCount).words
      unsafe bits.update(repeating: 0, count: 8)
      for range in ranges {
        unsafe Kernels.select(values, rowCount: Layout.chunkRows, in: range, into: BitTarget(bits, .add))
      }
    } passes: { block, slot in
      set.contains(Int64(unsafe AmountBlock(block, laneCount: laneCount).words[slot]))
    }
    _ = unsafe finishLanes(words, isFull: isFull, isComplement: false, onlyCounts: false)
  }

  func identities(_ words: Words, _ set: CodeSet, isFull: Bool) {
    let lane = BalanceTable.Cell.identity
    let memory = LaneMemory(
      table: reader.books.balances.cells, offset: lane * Layout.chunkRows * 4,
      byteCount: Layout.chunkRows * 4, rowByteCount: 4)
    unsafe forEachChunk(words, memory, isFull: isFull, zeroIsIn: set.codes.contains(0)) { _, block, bits in
      unsafe Kernels.select(
        CellBlock(block).lane(lane), rowCount: Layout.chunkRows, among: set.codes,
        into: BitTarget(bits, .put))
    } passes: { block, slot in
      set.codes.contains(CellBlock(block)[lane: lane, slot: slot])
    }
    _ = unsafe finishLanes(words, isFull: isFull, isComplement: set.isComplement, onlyCounts: false)
  }

  func existing(_ words: Words, isFull: Bool) {
    let memory = LaneMemory(
      table: reader.entities.cells, offset: 0, byteCount: Layout.chunkRows * 4, rowByteCount: 4)
    unsafe forEachChunk(words, memory, isFull: isFull, zeroIsIn: false) { _, block, bits in
      unsafe Kernels.select(
        CellBlock(block).lane(0), rowCount: Layout.chunkRows, in: 1 ... .max, into: BitTarget(bits, .put))
    } passes: { block, slot in
      CellBlock(block)[lane: 0, slot: slot] != 0
    }
    _ = unsafe finishLanes(words, isFull: isFull, isComplement: false, onlyCounts: false)
  }

  func inflightBalances(_ words: Words, _ set: AmountRanges, isFull: Bool) {
    let laneCount = BalanceTable.HoldLane.count
    let memory = LaneMemory(
      table: reader.books.balances.holds, offset: 0, byteCount: laneCount * Layout.chunkRows * 8,
      rowByteCount: 8)
    let passes = { (block: Block, slot: Int) -> Bool in
      let holds = AmountBlock(block, laneCount: laneCount)
      let credit = holds.amount(lane: BalanceTable.HoldLane.credit, slot: slot)
      return set.contains(credit - holds.amount(lane: BalanceTable.HoldLane.debit, slot: slot))
    }
    unsafe forEachChunk(words, memory, isFull: isFull, zeroIsIn: set.contains(.zero)) { _, block, bits in
      unsafe bits.update(repeating: 0, count: 8)
      for slot in 0..<Layout.chunkRows where passes(block, slot) {
        unsafe bits[slot >> 6] |= 1 << UInt64(slot & 63)
      }
    } passes: { block, slot in
      passes(block, slot)
    }
    _ = unsafe finishLanes(words, isFull: isFull, isComplement: false, onlyCounts: false)
  }

  // MARK: Chunks

  /// Goes through the chunks of the stripe that have a row left and leaves in `laneBits` which rows of them
  /// are in the set that is tested. `run` tests a whole chunk, `passes` a single row.
  ///
  /// Returns the number of chunks with rows left that were never written.
  ///
  /// - Parameters:
  ///   - zeroIsIn: whether the rows of a chunk that was never written are in the set.
  ///   - reaching: a bit for each chunk; no row of the others is in the set.
  @inline(__always)
  @discardableResult
  private func forEachChunk(
    _ words: Words, _ memory: LaneMemory, isFull: Bool, zeroIsIn: Bool, reaching: UInt64 = .max,
    run: (_ chunk: Int, Block, _ bits: Words) -> Void, passes: (Block, _ slot: Int) -> Bool
  ) -> Int {
    let (count, epoch) = (chunkCount, reader.cut.epoch)
    let blocks = memory.table.blocks(ofStripe: stripe)
    let next = isFull && step != 0 && stripe + step >= 0 ? memory.table.blocks(ofStripe: stripe + step) : nil
    // The rows that are left, chunk by chunk, until the end: `finishLanes` needs them again.
    if !isFull { unsafe Kernels.transpose(words, into: scratch.bits) }
    let (open, bits) = unsafe (scratch.bits, laneBits.bits)
    for chunk in 0..<min(Self.chunksAhead, count) where reaching >> UInt64(chunk) & 1 != 0 {
      unsafe Self.prefetch(memory, blocks, chunk, isFull ? nil : open + chunk * 8)
    }
    var (pruned, absent) = (0, 0)
    for chunk in 0..<count {
      let ahead = chunk + Self.chunksAhead
      if ahead < count {
        if reaching >> UInt64(ahead) & 1 != 0 {
          unsafe Self.prefetch(memory, blocks, ahead, isFull ? nil : open + ahead * 8)
        }
      } else if reaching == .max, let next {
        next.prefetch(ahead - count, payload: memory.offset, byteCount: memory.byteCount)
      }
      let here = unsafe bits + chunk * 8
      if reaching >> UInt64(chunk) & 1 == 0 {
        pruned += 1
        unsafe here.update(repeating: 0, count: 8)
        continue
      }
      let left = unsafe isFull ? Layout.chunkRows : Kernels.populationCount(open + chunk * 8, wordCount: 8)
      guard left > 0, let block = blocks.block(chunk, cut: epoch) else {
        if left == 0 { pruned += 1 } else { absent += 1 }
        unsafe here.update(repeating: zeroIsIn ? .max : 0, count: 8)
        continue
      }
      if left > Self.fewRowsOfChunk {
        unsafe run(chunk, block, here)
        continue
      }
      for word in 0..<8 {
        var rest = unsafe open[chunk * 8 + word]
        var found: UInt64 = 0
        while rest != 0 {
          let bit = rest.trailingZeroBitCount
          if passes(block, word << 6 | bit) { found |= 1 << UInt64(bit) }
          rest &= rest &- 1
        }
        unsafe here[word] = found
      }
    }
    loops.chunksPruned += pruned
    return absent
  }

  /// Asks for what testing a chunk will read: its lane, or the values of the few rows that are left.
  @inline(__always)
  private static func prefetch(
    _ memory: LaneMemory, _ blocks: StripeBlocks, _ chunk: Int, _ open: Words?
  ) {
    guard let open = unsafe open else {
      return blocks.prefetch(chunk, payload: memory.offset, byteCount: memory.byteCount)
    }
    let left = unsafe Kernels.populationCount(open, wordCount: 8)
    if left == 0 { return }
    if left > fewRowsOfChunk {
      return blocks.prefetch(chunk, payload: memory.offset, byteCount: memory.byteCount)
    }
    for word in 0..<8 {
      var rest = unsafe open[word]
      while rest != 0 {
        let slot = word << 6 | rest.trailingZeroBitCount
        blocks.prefetch(chunk, payload: memory.rowOffset + slot * memory.rowByteCount, byteCount: 1)
        rest &= rest &- 1
      }
    }
  }

  /// Narrows `words` to what `laneBits` says, or only counts what would be left.
  private func finishLanes(_ words: Words, isFull: Bool, isComplement: Bool, onlyCounts: Bool) -> Int {
    let change: BitChange = isComplement ? .drop : .keep
    if onlyCounts {
      if isFull {
        let count = unsafe Kernels.populationCount(laneBits.bits, wordCount: Selection.wordCount)
        return isComplement ? rowCount - count : count
      }
      unsafe Self.merge(scratch.bits, laneBits.bits, change)
      return unsafe Kernels.populationCount(scratch.bits, wordCount: Selection.wordCount)
    }
    unsafe Kernels.transpose(laneBits.bits, into: scratch.bits)
    unsafe Self.merge(words, scratch.bits, change)
    return 0
  }
}
