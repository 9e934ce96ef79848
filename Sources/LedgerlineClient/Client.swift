// The blocking client: requests with ids, answers in order, streams, cancelling, reconnecting.

import Platform

/// What may stand beside `params` in a request.
package struct CallOptions: Sendable {
  /// The server gives up after this long.
  package var timeout: Duration?
  /// Idempotency key of a write.
  package var key: String?
  package var minPosition: Int?
  /// Asks for the journal position in the answer.
  package var wantsMeta = false
  /// Asks for the rows in notifications ahead of the answer, which then has their count.
  package var wantsStream = false
  /// Has the rows written into a descriptor of this process; the answer has their count.
  package var output: DescriptorOutput?

  package init() {}
}

/// A descriptor for rows: a file, a pipe or a socket, open for writing.
package struct DescriptorOutput: Sendable {
  package enum Format: String, Sendable { case csv, ndjson }

  /// It stays the caller's, and open until the call returns.
  package var descriptor: CInt
  package var format: Format

  package init(_ descriptor: CInt, _ format: Format) {
    self.descriptor = descriptor
    self.format = format
  }

  /// Whether the server can write to a descriptor: not to a terminal, say.
  package static func takesRows(_ descriptor: CInt) -> Bool {
    PassedDescriptor.kind(of: descriptor) != nil
  }
}

/// What was written into a descriptor.
package struct Delivery: Sendable, Equatable {
  package let rowCount: Int
  package let byteCount: Int
  /// With the total count and the next cursor, where they were asked for.
  package let answer: Answer
}

/// A result, and the journal position when it was asked for.
package struct Answer: Sendable, Equatable {
  package let result: JSONNode
  package let position: Int?
}

/// One request of a pipeline: the method, and `params` as JSON text.
package struct PipelinedRequest: Sendable {
  package let method: String
  package let params: [UInt8]
  /// Idempotency key: the same key again answers the same outcome.
  package let key: String?

  package init(_ method: String, params: [UInt8], key: String? = nil) {
    self.method = method
    self.params = params
    self.key = key
  }
}

/// A connection to a server. One thread uses it.
package final class Client {
  package let path: String
  /// How long past a request's own timeout the client waits before it gives up on the server.
  package static let grace: Duration = .seconds(5)
  /// Queued requests of this size are written without waiting for an answer to be needed.
  private static let flushSize = 64 << 10

  private let allowedUserID: UInt32?
  private let interruptDescriptor: CInt?
  private var connection: LineConnection?
  private var reader = JSONNodeReader()
  private var nextID = 1
  private var unanswered = 0
  /// The server's number of this connection, once asked.
  private var connectionNumber: Int?
  /// Called when the interrupt descriptor is readable: must make it unreadable.
  package var takeInterrupt: () -> Void = {}

  /// Connects to the server on `path`.
  ///
  /// - Parameter allowedUserID: whose server it may be, besides this process's own user and root.
  /// - Parameter interruptDescriptor: readable when the person wants a running request cancelled.
  package init(
    path: String, allowedUserID: UInt32? = nil, interruptDescriptor: CInt? = nil
  ) throws(ClientError) {
    self.path = path
    self.allowedUserID = allowedUserID
    self.interruptDescriptor = interruptDescriptor
    try reconnect()
  }

  /// Takes over a connected socket; it cannot reconnect or cancel.
  package init(adopting socket: consuming UnixSocket) throws(ClientError) {
    path = ""
    allowedUserID = nil
    interruptDescriptor = nil
    do throws(SystemError) { connection = try LineConnection(socket) } catch { throw .failed(error) }
  }

  /// Closes the connection, if there is one, and makes a new one.
  package func reconnect() throws(ClientError) {
    connection = nil
    connectionNumber = nil
    unanswered = 0
    try adopt(try Self.connect(path))
  }

  private static func connect(_ path: String) throws(ClientError) -> UnixSocket {
    do throws(SocketError) { return try UnixSocket.connect(to: path, atMost: .seconds(10)) } catch {
      throw .cannotConnect(error)
    }
  }

  private func adopt(_ socket: consuming UnixSocket) throws(ClientError) {
    let (userID, own) = try Self.wrapping { () throws(SystemError) in
      // The peer of a socket of our own is ourselves.
      (try socket.peerCredentials().userID, try UnixSocket.pair().first.peerCredentials().userID)
    }
    guard userID == own || userID == 0 || userID == allowedUserID else {
      throw .strangerListens(path: path, userID: userID)
    }
    let descriptor = interruptDescriptor
    do throws(SystemError) {
      connection = try LineConnection(socket, interruptDescriptor: descriptor)
    } catch { throw .failed(error) }
  }

  /// Carries out one request and waits for its answer.
  ///
  /// - Parameter onRows: takes the rows of each stream notification.
  /// - Throws: `.refused` with the server's error.
  package func call(
    _ method: String, _ params: JSONNode? = nil, options: CallOptions = CallOptions(),
    onRows: (([JSONNode]) throws -> Void)? = nil
  ) throws -> Answer {
    let id = nextID
    nextID += 1
    let connection = try openConnection()
    // An interrupt from before this request is not meant for it.
    takeInterrupt()
    connection.queue(
      Self.line(id: id, method: method, params: params.map { Array($0.text.utf8) }, options),
      passing: options.output?.descriptor)
    unanswered += 1
    var deadline: MonotonicTime?
    if let timeout = options.timeout { deadline = SystemClock().monotonicTime() + (timeout + Self.grace) }
    let node = try message(for: id, connection, deadline, onRows)
    return try Self.answer(node).get()
  }

  /// Has the rows of a list, filter or aggregate method written into a descriptor, without a limit on their
  /// number, at the speed of its reader.
  package func write(
    _ method: String, _ params: JSONNode? = nil, into output: DescriptorOutput,
    options: CallOptions = CallOptions()
  ) throws -> Delivery {
    var options = options
    options.output = output
    let answer = try call(method, params, options: options)
    guard let rowCount = answer.result["count"]?.int, let byteCount = answer.result["bytes"]?.int else {
      throw ClientError.protocolBroken("the server did not write to the descriptor")
    }
    return Delivery(rowCount: rowCount, byteCount: byteCount, answer: answer)
  }

  /// Carries out one prepared request and waits for its answer.
  package func call(_ request: PipelinedRequest) throws -> Answer {
    var request: PipelinedRequest? = request
    var outcome: Result<Answer, Refusal>?
    try pipeline(
      window: 1,
      next: {
        defer { request = nil }
        return request
      }, answered: { outcome = $1 })
    return try outcome!.get()
  }

  /// Sends requests ahead of their answers, at most `window` unanswered, and hands out the answers in order.
  ///
  /// - Parameters:
  ///   - next: the next request; nil when there is none left.
  ///   - answered: takes the answer of request number `index`, counted from 0.
  package func pipeline(
    window: Int, next: () throws -> PipelinedRequest?,
    answered: (_ index: Int, _ answer: Result<Answer, Refusal>) throws -> Void
  ) throws {
    precondition(window > 0, "a pipeline has room for at least one request")
    let connection = try openConnection()
    let first = nextID
    var index = 0
    var isDrained = false
    while true {
      while !isDrained, nextID - first - index < window {
        guard let request = try next() else {
          isDrained = true
          break
        }
        var options = CallOptions()
        options.key = request.key
        connection.queue(Self.line(id: nextID, method: request.method, params: request.params, options))
        nextID += 1
        unanswered += 1
        // Small requests go together with the next wait; large ones go while more are made.
        if connection.waitingBytes >= Self.flushSize {
          try Self.wrapping { () throws(SystemError) in try connection.flush() }
        }
      }
      guard first + index < nextID else { return }
      let node = try message(for: first + index, connection, nil, nil)
      try answered(index, Self.answer(node))
      index += 1
    }
  }

  /// Asks, on a connection of its own, that request `id` of this connection be stopped.
  package func cancel(id: Int) throws {
    let other = try Client(path: path, allowedUserID: allowedUserID)
    var params: [JSONNode.Member] = [.init("id", .int(id))]
    if let connectionNumber { params.append(.init("connection", .int(connectionNumber))) }
    _ = try other.call("server.cancel", .object(params))
  }

  /// Learns this connection's number, which `cancel` needs when several connections use the same ids.
  package func learnConnectionNumber() throws {
    connectionNumber = try call("server.info").result["connection"]?.int
  }
}

// MARK: - Messages

extension Client {
  private func openConnection() throws(ClientError) -> LineConnection {
    if connection == nil { try reconnect() }
    return connection!
  }

  private static func wrapping<Value>(_ body: () throws(SystemError) -> Value) throws(ClientError) -> Value {
    do throws(SystemError) { return try body() } catch { throw .failed(error) }
  }

  private func lose(_ error: ClientError) -> ClientError {
    connection = nil
    return error
  }

  /// Reads up to the answer of request `id`, the oldest that has none.
  private func message(
    for id: Int, _ connection: LineConnection, _ deadline: MonotonicTime?,
    _ onRows: (([JSONNode]) throws -> Void)?
  ) throws -> JSONNode {
    var interrupts = 0
    while true {
      switch try Self.wrapping({ () throws(SystemError) in try connection.receive(until: deadline) }) {
      case .end: throw lose(.connectionLost(path: path, unanswered: unanswered))
      case .timedOut: throw lose(.timedOut(path: path))
      case .interrupted:
        takeInterrupt()
        interrupts += 1
        if interrupts > 1 { throw lose(.interrupted) }
        // The server that cannot be asked to stop is left alone: the connection goes.
        do { try cancel(id: id) } catch { throw lose(.interrupted) }
      case .line(let bytes):
        let node: JSONNode
        do { node = try reader.parse(bytes) } catch { throw lose(.protocolBroken("\(error)")) }
        if node["method"]?.string == "stream" {
          if let rows = node["params"]?["rows"]?.array { try onRows?(rows) }
          continue
        }
        if node["method"] != nil { continue }
        guard node["id"] == .int(id) else {
          // A null id answers a line the server could not read; ours are well formed.
          let found = node["error"]?["message"]?.string ?? "the answer to \(node["id"]?.text ?? "nothing")"
          throw lose(.protocolBroken("request \(id) was answered by: \(found)"))
        }
        unanswered -= 1
        return node
      }
    }
  }

  private static func answer(_ node: JSONNode) -> Result<Answer, Refusal> {
    if let error = node["error"], error != .null { return .failure(Refusal(error)) }
    return .success(Answer(result: node["result"] ?? .null, position: node["position"]?.int))
  }

  /// `{"jsonrpc":"2.0","id":1,"method":"…","params":…}` with what `options` ask for.
  private static func line(id: Int, method: String, params: [UInt8]?, _ options: CallOptions) -> [UInt8] {
    var line: [UInt8] = []
    line.reserveCapacity((params?.count ?? 0) + 128)
    line.append(contentsOf: "{\"jsonrpc\":\"2.0\",\"id\":\(id),\"method\":".utf8)
    JSONNode.writeString(method, to: &line)
    if let timeout = options.timeout {
      line.append(contentsOf: ",\"timeout_ms\":\(timeout.wholeNanoseconds / 1_000_000)".utf8)
    }
    if let key = options.key {
      line.append(contentsOf: ",\"key\":".utf8)
      JSONNode.writeString(key, to: &line)
    }
    if let position = options.minPosition { line.append(contentsOf: ",\"min_position\":\(position)".utf8) }
    if options.wantsMeta { line.append(contentsOf: ",\"meta\":true".utf8) }
    if options.wantsStream { line.append(contentsOf: ",\"stream\":true".utf8) }
    if let output = options.output {
      line.append(contentsOf: ",\"to\":\"fd\",\"format\":\"\(output.format.rawValue)\"".utf8)
    }
    if let params {
      line.append(contentsOf: ",\"params\":".utf8)
      line.append(contentsOf: params)
    }
    line.append(UInt8(ascii: "}"))
    return line
  }
}

/// Where the server's socket is.
package enum SocketPath {
  package static let variable = "LEDGERLINE_SOCKET"
  package static let standard = "./ledgerline-data/ledgerline.sock"

  /// The path of an option, else of the environment, else the standard one. Empty texts count as absent.
  package static func resolve(option: String?, environment: (String) -> String?) -> String {
    if let option, !option.isEmpty { return option }
    if let path = environment(variable), !path.isEmpty { return path }
    return standard
  }
}
