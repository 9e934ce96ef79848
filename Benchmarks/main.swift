// Runs the benchmarks that are named on the command line; without a name it lists them.

import Platform

/// How much a benchmark does: enough to measure, or just enough to run every line of it.
enum Scale {
  case full, tiny

  /// `count` in full; a thousandth of it, at least `least`, when tiny.
  func callAsFunction(_ count: Int, least: Int = 1) -> Int {
    switch self {
    case .full: count
    case .tiny: min(count, max(count / 1000, least))
    }
  }
}

/// In place of the standard one, whose buffer would mix up our lines and those of other programs.
func print(_ items: Any..., separator: String = " ", terminator: String = "\n") {
  let text = items.map { "\($0)" }.joined(separator: separator) + terminator
  try? OutputStream.standardOutput.write(text)
}

let benchmarks: [(name: String, run: (Scale) throws -> Void)] = [
  ("socket", { try SocketBenchmark.run($0) }),
  ("promise", { try PromiseBenchmark.run($0) }),
  ("beside", { try BesideSnapshotBenchmark.run($0) }),
  ("books", { try BooksBenchmark.run($0) }),
  ("facts", { try FactsBenchmark.run($0) }),
  ("upkeep", { try UpkeepBenchmark.run($0) }),
  ("wire", { try WireBenchmarks.run($0) }),
  ("snapshot", { try SnapshotBenchmark.run($0) }),
  ("load", { try SnapshotBenchmark.load($0) }),
  ("recovery", { try RecoveryBenchmark.run($0) }),
  ("scan", { try ScanBenchmark.run($0) }),
  ("filter", { try FilterBenchmarks.run($0) }),
  ("queries", { try QueryBenchmark.run($0) }),
  ("batch", { try QueryBenchmark.runBatch($0) }),
  ("durable", { try JournalBenchmark.runLatencies($0) }),
  ("journal", { try JournalBenchmark.run($0) }),
]

var names = Array(CommandLine.arguments.dropFirst())
if names.first == "queries", names.count > 1, names != ["queries", "--tiny"] {
  // The one benchmark with options of its own.
  do {
    try QueryBenchmark.run(arguments: Array(names.dropFirst()))
  } catch {
    print("queries: \(error)")
    CurrentProcess.exit(1)
  }
  CurrentProcess.exit(0)
}
let scale: Scale = names.contains("--tiny") ? .tiny : .full
names.removeAll { $0 == "--tiny" }
if names.isEmpty {
  print("usage: LedgerlineBenchmarks [--tiny] all | NAME…")
  for benchmark in benchmarks { print("  \(benchmark.name)") }
}
if names == ["all"] { names = benchmarks.map(\.name) }
for name in names {
  guard let benchmark = benchmarks.first(where: { $0.name == name }) else {
    print("no benchmark is named \(name)")
    CurrentProcess.exit(1)
  }
  do {
    try benchmark.run(scale)
  } catch {
    print("\(name): failed: \(error)")
    CurrentProcess.exit(1)
  }
}
