// Readers on cuts, several held at once and ended in any order, beside a writer that never waits for them.

import Amounts
import Columns
import Platform
import Synchronization
import TestSupport
import Testing

struct ConcurrentCutTests {
  private static let chunkCount = 6
  private static let slotCount = 16
  private static let laneCount = 2

  /// Small books: totals with wide amounts, and a record behind a cell that says the row's version.
  private final class SmallBooks: Sendable {
    let epochs = Epochs()
    let totals: BlockTable
    let cells: BlockTable
    let records: RecordStore
    /// The creation lock of these books.
    let writing = Lock()
    let isDone = Atomic<Bool>(false)
    let cutsRead = Atomic<Int>(0)
    let faults = Atomic<Int>(0)

    init() {
      totals = BlockTable(epochs: epochs, kind: AmountBlock.kind(laneCount: laneCount, word: 0))
      cells = BlockTable(epochs: epochs, kind: CellBlock.kind(laneCount: 1))
      records = RecordStore(epochs: epochs)
    }

    /// Moves an amount from one place to another and gives the first row a record of its new version.
    func move(_ amount: Amount, position: UInt64, _ generator: inout SeededGenerator) {
      let chunk = Int.random(in: 0..<chunkCount, using: &generator)
      let slot = Int.random(in: 0..<slotCount, using: &generator)
      let source = AmountBlock(totals.blockForWriting(chunk, position: position), laneCount: laneCount)
      source.subtract(amount, lane: Int.random(in: 0..<laneCount, using: &generator), slot: slot)
      unsafe source.words[slot] += 1
      let version = unsafe source.words[slot]
      let destination = AmountBlock(
        totals.blockForWriting(Int.random(in: 0..<chunkCount, using: &generator), position: position),
        laneCount: laneCount)
      destination.add(
        amount, lane: Int.random(in: 0..<laneCount, using: &generator),
        slot: Int.random(in: 0..<slotCount, using: &generator))
      let cell = CellBlock(cells.blockForWriting(chunk, position: position))
      let old = cell[lane: 0, slot: slot]
      cell[lane: 0, slot: slot] = records.put(
        [UInt8](repeating: UInt8(version & 255), count: Int(version % 50)))
      records.retire(old)
    }

    /// Whether the cut is whole: amounts add up to nothing, and each record is the one of its row's version.
    func isWhole(_ epoch: UInt64) -> Bool {
      var sum = Amount.zero
      for chunk in 0..<chunkCount {
        guard let block = totals.block(chunk, cut: epoch) else { continue }
        let totals = AmountBlock(block, laneCount: laneCount)
        let cells = cells.block(chunk, cut: epoch).map { CellBlock($0) }
        for slot in 0..<slotCount {
          for lane in 0..<laneCount { sum = sum + totals.amount(lane: lane, slot: slot) }
          let version = unsafe totals.words[slot]
          guard version != 0 else { continue }
          guard let handle = cells?[lane: 0, slot: slot], handle != 0 else { return false }
          let record = unsafe records.bytes(handle)
          if record.count != Int(version % 50) { return false }
          if unsafe record.contains(where: { $0 != UInt8(version & 255) }) { return false }
        }
      }
      return sum == .zero
    }

    func end(_ epoch: UInt64) {
      epochs.end(epoch)
      totals.reclaim()
      cells.reclaim()
      records.reclaim()
    }

    /// Holds up to three cuts at a time, reads them in turn, ends one of them at random.
    func readCuts(_ generator: inout SeededGenerator) {
      var held: [UInt64] = []
      while !isDone.load(ordering: .acquiring) {
        held.append(writing.withLock { epochs.begin() })
        for epoch in held where !isWhole(epoch) { faults.add(1, ordering: .relaxed) }
        cutsRead.add(1, ordering: .relaxed)
        if held.count == 3 { end(held.remove(at: Int.random(in: 0..<3, using: &generator))) }
      }
      for epoch in held { end(epoch) }
    }
  }

  @Test(arguments: Seed.sample(2)) func everyCutIsWholeWhileAWriterGoesOn(_ seed: Seed) throws {
    let books = SmallBooks()
    let readers = try (0..<3).map { number in
      try Thread(name: "reader") {
        var generator = Seed(seed.value &+ UInt64(number)).generator
        books.readCuts(&generator)
      }
    }
    var generator = seed.generator
    var position: UInt64 = 0
    while books.cutsRead.load(ordering: .relaxed) < 1_000 {
      position += 1
      let amount: Amount =
        switch position % 4 {
        case 0: .power(of10: 30)
        case 1: Amount(Int64.max)
        case 2: Amount(Int64.min)
        default: Amount.random(digits: 45, using: &generator)
        }
      books.writing.withLock { books.move(amount, position: position, &generator) }
      if position % 8 == 0 { Thread.yield() }
    }
    books.isDone.store(true, ordering: .releasing)
    for reader in readers { reader.join() }
    #expect(books.faults.load(ordering: .relaxed) == 0)
    books.totals.reclaim()
    books.cells.reclaim()
    books.records.reclaim()
    #expect(books.totals.retainedByteCount == 0 && books.cells.retainedByteCount == 0)
    #expect(books.records.retainedCount == 0)
    #expect(books.epochs.heldCount == 0)
  }
}
