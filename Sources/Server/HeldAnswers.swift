// Bytes of whole answers that wait, in order: for their journal position to be committed, and for the socket.

import Wire

/// Answers one after the other in one buffer, with marks that say from which committed position on they may
/// leave.
///
///     | leaving | until 7 is committed | until 9 is | … |
///     0         marks[head - 1].end    marks[head].end
///
/// Answers leave in order, so a mark also holds whatever comes after it, and positions of marks only rise. An
/// answer costs no allocation: its bytes are written straight into the buffer, and its mark is merged with
/// the one before when that waits at least as long.
struct HeldAnswers: ~Copyable {
  private struct Mark {
    /// Where its answers end, counted from the first byte that ever waited here.
    let end: UInt64
    let position: UInt64
  }

  private var writer = JSONWriter(capacity: 64)
  private var marks: [Mark] = []
  /// Marks before this have been passed.
  private var head = 0
  /// Bytes that have left.
  private var leftCount: UInt64 = 0
  /// Where the bytes end that may leave now.
  private var leavingEnd: UInt64 = 0

  init() {}

  /// Nothing waits here, neither for its position nor for the socket.
  var isEmpty: Bool { writer.isEmpty }
  /// Bytes that wait, those that may leave included.
  var byteCount: Int { writer.count }
  /// Bytes that may leave now.
  var leavingByteCount: Int { Int(leavingEnd - leftCount) }
  /// Bytes whose position is not committed.
  var heldByteCount: Int { byteCount - leavingByteCount }
  /// The least position that something waits for.
  var awaitedPosition: UInt64? { head < marks.count ? marks[head].position : nil }

  /// Appends the answer that `write` makes; it says from which committed position on the answer may leave.
  /// When it throws, nothing is appended.
  /// - Complexity: O(bytes of the answer), amortised.
  mutating func append<Failure: Error>(
    _ write: (inout JSONWriter) throws(Failure) -> UInt64
  ) throws(Failure) {
    let before = writer.count
    let position: UInt64
    do throws(Failure) {
      position = try write(&writer)
    } catch {
      writer.rewind(to: before)
      throw error
    }
    mark(position)
  }

  private mutating func mark(_ position: UInt64) {
    let end = leftCount + UInt64(writer.count)
    guard let awaited = marks.last?.position, head < marks.count else {
      if position == 0 { leavingEnd = end } else { marks.append(Mark(end: end, position: position)) }
      return
    }
    if position <= awaited {
      marks[marks.count - 1] = Mark(end: end, position: awaited)
    } else {
      marks.append(Mark(end: end, position: position))
    }
  }

  /// Lets go of everything that waits for no more than `committed`. O(marks passed).
  mutating func release(_ committed: UInt64) {
    guard head < marks.count else { return }
    while head < marks.count, marks[head].position <= committed {
      leavingEnd = marks[head].end
      head += 1
    }
    if head == marks.count {
      marks.removeAll(keepingCapacity: true)
      head = 0
    } else if head >= 256, head * 2 >= marks.count {
      marks.removeFirst(head)
      head = 0
    }
  }

  /// The bytes that may leave, for a system call. Valid until the next change.
  @unsafe
  var leavingBytes: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(rebasing: writer.unsafeBytes[..<leavingByteCount])
  }

  /// Takes away the first bytes of those that may leave: they have left.
  mutating func sent(_ count: Int) {
    precondition(count >= 0 && count <= leavingByteCount, "only what may leave is sent")
    leftCount += UInt64(count)
    writer.consume(count)
  }

  /// Bytes that have left since the connection began.
  var leftByteCount: UInt64 { leftCount }

  /// Puts bytes before everything that waits, to leave at once; nothing else may leave now.
  /// - Complexity: O(bytes that wait).
  mutating func putFirst(_ bytes: ArraySlice<UInt8>) {
    precondition(leavingByteCount == 0, "what leaves is not interrupted")
    let held = writer.take(from: 0)
    writer.raw(bytes.span)
    writer.raw(held.span)
    let count = UInt64(bytes.count)
    leavingEnd += count
    marks = marks[head...].map { Mark(end: $0.end + count, position: $0.position) }
    head = 0
  }

  /// Takes out what is held, so that something else can be appended in its place.
  mutating func takeHeld() -> [UInt8] {
    marks.removeAll(keepingCapacity: true)
    head = 0
    return writer.take(from: leavingByteCount)
  }

  /// Drops everything: nobody is there to read it.
  mutating func removeAll() {
    leftCount += UInt64(writer.count)
    leavingEnd = leftCount
    writer.removeAll()
    marks = []
    head = 0
  }

  /// Gives memory back while nothing waits.
  mutating func releaseMemory() {
    guard isEmpty, writer.heldByteCount > 4096 || marks.capacity > 64 else { return }
    writer = JSONWriter(capacity: 64)
    marks = []
    head = 0
  }
}
