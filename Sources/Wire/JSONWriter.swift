// The bytes of answers: a growing buffer that JSON is appended to and the socket takes from.

/// An append-only buffer of UTF-8 with one owner, reused for the life of a connection.
///
/// Commas come by themselves: a value or key that follows another gets one. Whether one is due is read off
/// the last byte, so raw pieces and methods mix freely. Brackets and keys are not matched for the caller.
/// Memory grows by doubling; `removeAll` keeps at most `keptCapacity` bytes.
@safe
@usableFromInline
package struct JSONWriter: ~Copyable {
  @usableFromInline var base: UnsafeMutablePointer<UInt8>
  @usableFromInline var capacity: Int
  /// Bytes before this are written out already.
  @usableFromInline var start = 0
  @usableFromInline var end = 0
  /// What stood last before the buffer was emptied.
  @usableFromInline var lastByteBefore = UInt8(ascii: "\n")

  /// More capacity than this is given back when the buffer is emptied.
  package static let keptCapacity = 256 << 10

  package init(capacity: Int = 4096) {
    self.capacity = max(capacity, 64)
    unsafe base = .allocate(capacity: self.capacity)
  }

  deinit { unsafe base.deallocate() }

  /// Bytes waiting to be written out.
  @inlinable package var count: Int { end - start }
  @inlinable package var isEmpty: Bool { end == start }
  /// Bytes of memory that the buffer has.
  package var heldByteCount: Int { capacity }

  /// The bytes waiting. Valid until the next change.
  package var bytes: RawSpan {
    @_lifetime(borrow self) get {
      let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(base + start), byteCount: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// The bytes waiting, for a system call. Valid until the next change.
  @unsafe
  package var unsafeBytes: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(start: base + start, count: count)
  }

  /// Lends the bytes waiting.
  package func withSpan<Result, Failure: Error>(
    _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    unsafe try body(Span(_unsafeBytes: unsafeBytes))
  }

  /// A copy of the bytes waiting.
  package func copied() -> [UInt8] { unsafe Array(unsafeBytes) }

  /// Takes out what was written after `mark`, a value of `count` from before it.
  package mutating func take(from mark: Int) -> [UInt8] {
    let taken = unsafe Array(unsafeBytes[mark...])
    rewind(to: mark)
    return taken
  }

  /// A copy of the bytes waiting, as text.
  package func text() -> String { unsafe String(decoding: unsafeBytes, as: UTF8.self) }

  /// Takes away the first `byteCount` bytes, which have been written out. O(1).
  package mutating func consume(_ byteCount: Int) {
    precondition(byteCount >= 0 && byteCount <= count, "only what is waiting can be consumed")
    start += byteCount
    if start == end { removeAll() }
  }

  /// Empties the buffer.
  package mutating func removeAll() {
    lastByteBefore = lastByte
    start = 0
    end = 0
    guard capacity > Self.keptCapacity else { return }
    unsafe base.deallocate()
    capacity = Self.keptCapacity
    unsafe base = .allocate(capacity: capacity)
  }

  /// Takes back what was written after `mark`, a value of `count` from before it: an answer that turned out
  /// to be an error.
  package mutating func rewind(to mark: Int) {
    precondition(mark >= 0 && mark <= count, "a mark lies in what is waiting")
    end = start + mark
  }

  /// Makes room for `byteCount` more bytes.
  @inlinable
  @inline(__always)
  package mutating func reserve(_ byteCount: Int) {
    if end &+ byteCount > capacity { grow(by: byteCount) }
  }

  @usableFromInline
  @inline(never)
  mutating func grow(by byteCount: Int) {
    let waiting = count
    // Moving what waits to the front is enough when at least half of the buffer becomes free.
    if start >= capacity / 2, waiting + byteCount <= capacity {
      unsafe base.update(from: base + start, count: waiting)
    } else {
      let larger = max(capacity * 2, waiting + byteCount)
      let grown = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
      unsafe grown.initialize(from: base + start, count: waiting)
      unsafe base.deallocate()
      unsafe base = grown
      capacity = larger
    }
    start = 0
    end = waiting
  }

  /// The last byte written; a line end at the very beginning.
  @inlinable var lastByte: UInt8 {
    @inline(__always) get { end > 0 ? unsafe base[end &- 1] : lastByteBefore }
  }

  /// Appends one byte. The caller has reserved room.
  @inlinable
  @inline(__always)
  mutating func put(_ byte: UInt8) {
    assert(end < capacity, "room was reserved")
    unsafe base[end] = byte
    end &+= 1
  }

  /// Appends bytes. The caller has reserved room.
  @inlinable
  @inline(__always)
  mutating func put(_ bytes: UnsafePointer<UInt8>, _ byteCount: Int) {
    assert(end + byteCount <= capacity, "room was reserved")
    unsafe (base + end).update(from: bytes, count: byteCount)
    end &+= byteCount
  }

  /// Appends a comma when a value has ended before. Reserves `byteCount` bytes beside it.
  @inlinable
  @inline(__always)
  mutating func separate(_ byteCount: Int) {
    reserve(byteCount &+ 1)
    switch lastByte {
    case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"), UInt8(ascii: ","), UInt8(ascii: "\n"): break
    default: put(UInt8(ascii: ","))
    }
  }
}

extension JSONWriter {
  @inlinable
  package mutating func beginObject() {
    separate(1)
    put(UInt8(ascii: "{"))
  }

  @inlinable
  package mutating func endObject() {
    reserve(1)
    put(UInt8(ascii: "}"))
  }

  @inlinable
  package mutating func beginArray() {
    separate(1)
    put(UInt8(ascii: "["))
  }

  @inlinable
  package mutating func endArray() {
    reserve(1)
    put(UInt8(ascii: "]"))
  }

  /// Ends a message.
  @inlinable
  package mutating func endLine() {
    reserve(1)
    put(UInt8(ascii: "\n"))
  }

  /// Appends a key and its colon. `name` needs no escapes.
  @inlinable
  @inline(__always)
  package mutating func key(_ name: StaticString) {
    let byteCount = name.utf8CodeUnitCount
    separate(byteCount &+ 3)
    put(UInt8(ascii: "\""))
    unsafe put(name.utf8Start, byteCount)
    put(UInt8(ascii: "\""))
    put(UInt8(ascii: ":"))
  }

  /// Appends a key that may need escapes, and its colon. Labelled, because a literal without a label is taken
  /// for a `String` first, and would be searched for what to escape each time.
  package mutating func key(escaping name: String) {
    string(name)
    reserve(1)
    put(UInt8(ascii: ":"))
  }

  /// Appends a piece of JSON as it is, without a comma. The caller has reserved room.
  @inline(__always)
  mutating func piece(_ piece: StaticString) { unsafe put(piece.utf8Start, piece.utf8CodeUnitCount) }

  /// Appends a piece of JSON as it is, without a comma.
  @inlinable
  package mutating func raw(_ piece: StaticString) {
    let byteCount = piece.utf8CodeUnitCount
    reserve(byteCount)
    unsafe put(piece.utf8Start, byteCount)
  }

  /// Appends bytes as they are, without a comma.
  package mutating func raw(_ bytes: Span<UInt8>) {
    reserve(bytes.count)
    unsafe bytes.withUnsafeBufferPointer { if let start = $0.baseAddress { unsafe put(start, $0.count) } }
  }

  /// Appends bytes that wait in another writer, without a comma.
  package mutating func raw(_ other: borrowing JSONWriter, _ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= other.count, "bytes that wait there")
    reserve(range.count)
    unsafe put(other.base + other.start + range.lowerBound, range.count)
  }

  /// Appends again what stands at `range`, counted from the first byte that waits, without a comma.
  package mutating func `repeat`(_ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "bytes that wait")
    reserve(range.count)
    unsafe put(base + start + range.lowerBound, range.count)
  }

  /// Appends a value that is JSON already (an id, `meta_data`, a stored answer).
  package mutating func value(_ json: Span<UInt8>) {
    separate(0)
    raw(json)
  }

  @inlinable
  package mutating func null() {
    separate(4)
    raw("null")
  }

  @inlinable
  package mutating func bool(_ value: Bool) {
    separate(5)
    if value { raw("true") } else { raw("false") }
  }
}
