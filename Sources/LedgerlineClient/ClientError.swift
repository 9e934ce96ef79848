// Why a request came to nothing, on the client's side or by the server's word.

import Platform

/// What the server answered in place of a result.
package struct Refusal: Error, Equatable, Sendable {
  /// The JSON-RPC code, for example -32602.
  package let code: Int
  package let message: String
  /// The `data` member, with the stable code and the figures; nil when there is none.
  package let details: JSONNode?

  package init(code: Int, message: String, details: JSONNode? = nil) {
    self.code = code
    self.message = message
    self.details = details
  }

  /// Reads the `error` member of an answer.
  init(_ node: JSONNode) {
    code = node["code"]?.int ?? 0
    message = node["message"]?.string ?? ""
    details = node["data"]
  }

  /// The stable code, for example `TXN_INSUFFICIENT_FUNDS`.
  package var name: String? { details?["code"]?.string }

  /// The error object as the server sent it.
  package var node: JSONNode {
    var members: [JSONNode.Member] = [.init("code", .int(code)), .init("message", .string(message))]
    if let details { members.append(.init("data", details)) }
    return .object(members)
  }

  package static let busyCode = -32004
}

package enum ClientError: Error, Equatable, Sendable {
  /// No connection could be made, or it was lost and the outcome of what was asked is unknown.
  case cannotConnect(SocketError)
  case connectionLost(path: String, unanswered: Int)
  /// A user other than this one, root or `allowed` listens on the path.
  case strangerListens(path: String, userID: UInt32)
  case timedOut(path: String)
  /// The person broke it off; the connection is of no use any more.
  case interrupted
  /// The other end does not keep to the protocol.
  case protocolBroken(String)
  case failed(SystemError)
  case refused(Refusal)

  package var text: String {
    switch self {
    case .cannotConnect(let error): error.description
    case .connectionLost(let path, 0): "the server on \"\(path)\" closed the connection"
    case .connectionLost(let path, let count):
      "the server on \"\(path)\" closed the connection, \(count) request\(count == 1 ? "" : "s") unanswered"
    case .strangerListens(let path, let userID):
      "user \(userID) listens on \"\(path)\": neither you nor root; name it with --server-uid \(userID) "
        + "if that is the server's user"
    case .timedOut(let path): "the server on \"\(path)\" did not answer in time"
    case .interrupted: "interrupted"
    case .protocolBroken(let what): "the server does not keep to the protocol: \(what)"
    case .failed(let error): error.description
    case .refused(let refusal): refusal.message
    }
  }
}
