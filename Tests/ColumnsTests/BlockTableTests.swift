// Versions of blocks against a naive model: a copy of everything for each cut.

import Amounts
import Columns
import TestSupport
import Testing

struct BlockTableTests {
  /// Chunks on both sides of shards, stripes and segments of the directory.
  private static let chunks = [0, 1, 63, 64, 4095, 4096, 8_388_607]
  private static let slots = [0, 1, 255, 510, 511]
  private static let laneCount = 3

  private struct Place: Hashable {
    let chunk: Int
    let lane: Int
    let slot: Int
  }

  /// Everything at one moment.
  private struct State {
    var amounts: [Place: Amount] = [:]
    var words: [Place: UInt32] = [:]
    var cells: [Place: UInt32] = [:]
    var lastChanges: [Int: UInt64] = [:]
  }

  private struct Cut {
    let epoch: UInt64
    let state: State
  }

  private struct Tables {
    let epochs = Epochs()
    let amounts: BlockTable
    let cells: BlockTable

    init() {
      amounts = BlockTable(epochs: epochs, kind: AmountBlock.kind(laneCount: laneCount, word: 9))
      cells = BlockTable(epochs: epochs, kind: CellBlock.kind(laneCount: laneCount))
    }

    /// Whether the blocks of each chunk hold what `state` says.
    func hold(_ state: State, amounts block: (Int) -> Block?, cells cellBlock: (Int) -> Block?) -> Bool {
      for chunk in chunks {
        let amountBlock = block(chunk).map { AmountBlock($0, laneCount: laneCount) }
        let cells = cellBlock(chunk).map { CellBlock($0) }
        if unsafe block(chunk)?.header.pointee.lastChange != state.lastChanges[chunk] { return false }
        for slot in slots {
          let wordPlace = Place(chunk: chunk, lane: 0, slot: slot)
          let word = amountBlock.map { unsafe $0.words[slot] } ?? 9
          if word != state.words[wordPlace] ?? 9 { return false }
          for lane in 0..<laneCount {
            let place = Place(chunk: chunk, lane: lane, slot: slot)
            let amount = amountBlock?.amount(lane: lane, slot: slot) ?? .zero
            if amount != state.amounts[place] ?? .zero { return false }
            if cells?[lane: lane, slot: slot] ?? 0 != state.cells[place] ?? 0 { return false }
          }
        }
      }
      return true
    }

    func hold(_ cut: Cut) -> Bool {
      hold(
        cut.state, amounts: { amounts.block($0, cut: cut.epoch) },
        cells: { cells.block($0, cut: cut.epoch) })
    }
  }

  private static func amount(_ generator: inout SeededGenerator) -> Amount {
    switch Int.random(in: 0..<6, using: &generator) {
    case 0: .power(of10: 30)
    case 1: -.power(of10: 30)
    case 2: Amount(Int64.min)
    case 3: Amount(Int64.max)
    case 4: .zero
    default: Amount.random(digits: 50, using: &generator)
    }
  }

  private static func write(
    _ tables: Tables, _ state: inout State, position: UInt64, _ generator: inout SeededGenerator
  ) {
    let place = Place(
      chunk: chunks.randomElement(using: &generator)!, lane: Int.random(in: 0..<laneCount, using: &generator),
      slot: slots.randomElement(using: &generator)!)
    if Int.random(in: 0..<4, using: &generator) == 0 {
      let block = CellBlock(tables.cells.blockForWriting(place.chunk, position: position))
      let value = UInt32.random(in: 0...(.max), using: &generator)
      block[lane: place.lane, slot: place.slot] = value
      state.cells[place] = value
      return
    }
    let block = AmountBlock(
      tables.amounts.blockForWriting(place.chunk, position: position), laneCount: laneCount)
    state.lastChanges[place.chunk] = position
    let amount = amount(&generator)
    let old = state.amounts[place] ?? .zero
    switch Int.random(in: 0..<3, using: &generator) {
    case 0:
      block.add(amount, lane: place.lane, slot: place.slot)
      state.amounts[place] = old + amount
    case 1:
      block.subtract(amount, lane: place.lane, slot: place.slot)
      state.amounts[place] = old - amount
    default:
      block.set(amount, lane: place.lane, slot: place.slot)
      state.amounts[place] = amount
    }
    unsafe block.words[place.slot] += 1
    state.words[Place(chunk: place.chunk, lane: 0, slot: place.slot), default: 9] += 1
  }

  @Test(arguments: Seed.sample(8)) func everyHeldCutReadsItsOwnValues(_ seed: Seed) {
    var generator = seed.generator
    let tables = Tables()
    var state = State()
    var cuts: [Cut] = []
    for step in 1...3_000 {
      switch Int.random(in: 0..<30, using: &generator) {
      case 0, 1:
        if cuts.count < 6 { cuts.append(Cut(epoch: tables.epochs.begin(), state: state)) }
      case 2, 3:
        if cuts.isEmpty { continue }
        tables.epochs.end(cuts.remove(at: Int.random(in: 0..<cuts.count, using: &generator)).epoch)
        if Bool.random(using: &generator) {
          tables.amounts.reclaim()
          tables.cells.reclaim()
        }
      case 4:
        for cut in cuts { #expect(tables.hold(cut), "step \(step), cut \(cut.epoch)") }
        #expect(
          tables.hold(
            state, amounts: { tables.amounts.currentBlock($0) }, cells: { tables.cells.currentBlock($0) }))
      default: Self.write(tables, &state, position: UInt64(step), &generator)
      }
    }
    while let cut = cuts.popLast() {
      #expect(tables.hold(cut))
      tables.epochs.end(cut.epoch)
      tables.amounts.reclaim()
      tables.cells.reclaim()
    }
    #expect(tables.amounts.retainedByteCount == 0 && tables.cells.retainedByteCount == 0)
  }

  @Test func memoryOfEndedCutsIsUsedAgain() {
    let epochs = Epochs()
    let table = BlockTable(epochs: epochs, kind: CellBlock.kind(laneCount: 2))
    _ = table.blockForWriting(0, position: 1)
    let reserved = table.reservedByteCount
    for round in 0..<10_000 {
      let cut = epochs.begin()
      _ = table.blockForWriting(0, position: UInt64(round))
      epochs.end(cut)
      table.reclaim()
    }
    #expect(table.reservedByteCount == reserved)
    #expect(table.retainedByteCount == 0)
  }

  /// Only blocks that a held cut still needs are copied.
  @Test func aBlockIsCopiedOnceForEachCutThatSeesIt() {
    let epochs = Epochs()
    let table = BlockTable(epochs: epochs, kind: CellBlock.kind(laneCount: 1))
    let first = unsafe table.blockForWriting(5, position: 1).payload
    #expect(unsafe table.blockForWriting(5, position: 2).payload == first)
    let cut = epochs.begin()
    #expect(unsafe table.block(5, cut: cut)?.payload == first)
    let second = unsafe table.blockForWriting(5, position: 3).payload
    #expect(unsafe second != first)
    #expect(unsafe table.blockForWriting(5, position: 4).payload == second)
    #expect(unsafe table.block(5, cut: cut)?.header.pointee.lastChange == 2)
    epochs.end(cut)
    #expect(unsafe table.blockForWriting(5, position: 5).payload == second)
  }

  @Test func aChunkFirstWrittenAfterACutIsNotInIt() {
    let epochs = Epochs()
    let table = BlockTable(epochs: epochs, kind: CellBlock.kind(laneCount: 1))
    let cut = epochs.begin()
    _ = table.blockForWriting(3, position: 1)
    _ = table.blockForWriting(4_097, position: 1)
    #expect(table.block(3, cut: cut) == nil && table.block(4_097, cut: cut) == nil)
    #expect(table.block(70_000, cut: cut) == nil && table.currentBlock(70_000) == nil)
    epochs.end(cut)
  }

  // MARK: Companions

  /// An object that belongs to a block version, and says when it goes.
  private final class Companion {
    private let living: LivingCount
    init(_ living: LivingCount) {
      self.living = living
      living.count += 1
    }
    deinit { living.count -= 1 }
  }

  private final class LivingCount: @unchecked Sendable { var count = 0 }

  private static func attach(_ companion: Companion, to block: Block) {
    unsafe block.header.pointee.companion = UInt(bitPattern: Unmanaged.passRetained(companion).toOpaque())
  }

  @Test(arguments: Seed.sample(4)) func companionsAreReleasedOnceEach(_ seed: Seed) {
    var generator = seed.generator
    let living = LivingCount()
    do {
      let epochs = Epochs()
      let table = BlockTable(
        epochs: epochs,
        kind: BlockKind(
          payloadByteCount: 64, initialize: { Self.attach(Companion(living), to: $0) },
          copyCompanion: { Self.attach(Companion(living), to: $0) },
          releaseCompanion: { block in
            let address = unsafe UnsafeRawPointer(bitPattern: block.header.pointee.companion)!
            unsafe Unmanaged<Companion>.fromOpaque(address).release()
          }))
      var cuts: [UInt64] = []
      var written: Set<Int> = []
      for step in 0..<2_000 {
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: cuts.append(epochs.begin())
        case 1 where !cuts.isEmpty:
          epochs.end(cuts.remove(at: Int.random(in: 0..<cuts.count, using: &generator)))
          table.reclaim()
        default:
          let chunk = Int.random(in: 0..<8, using: &generator)
          _ = table.blockForWriting(chunk, position: UInt64(step))
          written.insert(chunk)
        }
        #expect(living.count == written.count + table.retainedByteCount / 128)
      }
      // The table goes with versions still on its list.
    }
    #expect(living.count == 0)
  }
}
