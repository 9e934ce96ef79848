// Through the socket: reads by key, single transfers, batches, bulk load and the shapes of the filter page.

import Platform
import Server
import Storage
import Wire

/// The server on a thread of this process, the client on another, as on the two cores of a small machine.
/// What the processor costs: `--durability none`, or what LEDGERLINE_BENCHMARK_DURABILITY says.
/// Redis beside it in the same run, where its programs are installed.
struct SocketBenchmark {
  let scale: Scale
  let balanceCount: Int

  static func run(_ scale: Scale) throws {
    try SocketBenchmark(scale: scale, balanceCount: scale(1_000_000)).measure()
  }

  private func measure() throws {
    let directory = try DataDirectory(creating: "/tmp/ledgerline-bench-\(CurrentProcess.id)")
    defer { try? directory.removeWithContents() }
    var configuration = Configuration(dataDirectory: directory.path(of: "data"))
    configuration.socketPath = directory.path(of: "ledgerline.sock")
    configuration.queryThreadCount = 1
    let durability = CurrentProcess.environment("LEDGERLINE_BENCHMARK_DURABILITY").flatMap { Durability($0) }
    configuration.journal.durability = durability ?? Durability.none
    let log = ServerLog(format: .text, clock: SystemClock()) { _ in }
    let server = try LedgerlineServer.start(configuration, log: log)
    let thread = try Thread(name: "server") { _ = server.run() }
    defer {
      server.stop()
      thread.join()
    }
    var client = try SocketClient(path: server.socketPath)
    try load(&client)
    try memory(&client)
    for depth in [1, 100] { try gets(&client, depth: depth) }
    for depth in [1, 100] { try transfers(&client, depth: depth) }
    try batches(&client)
    try shapes(&client)
    try RedisPeer.run(scale, directory: directory.path)
    if client.errorCount > 0 { throw ClientFailure.answeredWithErrors }
  }

  // MARK: Rows

  /// Prints a line; its digest is of the balances as they stand then, because identifiers and times differ
  /// from run to run.
  private func report(
    _ name: String, operations: Int, _ timings: Timings, _ client: inout SocketClient
  ) throws {
    let rate = Double(operations) / timings.totalSeconds
    let figures = [
      pad(name, 34), pad(grouped(Int(rate)) + "/s", 14),
      pad("p50 " + fixed(timings.quantile(0.5)) + " µs", 18),
      pad("p99 " + fixed(timings.quantile(0.99)) + " µs", 18),
      "digest " + String(try stateDigest(&client), radix: 16),
    ]
    print(figures.joined(separator: " ") + (client.errorCount > 0 ? "  ERRORS \(client.errorCount)" : ""))
  }

  /// XXH3 of the thousand greatest balances.
  private func stateDigest(_ client: inout SocketClient) throws -> UInt64 {
    let fields = #"["balance_id","currency","balance","credit_balance","debit_balance","version"]"#
    let page = #"{"filters":[],"sort_by":"balance","limit":1000,"fields":\#(fields)}"#
    return Checksum.xxh3(
      Array(try client.call(#"{"id":1,"method":"balances.filter","params":\#(page)}"#).utf8))
  }

  private func load(_ client: inout SocketClient) throws {
    let names = ["USD", "EUR", "GBP", "NGN", "KES", "GHS", "ZAR", "JPY", "INR", "BRL", "CAD", "XAF"]
    for number in 0..<100 {
      _ = try client.call(
        #"{"id":1,"method":"ledgers.create","params":{"ledger_id":"ldg_\#(number)","#
          + #""name":"Ledger \#(number)"}}"#
      )
    }
    let batch = 8000
    var timings = Timings()
    var made = 0
    while made < balanceCount {
      let count = min(batch, balanceCount - made)
      var line =
        #"{"id":1,"method":"balances.create_many","params":{"atomic":false,"balances":["#
      for index in made..<made + count {
        if index > made { line += "," }
        let currency = names[Int(Self.mixed(UInt64(index)) % 12)]
        let ledger = Self.mixed(UInt64(index) &+ 7) % 100
        line +=
          #"{"ledger_id":"ldg_\#(ledger)","currency":"\#(currency)","balance_id":"\#(Self.balance(index))"}"#
      }
      line += "]}}\n"
      let bytes = Array(line.utf8)
      try timings.time { try client.exchange(bytes, count: 1) }
      made += count
    }
    try report("load \(grouped(made)) balances by 8,000", operations: made, timings, &client)
    print("    in all " + fixed(timings.totalSeconds) + " s")
  }

  /// A UUID of version 7 made from the number, so that loading needs no answer.
  static func balance(_ index: Int) -> String {
    let digits = String(index, radix: 16)
    return "bln_01890000-0000-7000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
  }

  private static func mixed(_ value: UInt64) -> UInt64 {
    var word = value &* 0x9E37_79B9_7F4A_7C15
    word ^= word >> 29
    word &*= 0xBF58_476D_1CE4_E5B9
    return word ^ word >> 32
  }

  private func currency(_ index: Int) -> String {
    ["USD", "EUR", "GBP", "NGN", "KES", "GHS", "ZAR", "JPY", "INR", "BRL", "CAD", "XAF"][
      Int(Self.mixed(UInt64(index)) % 12)]
  }

  private func transfer(
    _ source: String, _ destination: String, amount: Int, reference: String, _ currency: String
  ) -> String {
    #"{"source":"\#(source)","destination":"\#(destination)","currency":"\#(currency)","#
      + #""precise_amount":"\#(amount)","reference":"\#(reference)","allow_overdraft":true}"#
  }

  /// Two balances with one currency.
  private func pair(_ number: Int) -> (Int, Int) {
    let first = Int(Self.mixed(UInt64(number) &+ 99) % UInt64(balanceCount))
    var second = Int(Self.mixed(UInt64(number) &+ 12345) % UInt64(balanceCount))
    while second == first || currency(second) != currency(first) { second = (second + 1) % balanceCount }
    return (first, second)
  }

  private func memory(_ client: inout SocketClient) throws {
    let stats = try client.call(#"{"id":1,"method":"server.stats"}"#)
    for name in ["balances_bytes", "resident_bytes"] {
      guard let start = stats.range(ofText: "\"\(name)\":") else { continue }
      let bytes = Int(stats[start...].prefix { $0.isNumber }) ?? 0
      print(
        pad("  " + name, 36) + grouped(bytes) + ", " + fixed(Double(bytes) / Double(balanceCount))
          + " a balance")
    }
  }

  private func gets(_ client: inout SocketClient, depth: Int) throws {
    let rounds = scale(depth == 1 ? 50_000 : 10_000)
    var timings = Timings()
    for round in 0..<rounds {
      var lines = ""
      for place in 0..<depth {
        let index = Int(Self.mixed(UInt64(round * depth + place)) % UInt64(balanceCount))
        lines +=
          #"{"id":\#(place),"method":"balances.get","params":{"balance_id":"\#(Self.balance(index))"}}"#
          + "\n"
      }
      let bytes = Array(lines.utf8)
      try timings.time { try client.exchange(bytes, count: depth) }
    }
    try report("balances.get, depth \(depth)", operations: rounds * depth, timings, &client)
  }

  private func transfers(_ client: inout SocketClient, depth: Int) throws {
    let rounds = scale(depth == 1 ? 50_000 : 5_000)
    var timings = Timings()
    for round in 0..<rounds {
      var lines = ""
      for place in 0..<depth {
        let number = round * depth + place
        let (source, destination) = pair(number)
        let content = transfer(
          Self.balance(source), Self.balance(destination), amount: number % 100_000 + 1,
          reference: "d\(depth)-\(number)",
          currency(source))
        lines += #"{"id":\#(place),"method":"transactions.create","params":\#(content)}"# + "\n"
      }
      let bytes = Array(lines.utf8)
      try timings.time { try client.exchange(bytes, count: depth) }
    }
    try report("transactions.create, depth \(depth)", operations: rounds * depth, timings, &client)
  }

  private func batches(_ client: inout SocketClient) throws {
    for (size, fullRounds, isAtomic) in [(8000, 100, true), (8000, 100, false), (1000, 400, true)] {
      let rounds = scale(fullRounds)
      var timings = Timings()
      for round in 0..<rounds {
        var line =
          #"{"id":1,"method":"transactions.create_many","params":{"atomic":\#(isAtomic),"return":"none","#
          + #""transactions":["#
        for place in 0..<size {
          let number = round * size + place
          let (source, destination) = pair(number)
          if place > 0 { line += "," }
          line += transfer(
            Self.balance(source), Self.balance(destination), amount: number % 100_000 + 1,
            reference: "b\(size)\(isAtomic)-\(number)", currency(source))
        }
        line += "]}}\n"
        let bytes = Array(line.utf8)
        try timings.time { try client.exchange(bytes, count: 1) }
      }
      try report(
        "create_many of \(size)\(isAtomic ? ", atomic" : "")", operations: rounds * size, timings, &client)
    }
  }
}
