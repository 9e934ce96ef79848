// Parsing one line of JSON after another into the same memory.

import CSimdjson

/// The parser and its latest line, as a flat array of tokens. One owner, one thread at a time.
///
/// RFC 8259 is checked in full, also in members nobody reads; numbers are never converted. After a line with
/// a duplicate key or too deep nesting `root` can still be read, so that an answer can bear the request's id.
/// Memory: 16 bytes for each token of a line and 4 for each byte of a batch, at most 20 times the longest
/// line; what a large line needed is given back at the next small one, or by `shrink()`.
@safe
package struct JSONDocument: ~Copyable {
  /// Deepest nesting accepted: 64 containers in each other.
  package static let greatestDepth = 64
  /// Bytes that must be readable after the end of what is parsed in place.
  package static let padding = 64
  /// Longest batch that `index(batch:)` takes.
  package static let longestBatch = 1 << 20
  /// Room for more tokens than this is given back.
  package static let keptTokens = 1 << 16
  /// Longest line: offsets have 32 bits.
  package static let longestLine = 1 << 30

  /// Which engine reads lines. Both give the same tokens and the same faults.
  package enum Engine: Sendable {
    /// simdjson's stage 1 and a walk along its offsets.
    case simdjson
    /// The checked scanner in Swift.
    case scanner
  }

  package let engine: Engine
  private let indexer: OpaquePointer?
  private(set) var tape = JSONTape()
  private var keys = JSONKeySet()
  private(set) var isReadable = false

  /// The line the tokens speak of. Belongs to the caller of `parse(line:)`, or is `copy`.
  private(set) var line = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
  private var copy = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)

  /// What stage 1 found in the bytes at `batch`, from the first offset not yet walked on.
  private var batch = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
  private var offsets: UnsafePointer<UInt32>?
  private var offsetCount = 0

  /// The most bytes that stage 1 was given room for.
  private var mostIndexed = 0

  /// The decoder's bytes that the latest line and the batch belong to; nil when they are not a decoder's.
  private(set) var intake: LineIntake?
  /// Lines of that intake that end up to here are not worth another batch.
  private var batchedEnd = 0

  /// - Parameter engine: the fast one unless a test wants the other.
  package init(engine: Engine = .simdjson) {
    // Without memory for an indexer the scanner takes its place: the same answers, later.
    let indexer = unsafe engine == .simdjson ? csimdjson_indexer_make() : nil
    unsafe self.indexer = unsafe indexer
    self.engine = unsafe indexer == nil ? .scanner : .simdjson
  }

  deinit {
    unsafe copy.deallocate()
    if let indexer = unsafe indexer { unsafe csimdjson_indexer_free(indexer) }
  }

  /// Name and version of the simdjson in use, such as "icelake 3.0.1".
  package static var simdjsonVersion: String {
    unsafe String(cString: csimdjson_implementation()) + " " + String(cString: csimdjson_version())
  }

  /// Parses one line where it stands among the received bytes; read it by `root(in:)`.
  ///
  /// Stage 1 runs over all whole lines that wait, up to `longestBatch` bytes, so that pipelined lines cost
  /// less. Never a line is refused for its neighbours' faults: after a fault lines are looked at one by one.
  /// - Parameter line: what `lines.next()` gave last.
  /// - Complexity: O(bytes of the line), whatever it says; the first of a batch pays for the batch.
  package mutating func parse(_ line: Range<Int>, of lines: borrowing LineDecoder) throws(JSONFault) {
    if intake != lines.intake {
      unsafe batch = UnsafeRawBufferPointer(start: nil, count: 0)
      batchedEnd = 0
      settle(for: line.count)
    }
    let bytes = unsafe lines.bytes(of: line)
    if line.upperBound > batchedEnd, line.count < Self.longestBatch {
      let waiting = lines.batch(from: line)
      batchedEnd = waiting.upperBound
      if waiting.count > line.count + 2 { unsafe index(batch: lines.bytes(of: waiting)) }
    }
    intake = lines.intake
    try unsafe parseInPlace(bytes)
  }

  /// Finds the structure of several whole lines at once, to make the `parse(line:)` of each of them cheaper.
  ///
  /// Never changes a result: when some line of the batch is malformed, lines are looked at one by one.
  /// - Parameter lines: whole lines, the last one's `\n` included, with `padding` readable bytes after them.
  ///   They stay in place and unchanged until the last of them has been parsed.
  @unsafe
  package mutating func index(batch lines: UnsafeRawBufferPointer) {
    unsafe batch = UnsafeRawBufferPointer(start: nil, count: 0)
    guard let indexer = unsafe indexer, lines.count > 0, lines.count <= Self.longestBatch,
      let start = lines.baseAddress
    else { return }
    var found: UnsafePointer<UInt32>?
    var count = 0
    let error = unsafe csimdjson_index(
      indexer, start.assumingMemoryBound(to: UInt8.self), lines.count, &found, &count)
    guard error == 0 else { return }
    unsafe batch = unsafe lines
    unsafe offsets = unsafe found
    offsetCount = count
  }

  /// Parses one line (without its line end) where it stands.
  ///
  /// - Parameter line: followed by `padding` readable bytes; stays in place and unchanged as long as this
  ///   document's values are read. Lines of a batch come in their order.
  /// - Complexity: O(bytes), whatever the line says.
  @unsafe
  package mutating func parse(line: UnsafeRawBufferPointer) throws(JSONFault) {
    intake = nil
    try unsafe parseInPlace(line)
  }

  private mutating func parseInPlace(_ line: UnsafeRawBufferPointer) throws(JSONFault) {
    precondition(line.count <= Self.longestLine, "a line has at most \(Self.longestLine) bytes")
    isReadable = false
    unsafe self.line = unsafe line
    if walk() {
      isReadable = true
      return
    }
    do throws(JSONFault) {
      var scanner = unsafe JSONScanner(Span(_unsafeElements: line.assumingMemoryBound(to: UInt8.self)))
      try scanner.scan(into: &tape, keys: &keys)
      isReadable = true
    } catch {
      if case .notJSON = error {} else { isReadable = true }
      throw error
    }
  }

  /// Parses a copy of one line (without its line end). O(bytes).
  package mutating func parse(copying bytes: RawSpan) throws(JSONFault) {
    let byteCount = bytes.byteCount
    settle(for: byteCount)
    if unsafe copy.count < byteCount + Self.padding {
      unsafe copy.deallocate()
      unsafe copy = .allocate(byteCount: byteCount * 2 + Self.padding, alignment: 64)
      unsafe copy.initializeMemory(as: UInt8.self, repeating: 0)
    }
    unsafe bytes.withUnsafeBytes { unsafe copy.copyMemory(from: $0) }
    unsafe batch = UnsafeRawBufferPointer(start: nil, count: 0)
    try unsafe parse(line: UnsafeRawBufferPointer(rebasing: copy[..<byteCount]))
  }

  /// Parses a copy of one line (without its line end). O(bytes).
  package mutating func parse(copying bytes: [UInt8]) throws(JSONFault) {
    unsafe try parse(copying: bytes.span.bytes)
  }

  /// Parses a copy of one line of text. O(bytes).
  package mutating func parse(copying text: String) throws(JSONFault) {
    try parse(copying: Array(text.utf8))
  }

  /// Whether both documents came to the same tokens, or both to none: how the engines are compared.
  package func hasSameTokens(as other: borrowing JSONDocument) -> Bool {
    guard isReadable, other.isReadable else { return isReadable == other.isReadable }
    guard tape.count == other.tape.count else { return false }
    for index in 0..<tape.count where tape[index] != other.tape[index] { return false }
    return true
  }

  /// Gives back what a large line or batch needed. Forgets the latest line.
  package mutating func shrink() {
    isReadable = false
    intake = nil
    unsafe batch = UnsafeRawBufferPointer(start: nil, count: 0)
    mostIndexed = 0
    tape.shrink(to: Self.keptTokens)
    keys.shrink()
    if let indexer = unsafe indexer { unsafe csimdjson_indexer_shrink(indexer, Self.longestBatch) }
    if unsafe copy.count > Self.longestBatch {
      unsafe copy.deallocate()
      unsafe copy = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }
  }

  /// Shrinks when a line of `byteCount` bytes needs much less than what is held.
  private mutating func settle(for byteCount: Int) {
    let isSwollen = tape.capacity > Self.keptTokens || mostIndexed > Self.longestBatch
    if isSwollen, byteCount <= Self.keptTokens { shrink() }
  }

  /// Parses the line with the fast engine. False: it is not there, or the line is not in order.
  private mutating func walk() -> Bool {
    guard let indexer = unsafe indexer, let start = unsafe line.baseAddress, unsafe line.count > 0 else {
      return false
    }
    if let base = unsafe offsetInBatch(start) {
      skipOffsets(before: base)
    } else {
      unsafe batch = UnsafeRawBufferPointer(start: nil, count: 0)
      mostIndexed = unsafe max(mostIndexed, line.count)
      let error = unsafe csimdjson_index(
        indexer, start.assumingMemoryBound(to: UInt8.self), line.count, &offsets, &offsetCount)
      guard error == 0 else { return false }
    }
    guard let first = unsafe offsets else { return false }
    let base = unsafe offsetInBatch(start) ?? 0
    tape.removeAll()
    unsafe tape.reserve(min(offsetCount, line.count) + 1)
    var walk = unsafe JSONIndexWalk(line: line, at: start, offsets: first, base: base, into: &tape)
    let isGood = walk.walk(into: &tape, keys: &keys)
    unsafe offsetCount -= walk.offsets - first
    unsafe offsets = unsafe walk.offsets
    return isGood
  }

  /// Where in the indexed batch the line stands, if it does.
  @inline(__always)
  private func offsetInBatch(_ start: UnsafeRawPointer) -> Int? {
    guard let batchStart = unsafe batch.baseAddress else { return nil }
    let offset = unsafe start - batchStart
    return unsafe offset >= 0 && offset + line.count <= batch.count ? offset : nil
  }

  /// Steps over what is left of earlier lines that were not in order.
  @inline(__always)
  private mutating func skipOffsets(before base: Int) {
    guard var at = unsafe offsets else { return }
    while offsetCount > 0, unsafe Int(at.pointee) < base {
      unsafe at += 1
      offsetCount -= 1
    }
    unsafe offsets = unsafe at
  }
}
