// What the promise costs: transfers through the socket with `--durability always` beside `none`, beside the
// bare sync of one block on the same disk, and beside PostgreSQL.

import Platform
import Server
import Storage

/// Two servers in one process, one for each durability, each row on both in alternating turns: whatever else
/// the machine does hits both. In fresh directories below $LEDGERLINE_BENCHMARK_DIR (default /tmp). With
/// $LEDGERLINE_BENCHMARK_ONLY only the rows whose names begin with that, for a profile.
struct PromiseBenchmark {
  private static let durabilities = [Durability.none, .always]

  /// A way to load a server.
  private struct Row {
    let name: String
    let connectionCount: Int
    /// Requests in flight on each connection.
    let window: Int
    /// Transfers of a request.
    let batchSize: Int
    /// Transfers of one turn.
    let transferCount: Int

    var isLone: Bool { connectionCount * window * batchSize == 1 }
  }

  private static let rows =
    [
      Row(name: "one at a time", connectionCount: 1, window: 1, batchSize: 1, transferCount: 2000),
      Row(name: "16 connections", connectionCount: 16, window: 1, batchSize: 1, transferCount: 20_000),
      Row(name: "64 in flight", connectionCount: 1, window: 64, batchSize: 1, transferCount: 50_000),
    ]
    + [100, 1000, 8000].flatMap { size in
      [1, 4].map { count in
        Row(
          name: "batches of \(grouped(size)), \(count) connection\(count > 1 ? "s" : "")",
          connectionCount: count, window: 1, batchSize: size, transferCount: max(100_000, size * 20))
      }
    }

  /// What one row came to with one durability: of all turns together, and each turn's transfers a second.
  private struct Figures {
    var timings = Timings()
    var rates: [Double] = []

    var rate: Double { median(rates) }
  }

  private let scale: Scale
  private let directory: DataDirectory
  private let clock = SystemClock()
  private var lines: TransferLines
  private var turnCount: Int { scale == .tiny ? 1 : 5 }

  static func run(_ scale: Scale) throws {
    let base = CurrentProcess.environment("LEDGERLINE_BENCHMARK_DIR") ?? "/tmp"
    let directory = try DataDirectory(creating: "\(base)/ledgerline-promise-\(CurrentProcess.id)")
    defer { try? directory.removeWithContents() }
    var benchmark = PromiseBenchmark(
      scale: scale, directory: directory,
      lines: TransferLines(balanceCount: scale(1_000_000, least: 1000)))
    let ours = try benchmark.measure()
    // Another program's figures are measured at their full size or not at all.
    if scale == .full, !ours.isEmpty { try PostgresPeer.run(scale, directory: directory.path, beside: ours) }
  }

  /// - Returns: with `always`, one client's and 16 clients'.
  private mutating func measure() throws -> [PeerFigures] {
    let rigs = try Self.durabilities.map {
      try BenchmarkServer($0, directory, balanceCount: lines.balanceCount)
    }
    defer { for rig in rigs { rig.end() } }
    var compared: [PeerFigures] = []
    let only = CurrentProcess.environment("LEDGERLINE_BENCHMARK_ONLY") ?? ""
    for row in Self.rows where row.name.hasPrefix(only) {
      var bare = Timings()
      var figures = [Figures(), Figures()]
      let fleets = try rigs.map { try ClientFleet(path: $0.path, count: row.connectionCount) }
      for _ in 0..<turnCount {
        if row.isLone { bare.add(try BareSync.measure(scale(2000), in: directory)) }
        let requests = makeRequests(row)
        for (place, fleet) in fleets.enumerated() {
          // The other server may be preparing a segment still.
          if scale == .full { pause(.milliseconds(150)) }
          let (timings, seconds) = try fleet.drive(requests[...], window: row.window)
          figures[place].timings.add(timings)
          figures[place].rates.append(Double(requests.count * row.batchSize) / seconds)
        }
      }
      report(row, bare, figures)
      if fleets.contains(where: { $0.errorCount > 0 }) { throw ClientFailure.answeredWithErrors }
      if row.batchSize * row.window == 1 {
        let always = figures[1]
        compared.append(
          PeerFigures(
            clientCount: row.connectionCount, rate: always.rate, median: always.timings.quantile(0.5),
            p99: always.timings.quantile(0.99)))
      }
    }
    try print(rigs[1].journalStatistics())
    return only.isEmpty ? compared : []
  }

  private mutating func makeRequests(_ row: Row) -> [[UInt8]] {
    let count = max(row.connectionCount, scale(row.transferCount / row.batchSize))
    return (0..<count).map { _ in row.batchSize == 1 ? lines.single() : lines.batch(of: row.batchSize) }
  }

  private func report(_ row: Row, _ bare: Timings, _ figures: [Figures]) {
    if bare.count > 0 {
      print(Self.line("bare write and sync of 4 KiB", Double(bare.count) / bare.totalSeconds, bare))
    }
    for (durability, figure) in zip(Self.durabilities, figures) {
      print(Self.line("\(row.name), \(durability)", figure.rate, figure.timings))
    }
    let ratio = median(zip(figures[1].rates, figures[0].rates).map { $0 / $1 })
    print("    always / none: \(fixed(ratio))")
    if bare.count > 0 {
      let ratios = [0.5, 0.99].map { figures[1].timings.quantile($0) / bare.quantile($0) }
      print("    always / bare sync: p50 \(fixed(ratios[0])), p99 \(fixed(ratios[1]))")
    }
  }

  static func line(_ name: String, _ rate: Double, _ timings: Timings) -> String {
    [
      pad(name, 44), pad(grouped(Int(rate)) + "/s", 14),
      pad("p50 " + fixed(timings.quantile(0.5)) + " µs", 18), "p99 " + fixed(timings.quantile(0.99)) + " µs",
    ].joined(separator: " ")
  }
}

private func pause(_ time: Duration) { Gate<Void>(()).wait(atMost: time) { _ -> Void? in nil } }

/// The middle one, 0 of none.
func median(_ values: [Double]) -> Double {
  values.isEmpty ? 0 : values.sorted()[values.count / 2]
}
