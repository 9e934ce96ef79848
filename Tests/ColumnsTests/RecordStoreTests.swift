// Records that are replaced stay readable as long as a cut may see them, and no longer.

import Columns
import TestSupport
import Testing

struct RecordStoreTests {
  private static func bytes(_ number: Int, count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 ^ number) }
  }

  private static func isKept(_ store: RecordStore, _ handle: RecordHandle, _ record: [UInt8]) -> Bool {
    unsafe record.withUnsafeBytes { unsafe textsAreEqual(store.bytes(handle), $0) }
  }

  private struct Cut {
    let epoch: UInt64
    let cells: [(handle: RecordHandle, record: [UInt8])]
  }

  @Test(arguments: Seed.sample(8)) func everyHeldCutReadsItsOwnRecords(_ seed: Seed) {
    var generator = seed.generator
    let epochs = Epochs()
    let store = RecordStore(epochs: epochs)
    var cells = [(handle: RecordHandle, record: [UInt8])](repeating: (0, []), count: 40)
    var cuts: [Cut] = []
    for step in 0..<2_000 {
      switch Int.random(in: 0..<20, using: &generator) {
      case 0 where cuts.count < 5:
        cuts.append(Cut(epoch: epochs.begin(), cells: cells))
      case 1 where !cuts.isEmpty:
        epochs.end(cuts.remove(at: Int.random(in: 0..<cuts.count, using: &generator)).epoch)
        if Bool.random(using: &generator) { store.reclaim() }
      case 2:
        for cut in cuts {
          for cell in cut.cells where cell.handle != 0 && !Self.isKept(store, cell.handle, cell.record) {
            Issue.record("step \(step): a record of cut \(cut.epoch) has changed")
          }
        }
      default:
        let place = Int.random(in: 0..<cells.count, using: &generator)
        let old = cells[place].handle
        if Int.random(in: 0..<5, using: &generator) == 0 {
          cells[place] = (0, [])
        } else {
          let record = Self.bytes(step, count: Int.random(in: 0...200, using: &generator))
          cells[place] = (store.put(record), record)
        }
        store.retire(old)
      }
      for cell in cells where cell.handle != 0 && !Self.isKept(store, cell.handle, cell.record) {
        Issue.record("step \(step): a current record has changed")
      }
    }
    for cut in cuts { epochs.end(cut.epoch) }
    store.reclaim()
    #expect(store.retainedCount == 0)
    #expect(store.byteCount == cells.reduce(0) { $1.handle == 0 ? $0 : $0 + $1.record.count + 8 })
  }

  /// Handles of cells that a cut sees must not be given out again, or its reader would get another's record.
  @Test func aHandleIsUsedAgainOnlyWhenNoCutSeesIt() {
    let epochs = Epochs()
    let store = RecordStore(epochs: epochs)
    let first = store.put([1])
    let cut = epochs.begin()
    store.retire(first)
    let others = (0..<100).map { store.put([UInt8($0)]) }
    #expect(!others.contains(first))
    #expect(Self.isKept(store, first, [1]))
    epochs.end(cut)
    store.reclaim()
    #expect(store.put([2]) == first)
  }

  /// A writer that meets a hundred thousand freed records must not free them all under its locks.
  @Test func aPutFreesFewRecordsAndTheEndOfACutAllOfThem() {
    let epochs = Epochs()
    let store = RecordStore(epochs: epochs)
    let cut = epochs.begin()
    for _ in 0..<10_000 { store.retire(store.put([])) }
    epochs.end(cut)
    #expect(store.retainedCount == 10_000)
    let last = store.put([])
    #expect(store.retainedCount > 9_000)
    store.reclaim()
    #expect(store.retainedCount == 0 && store.byteCount == 8)
    store.retire(last)
    for _ in 0..<10_000 { store.retire(store.put([])) }
    #expect(store.retainedCount <= 1, "without cuts, each put frees what the last one replaced")
  }

  @Test func handlesGoOnPastSegmentBorders() {
    let store = RecordStore(epochs: Epochs())
    for number in 1...65_540 {
      let handle = store.put([UInt8(truncatingIfNeeded: number)])
      if handle != RecordHandle(number) {
        Issue.record("record \(number) got handle \(handle)")
        return
      }
    }
    for number in [1, 65_535, 65_536, 65_537, 65_540] {
      #expect(Self.isKept(store, RecordHandle(number), [UInt8(truncatingIfNeeded: number)]))
    }
  }

  @Test func aHandleThatWasFreedIsNoRecord() async {
    await #expect(processExitsWith: .failure) {
      let store = RecordStore(epochs: Epochs())
      let handle = store.put([1])
      store.retire(handle)
      store.reclaim()
      _ = unsafe store.bytes(handle)
    }
  }
}
