// A connection that moves lines both ways at once: it reads while it writes, so that neither side can block
// the other for ever.

import Platform

/// A stream socket as two queues of lines. One thread uses it.
package final class LineConnection {
  /// What waiting for a line came to.
  package enum Arrival {
    /// Without its line end. Never blank.
    case line([UInt8])
    /// The other end writes no more.
    case end
    case timedOut
    /// The watched interrupt descriptor became readable.
    case interrupted
  }

  /// Longest line that is taken; the server's answers are bounded far below.
  package static let lineLimit = 256 << 20
  private static let socketToken: UInt64 = 1
  private static let interruptToken: UInt64 = 2

  private let socket: UnixSocket
  private let loop: EventLoop
  private var inbox = LineInbox()
  private var outbox = LineOutbox()
  private var watchesWriting = false
  private var hasEnded = false

  /// - Parameter interruptDescriptor: a descriptor whose readability ends a wait, for example a signalfd.
  package init(_ socket: consuming UnixSocket, interruptDescriptor: CInt? = nil) throws(SystemError) {
    try socket.setNonblocking(true)
    loop = try EventLoop(capacity: 4)
    try loop.add(socket.descriptor, token: Self.socketToken, interest: .read)
    if let interruptDescriptor {
      try loop.add(interruptDescriptor, token: Self.interruptToken, interest: .read)
    }
    self.socket = socket
  }

  /// Bytes that wait to be written.
  package var waitingBytes: Int { outbox.waitingBytes }

  /// Queues a line; `receive` and `flush` write it.
  /// - Parameter descriptor: the server gets a copy of it with the line. It must stay open until the line is
  ///   written.
  package func queue(_ line: [UInt8], passing descriptor: CInt? = nil) {
    outbox.append(line, passing: descriptor)
  }

  /// Writes what the kernel takes now, without waiting. A peer that is gone is noticed by the next read.
  package func flush() throws(SystemError) {
    try watchWriting(try !outbox.write(to: socket))
  }

  /// The next line, writing what is queued meanwhile.
  ///
  /// - Parameter deadline: when to give up; nil waits for ever.
  package func receive(
    until deadline: MonotonicTime? = nil, clock: some TimeSource = SystemClock()
  ) throws(SystemError) -> Arrival {
    while true {
      if let line = inbox.nextLine() { return .line(line) }
      if hasEnded || inbox.waitingBytes > Self.lineLimit { return .end }
      try flush()
      var timeout: Duration?
      if let deadline {
        let left = deadline - clock.monotonicTime()
        if left <= .zero { return .timedOut }
        timeout = left
      }
      let wakefulness = try loop.wait(timeout: timeout)
      for index in 0..<wakefulness.eventCount {
        let event = loop.event(at: index)
        if event.token == Self.interruptToken { return .interrupted }
        if event.isReadable || event.isBroken { hasEnded = try !inbox.read(from: socket) }
      }
    }
  }

  /// Says that no more requests will come; answers may still be received once all is written.
  package func finishWriting() { socket.shutdown(.writing) }

  private func watchWriting(_ wanted: Bool) throws(SystemError) {
    guard wanted != watchesWriting else { return }
    watchesWriting = wanted
    try loop.modify(socket.descriptor, token: Self.socketToken, interest: wanted ? [.read, .write] : .read)
  }
}

/// Lines that wait to be written.
private struct LineOutbox {
  private var bytes: [UInt8] = []
  private var written = 0
  /// Descriptors, and the bytes they go with, in their order.
  private var passed: [(place: Int, descriptor: CInt)] = []

  var waitingBytes: Int { bytes.count - written }

  mutating func append(_ line: [UInt8], passing descriptor: CInt?) {
    if let descriptor { passed.append((bytes.count, descriptor)) }
    bytes.append(contentsOf: line)
    bytes.append(UInt8(ascii: "\n"))
  }

  /// Writes what the kernel takes now.
  /// - Returns: whether nothing is left.
  mutating func write(to socket: borrowing UnixSocket) throws(SystemError) -> Bool {
    while written < bytes.count {
      let next = passed.first
      let isHere = next?.place == written
      // Bytes before those that a descriptor goes with leave by themselves.
      let end = isHere ? bytes.count : next?.place ?? bytes.count
      let readiness: Readiness
      do {
        let part = bytes.span.extracting(written..<end)
        readiness =
          if isHere, let next {
            try socket.write(part, passing: next.descriptor)
          } else {
            try socket.write(part)
          }
      }
      switch readiness {
      case .bytes(let count):
        written += count
        if isHere, count > 0 { passed.removeFirst() }
      case .wouldBlock: return false
      case .peerGone: written = bytes.count
      }
    }
    bytes.removeAll(keepingCapacity: true)
    passed = []
    written = 0
    return true
  }
}

/// Bytes read, cut into lines.
private struct LineInbox {
  private static let readSize = 256 << 10

  private var bytes: [UInt8] = []
  /// Bytes already given out.
  private var taken = 0
  /// Bytes known to hold no line end that was not given out.
  private var scanned = 0
  private var chunk = [UInt8](repeating: 0, count: LineInbox.readSize)

  var waitingBytes: Int { bytes.count - taken }

  /// Reads once.
  /// - Returns: whether more may come.
  mutating func read(from socket: borrowing UnixSocket) throws(SystemError) -> Bool {
    let readiness: Readiness
    do {
      var room = chunk.mutableSpan
      readiness = try socket.read(into: &room)
    }
    switch readiness {
    case .bytes(0), .peerGone: return false
    case .wouldBlock: return true
    case .bytes(let count):
      if taken == bytes.count {
        bytes.removeAll(keepingCapacity: true)
        taken = 0
        scanned = 0
      } else if taken > Self.readSize {
        bytes.removeFirst(taken)
        scanned -= taken
        taken = 0
      }
      bytes.append(contentsOf: chunk[..<count])
      return true
    }
  }

  /// The next whole line without its end; blank ones are skipped.
  mutating func nextLine() -> [UInt8]? {
    while scanned < bytes.count {
      guard let end = bytes[scanned...].firstIndex(of: UInt8(ascii: "\n")) else {
        scanned = bytes.count
        return nil
      }
      let start = taken
      taken = end + 1
      scanned = taken
      let last = end > start && bytes[end - 1] == UInt8(ascii: "\r") ? end - 1 : end
      if last > start { return Array(bytes[start..<last]) }
    }
    return nil
  }
}
