// Errors as they go over the wire: the codes of the protocol and what data tells beside the message.

/// An error answer. `members` follow `code` in `data`, each with its value as JSON text.
package struct WireError: Error, Sendable, Equatable {
  package struct Member: Sendable, Equatable {
    package let name: String
    /// JSON text of the value.
    package let json: String

    package init(_ name: String, json: String) {
      self.name = name
      self.json = json
    }

    package init(_ name: String, text: String) {
      var writer = JSONWriter(capacity: text.utf8.count + 16)
      writer.string(text)
      self.init(name, json: writer.text())
    }

    package init(_ name: String, texts: [String]) {
      var writer = JSONWriter(capacity: 256)
      writer.beginArray()
      for text in texts { writer.string(text) }
      writer.endArray()
      self.init(name, json: writer.text())
    }
  }

  /// The JSON-RPC code.
  package enum Code: Int, Sendable {
    case parseError = -32700
    case invalidRequest = -32600
    case methodNotFound = -32601
    case invalidParams = -32602
    case internalError = -32603
    case notFound = -32001
    case conflict = -32002
    case refused = -32003
    case busy = -32004
    case storage = -32005
    case forbidden = -32006
    case deadlineExceeded = -32007
    case cancelled = -32008
  }

  package var code: Code
  /// `data.code`: stable, for programs.
  package var dataCode: String
  /// For people; may improve.
  package var message: String
  package var members: [Member]

  package init(_ code: Code, _ dataCode: String, _ message: String, _ members: [Member] = []) {
    self.code = code
    self.dataCode = dataCode
    self.message = message
    self.members = members
  }
}

extension WireError {
  /// A queue or a memory bound is full; nothing has been done.
  package static func busy(_ what: String, retryAfter: Duration) -> WireError {
    let milliseconds = max(
      retryAfter.components.seconds * 1000
        + retryAfter.components.attoseconds / 1_000_000_000_000_000, 1)
    return WireError(.busy, "BUSY", what, [Member("retry_after_ms", json: String(milliseconds))])
  }

  /// The disk is full (`applied` false: nothing has been done) or failed (nil: it is not known).
  package static func storageFailed(_ what: String, isOutcomeKnown: Bool) -> WireError {
    WireError(
      .storage, "STORAGE_FAILED", what,
      [Member("outcome", text: isOutcomeKnown ? "not_applied" : "unknown")])
  }

  package static func forbidden(_ what: String) -> WireError { WireError(.forbidden, "FORBIDDEN", what) }

  package static let deadlineExceeded = WireError(
    .deadlineExceeded, "DEADLINE_EXCEEDED", "the time given by timeout_ms has passed")

  package static let cancelled = WireError(.cancelled, "CANCELLED", "cancelled")

  /// A bug of ours.
  package static func internalError(digest: String) -> WireError {
    WireError(
      .internalError, "GEN_INTERNAL", "internal error; the log names it by its digest",
      [Member("digest", text: digest)])
  }

  /// The line had more bytes than are accepted; it was read past.
  package static func lineTooLong(limit: Int) -> WireError {
    WireError(
      .invalidRequest, "INVALID_REQUEST", "the line is too long; at most \(limit) bytes are accepted",
      [Member("limit", json: String(limit))])
  }

  package static func invalidRequest(_ message: String) -> WireError {
    WireError(.invalidRequest, "INVALID_REQUEST", message)
  }

  /// Nothing has that name.
  package static func notFound(_ dataCode: String, _ message: String, _ members: [Member] = []) -> WireError {
    WireError(.notFound, dataCode, message, members)
  }

  /// The line is not what the JSON layer accepts.
  package init(_ fault: JSONFault) {
    switch fault {
    case .notJSON(let offset, _):
      self.init(
        .parseError, "PARSE_ERROR", fault.description, [Member("offset", json: String(offset))])
    case .duplicateKey(let name, let first, let second):
      self.init(
        .invalidParams, "GEN_VALIDATION_ERROR", fault.description,
        [
          Member("errors", texts: [fault.description]), Member("key", text: name),
          Member("offsets", json: "[\(first),\(second)]"),
        ])
    case .nestedTooDeep(let offset):
      self.init(
        .invalidParams, "GEN_VALIDATION_ERROR", fault.description,
        [Member("errors", texts: [fault.description]), Member("offset", json: String(offset))])
    }
  }
}
