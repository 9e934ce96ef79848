// From a subcommand's options to a client.

import LedgerlineClient
import Platform

enum ServerConnection {
  /// The options of every subcommand that talks to a server.
  static let options: [OptionSpecification] = [
    .socket,
    OptionSpecification(
      "server-uid", value: .required("UID"),
      help: "talk to a server that this user runs (default: you or root)"),
  ]

  static func path(_ options: CommandOptions, _ console: Console) -> String {
    SocketPath.resolve(option: options.value("socket"), environment: console.environment)
  }

  static func connect(
    _ options: CommandOptions, _ console: Console, interruptDescriptor: CInt? = nil
  ) throws -> Client {
    var userID: UInt32?
    if options.has("server-uid") {
      userID = UInt32(try options.number("server-uid", in: 0...Int(UInt32.max - 1), default: 0))
    }
    return try Client(
      path: path(options, console), allowedUserID: userID, interruptDescriptor: interruptDescriptor)
  }
}
