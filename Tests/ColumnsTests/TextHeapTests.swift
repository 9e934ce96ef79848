// Records of all sizes come back as they were put, wherever they lie in the segments.

import Columns
import TestSupport
import Testing

struct TextHeapTests {
  private static let segmentBytes = 1 << 22

  /// A record whose bytes tell its number and the place in it.
  private static func record(_ number: Int, byteCount: Int) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
      // Words, because bytes one at a time take seconds in a debug build.
      let bytes = UnsafeMutableRawBufferPointer(buffer)
      for place in 0..<byteCount / 8 {
        unsafe bytes.storeBytes(of: UInt64(place &* 7 &+ number), toByteOffset: place * 8, as: UInt64.self)
      }
      for place in byteCount & ~7..<byteCount {
        unsafe bytes[place] = UInt8(truncatingIfNeeded: place ^ number)
      }
      count = byteCount
    }
  }

  private static func isKept(_ heap: TextHeap, _ offset: HeapOffset, _ record: [UInt8]) -> Bool {
    unsafe record.withUnsafeBytes { unsafe textsAreEqual(heap.bytes(offset), $0) }
  }

  @Test(arguments: Seed.sample(4)) func recordsAreKeptAsTheyWerePut(_ seed: Seed) {
    var generator = seed.generator
    let heap = TextHeap()
    var sizes: [Int] = []
    var offsets: [HeapOffset] = []
    for number in 0..<400 {
      let size =
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: 0
        case 1: 1
        case 2...6: Int.random(in: 0...300, using: &generator)
        case 7, 8: Int.random(in: 0...100_000, using: &generator)
        default: Int.random(in: 100_000...1_000_000, using: &generator)
        }
      sizes.append(size)
      offsets.append(heap.append(Self.record(number, byteCount: size)))
    }
    for number in 0..<400 {
      #expect(Self.isKept(heap, offsets[number], Self.record(number, byteCount: sizes[number])))
    }
    #expect(Set(offsets).count == 400 && !offsets.contains(.none))
  }

  /// Ends of segments are met exactly, missed by one step, and by one byte.
  @Test(arguments: [0, 1, 4, 5, 8, 12, 100]) func aRecordNeverSpansSegments(_ left: Int) {
    let heap = TextHeap()
    let first = Self.record(1, byteCount: TextHeap.recordByteLimit - left)
    var offsets = [heap.append(first)]
    for size in [0, 1, 4, 96, 100, 1] { offsets.append(heap.append(Self.record(2, byteCount: size))) }
    offsets.append(heap.append(Self.record(3, byteCount: TextHeap.recordByteLimit)))
    offsets.append(heap.append([]))
    #expect(Self.isKept(heap, offsets[0], first))
    for (place, size) in [0, 1, 4, 96, 100, 1].enumerated() {
      #expect(Self.isKept(heap, offsets[place + 1], Self.record(2, byteCount: size)))
    }
    #expect(Self.isKept(heap, offsets[7], Self.record(3, byteCount: TextHeap.recordByteLimit)))
    #expect(unsafe heap.bytes(offsets[8]).count == 0)
    for offset in offsets {
      let place = Int(offset.rawValue - 1) & (Self.segmentBytes - 1)
      #expect(unsafe place + 4 + heap.bytes(offset).count <= Self.segmentBytes)
    }
  }

  @Test func manySegmentsOfTheGreatestRecordsAreUsedFully() {
    let heap = TextHeap()
    let record = Self.record(9, byteCount: TextHeap.recordByteLimit)
    let offsets = (0..<5).map { _ in heap.append(record) }
    #expect(heap.byteCount == 5 * Self.segmentBytes)
    for offset in offsets { #expect(Self.isKept(heap, offset, record)) }
  }

  @Test func aRecordBeyondTheLimitIsRefused() async {
    await #expect(processExitsWith: .failure) {
      _ = TextHeap().append([UInt8](repeating: 0, count: TextHeap.recordByteLimit + 1))
    }
  }
}
