// How the program ends: exit codes, and which failure leads to which.

import LedgerlineClient
import Platform

package enum ExitCode: Int32, Sendable {
  case ok = 0
  /// A wrong option, an unreadable file, an interruption: this side.
  case ownError = 1
  /// No server, or the connection was lost.
  case noConnection = 2
  /// The server refused.
  case refused = 3
  /// Some of it was done and some was not.
  case partly = 4
  /// The server's journal could not be written or synced: what was acknowledged is safe, and the next start
  /// says what became of the rest.
  case journalFailed = 5
}

/// A failure that ends a subcommand: one line for the person, and the exit code.
package struct CommandFailure: Error, Equatable {
  package let exit: ExitCode
  package let text: String
  /// The server's error object, where there is one.
  package let refusal: Refusal?

  package init(_ exit: ExitCode, _ text: String, refusal: Refusal? = nil) {
    self.exit = exit
    self.text = text
    self.refusal = refusal
  }

  /// What any error of the modules below means to the person.
  package init(_ error: any Error) {
    switch error {
    case let failure as CommandFailure:
      self = failure
    case let error as OptionError:
      self.init(.ownError, error.text)
    case let refusal as Refusal:
      self.init(.refused, refusal.message, refusal: refusal)
    case let error as ClientError:
      self.init(client: error)
    case let error as ShellSyntaxError:
      self.init(.ownError, error.text)
    default:
      self.init(.ownError, "\(error)")
    }
  }

  private init(client error: ClientError) {
    switch error {
    case .refused(let refusal): self.init(refusal)
    case .cannotConnect, .connectionLost, .strangerListens, .timedOut: self.init(.noConnection, error.text)
    case .interrupted, .protocolBroken, .failed: self.init(.ownError, error.text)
    }
  }

  /// The failure as one JSON object, for `--json`.
  package var node: JSONNode {
    if let refusal { return .object([.init("error", refusal.node)]) }
    return .object([
      .init(
        "error", .object([.init("exit_code", .int(Int(exit.rawValue))), .init("message", .string(text))]))
    ])
  }
}
