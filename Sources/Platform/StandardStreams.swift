// Standard input, output and error by read(2) and write(2), unbuffered, without C's shared streams.

/// Writing to a descriptor that stays open: standard output and error, or a pager's pipe.
package struct OutputStream: Sendable {
  package let descriptor: CInt

  package init(descriptor: CInt) { self.descriptor = descriptor }

  package static let standardOutput = OutputStream(descriptor: 1)
  package static let standardError = OutputStream(descriptor: 2)

  /// Writes all of `bytes`, waiting for room when the descriptor is nonblocking.
  /// - Throws: EPIPE when nobody reads any more (with SIGPIPE ignored).
  package func write(_ bytes: Span<UInt8>) throws(SystemError) {
    try Syscalls.writeAllWaiting(descriptor, bytes)
  }

  package func write(_ bytes: [UInt8]) throws(SystemError) { try write(bytes.span) }

  /// Writes `text` as UTF-8, with nothing added.
  package func write(_ text: String) throws(SystemError) { try write(Array(text.utf8).span) }
}

/// Reads lines from a descriptor in memory bounded by the longest line that is allowed.
package struct LineReader: ~Copyable {
  /// What the next read brought.
  package enum Line: Equatable, Sendable {
    /// A line without its newline. The last one may have had none.
    case line([UInt8])
    /// A line of more than `limit` bytes. The rest of it has been skipped.
    case tooLong
    case end
  }

  private let descriptor: CInt
  private let limit: Int
  private var buffer: [UInt8] = []
  /// Where read(2) puts its bytes.
  private var piece = [UInt8](repeating: 0, count: 64 << 10)
  private var start = 0
  private var hasEnded = false

  /// - Parameters:
  ///   - descriptor: stays the caller's; 0 is standard input. It must block.
  ///   - limit: the most bytes of a line, its newline not counted.
  package init(descriptor: CInt = 0, limit: Int = 16 << 20) {
    self.descriptor = descriptor
    self.limit = limit
  }

  /// The next line, waiting for it.
  package mutating func next() throws(SystemError) -> Line {
    var searched = start
    var isSkipping = false
    while true {
      if let newline = newline(from: searched) {
        let line = Array(buffer[start..<newline])
        start = newline + 1
        return isSkipping || line.count > limit ? .tooLong : .line(line)
      }
      if buffer.count - start > limit {
        isSkipping = true
        start = buffer.count
      }
      searched = buffer.count
      if hasEnded { return last(isSkipping) }
      let removed = start
      try refill()
      searched -= removed
    }
  }

  /// The place of the first newline at or after `index` of the buffer.
  private func newline(from index: Int) -> Int? {
    let unseen = buffer.span.extracting(index..<buffer.count)
    return ByteSearch.firstIndex(of: 0x0A, in: unseen).map { $0 + index }
  }

  /// What is left when the input has ended without a newline.
  private mutating func last(_ isSkipping: Bool) -> Line {
    if isSkipping { return .tooLong }
    if start == buffer.count { return .end }
    let line = Array(buffer[start...])
    start = buffer.count
    return .line(line)
  }

  /// Drops what was given out, then reads some more.
  private mutating func refill() throws(SystemError) {
    buffer.removeFirst(start)
    start = 0
    let descriptor = self.descriptor
    var span = piece.mutableSpan
    switch try Syscalls.read(descriptor, into: &span) {
    case .bytes(0), .peerGone: hasEnded = true
    case .bytes(let count): buffer.append(contentsOf: piece[..<count])
    case .wouldBlock: Syscalls.waitUntilReady(descriptor, toWrite: false)
    }
  }
}
