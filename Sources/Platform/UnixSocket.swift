// One end of a Unix stream socket: connecting, reading, writing, and who is at the other end.

import CSys
import Glibc

/// Who is at the other end of a socket, as the kernel saw it when the connection was made.
package struct PeerCredentials: Equatable, Sendable {
  /// For logs only: the process may have ended and its number been given to another.
  package let processID: Int32
  /// 65534 for a user of another user namespace.
  package let userID: UInt32
  package let groupID: UInt32

  package init(processID: Int32, userID: UInt32, groupID: UInt32) {
    self.processID = processID
    self.userID = userID
    self.groupID = groupID
  }
}

/// A connected Unix stream socket. One owner; dropping it closes it. SIGPIPE is never raised.
@safe
package struct UnixSocket: ~Copyable, Sendable {
  /// For `EventLoop` only; it stays the property of this value.
  package let descriptor: CInt

  /// The most bytes a socket path may have: 107.
  package static var pathByteLimit: Int { Int(csys_socket_path_limit()) }

  /// Takes over a connected descriptor (socket activation, `accept`).
  package init(adopting descriptor: CInt) { self.descriptor = descriptor }

  /// Two connected sockets of this process.
  package static func pair(nonblocking: Bool = false) throws(SystemError) -> SocketPair {
    let (first, second) = try Syscalls.makeSocketPair(nonblocking: nonblocking)
    return SocketPair(first: UnixSocket(adopting: first), second: UnixSocket(adopting: second))
  }

  /// Connects to the server that listens on `path`; the socket blocks.
  ///
  /// - Parameter limit: how long to wait for room in the server's queue; nil waits for ever.
  /// - Throws: `.noServer` when nothing is there or nobody listens, `.timedOut`, `.pathTooLong`, `.failed`.
  package static func connect(
    to path: String, atMost limit: Duration? = nil
  ) throws(SocketError) -> UnixSocket {
    try SocketError.checkPath(path)
    let descriptor = try SocketError.wrapping { () throws(SystemError) in
      try Syscalls.makeSocket(nonblocking: false)
    }
    let socket = UnixSocket(adopting: descriptor)
    do throws(SystemError) {
      // For Unix sockets the kernel bounds connect(2) by the timeout for sending, and answers EAGAIN.
      if limit != nil { try Syscalls.setTimeout(descriptor, sending: true, limit) }
      let result = Syscalls.connect(descriptor, to: path)
      let code = result == -EAGAIN ? -ETIMEDOUT : result
      _ = try Syscalls.checked(code, "connect", "connect to", path)
      if limit != nil { try Syscalls.setTimeout(descriptor, sending: true, nil) }
    } catch {
      throw SocketError(connecting: error, path: path)
    }
    return socket
  }

  /// Reads what is there, at most `bytes.count` bytes. `.bytes(0)` is the end: the peer writes no more.
  package borrowing func read(into bytes: UnsafeMutableRawBufferPointer) throws(SystemError) -> Readiness {
    unsafe try Syscalls.receive(descriptor, into: bytes)
  }

  /// Writes as much as the kernel takes now (nonblocking), or at least one byte (blocking).
  package borrowing func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Readiness {
    unsafe try Syscalls.send(descriptor, bytes)
  }

  /// As `read`, and takes in the descriptors that the peer has sent with the bytes (SCM_RIGHTS).
  package borrowing func read(
    into bytes: UnsafeMutableRawBufferPointer, _ passed: inout PassedDescriptors
  ) throws(SystemError) -> Readiness {
    unsafe try passed.receive(from: descriptor, into: bytes)
  }

  /// As `write`; the peer gets a copy of `passed` with the first of the bytes.
  package borrowing func write(
    _ bytes: Span<UInt8>, passing passed: CInt
  ) throws(SystemError) -> Readiness {
    unsafe try bytes.withUnsafeBytes { bytes throws(SystemError) in
      unsafe try Syscalls.send(descriptor, bytes, passing: passed)
    }
  }

  package borrowing func read(into bytes: inout MutableSpan<UInt8>) throws(SystemError) -> Readiness {
    unsafe try bytes.withUnsafeMutableBytes { bytes throws(SystemError) in unsafe try read(into: bytes) }
  }

  package borrowing func write(_ bytes: Span<UInt8>) throws(SystemError) -> Readiness {
    unsafe try bytes.withUnsafeBytes { bytes throws(SystemError) in unsafe try write(bytes) }
  }

  /// Writes all of `bytes` to a blocking socket.
  /// - Returns: `.bytes` of all, `.peerGone`, or `.wouldBlock` when its timeout is over, a part written.
  package borrowing func writeAll(_ bytes: Span<UInt8>) throws(SystemError) -> Readiness {
    var done = 0
    while done < bytes.count {
      switch try write(bytes.extracting(done..<bytes.count)) {
      case .bytes(let count): done += count
      case .wouldBlock: return .wouldBlock
      case .peerGone: return .peerGone
      }
    }
    return .bytes(done)
  }

  package borrowing func peerCredentials() throws(SystemError) -> PeerCredentials {
    try Syscalls.peerCredentials(descriptor)
  }

  package borrowing func setNonblocking(_ nonblocking: Bool) throws(SystemError) {
    try Syscalls.setNonblocking(descriptor, nonblocking)
  }

  /// How long a blocking read waits before it answers `.wouldBlock`; nil is for ever.
  package borrowing func setReadTimeout(_ limit: Duration?) throws(SystemError) {
    try Syscalls.setTimeout(descriptor, sending: false, limit)
  }

  /// How long a blocking write waits before it answers `.wouldBlock`; nil is for ever.
  package borrowing func setWriteTimeout(_ limit: Duration?) throws(SystemError) {
    try Syscalls.setTimeout(descriptor, sending: true, limit)
  }

  /// The kernel's buffer for what is written and not read yet (it doubles the number).
  package borrowing func setSendBuffer(byteCount: Int) throws(SystemError) {
    try Syscalls.setBuffer(descriptor, sending: true, byteCount: byteCount)
  }

  /// Which directions `shutdown` ends.
  package enum Direction: Sendable { case reading, writing, both }

  /// Ends one or both directions; the peer reads an end. A peer that is gone already is no error.
  package borrowing func shutdown(_ direction: Direction) {
    _ = csys_shutdown(descriptor, direction == .writing ? 0 : 1, direction == .reading ? 0 : 1)
  }

  package consuming func close() {}

  /// Gives the descriptor to the caller, who closes it.
  package consuming func relinquish() -> CInt {
    let descriptor = descriptor
    discard self
    return descriptor
  }

  deinit { Syscalls.close(descriptor) }
}

/// Two ends of one connection inside this process.
package struct SocketPair: ~Copyable, Sendable {
  package var first: UnixSocket
  package var second: UnixSocket
}

extension SocketPair {
  /// Gives both ends away, each to an owner of its own.
  package consuming func split<Result>(
    _ body: (consuming UnixSocket, consuming UnixSocket) throws -> Result
  ) rethrows -> Result {
    try body(first, second)
  }
}
