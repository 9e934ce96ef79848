// What a client notices of snapshots: durable transfers without them, and while one follows the other.

import Platform
import Storage
import Synchronization

/// A million balances, a million transactions in the books, `always`; each row in alternating turns, without
/// snapshots and beside them.
enum BesideSnapshotBenchmark {
  private static let rows = [
    (name: "16 connections", connectionCount: 16, window: 1, transferCount: 60_000),
    (name: "64 in flight", connectionCount: 1, window: 64, transferCount: 200_000),
  ]

  static func run(_ scale: Scale) throws {
    let base = CurrentProcess.environment("LEDGERLINE_BENCHMARK_DIR") ?? "/tmp"
    let directory = try DataDirectory(creating: "\(base)/ledgerline-beside-\(CurrentProcess.id)")
    defer { try? directory.removeWithContents() }
    var lines = TransferLines(balanceCount: scale(1_000_000, least: 1000))
    let server = try BenchmarkServer(.always, directory, balanceCount: lines.balanceCount)
    defer { server.end() }
    let batches = (0..<scale(125)).map { _ in lines.batch(of: 8000) }
    _ = try ClientFleet(path: server.path, count: 1).drive(batches[...], window: 1)
    for row in rows {
      let fleet = try ClientFleet(path: server.path, count: row.connectionCount)
      var timings = [Timings(), Timings()]
      var rates: [[Double]] = [[], []]
      var snapshotCount = 0
      for _ in 0..<(scale == .tiny ? 1 : 5) {
        for place in [0, 1] {
          let requests = (0..<max(16, scale(row.transferCount))).map { _ in lines.single() }
          let snapshots = place == 1 ? try SnapshotMaker(path: server.path) : nil
          let (times, seconds) = try fleet.drive(requests[...], window: row.window)
          snapshotCount += try snapshots?.end() ?? 0
          timings[place].add(times)
          rates[place].append(Double(requests.count) / seconds)
        }
      }
      if fleet.errorCount > 0 { throw ClientFailure.answeredWithErrors }
      for (name, place) in [("no snapshot", 0), ("\(snapshotCount) snapshots", 1)] {
        print(PromiseBenchmark.line("\(row.name), \(name)", median(rates[place]), timings[place]))
      }
      let ratio = median(zip(rates[1], rates[0]).map { $0 / $1 })
      print("    beside snapshots / without: \(fixed(ratio))")
    }
  }

  /// A thread that asks for one snapshot after the other.
  private final class SnapshotMaker {
    private final class State: Sendable {
      let isOver = Atomic<Bool>(false)
      let count = Atomic<Int>(0)
      let errorCount = Atomic<Int>(0)
    }

    private let state: State
    private let thread: Thread

    init(path: String) throws {
      let state = State()
      self.state = state
      thread = try Thread(name: "snapshots") {
        guard let fleet = try? ClientFleet(path: path, count: 1) else { return }
        while !state.isOver.load(ordering: .relaxed) {
          let answer = try? fleet.call(#"{"id":1,"method":"snapshots.create","params":{"wait":true}}"#)
          if answer?.contains("\"result\"") == true {
            state.count.add(1, ordering: .relaxed)
          } else {
            state.errorCount.add(1, ordering: .relaxed)
            break
          }
        }
      }
    }

    /// Waits for the snapshot at hand.
    /// - Returns: how many were made.
    func end() throws -> Int {
      state.isOver.store(true, ordering: .relaxed)
      thread.join()
      if state.errorCount.load(ordering: .relaxed) > 0 { throw ClientFailure.answeredWithErrors }
      return state.count.load(ordering: .relaxed)
    }
  }
}
