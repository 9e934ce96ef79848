// The wrappers of Syscalls.swift for sockets and epoll.

import CSys
import Glibc

extension Syscalls {
  static func makeSocket(nonblocking: Bool) throws(SystemError) -> CInt {
    try checked(csys_socket(nonblocking ? 1 : 0), "socket", "make a socket", nil)
  }

  static func makeSocketPair(nonblocking: Bool) throws(SystemError) -> (CInt, CInt) {
    var first: CInt = -1
    var second: CInt = -1
    let result = unsafe csys_socketpair(nonblocking ? 1 : 0, &first, &second)
    _ = try checked(result, "socketpair", "make a pair of sockets", nil)
    return (first, second)
  }

  static func listen(_ descriptor: CInt, backlog: Int, path: String) throws(SystemError) {
    let result = csys_listen(descriptor, CInt(clamping: backlog))
    _ = try checked(result, "listen", "listen on", path)
  }

  static func bind(_ descriptor: CInt, to path: String) throws(SystemError) {
    _ = try checked(unsafe csys_bind(descriptor, path), "bind", "create the socket", path)
  }

  /// connect(2): 0, or minus errno for the caller to sort.
  static func connect(_ descriptor: CInt, to path: String) -> CInt {
    retrying { unsafe csys_connect(descriptor, path) }
  }

  /// accept4(2): the descriptor, or minus errno for the caller to sort.
  static func accept(_ descriptor: CInt) -> CInt { retrying { csys_accept(descriptor) } }

  static func receive(
    _ descriptor: CInt, into bytes: UnsafeMutableRawBufferPointer
  ) throws(SystemError) -> Readiness {
    let result = retrying { unsafe csys_receive(descriptor, bytes.baseAddress, bytes.count) }
    return try readiness(result, "recv", "read from a socket", nil)
  }

  /// As `receive`, with the descriptors that came along; `isCut` when some of them could not be taken in.
  static func receivePassed(
    _ descriptor: CInt, into bytes: UnsafeMutableRawBufferPointer, _ passed: inout [CInt], _ isCut: inout Bool
  ) throws(SystemError) -> Readiness {
    var numbers: (CInt, CInt, CInt, CInt) = (-1, -1, -1, -1)
    var count: CInt = 0
    var cut: CInt = 0
    let result = unsafe withUnsafeMutableBytes(of: &numbers) { room in
      let first = unsafe room.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: CInt.self)
      return retrying {
        unsafe csys_receive_passed(descriptor, bytes.baseAddress, bytes.count, first, &count, &cut)
      }
    }
    isCut = cut != 0
    if count > 0 { passed += [numbers.0, numbers.1, numbers.2, numbers.3].prefix(Int(count)) }
    return try readiness(result, "recvmsg", "read from a socket", nil)
  }

  static func send(
    _ descriptor: CInt, _ bytes: UnsafeRawBufferPointer, passing passed: CInt
  ) throws(SystemError) -> Readiness {
    let result = retrying { unsafe csys_send_passing(descriptor, bytes.baseAddress, bytes.count, passed) }
    return try readiness(result, "sendmsg", "pass a descriptor", nil)
  }

  /// Writes what a pipe or socket takes without waiting.
  static func writeNow(
    _ descriptor: CInt, _ bytes: UnsafeRawBufferPointer, isSocket: Bool
  ) throws(SystemError) -> Readiness {
    let result = retrying {
      unsafe isSocket
        ? csys_send_now(descriptor, bytes.baseAddress, bytes.count)
        : csys_write_now(descriptor, bytes.baseAddress, bytes.count)
    }
    return try readiness(result, isSocket ? "send" : "write", "write to the descriptor", nil)
  }

  static func makePipe() throws(SystemError) -> (reading: CInt, writing: CInt) {
    var reading: CInt = -1
    var writing: CInt = -1
    _ = try checked(unsafe csys_pipe(&reading, &writing), "pipe2", "make a pipe", nil)
    return (reading, writing)
  }

  static func send(_ descriptor: CInt, _ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Readiness {
    let result = retrying { unsafe csys_send(descriptor, bytes.baseAddress, bytes.count) }
    return try readiness(result, "send", "write to a socket", nil)
  }

  static func peerCredentials(_ descriptor: CInt) throws(SystemError) -> PeerCredentials {
    var pid: Int32 = 0
    var uid: UInt32 = 0
    var gid: UInt32 = 0
    let result = unsafe csys_peer_credentials(descriptor, &pid, &uid, &gid)
    _ = try checked(result, "getsockopt", "ask who is at the other end of a socket", nil)
    return PeerCredentials(processID: pid, userID: uid, groupID: gid)
  }

  static func setNonblocking(_ descriptor: CInt, _ nonblocking: Bool) throws(SystemError) {
    let result = csys_set_nonblocking(descriptor, nonblocking ? 1 : 0)
    _ = try checked(result, "fcntl", "set whether a socket blocks", nil)
  }

  /// nil waits for ever; anything else waits at least a microsecond.
  static func setTimeout(_ descriptor: CInt, sending: Bool, _ limit: Duration?) throws(SystemError) {
    let microseconds = limit.map { max(1, $0.wholeNanoseconds / 1000) } ?? 0
    let result = csys_set_timeout(descriptor, sending ? 1 : 0, microseconds)
    _ = try checked(result, "setsockopt", "set the timeout of a socket", nil)
  }

  static func setBuffer(_ descriptor: CInt, sending: Bool, byteCount: Int) throws(SystemError) {
    let result = csys_set_buffer(descriptor, sending ? 1 : 0, CInt(clamping: byteCount))
    _ = try checked(result, "setsockopt", "set the kernel's buffer of a socket", nil)
  }
}
