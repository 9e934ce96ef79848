// Connecting, and moving bytes between two ends.

import Glibc
import Platform
import TestSupport
import Testing

@Suite struct UnixSocketTests {
  let place: TemporaryDirectory

  init() throws { place = try TemporaryDirectory() }

  @Test func bytesArriveInOrderAndThenTheEnd() throws {
    let pair = try UnixSocket.pair()
    #expect(try pair.first.write([1, 2, 3].span) == .bytes(3))
    pair.first.shutdown(.writing)
    #expect(try read(pair.second) == [1, 2, 3])
    #expect(try read(pair.second) == [])
    // Half closed: the other direction still works.
    #expect(try pair.second.write([9].span) == .bytes(1))
    #expect(try read(pair.first) == [9])
  }

  @Test func wouldBlockIsAValue() throws {
    let pair = try UnixSocket.pair(nonblocking: true)
    var room = [UInt8](repeating: 0, count: 8)
    var span = room.mutableSpan
    #expect(try pair.first.read(into: &span) == .wouldBlock)
    let block = [UInt8](repeating: 7, count: 1 << 16)
    var written = 0
    while case .bytes(let count) = try pair.first.write(block.span) { written += count }
    #expect(try pair.first.write(block.span) == .wouldBlock)
    // The kernel takes some hundred KiB before it pushes back.
    #expect(written < 4 << 20)
  }

  @Test func aPeerThatIsGoneIsAValueAndRaisesNoSignal() throws {
    #expect(try lonely().write([1].span) == .peerGone)
  }

  @Test func aReadTimeoutEndsABlockingRead() throws {
    let pair = try UnixSocket.pair()
    try pair.first.setReadTimeout(.milliseconds(5))
    var room = [UInt8](repeating: 0, count: 8)
    var span = room.mutableSpan
    #expect(try pair.first.read(into: &span) == .wouldBlock)
  }

  @Test func aWriteTimeoutEndsABlockingWrite() throws {
    let pair = try UnixSocket.pair()
    try pair.first.setWriteTimeout(.milliseconds(5))
    let block = [UInt8](repeating: 7, count: 4 << 20)
    #expect(try pair.first.writeAll(block.span) == .wouldBlock)
  }

  @Test func theKernelSaysWhoIsAtTheOtherEnd() throws {
    let pair = try UnixSocket.pair()
    #expect(
      try pair.first.peerCredentials()
        == PeerCredentials(processID: CurrentProcess.id, userID: geteuid(), groupID: getegid()))
  }

  @Test func connectingToNothingSaysSo() {
    let path = place.path(of: "none.sock")
    #expect(throws: SocketError.noServer(path: path, isStale: false)) {
      _ = try UnixSocket.connect(to: path)
    }
  }

  @Test func connectingToADeadServersSocketSaysSo() throws {
    let path = place.path(of: "s")
    try leaveStaleSocket(at: path)
    #expect(throws: SocketError.noServer(path: path, isStale: true)) {
      _ = try UnixSocket.connect(to: path)
    }
  }

  @Test func connectingToARegularFileSaysSo() throws {
    let path = place.path(of: "f")
    try OpenFile(path, .createNew).close()
    #expect(throws: SocketError.occupied(path: path, by: .regular)) {
      _ = try UnixSocket.connect(to: path)
    }
  }

  @Test func connectingToAFullQueueEndsInTime() throws {
    let path = place.path(of: "s")
    let server = try ListeningSocket.listen(on: path, backlog: 0, holdsLock: false)
    let limit = Duration.milliseconds(5)
    // A backlog of 0 lets one client wait.
    let first = try UnixSocket.connect(to: path, atMost: limit)
    #expect(throws: SocketError.timedOut(path: path)) {
      _ = try UnixSocket.connect(to: path, atMost: limit)
    }
    first.close()
    server.close()
  }

  private func lonely() throws -> UnixSocket {
    let path = place.path(of: "lonely")
    let server = try ListeningSocket.listen(on: path, holdsLock: false)
    let client = try UnixSocket.connect(to: path)
    guard case .connection(let accepted) = try server.accept() else {
      Issue.record("nobody to accept")
      return client
    }
    accepted.close()
    return client
  }
}

/// What one read brings, at most 64 bytes.
func read(_ socket: borrowing UnixSocket) throws -> [UInt8]? {
  var room = [UInt8](repeating: 0, count: 64)
  var span = room.mutableSpan
  guard case .bytes(let count) = try socket.read(into: &span) else { return nil }
  return Array(room[..<count])
}

/// Leaves what a server leaves that is killed: a bound socket nobody listens on.
func leaveStaleSocket(at path: String) throws {
  let server = try ListeningSocket.listen(on: path + ".live", holdsLock: false)
  // The dying server looks for its own name, finds none and removes nothing.
  let result = unsafe rename(path + ".live", path)
  #expect(result == 0)
  server.close()
}
