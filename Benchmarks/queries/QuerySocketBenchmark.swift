// The comparison's questions through the Unix socket of a real server: a line out, its answer's last byte in.

import Columns
import Ledger
import LedgerlineClient
import Platform
import Samples
import Server
import Storage

/// Loads the demo's balances and transfers through the socket, as the demo does, and asks every shape on one
/// connection, one at a time. Server and client are threads of one process.
enum QuerySocketBenchmark {
  static func run(_ options: QueryOptions) throws {
    let directory = try DataDirectory(creating: options.exportDirectory ?? temporaryDirectory())
    var configuration = Configuration(dataDirectory: directory.path(of: "server-data"))
    configuration.socketPath = directory.path(of: "queries.sock")
    configuration.journal.durability = .none
    let log = ServerLog(format: .text, clock: SystemClock()) { _ in }
    let server = try LedgerlineServer.start(configuration, log: log)
    let thread = try Thread(name: "server") { _ = server.run() }
    defer {
      server.stop()
      thread.join()
      try? directory.directory("server-data").removeWithContents()
      if options.exportDirectory == nil { try? directory.removeWithContents() }
    }
    let clock = SystemClock()
    let start = clock.monotonicTime()
    let demo = DemoBooks(balanceCount: options.balanceCount, transferCount: options.balanceCount)
    try load(demo, world: try world(options.balanceCount), try Client(path: server.socketPath))
    let elapsed = (clock.monotonicTime() - start).wholeNanoseconds / 1_000_000
    print("queries through the socket: \(options.balanceCount) balances loaded in \(elapsed) ms")
    let figures = try ask(options.shapes(demo), options, server.socketPath)
    QueryReport.print(figures, Throughput())
    if let path = options.jsonPath {
      let report = JSONNode.object([
        .init("engine", .string("ledgerline")), .init("scope", .string("through the socket")),
        .init("rows", .int(options.balanceCount)), .init("shapes", .array(figures.map(QueryReport.json))),
      ])
      try FileReplacement.replace(path, with: Array(report.prettyText.utf8))
    }
  }

  private static func temporaryDirectory() -> String {
    let base = CurrentProcess.environment("TMPDIR") ?? "/tmp"
    return PathName.join(base, "ledgerline-queries-" + String(KernelRandom.word() >> 24, radix: 36))
  }

  /// The balances of the world as they are in process and in the exported file, as params of
  /// `balances.create_many`: left to the server they would have identifiers and times of their own.
  private static func world(_ balanceCount: Int) throws -> String {
    let books = try ComparedBooks(balanceCount: balanceCount).books
    let items = (balanceCount..<books.counts.balances).map { number in
      let row = RowIndex(number)
      let currency = books.currencies.text(of: books.balances.currencies[row]) ?? ""
      let created = DemoTime.text(Int(books.balances.createdAt[row]) / 1000)
      return #"{"balance_id":"\#(books.balances.identifiers[row].text(kind: .balance))","#
        + #""ledger_id":"\#(DemoBooks.generalLedger)","indicator":"\#(DemoBooks.world)","#
        + #""currency":"\#(currency)","created_at":"\#(created)"}"#
    }
    return #"{"balances":["# + items.joined(separator: ",") + "]}"
  }

  private static func load(_ demo: DemoBooks, world: String, _ client: Client) throws {
    let requests = DemoRequests(books: demo)
    try send(DemoBooks.ledgerCount, 1, client) { requests.ledger($0.lowerBound) }
    try send(demo.identityCount, 1, client) { requests.identity($0.lowerBound) }
    try send(demo.balanceCount, 8000, client) { requests.balances($0) }
    _ = try client.call(PipelinedRequest("balances.create_many", params: Array(world.utf8)))
    try send(demo.transferCount, 8000, client) { requests.transfers($0) }
  }

  private static func send(
    _ count: Int, _ perRequest: Int, _ client: Client, _ make: (Range<Int>) -> DemoRequest
  ) throws {
    var next = 0
    try client.pipeline(
      window: perRequest == 1 ? 1000 : 3,
      next: {
        guard next < count else { return nil }
        let end = min(count, next + perRequest)
        defer { next = end }
        let request = make(next..<end)
        return PipelinedRequest(request.method, params: request.params)
      }, answered: { _, answer in _ = try answer.get() })
  }

  private static func ask(
    _ shapes: [QueryShape], _ options: QueryOptions, _ path: String
  ) throws -> [ShapeFigure] {
    var client = try SocketClient(path: path)
    var figures: [ShapeFigure] = []
    for shape in shapes {
      var lines = [shape.line]
      if shape.method == QueryShapes.oneByOne {
        lines = try ComparedAnswer.requests(shape).map { #"{"id":1,"method":"\#($0)","params":\#($1)}"# }
      }
      let answers = try lines.map { try client.call($0) }
      if let failed = answers.first(where: { $0.contains(#""error":{"#) }) {
        print("  \(shape.name) \(shape.title): left out: \(failed.prefix(200))")
        continue
      }
      let requests = lines.map { Array(($0 + "\n").utf8) }
      let timing = try ShapeTiming.measure(limit: options.limit) {
        for request in requests { try client.exchange(request, count: 1) }
      }
      let text = answers.joined(separator: "\n")
      figures.append(
        ShapeFigure(
          shape: shape, alone: timing, answer: try ComparedAnswer(text), byteCount: text.utf8.count))
    }
    return figures
  }
}
