// Zone maxima: by chunk and lane, a code that no amount of the lane has ever gone beyond.

import Synchronization

/// The greatest sketch that each lane of each chunk has ever held, two bytes for 512 rows, in dense arrays
/// apart from the blocks.
///
/// They only grow. So they are bounds for every held cut as well as for now, and for lanes whose amounts only
/// grow they are exact now. Amounts below zero raise nothing: the least bound is zero's code.
///
/// One writer at a time (under the creation lock) raises them; any thread reads, without a lock. A reader who
/// learned of a cut through its lock sees at least what was written before it.
///
/// ```
/// segment   4,096 chunks: 1,024 words for lane 0, then for lane 1, …
/// word      UInt64: four chunks, the first in the low 16 bits, each the steps above zero's code
/// ```
@safe @usableFromInline package final class ZoneMaxima: Sendable {
  /// log2 of the chunks of a segment.
  @inlinable static var segmentShift: Int { 12 }
  @inlinable static var segmentChunks: Int { 1 << segmentShift }
  @inlinable static var segmentWords: Int { segmentChunks / 4 }
  private static var segmentCount: Int { (Layout.rowLimit / Layout.chunkRows) >> segmentShift + 1 }
  /// Chunks looked at, at least, where a rank is only estimated.
  private static let sampleWords = 1024

  @usableFromInline typealias Word = Atomic<UInt64>

  @usableFromInline let laneCount: Int
  /// Addresses of segments; 0 where no amount above zero was ever written.
  @usableFromInline nonisolated(unsafe) let directory: UnsafeMutablePointer<Atomic<UInt>>

  package init(laneCount: Int) {
    self.laneCount = laneCount
    unsafe directory = .allocate(capacity: Self.segmentCount)
    for index in 0..<Self.segmentCount { unsafe (directory + index).initialize(to: Atomic(0)) }
  }

  deinit {
    for index in 0..<Self.segmentCount {
      unsafe Self.words(at: directory[index].load(ordering: .relaxed))?.deallocate()
    }
    unsafe directory.deallocate()
  }

  // MARK: Writing

  /// Notes a code that was written to a lane of a chunk. The writer's, right after it has written the amount
  /// and before its command is done. Some 1 ns.
  @inlinable @inline(__always)
  package func raise(_ chunk: Int, lane: Int, to code: UInt16) {
    if code <= Sketch.zero { return }
    let step = UInt64(code &- Sketch.zero)
    let address = unsafe directory[chunk &>> Self.segmentShift].load(ordering: .relaxed)
    guard let segment = unsafe UnsafeMutablePointer<Word>(bitPattern: address) else {
      return raiseFirst(chunk, lane: lane, to: code)
    }
    let word = unsafe segment + Self.wordIndex(chunk, lane)
    let shift = UInt64(chunk & 3) &<< 4
    // Nobody else writes, so that reading and writing need not be one step.
    let value = unsafe word.pointee.load(ordering: .relaxed)
    if step > (value &>> shift) & 0xFFFF {
      unsafe word.pointee.store(value & ~(0xFFFF &<< shift) | step &<< shift, ordering: .relaxed)
    }
  }

  /// Asks for the memory that `raise` touches.
  @inlinable @inline(__always)
  package func prefetch(_ chunk: Int, lane: Int) {
    let address = unsafe directory[chunk &>> Self.segmentShift].load(ordering: .relaxed)
    guard let segment = unsafe UnsafeMutablePointer<Word>(bitPattern: address) else { return }
    unsafe Kernels.prefetch(segment + Self.wordIndex(chunk, lane))
  }

  @usableFromInline func raiseFirst(_ chunk: Int, lane: Int, to code: UInt16) {
    let words = UnsafeMutablePointer<Word>.allocate(capacity: Self.segmentWords * laneCount)
    for index in 0..<Self.segmentWords * laneCount { unsafe (words + index).initialize(to: Atomic(0)) }
    unsafe directory[chunk >> Self.segmentShift].store(UInt(bitPattern: words), ordering: .releasing)
    raise(chunk, lane: lane, to: code)
  }

  // MARK: Reading

  /// The code that no amount of the lane has gone beyond. O(1).
  package func greatest(_ chunk: Int, lane: Int) -> UInt16 {
    guard let words = unsafe Self.words(at: directory[chunk >> Self.segmentShift].load(ordering: .acquiring))
    else { return Sketch.zero }
    let value = unsafe words[Self.wordIndex(chunk, lane)].load(ordering: .relaxed)
    return Sketch.zero + UInt16(truncatingIfNeeded: value >> (UInt64(chunk & 3) << 4))
  }

  /// A code that about `rank` of the first `chunkCount` chunks reach; the least above zero's if fewer do.
  /// Many chunks are sampled. O(chunks), some thousand at most.
  package func code(reachedBy rank: Int, chunkCount: Int, lane: Int) -> UInt16 {
    let wordCount = (chunkCount + 3) / 4
    let stride = max(1, wordCount / Self.sampleWords)
    let rank = max(1, rank / stride)
    return unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 128 + 256) { counts in
      unsafe counts.initialize(repeating: 0)
      // By the upper seven bits first, then by the lower eight of those where the rank lies.
      forEachWord(chunkCount: chunkCount, lane: lane, by: stride) { _, value in
        for place in UInt64(0)..<4 { unsafe counts[Int(value >> (place * 16 + 8) & 0x7F)] += 1 }
      }
      var above = 0
      var upper = 127
      while unsafe upper > 0 && above + Int(counts[upper]) < rank {
        unsafe above += Int(counts[upper])
        upper -= 1
      }
      forEachWord(chunkCount: chunkCount, lane: lane, by: stride) { _, value in
        for place in UInt64(0)..<4 where value >> (place * 16 + 8) & 0x7F == UInt64(upper) {
          unsafe counts[128 + Int(value >> (place * 16) & 0xFF)] += 1
        }
      }
      var lower = 255
      while unsafe lower > 0 && above + Int(counts[128 + lower]) < rank {
        unsafe above += Int(counts[128 + lower])
        lower -= 1
      }
      return Sketch.zero + max(1, UInt16(upper << 8 | lower))
    }
  }

  /// Appends those of the first `chunkCount` chunks that reach a code above zero's, rising. O(chunks), four
  /// to a step.
  package func appendChunks(reaching code: UInt16, chunkCount: Int, lane: Int, to chunks: inout [Int]) {
    precondition(code > Sketch.zero, "zero is reached by all")
    let bound = UInt64(code - Sketch.zero) &* 0x0001_0001_0001_0001
    forEachWord(chunkCount: chunkCount, lane: lane, by: 1) { first, value in
      // Steps have 15 bits: what is left of the sixteenth says that nothing was borrowed.
      var rest = ((value | 0x8000_8000_8000_8000) &- bound) & 0x8000_8000_8000_8000
      while rest != 0 {
        chunks.append(first + rest.trailingZeroBitCount >> 4)
        rest &= rest &- 1
      }
    }
  }

  /// A bit for each of the 64 chunks of a stripe: whether it reaches a code above zero's.
  package func chunks(ofStripe stripe: Int, reaching code: UInt16, lane: Int) -> UInt64 {
    precondition(code > Sketch.zero, "zero is reached by all")
    let first = stripe * Layout.shardCount
    guard let words = unsafe Self.words(at: directory[first >> Self.segmentShift].load(ordering: .acquiring))
    else { return 0 }
    let bound = UInt64(code - Sketch.zero) &* 0x0001_0001_0001_0001
    let start = unsafe words + Self.wordIndex(first, lane)
    var bits: UInt64 = 0
    for index in 0..<Layout.shardCount / 4 {
      let value = unsafe start[index].load(ordering: .relaxed)
      let reached = ((value | 0x8000_8000_8000_8000) &- bound) & 0x8000_8000_8000_8000
      // The four marks side by side.
      bits |= (((reached >> 15) &* 0x0001_0002_0004_0008) >> 48 & 15) << UInt64(index * 4)
    }
    return bits
  }

  /// Bytes of all segments.
  package var byteCount: Int {
    (0..<Self.segmentCount).reduce(0) { sum, index in
      unsafe sum
        + (directory[index].load(ordering: .relaxed) == 0 ? 0 : Self.segmentWords * laneCount * 8)
    }
  }

  /// Calls `body` with the number of the first chunk of a word, and the word; of segments that are there.
  @inline(__always)
  private func forEachWord(
    chunkCount: Int, lane: Int, by stride: Int, _ body: (_ firstChunk: Int, UInt64) -> Void
  ) {
    let wordCount = (chunkCount + 3) / 4
    var index = 0
    while index < wordCount {
      let segment = index / Self.segmentWords
      let end = min((segment + 1) * Self.segmentWords, wordCount)
      guard let words = unsafe Self.words(at: directory[segment].load(ordering: .acquiring)) else {
        index += (end - index + stride - 1) / stride * stride
        continue
      }
      let first = unsafe words + Self.segmentWords * lane
      while index < end {
        body(index * 4, unsafe first[index & (Self.segmentWords - 1)].load(ordering: .relaxed))
        index += stride
      }
    }
  }

  @inlinable @inline(__always)
  static func wordIndex(_ chunk: Int, _ lane: Int) -> Int {
    lane &* segmentWords &+ (chunk & (segmentChunks &- 1)) &>> 2
  }

  private static func words(at address: UInt) -> UnsafeMutablePointer<Word>? {
    unsafe UnsafeMutablePointer(bitPattern: address)
  }
}
