// Claims about versions of blocks while cuts begin and end on several threads.

import Columns
import Platform
import Synchronization
import Testing

struct CutReclaimTests {
  /// A writer raises the one word of a chunk under a lock; three readers take cuts under it, and read them
  /// without.
  @Test func aCutKeepsItsVersionWhileOthersEnd() throws {
    let epochs = Epochs()
    let table = BlockTable(epochs: epochs, kind: Self.kind)
    let writing = Lock()
    let progress = Progress()
    var readers: [Thread] = []
    writing.withLock { Self.raise(table, to: 1) }
    for _ in 0..<3 {
      readers.append(
        try Thread(name: "reader") {
          while !progress.isDone.load(ordering: .acquiring) {
            let (epoch, expected) = writing.withLock { (epochs.begin(), Self.word(table.currentBlock(0))) }
            for _ in 0..<8 {
              if Self.word(table.block(0, cut: epoch)) != expected {
                progress.wrongReads.add(1, ordering: .relaxed)
              }
              Thread.yield()
            }
            progress.cuts.add(1, ordering: .relaxed)
            epochs.end(epoch)
            table.reclaim()
          }
        })
    }
    var value: UInt64 = 1
    while progress.cuts.load(ordering: .relaxed) < 5_000 {
      value += 1
      writing.withLock { Self.raise(table, to: value) }
      Thread.yield()
    }
    progress.isDone.store(true, ordering: .releasing)
    for reader in readers { reader.join() }
    #expect(progress.wrongReads.load(ordering: .relaxed) == 0)
    table.reclaim()
    #expect(table.retainedByteCount == 0, "no cut is held, so no version is kept")
  }

  private final class Progress: Sendable {
    let isDone = Atomic<Bool>(false)
    let cuts = Atomic<Int>(0)
    let wrongReads = Atomic<Int>(0)
  }

  private static var kind: BlockKind {
    BlockKind(
      payloadByteCount: 64,
      initialize: { unsafe $0.payload.initializeMemory(as: UInt8.self, repeating: 0, count: 64) })
  }

  private static func raise(_ table: BlockTable, to value: UInt64) {
    let block = table.blockForWriting(0, position: value)
    unsafe block.payload.storeBytes(of: value, as: UInt64.self)
  }

  private static func word(_ block: Block?) -> UInt64? {
    block.map { unsafe $0.payload.load(as: UInt64.self) }
  }
}
