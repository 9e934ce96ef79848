// A server on a thread of the test's own, at the other end of a socket pair.

import LedgerlineClient
import Platform

/// Runs `body` with a client of a server that answers each request with the lines `answer` makes of it; nil
/// breaks the connection.
func withTestServer(
  _ answer: @escaping @Sendable (JSONNode) -> [String]?, _ body: (Client) throws -> Void
) throws {
  let (client, server) = try testEnds()
  let thread = try Thread(name: "test-server") { server.serve(answer) }
  // The client's end must be gone before the server's thread can end.
  let outcome = Result { try body(try client.connect()) }
  thread.join()
  try outcome.get()
}

/// Both ends of a connection.
func testEnds() throws -> (TestClientEnd, TestServerEnd) {
  try UnixSocket.pair().split { (TestClientEnd($0), TestServerEnd($1)) }
}

/// The client's end of the pair, until a client takes it.
final class TestClientEnd {
  private var socket: UnixSocket?

  init(_ socket: consuming UnixSocket) { self.socket = consume socket }

  func connect() throws -> Client { try Client(adopting: socket.take()!) }
}

/// The server's end of the pair.
final class TestServerEnd: Sendable {
  private let socket: UnixSocket

  init(_ socket: consuming UnixSocket) { self.socket = socket }

  func hangUp() { socket.shutdown(.both) }

  func serve(_ answer: @Sendable (JSONNode) -> [String]?) {
    var reader = LineReader(descriptor: socket.descriptor)
    while case .line(let bytes)? = try? reader.next() {
      guard let request = try? JSONNode.parse(bytes), let lines = answer(request) else { break }
      for line in lines { _ = try? socket.writeAll(Array((line + "\n").utf8).span) }
    }
    socket.shutdown(.both)
  }
}
