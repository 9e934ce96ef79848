// `ledgerline serve`: the server, until SIGTERM or SIGINT.

import Platform
import Server
import Storage

enum ServeCommand {
  private static let longestLine = 1 << 10...1 << 30

  static let subcommand = Subcommand(
    name: "serve", summary: "Run the server until SIGTERM or Ctrl-C.",
    details: """
      Clients connect to the socket, which only this user may use, and send one JSON-RPC 2.0 message a line.
      Until the journal comes, what was written after the newest snapshot is lost when the server is killed;
      a clean stop takes a snapshot.

      Examples:
        ledgerline serve --data ./books
        ledgerline serve --data /var/lib/books --socket /run/books.sock --snapshot-every 5m
      """,
    options: [
      .init("data", value: .required("DIR"), help: "data directory (default: ./ledgerline-data)"),
      .init("socket", value: .required("PATH"), help: "socket path (default: DIR/ledgerline.sock)"),
      .init(
        "snapshot-every", value: .required("WHEN"),
        help: "take snapshots: a number of facts, a duration such as 30s, 5m, 1h, or off (default: 5m)"),
      .init("max-line", value: .required("BYTES"), help: "longest request line (default: 16777216)"),
      .init(
        "max-connections", value: .required("N"), help: "connections; one more is told BUSY (default 10000)"),
      .init("loops", value: .required("N"), help: "event loops, a thread each (default: 1)"),
      .init(
        "query-threads", value: .required("N"),
        help: "threads for long queries (default: processors less one, at least 1)"),
      .init("allow-uid", value: .required("UIDS"), help: "user ids that may connect too, comma-separated"),
      .init("read-only-uid", value: .required("UIDS"), help: "user ids that may only read, comma-separated"),
      .init("log-format", value: .required("text|json"), help: "one line an event on stderr (default: text)"),
    ]
  ) { options, _ in
    try options.atMost(0)
    let configuration = try configuration(options)
    Allocator.anchor()
    let log = ServerLog(format: configuration.logFormat, clock: SystemClock())
    do throws(SystemError) {
      _ = try CurrentProcess.raiseDescriptorLimit()
    } catch {
      log.log(.warning, "the descriptor limit was not raised", [("reason", error.description)])
    }
    let server: LedgerlineServer
    do throws(StartError) {
      server = try LedgerlineServer.start(configuration, handlesSignals: true, log: log)
    } catch {
      throw CommandFailure(.ownError, error.description)
    }
    return server.run() ? .ok : .ownError
  }

  static func configuration(_ options: CommandOptions) throws -> Configuration {
    var configuration = Configuration(dataDirectory: options.value("data") ?? "./ledgerline-data")
    configuration.socketPath = options.value("socket")
    configuration.longestLine = try options.number(
      "max-line", in: longestLine, default: configuration.longestLine)
    configuration.bounds.connections = try options.number(
      "max-connections", in: 1...1_000_000, default: configuration.bounds.connections)
    configuration.loopCount = try options.number("loops", in: 1...64, default: configuration.loopCount)
    configuration.queryThreadCount = try options.number(
      "query-threads", in: 1...64, default: configuration.queryThreadCount)
    configuration.allowedUsers = try users(options, "allow-uid")
    configuration.readOnlyUsers = try users(options, "read-only-uid")
    let every = options.value("snapshot-every") ?? "5m"
    guard let interval = SnapshotInterval(every) else {
      throw OptionError.notAllowed(
        option: "snapshot-every", found: every,
        allowed: ["a number of facts", "a duration such as 5m", "off"])
    }
    configuration.snapshotInterval = interval
    if let name = options.value("log-format") {
      guard let format = Configuration.LogFormat(rawValue: name) else {
        throw OptionError.notAllowed(
          option: "log-format", found: name, allowed: Configuration.LogFormat.allCases.map(\.rawValue))
      }
      configuration.logFormat = format
    }
    return configuration
  }

  private static func users(_ options: CommandOptions, _ option: String) throws -> Set<UInt32> {
    guard let text = options.value(option) else { return [] }
    var users: Set<UInt32> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let user = UInt32(part) else {
        throw OptionError.notAllowed(
          option: option, found: String(part), allowed: ["user ids, comma-separated"])
      }
      users.insert(user)
    }
    return users
  }
}
