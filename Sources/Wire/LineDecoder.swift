// Cutting a stream of bytes into lines, without sockets.

import CSimdjson
import Synchronization

/// Which decoder's bytes at which time: what was parsed speaks of no others.
struct LineIntake: Equatable, Sendable {
  private static let decoderCount = Atomic<UInt64>(0)

  private let decoder: UInt64
  private var changeCount: UInt64 = 0

  /// The first bytes of a new decoder.
  init() { decoder = Self.decoderCount.add(1, ordering: .relaxed).newValue }

  mutating func change() { changeCount &+= 1 }
}

/// The received bytes of one connection, and where its lines lie in them.
///
///     | taken | line \n line \n half a li | free | 64 bytes, readable |
///     0       start               searched end
///
/// `\n` ends a line, a `\r` before it is dropped, blank lines are skipped. A line of more than `longestLine`
/// bytes is read past without being kept, and reported once. No byte is searched twice. Memory: at most
/// twice the longest line; once a large line is gone, its memory is too.
@safe
package struct LineDecoder: ~Copyable {
  /// What stands next in the stream.
  package enum Event: Equatable, Sendable {
    /// A line that is not blank, as a range for `bytes(of:)`. Valid until the next call that takes bytes in.
    case line(Range<Int>)
    /// A line with more bytes than allowed begins here; the rest of it is skipped.
    case tooLong
  }

  /// Bytes of a line allowed when nothing else is said (`--max-line`).
  package static let defaultLongestLine = 16 << 20
  /// Least free room offered for reading.
  package static let smallestRead = 16 << 10
  /// More capacity than this is given back when it is not needed.
  package static let keptCapacity = 256 << 10

  package let longestLine: Int
  private var base: UnsafeMutableRawPointer
  /// Bytes that can be filled; `JSONDocument.padding` more are allocated.
  private var capacity = 0
  private var start = 0
  private var end = 0
  /// No `\n` lies in `start..<searched`.
  private var searched = 0
  /// The line at `start` is too long and was reported.
  private var isSkipping = false
  private var hasEnded = false
  /// Changes whenever bytes may move or change.
  private(set) var intake = LineIntake()

  package init(longestLine: Int = LineDecoder.defaultLongestLine) {
    precondition((1...JSONDocument.longestLine).contains(longestLine), "a line limit of 1 byte to 1 GiB")
    self.longestLine = longestLine
    unsafe base = Self.allocate(0)
  }

  deinit { unsafe base.deallocate() }

  private static func allocate(_ capacity: Int) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer.allocate(byteCount: capacity + JSONDocument.padding, alignment: 64)
  }

  /// Bytes received and not yet handed out as lines.
  package var waitingByteCount: Int { end - start }
  /// Bytes of memory held.
  package var heldByteCount: Int { capacity + JSONDocument.padding }
  /// Whether part of a line has come whose end has not: an idle timeout of the line starts with it.
  package var isInsideLine: Bool { isSkipping || end > start }

  /// Takes in received bytes. O(bytes).
  package mutating func append(_ received: RawSpan) {
    makeRoom(for: received.byteCount)
    unsafe received.withUnsafeBytes { bytes in
      if let from = bytes.baseAddress { unsafe (base + end).copyMemory(from: from, byteCount: bytes.count) }
    }
    end += received.byteCount
  }

  /// Takes in received bytes. O(bytes).
  package mutating func append(_ received: [UInt8]) { unsafe append(received.span.bytes) }

  /// Free room to read from a socket into, at least `smallestRead` bytes; say how many came by `received`.
  @unsafe
  package mutating func freeRoom() -> UnsafeMutableRawBufferPointer {
    makeRoom(for: Self.smallestRead)
    return unsafe UnsafeMutableRawBufferPointer(start: base + end, count: capacity - end)
  }

  /// Takes in the first `byteCount` bytes of the room that `freeRoom` gave.
  package mutating func received(_ byteCount: Int) {
    precondition(byteCount >= 0 && byteCount <= capacity - end, "no more bytes than there was room for")
    end += byteCount
  }

  /// Says that nothing more will come: bytes after the last `\n` are a line then. Not for a hang-up, which
  /// may have cut a line in two; there they are dropped with the decoder.
  package mutating func finish() { hasEnded = true }

  /// The next line, or nil when no whole line has come.
  package mutating func next() -> Event? {
    while true {
      let found = unsafe searched + csimdjson_find(bytes(from: searched), end - searched, UInt8(ascii: "\n"))
      searched = found
      guard found < end else { return rest() }
      let line = start..<found
      start = found + 1
      searched = start
      if isSkipping {
        isSkipping = false
      } else if let event = event(of: line) {
        return event
      }
    }
  }

  /// What can be said of bytes without a line end.
  private mutating func rest() -> Event? {
    let line = start..<end
    // One byte more may be the `\r` of a line that is just short enough.
    let isTooLong = !isSkipping && line.count > longestLine + 1
    if isSkipping || isTooLong || hasEnded {
      start = end
      let event = isSkipping || isTooLong ? nil : event(of: line)
      isSkipping = (isSkipping || isTooLong) && !hasEnded
      return isTooLong ? .tooLong : event
    }
    return nil
  }

  /// The line without its `\r`; nil when it is blank.
  private func event(of line: Range<Int>) -> Event? {
    var last = line.upperBound
    if last > line.lowerBound, byte(last - 1) == UInt8(ascii: "\r") { last -= 1 }
    if last - line.lowerBound > longestLine { return .tooLong }
    let text = line.lowerBound..<last
    for at in text where !JSONText.isBlank(byte(at)) { return .line(text) }
    return nil
  }

  private func byte(_ at: Int) -> UInt8 { unsafe base.load(fromByteOffset: at, as: UInt8.self) }

  private func bytes(from at: Int) -> UnsafePointer<UInt8> {
    unsafe UnsafePointer((base + at).assumingMemoryBound(to: UInt8.self))
  }

  /// The bytes of a line that `next` gave, with `JSONDocument.padding` readable bytes after them. Valid
  /// until the next call that takes bytes in.
  @unsafe
  package func bytes(of line: Range<Int>) -> UnsafeRawBufferPointer {
    precondition(line.lowerBound >= 0 && line.upperBound <= end, "a line of this decoder")
    return unsafe UnsafeRawBufferPointer(start: base + line.lowerBound, count: line.count)
  }

  /// The bytes of a line that `next` gave.
  @_lifetime(borrow self)
  package func span(of line: Range<Int>) -> RawSpan {
    unsafe _overrideLifetime(RawSpan(_unsafeBytes: bytes(of: line)), borrowing: self)
  }

  /// Whether `line` lies in this decoder's memory.
  func holds(_ line: UnsafeRawBufferPointer) -> Bool {
    guard let first = line.baseAddress else { return false }
    return unsafe first >= UnsafeRawPointer(base) && first + line.count <= UnsafeRawPointer(base) + end
  }

  /// The line at `first` and all whole lines after it, as far as they fit `JSONDocument.longestBatch`.
  func batch(from first: Range<Int>) -> Range<Int> {
    let limit = min(end, first.lowerBound + JSONDocument.longestBatch)
    // `next` has searched up to the end of the line it gave.
    guard limit > searched, searched >= first.upperBound else { return first }
    let last = unsafe csimdjson_find_last(bytes(from: searched), limit - searched, UInt8(ascii: "\n"))
    return last < limit - searched ? first.lowerBound..<searched + last + 1 : first
  }

  /// Gives all memory back when nothing waits: for a connection that has gone quiet.
  package mutating func releaseMemory() {
    guard start == end, capacity > 0 else { return }
    intake.change()
    move(to: 0)
  }

  private mutating func makeRoom(for byteCount: Int) {
    let waiting = end - start
    intake.change()
    if start == end { rewind() }
    if capacity > Self.keptCapacity, waiting + byteCount <= Self.keptCapacity / 2 {
      move(to: Self.keptCapacity)
    }
    if capacity - end >= byteCount { return }
    // Moving the half line to the front costs nothing when much was taken before it.
    if start >= capacity / 2, capacity - waiting >= byteCount {
      unsafe base.copyMemory(from: base + start, byteCount: waiting)
      searched -= start
      start = 0
      end = waiting
    } else {
      move(to: max(capacity * 2, waiting + byteCount))
    }
  }

  /// Nothing waits: fill from the front again.
  private mutating func rewind() {
    start = 0
    end = 0
    searched = 0
  }

  private mutating func move(to newCapacity: Int) {
    let waiting = end - start
    let moved = unsafe Self.allocate(newCapacity)
    unsafe moved.copyMemory(from: base + start, byteCount: waiting)
    unsafe base.deallocate()
    unsafe base = moved
    capacity = newCapacity
    searched -= start
    start = 0
    end = waiting
  }
}
