// `ledgerline demo`: a server, a million balances and transfers, every query, then a stop and a kill.

import LedgerlineClient
import Platform
import Samples

enum DemoCommand {
  static let subcommand = Subcommand(
    name: "demo",
    summary: "Start a server of its own, load a million balances, query, stop, kill, compare.",
    details: """
      Nothing but a temporary directory is touched ($TMPDIR, else /tmp), and it is removed at the end.

      Examples:
        ledgerline demo
        ledgerline demo --rows 100000 --transfers 50000
        ledgerline demo --keep
      """,
    options: [
      OptionSpecification("rows", value: .required("N"), help: "balances (default 1000000)"),
      OptionSpecification(
        "transfers", value: .required("N"), help: "transfers (default: as many as balances)"),
      OptionSpecification("keep", help: "keep the directory, and say how to serve it again"),
      .json,
    ]
  ) { options, console in
    try options.atMost(0)
    let rows = try options.number("rows", in: 100...100_000_000, default: 1_000_000)
    let transfers = try options.number("transfers", in: 0...1_000_000_000, default: rows)
    let demo = Demo(
      console, DemoBooks(balanceCount: rows, transferCount: transfers), keeps: options.has("keep"),
      asJSON: options.has("json"))
    return try demo.run()
  }
}

/// One run of the demo.
final class Demo {
  private static let batchSize = 8000
  private static let identityWindow = 1000
  private static let batchWindow = 3
  /// Transfers after the snapshot, so that a kill leaves the journal something to bring back.
  private static let laterTransferCount = 100_000

  private let console: Console
  private let books: DemoBooks
  private let requests: DemoRequests
  private let keeps: Bool
  private let asJSON: Bool
  private var timings: [(query: DemoQuery, rows: Int, total: String, time: Duration)] = []
  private var steps: [(name: String, count: Int, time: Duration)] = []

  init(_ console: Console, _ books: DemoBooks, keeps: Bool, asJSON: Bool) {
    self.console = console
    self.books = books
    requests = DemoRequests(books: books)
    self.keeps = keeps
    self.asJSON = asJSON
  }

  func run() throws -> ExitCode {
    let start = console.clock.monotonicTime()
    let directory = try makeDirectory()
    let program = CommandLine.arguments.first ?? "ledgerline"
    try heading(
      "Ledgerline demo: " + counted(books.balanceCount, "balance") + ", "
        + counted(books.transferCount, "transfer")
    )
    try say("a server of its own on \(directory); every write is synced before it is answered")
    var server = try DemoServer(program: program, directory: directory)
    let beforeStop = try watching(server) { client in
      try load(client)
      try ask(client)
      try heading("Snapshot, stop, start, compare")
      let figures = try DemoProof.figures(client, books)
      try step("Snapshot", 1) {
        _ = try client.call("snapshots.create", .object([.init("wait", .bool(true))]))
      }
      return figures
    }
    try step("Stop (SIGTERM)", 1) {
      let code = try server.stop(keepsDirectory: true)
      guard code == 0 else { throw CommandFailure(.ownError, "the server ended with code \(code)") }
    }
    server = try DemoServer(program: program, directory: directory)
    let later = books.transferCount..<books.transferCount + min(Self.laterTransferCount, books.transferCount)
    let (isSameAfterStop, beforeKill) = try afterStart(server, beforeStop, until: "stop") { client in
      try heading("More transfers, kill, start, compare")
      try sendTransfers(later, client)
      return try DemoProof.figures(client, books)
    }
    try step("Kill (SIGKILL)", 1) { try server.kill() }
    server = try DemoServer(program: program, directory: directory)
    let (isSameAfterKill, _) = try afterStart(server, beforeKill, until: "kill") { _ in }
    _ = try server.stop(keepsDirectory: keeps)
    try close(isSameAfterStop, isSameAfterKill, directory, console.clock.monotonicTime() - start)
    return isSameAfterStop && isSameAfterKill ? .ok : .ownError
  }

  /// Waits for a server that starts again and compares its figures with those before; then runs `body`.
  private func afterStart<Value>(
    _ server: borrowing DemoServer, _ before: [DemoFigure], until end: String,
    _ body: (Client) throws -> Value
  ) throws -> (isSame: Bool, Value) {
    let restart = console.clock.monotonicTime()
    return try watching(server) { client in
      try finish("Start after the \(end)", 1, console.clock.monotonicTime() - restart)
      let after = try DemoProof.figures(client, books)
      try show(DemoProof.grid(before, after, until: end, console.box))
      return (before == after, try body(client))
    }
  }

  /// Connects and runs `body`. When the server ends under it, the failure tells the server's last words.
  private func watching<Value>(
    _ server: borrowing DemoServer, _ body: (Client) throws -> Value
  ) throws -> Value {
    do {
      return try body(try server.connect(atMost: .seconds(120)))
    } catch let error as ClientError {
      guard case .connectionLost = error else { throw error }
      throw CommandFailure(.noConnection, "\(error.text); its log ends with: \(server.lastLogLine)")
    }
  }

  private func makeDirectory() throws -> String {
    let base = console.environment("TMPDIR").flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    let name = "ledgerline-demo-" + String(KernelRandom.word() >> 24, radix: 36)
    return try DataDirectory(creating: base + (base.hasSuffix("/") ? "" : "/") + name).path
  }

  // MARK: Loading

  private func load(_ client: Client) throws {
    try heading("Loading")
    try send("Ledgers", "ledgers", DemoBooks.ledgerCount, client, window: 100, perRequest: 1) {
      self.requests.ledger($0.lowerBound)
    }
    try send(
      "Identities", "identities", books.identityCount, client, window: Self.identityWindow, perRequest: 1
    ) {
      self.requests.identity($0.lowerBound)
    }
    try send(
      "Balances", "balances", books.balanceCount, client, window: Self.batchWindow, perRequest: Self.batchSize
    ) {
      self.requests.balances($0)
    }
    try sendTransfers(0..<books.transferCount, client)
  }

  private func sendTransfers(_ indices: Range<Int>, _ client: Client) throws {
    let first = indices.lowerBound
    try send(
      "Transfers", "transfers", indices.count, client, window: Self.batchWindow, perRequest: Self.batchSize
    ) { self.requests.transfers(first + $0.lowerBound..<first + $0.upperBound) }
  }

  private func send(
    _ label: String, _ noun: String, _ count: Int, _ client: Client, window: Int, perRequest: Int,
    _ make: (Range<Int>) -> DemoRequest
  ) throws {
    let padded = TextWidth.pad(label, columns: 10)
    let display = ProgressDisplay(console, label: padded, noun: noun, total: count, isQuiet: asJSON)
    var next = 0
    var done = 0
    var refused = 0
    try client.pipeline(
      window: window,
      next: {
        guard next < count else { return nil }
        let end = min(count, next + perRequest)
        defer { next = end }
        let request = make(next..<end)
        return PipelinedRequest(request.method, params: request.params)
      },
      answered: { index, answer in
        let result = try answer.get().result
        refused +=
          (result["errors"]?.array?.count ?? 0)
          + (result["results"]?.array?.count { $0["error"] != nil } ?? 0)
        done = min(count, (index + 1) * perRequest)
        try display.update(done)
      })
    guard refused == 0 else {
      try display.clear()
      throw CommandFailure(.partly, "\(counted(refused, noun)) were refused; none should be")
    }
    steps.append((label, count, display.elapsed))
    try display.finish(done)
  }

  // MARK: Asking

  private func ask(_ client: Client) throws {
    try heading("Every query of the list page")
    for query in DemoQueries.list(books) { try ask(client, query) }
    try heading("Every query of the filter page")
    for query in DemoQueries.filter(books) { try ask(client, query) }
    try heading("All queries")
    var grid = Grid(columns: [
      Grid.Column("query", .text), Grid.Column("rows", .amount), Grid.Column("total_count", .amount),
      Grid.Column("time", .number),
    ])
    for timing in timings {
      grid.append([
        .text(timing.query.title), .text(String(timing.rows)),
        timing.total.isEmpty ? .absent : .text(timing.total),
        .text(readable(timing.time)),
      ])
    }
    try show(grid)
  }

  private func ask(_ client: Client, _ query: DemoQuery) throws {
    let params: JSONNode
    do { params = try JSONNode.parse(query.params) } catch {
      preconditionFailure("the demo's own params are JSON: \(error)")
    }
    if !asJSON {
      try console.print("")
      try console.print(
        console.paint(.bold, query.title) + "  "
          + console.paint(
            .dim,
            TextWidth.elideEnd(
              "\(query.method) \(query.params)",
              columns: max(20, console.width - TextWidth.of(query.title) - 2), mark: console.box.ellipsis)))
    }
    let start = console.clock.monotonicTime()
    do {
      let result = try client.call(query.method, params).result
      let elapsed = console.clock.monotonicTime() - start
      guard !query.isRefusal else { throw CommandFailure(.ownError, "\(query.title): it was not refused") }
      guard let rows = ResultRows(result) else { throw CommandFailure(.ownError, "\(query.title): no rows") }
      timings.append((query, rows.rows.count, rows.totalCount.map { String($0) } ?? "", elapsed))
      if !asJSON {
        try console.output.write(console.table(rowLimit: 6).render(rows.grid, total: rows.totalCount))
        try console.print(console.paint(.dim, "Time: \(readable(elapsed))"))
      }
    } catch let refusal as Refusal {
      guard query.isRefusal else { throw CommandFailure(.refused, "\(query.title): \(refusal.message)") }
      if !asJSON { try console.print(console.paint(.red, "refused: ") + refusal.message) }
    }
  }

  // MARK: Showing

  private func heading(_ text: String) throws {
    guard !asJSON else { return }
    let line = console.box.horizontal + console.box.horizontal + " " + text + " "
    let fill = max(0, min(console.width, 100) - TextWidth.of(line))
    try console.print("")
    try console.print(console.paint(.boldCyan, line + String(repeating: console.box.horizontal, count: fill)))
    try console.output.flush()
  }

  private func say(_ text: String) throws {
    if !asJSON { try console.print(console.paint(.dim, text)) }
    try console.output.flush()
  }

  private func show(_ grid: Grid) throws {
    guard !asJSON else { return }
    var table = console.table(rowLimit: 0)
    table.showsFooter = false
    try console.output.write(table.render(grid))
    try console.output.flush()
  }

  private func step(_ name: String, _ count: Int, _ body: () throws -> Void) throws {
    let start = console.clock.monotonicTime()
    try body()
    try finish(name, count, console.clock.monotonicTime() - start)
  }

  private func finish(_ name: String, _ count: Int, _ elapsed: Duration) throws {
    steps.append((name, count, elapsed))
    if !asJSON {
      try console.print(console.paint(.green, console.box.tick) + " \(name)  \(readable(elapsed))")
    }
    try console.output.flush()
  }

  private func close(
    _ isSameAfterStop: Bool, _ isSameAfterKill: Bool, _ directory: String, _ elapsed: Duration
  ) throws {
    if asJSON { return try console.print(report(isSameAfterStop, isSameAfterKill, elapsed).text) }
    let isSame = isSameAfterStop && isSameAfterKill
    try console.print("")
    try console.print(
      isSame
        ? console.paint(.green, console.box.tick)
          + " Everything is back after the stop and after the kill. \(readable(elapsed)) in all."
        : console.paint(.red, console.box.cross)
          + " The books differ after the \(isSameAfterStop ? "kill" : "stop").")
    if keeps { try console.print("Serve it again: ledgerline serve --data \(directory)/data") }
  }

  private func report(_ isSameAfterStop: Bool, _ isSameAfterKill: Bool, _ elapsed: Duration) -> JSONNode {
    func number(_ duration: Duration) -> JSONNode { .number(fixed(seconds(duration), 6)) }
    return .object([
      .init("balances", .int(books.balanceCount)), .init("transfers", .int(books.transferCount)),
      .init(
        "steps",
        .array(
          steps.map {
            .object([
              .init("name", .string($0.name)), .init("count", .int($0.count)),
              .init("seconds", number($0.time)),
            ])
          })),
      .init(
        "queries",
        .array(
          timings.map {
            .object([
              .init("title", .string($0.query.title)), .init("rows", .int($0.rows)),
              .init("total_count", Int($0.total).map { .int($0) } ?? .null),
              .init("seconds", number($0.time)),
            ])
          })),
      .init("same_after_stop", .bool(isSameAfterStop)), .init("same_after_kill", .bool(isSameAfterKill)),
      .init("seconds", number(elapsed)),
    ])
  }
}
