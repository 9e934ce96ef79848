// A whole server in this process, on a directory of its own, and clients that speak to it as bytes.

import Foundation
import Ledger
import LedgerlineClient
import Platform
import Server
import TestSupport

/// A running server. It is stopped when this object goes, if it was not before.
final class TestServer: Sendable {
  let directory: TemporaryDirectory
  let server: LedgerlineServer
  private let thread: Gate<Platform.Thread?>
  private let ending = Gate<ServerEnding?>(nil)

  /// - Parameter configure: changes the settings before the start.
  init(
    in directory: TemporaryDirectory? = nil, clock: any TimeSource = SystemClock(),
    configure: (inout Configuration) -> Void = { _ in }
  ) throws {
    let directory = try directory ?? TemporaryDirectory()
    self.directory = directory
    var configuration = Configuration(dataDirectory: directory.path(of: "data"))
    configuration.queryThreadCount = 1
    configure(&configuration)
    let log = ServerLog(format: .text, clock: clock) { _ in }
    let server = try LedgerlineServer.start(configuration, clock: clock, log: log)
    self.server = server
    let ending = ending
    thread = Gate(
      try Platform.Thread(name: "test-server") {
        let outcome = server.run()
        ending.withLock { $0 = outcome }
      })
  }

  var books: Books { server.books }

  func connect() throws -> TestClient { try TestClient(path: server.socketPath) }

  /// Stops the server and waits for its end; any number of times.
  /// - Returns: whether all was saved.
  @discardableResult
  func stop() -> Bool {
    server.stop()
    return end() == .saved
  }

  /// Waits for the server's end, which something else brings about.
  func end() -> ServerEnding? {
    thread.withLock { thread in
      let taken = thread
      thread = nil
      return taken
    }?.join()
    return ending.withLock { $0 }
  }

  deinit { stop() }
}

/// A client that sends any bytes and reads lines, on one thread. A read or a write that takes longer than
/// `patience` fails the test instead of hanging it.
final class TestClient {
  static let patience = Duration.seconds(20)

  enum Failure: Error { case tooLate, peerGone, unexpectedEnd }

  let socket: UnixSocket
  private var received: [UInt8] = []
  private var taken = 0

  init(path: String) throws {
    socket = try UnixSocket.connect(to: path, atMost: Self.patience)
    try socket.setReadTimeout(Self.patience)
    try socket.setWriteTimeout(Self.patience)
  }

  func send(_ bytes: [UInt8]) throws {
    switch try socket.writeAll(bytes.span) {
    case .bytes: return
    case .wouldBlock: throw Failure.tooLate
    case .peerGone: throw Failure.peerGone
    }
  }

  /// Sends the lines, each with its end.
  func send(_ lines: String...) throws { try send(Array((lines.joined(separator: "\n") + "\n").utf8)) }

  /// The next line without its end; nil at the end of the input.
  func line() throws -> String? {
    var searched = taken
    while true {
      if let end = received[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        defer { taken = end + 1 }
        return String(decoding: received[taken..<end], as: UTF8.self)
      }
      if taken > 0 { received.removeFirst(taken) }
      taken = 0
      searched = received.count
      guard try receive() else { return nil }
    }
  }

  /// Reads once; false at the end.
  private func receive() throws -> Bool {
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    let readiness: Readiness
    do {
      var room = chunk.mutableSpan
      readiness = try socket.read(into: &room)
    }
    switch readiness {
    case .bytes(0): return false
    case .bytes(let count):
      received += chunk[..<count]
      return true
    case .wouldBlock: throw Failure.tooLate
    case .peerGone: throw Failure.peerGone
    }
  }

  func answer() throws -> JSONNode {
    guard let line = try line() else { throw Failure.unexpectedEnd }
    return try JSONNode.parse(line)
  }

  /// Whether the server ends the connection, after no further answer.
  func isEnded() throws -> Bool {
    do { return try line() == nil } catch Failure.peerGone { return true }
  }

  /// Whether anything has come that was not taken: bytes, or the end.
  func hasInput() throws -> Bool {
    if taken < received.count { return true }
    let events = try EventLoop(capacity: 1)
    try events.add(socket.descriptor, token: 1, interest: .read)
    return try events.wait(timeout: .zero).eventCount > 0
  }

  func finishWriting() { socket.shutdown(.writing) }

  /// Sends one request with the id 1 and reads its answer.
  /// - Parameter envelope: further members of the request, such as `"meta":true`.
  @discardableResult
  func call(_ method: String, _ params: String = "{}", _ envelope: String = "") throws -> JSONNode {
    try send(request(1, method, params, envelope))
    return try answer()
  }
}

/// A request line without its end.
func request(_ id: Int, _ method: String, _ params: String = "{}", _ envelope: String = "") -> String {
  let more = envelope.isEmpty ? "" : "," + envelope
  return #"{"id":\#(id),"method":"\#(method)","params":\#(params)\#(more)}"#
}

/// Waits until `condition` holds, at most `TestClient.patience`: for what another thread brings about.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
  let deadline = SystemClock().monotonicTime() + TestClient.patience
  while SystemClock().monotonicTime() < deadline {
    if try condition() { return true }
    Platform.Thread.yield()
    usleep(500)
  }
  return false
}
