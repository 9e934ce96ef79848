// The fact log alone: what goes in comes out, whole, in order, on one thread and on two.

import Platform
import TestSupport
import Testing

@testable import Ledger

@Suite struct FactLogTests {
  /// A producer of records whose bytes follow from their positions.
  private struct Source {
    let log: FactLog
    var position: UInt64 = 0
    var unitCount = 0
    var byteCount = 0

    mutating func appendUnit(of sizes: [Int]) {
      for size in sizes {
        position += 1
        let number = position
        log.appender.append(.metadataChanged, position: position, payloadBound: size) { writer in
          writer.append(bytes: FactLogTests.payload(number, size))
        }
        byteCount += size + RecordHead.byteCount
      }
      log.appender.endUnit()
      if !sizes.isEmpty { unitCount += 1 }
    }
  }

  private static func payload(_ position: UInt64, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: position &* 31 &+ UInt64($0)) }
  }

  /// A consumer that checks what it drains.
  private struct Sink {
    var position: UInt64 = 0
    var unitCount = 0
    var byteCount = 0
    var fault: String?
    private var isUnitEnd = true

    mutating func take(_ bytes: UnsafeRawBufferPointer, _ drained: DrainedFacts) {
      var place = 0
      var (records, units, unitEnd) = (0, 0, UInt64(0))
      while place < bytes.count {
        guard let head = unsafe try? RecordHead(UnsafeRawBufferPointer(rebasing: bytes[place...])) else {
          fault = "no head after \(position)"
          return
        }
        position += 1
        let payload = unsafe bytes[place + RecordHead.byteCount..<place + head.recordByteCount]
        if head.position != position || head.knownType != .metadataChanged || head.checksum != 0 {
          fault = "\(head) instead of \(position)"
        }
        if unsafe !payload.elementsEqual(FactLogTests.payload(position, payload.count)) {
          fault = "payload of \(position)"
        }
        records += 1
        isUnitEnd = head.endsUnit
        if head.endsUnit {
          units += 1
          unitEnd = position
        }
        place += head.recordByteCount
      }
      if place != bytes.count { fault = "a record was cut" }
      let expected = DrainedFacts(
        byteCount: place, recordCount: records, unitCount: units, lastPosition: records == 0 ? 0 : position,
        lastUnitEnd: unitEnd)
      if drained != expected { fault = "\(drained) instead of \(expected)" }
      unitCount += units
      byteCount += place
    }
  }

  private static func drain(_ log: FactLog, _ byteLimit: Int, _ sink: inout Sink) -> DrainedFacts {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: byteLimit, alignment: 16)
    defer { unsafe buffer.deallocate() }
    let drained = unsafe log.drain(into: buffer)
    unsafe sink.take(UnsafeRawBufferPointer(rebasing: buffer[..<drained.byteCount]), drained)
    return drained
  }

  @Test(arguments: Seed.sample(24))
  func whatGoesInComesOutInWholeRecords(seed: Seed) {
    var random = seed.generator
    let chunk = [64, 256, 4096].randomElement(using: &random) ?? 64
    let log = FactLog(chunkByteCount: chunk)
    var source = Source(log: log)
    var sink = Sink()
    for _ in 0..<300 {
      let sizes = (0..<Int.random(in: 0...4, using: &random)).map { _ in
        [0, 1, 7, 39, chunk - RecordHead.byteCount - FactWriter.slack, chunk, chunk * 3].randomElement(
          using: &random) ?? 0
      }
      source.appendUnit(of: sizes)
      #expect(log.publishedPosition == source.position)
      while Bool.random(using: &random), let next = log.nextRecordByteCount {
        let limit = next + Int.random(in: -1...chunk * 2, using: &random)
        let drained = Self.drain(log, limit, &sink)
        #expect((drained.recordCount == 0) == (limit < next), "\(seed)")
      }
      #expect(log.pendingByteCount == source.byteCount - sink.byteCount, "\(seed)")
      #expect(log.pendingUnitCount == source.unitCount - sink.unitCount, "\(seed)")
    }
    while log.nextRecordByteCount != nil { _ = Self.drain(log, chunk * 4, &sink) }
    #expect(sink.fault == nil, "\(seed)")
    #expect(sink.position == source.position, "\(seed)")
    #expect(log.pendingByteCount == 0 && log.pendingUnitCount == 0, "\(seed)")
  }

  @Test func aUnitIsSeenWhenItHasEnded() {
    let log = FactLog(chunkByteCount: 128)
    for position in 1...5 as ClosedRange<UInt64> {
      log.appender.append(.metadataChanged, position: position, payloadBound: 40) {
        $0.append(bytes: [UInt8](repeating: 1, count: 40))
      }
      #expect(log.nextRecordByteCount == nil && log.pendingByteCount == 0)
    }
    log.appender.endUnit()
    #expect(log.nextRecordByteCount == 64 && log.pendingByteCount == 5 * 64 && log.pendingUnitCount == 1)
    #expect(log.publishedPosition == 5)
  }

  @Test func aCallEndsOneWait() {
    let log = FactLog()
    log.wake()
    #expect(!log.wait(spinning: .zero, atMost: nil))
    #expect(!log.wait(spinning: .microseconds(5), atMost: .microseconds(5)))
    var source = Source(log: log)
    source.appendUnit(of: [3])
    log.wake()
    // What is there comes first.
    #expect(log.wait(spinning: .zero, atMost: nil))
    var sink = Sink()
    _ = Self.drain(log, 100, &sink)
    #expect(!log.wait(spinning: .seconds(1), atMost: nil))
  }

  @Test(arguments: Seed.sample(6))
  func twoThreadsLoseNothing(seed: Seed) throws {
    let log = FactLog(chunkByteCount: 2048)
    let unitCount = 4000
    var random = seed.generator
    let sizes = (0..<unitCount).map { _ in
      (0..<Int.random(in: 1...3, using: &random)).map { _ in Int.random(in: 0...300, using: &random) }
    }
    let spinning = Duration.microseconds(Int.random(in: 0...20, using: &random))
    let result = Gate<Sink?>(nil)
    let consumer = try Thread(name: "drain") {
      var sink = Sink()
      while sink.unitCount < unitCount, sink.fault == nil {
        if log.wait(spinning: spinning, atMost: nil) { _ = Self.drain(log, 4096, &sink) }
      }
      let end = sink
      result.updateAndWakeAll { $0 = end }
    }
    var source = Source(log: log)
    for (number, unit) in sizes.enumerated() {
      source.appendUnit(of: unit)
      log.appender.wakeSleeper()
      // So that the consumer falls asleep now and then.
      if number % 500 == 0 { while log.pendingByteCount > 0 { Thread.yield() } }
      if number % 700 == 0 { log.wake() }
    }
    consumer.join()
    let sink = try #require(result.withLock { $0 })
    #expect(sink.fault == nil, "\(seed)")
    #expect(sink.position == source.position && sink.byteCount == source.byteCount, "\(seed)")
  }
}
