// Two threads give commands, one drains the log, one reads rows: what was drained makes the same books.

import Amounts
import Columns
import LedgerSupport
import Platform
import TestSupport
import Testing

@testable import Ledger

@Suite struct FactLogUnderLoadTests {
  @Test(arguments: Seed.sample(4))
  func whatIsDrainedBesideTwoWritersMakesTheSameBooks(seed: Seed) throws {
    let clock = ManualClock()
    let log = FactLog(chunkByteCount: 8192)
    let books = Books(clock: clock, seed: (seed.value, 1), log: log)
    let isOver = Guarded(false)
    let drained = Guarded<(bytes: [UInt8], isTorn: Bool)>(([], false))
    let consumer = try Thread(name: "journal") {
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 << 20, alignment: 16)
      defer { unsafe buffer.deallocate() }
      while true {
        let isLast = isOver.withLock { $0 }
        if log.wait(spinning: .microseconds(20), atMost: .milliseconds(5)) {
          let part = unsafe log.drain(into: buffer)
          drained.withLock { drained in
            unsafe drained.bytes.append(contentsOf: buffer[..<part.byteCount])
            // The buffer holds all that is pending here, and so whole units.
            if part.lastPosition != part.lastUnitEnd { drained.isTorn = true }
          }
        } else if isLast {
          return
        }
      }
    }
    let reader = try Thread(name: "reader") {
      while !isOver.withLock({ $0 }) {
        let counts = books.counts
        for (kind, count) in [(EntityKind.balance, counts.balances), (.transaction, counts.transactions)]
        where count > 0 {
          let told = books.latestChange(kind, RowIndex(count - 1))
          precondition(told <= books.position, "no row is younger than the books")
        }
        Thread.yield()
      }
    }
    let writers = try (0..<2).map { number in
      try Thread(name: "writer") {
        var random = CommandSource(Seed(seed.value + UInt64(number)))
        for _ in 0..<400 {
          let (command, key) = random.command()
          _ = try? books.execute(command, key: key)
        }
      }
    }
    for writer in writers { writer.join() }
    isOver.withLock { $0 = true }
    log.wake()
    consumer.join()
    reader.join()
    let (bytes, isTorn) = drained.withLock { $0 }
    #expect(!isTorn && log.pendingByteCount == 0 && log.publishedPosition == books.position, "\(seed)")
    let copy = try replayed(bytes, clock: clock)
    #expect(copy.cut().digest() == books.cut().digest(), "\(seed)")
  }
}
