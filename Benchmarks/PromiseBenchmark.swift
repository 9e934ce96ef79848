// What the promise costs: transfers through the socket with `--durability always` beside `none`, and beside
// the bare sync of one block on the same disk.

import Platform
import Server
import Storage
import Wire

/// One run for each durability, each in a fresh directory below $LEDGERLINE_BENCHMARK_DIR (default /tmp).
struct PromiseBenchmark {
  private static let balanceCount = 10_000
  /// Requests that may be on their way when one client has many.
  private static let window = 64

  private let scale: Scale
  private let root: String

  static func run(_ scale: Scale) throws {
    let base = CurrentProcess.environment("LEDGERLINE_BENCHMARK_DIR") ?? "/tmp"
    let directory = try DataDirectory(creating: "\(base)/ledgerline-durable-\(CurrentProcess.id)")
    defer { try? directory.removeWithContents() }
    let bare = try BareSync.measure(scale(4000), in: directory)
    print(line("bare write and sync of 4 KiB", bare, count: scale(4000)))
    let benchmark = PromiseBenchmark(scale: scale, root: directory.path)
    // Turn and turn about, and the best of each: whatever else the machine does hits both.
    var best: [String: [String: Double]] = [:]
    for turn in 0..<2 {
      for durability in [Durability.none, .always] {
        for (name, rate) in try benchmark.measure(durability, turn) {
          best["\(durability)", default: [:]][name] = max(best["\(durability)"]?[name] ?? 0, rate)
        }
      }
    }
    for (name, rate) in (best["none"] ?? [:]).sorted(by: { $0.key < $1.key }) {
      guard let other = best["always"]?[name] else { continue }
      print(pad("  \(name): always / none", 56) + fixed(other / rate))
    }
  }

  private static func line(_ name: String, _ timings: Timings, count: Int) -> String {
    [
      pad(name, 44), pad(grouped(Int(Double(count) / timings.totalSeconds)) + "/s", 14),
      pad("p50 " + fixed(timings.quantile(0.5)) + " µs", 18), "p99 " + fixed(timings.quantile(0.99)) + " µs",
    ].joined(separator: " ")
  }

  /// - Returns: operations a second, by name.
  private func measure(_ durability: Durability, _ turn: Int) throws -> [(String, Double)] {
    var configuration = Configuration(dataDirectory: "\(root)/\(durability)-\(turn)")
    configuration.socketPath = "\(root)/\(durability)-\(turn).sock"
    configuration.queryThreadCount = 1
    configuration.journal.durability = durability
    let log = ServerLog(format: .text, clock: SystemClock()) { _ in }
    let server = try LedgerlineServer.start(configuration, log: log)
    let thread = try Thread(name: "server") { _ = server.run() }
    defer {
      server.stop()
      thread.join()
    }
    var client = try SocketClient(path: server.socketPath)
    try load(&client)
    var rates: [(String, Double)] = []
    func note(_ name: String, _ timings: Timings, _ count: Int, _ seconds: Double? = nil) {
      print(
        Self.line("\(durability): \(name)", timings, count: count) + (client.errorCount > 0 ? " ERRORS" : ""))
      rates.append((name, Double(count) / (seconds ?? timings.totalSeconds)))
    }
    let singles = scale(10_000)
    note("one at a time", try one(&client, singles), singles)
    let windowed = scale(300_000)
    let (timings, seconds) = try sliding(&client, windowed)
    note("\(Self.window) in flight, answers read together", timings, windowed, seconds)
    for size in [100, 1000, 8000] {
      let rounds = scale(size == 8000 ? 60 : 300)
      note("batches of \(size)", try batches(&client, size, rounds), size * rounds)
    }
    let stats = try client.call(#"{"id":1,"method":"server.stats"}"#)
    if let start = stats.range(ofText: "\"journal\":{"), let end = stats[start...].firstIndex(of: "}") {
      print("    " + stats[start..<end])
    }
    return rates
  }

  private func load(_ client: inout SocketClient) throws {
    _ = try client.call(#"{"id":1,"method":"ledgers.create","params":{"ledger_id":"ldg_1","name":"L"}}"#)
    var made = 0
    while made < Self.balanceCount {
      let items = (made..<made + 1000).map {
        #"{"ledger_id":"ldg_1","currency":"USD","balance_id":"\#(SocketBenchmark.balance($0))"}"#
      }
      _ = try client.call(
        #"{"id":1,"method":"balances.create_many","params":{"balances":[\#(items.joined(separator: ","))]}}"#)
      made += items.count
    }
  }

  private func transfer(_ kind: String, _ number: Int) -> String {
    let mixed = UInt64(truncatingIfNeeded: number) &* 0x9E37_79B9_7F4A_7C15
    let source = Int(mixed >> 40) % Self.balanceCount
    let destination = (source + 1 + Int(mixed >> 20 & 0xFFF)) % Self.balanceCount
    return #"{"source":"\#(SocketBenchmark.balance(source))","#
      + #""destination":"\#(SocketBenchmark.balance(destination))","currency":"USD","#
      + #""precise_amount":"\#(number % 1000 + 1)","reference":"\#(kind)-\#(number)","allow_overdraft":true}"#
  }

  private func request(_ kind: String, _ number: Int) -> [UInt8] {
    Array(
      (#"{"id":\#(number),"method":"transactions.create","params":\#(transfer(kind, number))}"# + "\n").utf8)
  }

  private func one(_ client: inout SocketClient, _ count: Int) throws -> Timings {
    var timings = Timings()
    for number in 0..<count {
      let bytes = request("one", number)
      try timings.time { try client.exchange(bytes, count: 1) }
    }
    return timings
  }

  /// Keeps a window of requests on their way: as many new ones are sent as answers have come.
  /// - Returns: the times between two reads, and the seconds in all.
  private func sliding(_ client: inout SocketClient, _ count: Int) throws -> (Timings, Double) {
    var lines: [UInt8] = []
    var ends = [0]
    for number in 0..<count {
      lines += request("many", number)
      ends.append(lines.count)
    }
    var timings = Timings()
    let clock = SystemClock()
    let start = clock.monotonicTime()
    var sent = min(Self.window, count)
    var done = 0
    try client.send(lines[0..<ends[sent]])
    while done < count {
      try timings.time {
        let came = try client.receive()
        done += came
        let next = min(count, sent + came)
        if next > sent { try client.send(lines[ends[sent]..<ends[next]]) }
        sent = next
      }
    }
    return (timings, Double((clock.monotonicTime() - start).wholeNanoseconds) / 1e9)
  }

  private func batches(_ client: inout SocketClient, _ size: Int, _ rounds: Int) throws -> Timings {
    var timings = Timings()
    for round in 0..<rounds {
      let items = (0..<size).map { transfer("batch\(size)", round * size + $0) }
      let line =
        #"{"id":1,"method":"transactions.create_many","params":{"atomic":true,"return":"none","#
        + #""transactions":[\#(items.joined(separator: ","))]}}"# + "\n"
      let bytes = Array(line.utf8)
      try timings.time { try client.exchange(bytes, count: 1) }
    }
    return timings
  }
}
