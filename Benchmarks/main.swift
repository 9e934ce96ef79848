// Runs the benchmarks that are named on the command line; without a name it lists them.

let benchmarks: [(name: String, run: () -> Void)] = [
  ("socket", { SocketBenchmark.run() }), ("books", { BooksBenchmark.run() }),
  ("wire", { WireBenchmarks.run() }),
  ("snapshot", { SnapshotBenchmark.run() }),
  ("filter", { FilterBenchmarks.run() }),
]

let names = CommandLine.arguments.dropFirst()
if names.isEmpty {
  print("usage: LedgerlineBenchmarks NAME…\n" + benchmarks.map { "  " + $0.name }.joined(separator: "\n"))
}
for name in names {
  guard let benchmark = benchmarks.first(where: { $0.name == name }) else {
    print("no benchmark is named \(name)")
    continue
  }
  benchmark.run()
}
