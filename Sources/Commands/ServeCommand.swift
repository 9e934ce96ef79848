// `ledgerline serve`: the server, until SIGTERM or SIGINT.

import Platform
import Server
import Storage

enum ServeCommand {
  private static let longestLine = 1 << 10...1 << 30
  private static let segmentSizes = 64 << 10...1 << 34

  static let subcommand = Subcommand(
    name: "serve", summary: "Run the server until SIGTERM or Ctrl-C.",
    details: """
      Clients connect to the socket, which only this user may use, and send one JSON-RPC 2.0 message a line.
      A write is answered when it is on the disk: a crash loses nothing that was answered. With --durability
      interval=MS a crash may lose the last MS milliseconds, with none what the kernel had not written yet.
      When the disk is full, writes are refused and reads go on. When it fails, the server ends with code 5.

      Examples:
        ledgerline serve --data ./books
        ledgerline serve --data /var/lib/books --socket /run/books.sock --snapshot-every 5m
        ledgerline serve --data ./books --durability interval=20
      """,
    options: [
      .init("data", value: .required("DIR"), help: "data directory (default: ./ledgerline-data)"),
      .init("socket", value: .required("PATH"), help: "socket path (default: DIR/ledgerline.sock)"),
      .init(
        "durability", value: .required("MODE"),
        help: "always, interval=MS or none: when it is on disk (default: always, before the answer)"),
      .init(
        "min-free", value: .required("BYTES"),
        help: "bytes of the disk that are left free; writes are refused before (default: 33554432)"),
      .init(
        "segment-size", value: .required("BYTES"),
        help: "largest file of the journal; the first are smaller (default: 67108864)"),
      .init(
        "recover-to", value: .required("POSITION"),
        help: "leave out what the journal holds after this position; it is set aside"),
      .init(
        "snapshot-every", value: .required("WHEN"),
        help: "take snapshots: a number of facts, a duration such as 30s, 5m, 1h, or off (default: 5m)"),
      .init("max-line", value: .required("BYTES"), help: "longest request line (default: 16777216)"),
      .init(
        "max-connections", value: .required("N"), help: "connections; one more is told BUSY (default 10000)"),
      .init("loops", value: .required("N"), help: "event loops, a thread each (default: 1)"),
      .init(
        "query-threads", value: .required("N"),
        help: "threads for long queries (default: processors, at least 2)"),
      .init("allow-uid", value: .required("UIDS"), help: "user ids that may connect too, comma-separated"),
      .init("read-only-uid", value: .required("UIDS"), help: "user ids that may only read, comma-separated"),
      .init("log-format", value: .required("text|json"), help: "one line an event on stderr (default: text)"),
    ]
  ) { options, console in
    try options.atMost(0)
    var configuration = try configuration(options)
    Allocator.anchor()
    let log = ServerLog(format: configuration.logFormat, clock: SystemClock())
    do throws(SystemError) {
      _ = try CurrentProcess.raiseDescriptorLimit()
    } catch {
      log.log(.warning, "the descriptor limit was not raised", [("reason", error.description)])
    }
    let display = StartDisplay(console, log)
    configuration.onRecovery = { display.show($0) }
    let server: LedgerlineServer
    do throws(StartError) {
      defer { display.finish() }
      server = try LedgerlineServer.start(configuration, handlesSignals: true, log: log)
    } catch {
      throw CommandFailure(.ownError, error.description)
    }
    return switch server.run() {
    case .saved: .ok
    case .withoutSnapshot: .ownError
    case .journalFailed: .journalFailed
    }
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
    if let text = options.value("durability") {
      guard let durability = Durability(text) else {
        throw OptionError.notAllowed(
          option: "durability", found: text, allowed: ["always", "interval=MS (1 to 3600000)", "none"])
      }
      configuration.journal.durability = durability
    }
    configuration.journal.minimumFreeByteCount = try options.number(
      "min-free", in: 0...1 << 50, default: configuration.journal.minimumFreeByteCount)
    configuration.journal.limitSegments(
      to: try options.number(
        "segment-size", in: segmentSizes, default: configuration.journal.segmentByteCount))
    if options.has("recover-to") {
      configuration.recoverTo = UInt64(try options.number("recover-to", in: 1...Int.max, default: 1))
    }
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
