// The same figures as Prometheus text.

import Columns
import Ledger
import Platform
import Storage
import Synchronization
import Wire

extension ServerReport {
  /// Text format 0.0.4: base units, counters end in `_total`, labels are bounded.
  func metrics() -> String {
    var text = MetricsText()
    text.gauge("ledgerline_build_info", "Version of the server.", [("{version=\"\(Self.version)\"}", "1")])
    requests(&text)
    let counts = shared.books.counts
    text.gauge("ledgerline_connections", "Open connections.", shared.connectionCount.load(ordering: .relaxed))
    text.gauge(
      "ledgerline_subscriptions", "Subscriptions to the change stream.", shared.running.subscriptionCount)
    text.counter("ledgerline_busy_total", "Requests and connections refused as busy.", busy)
    text.gauge("ledgerline_query_queue", "Queries waiting for a thread.", services.queries.queuedCount)
    queries(&text)
    text.gauge("ledgerline_ledgers", "Ledgers.", counts.ledgers)
    text.gauge("ledgerline_identities", "Identities, deleted ones included.", counts.identities)
    text.gauge("ledgerline_balances", "Balances.", counts.balances)
    text.counter("ledgerline_transactions_total", "Transactions.", counts.transactions)
    text.gauge("ledgerline_journal_position", "Position of the last fact.", Int(shared.books.position))
    journal(&text)
    text.gauge(
      "ledgerline_snapshot_position", "Position of the newest snapshot.",
      Int(services.snapshots.store.newestPosition ?? 0))
    text.gauge("ledgerline_cuts_held", "Cuts held by readers.", shared.books.epochs.heldCount)
    let allocator = Allocator.statistics()
    text.gauge(
      "ledgerline_memory_bytes", "Memory by kind.",
      [
        ("{kind=\"allocated\"}", "\(allocator.allocated)"), ("{kind=\"resident\"}", "\(allocator.resident)"),
      ])
    return text.text
  }

  private func journal(_ text: inout MetricsText) {
    let report = shared.journal.report
    let states = ["running", "full", "failed"].map { name in
      ("{state=\"\(name)\"}", name == report.state.name ? "1" : "0")
    }
    text.gauge("ledgerline_journal_state", "1 for the state that the journal is in.", states)
    text.gauge(
      "ledgerline_journal_committed_position", "Position up to which answers leave.",
      Int(report.committedPosition))
    text.gauge(
      "ledgerline_journal_durable_position", "Position up to which facts are synced.",
      Int(report.durablePosition))
    text.gauge(
      "ledgerline_journal_pending_bytes", "Bytes of facts that wait to be written.", report.pendingByteCount)
    text.counter("ledgerline_journal_groups_total", "Groups written.", Int(report.groupCount))
    text.counter("ledgerline_journal_syncs_total", "Syncs.", Int(report.syncCount))
    text.counter(
      "ledgerline_journal_written_bytes_total", "Bytes written, padding included.",
      Int(report.writtenByteCount))
    text.gauge("ledgerline_journal_segments", "Segments with facts.", report.segmentCount)
    text.gauge("ledgerline_journal_segment_bytes", "Bytes of those segments.", report.segmentByteCount)
    let times = [("0.5", 0.5), ("0.99", 0.99), ("0.999", 0.999)].map { label, quantile in
      let seconds = Double(report.commitTimes.quantile(quantile).wholeNanoseconds) / 1e9
      return ("{quantile=\"\(label)\"}", "\(seconds)")
    }
    text.gauge(
      "ledgerline_journal_commit_duration_seconds", "Time to write and sync a group, by quantile.", times)
  }

  private func queries(_ text: inout MetricsText) {
    let counts = shared.queryCounts
    text.gauge("ledgerline_queries_running", "Queries at work on a thread.", services.queries.runningCount)
    text.counter(
      "ledgerline_queries_cancelled_total", "Requests that were told to stop before their answer.",
      shared.running.cancelledCount)
    text.add(
      "ledgerline_queries_total", "counter", "Queries by where their rows went.",
      [
        ("{to=\"page\"}", "\(counts.pageCount)"), ("{to=\"stream\"}", "\(counts.streamCount)"),
        ("{to=\"descriptor\"}", "\(counts.deliveryCount)"),
      ])
    text.add(
      "ledgerline_query_paths_total", "counter", "Queries by how their rows were found.",
      counts.byPath.map { ("{path=\"\($0.name)\"}", "\($0.count)") })
    text.counter(
      "ledgerline_delivered_bytes_total", "Bytes written into descriptors of clients.",
      counts.deliveredByteCount)
    text.gauge("ledgerline_descriptors", "Descriptors of clients that are open.", shared.descriptors.value)
  }

  private var busy: Int { Int(shared.busyCount.load(ordering: .relaxed)) }

  private func requests(_ text: inout MetricsText) {
    var totals: [(String, String)] = []
    var durations: [(String, String)] = []
    for method in MethodName.allCases {
      let statistics = shared.statistics[method]
      let count = statistics.latency.count
      if count == 0 { continue }
      let errors = min(statistics.errors.load(ordering: .relaxed), count)
      totals.append(("{method=\"\(method.name)\",outcome=\"ok\"}", "\(count - errors)"))
      totals.append(("{method=\"\(method.name)\",outcome=\"error\"}", "\(errors)"))
      for (label, quantile) in [("0.5", 0.5), ("0.99", 0.99), ("0.999", 0.999)] {
        let seconds = Double(statistics.latency.value(at: quantile)) / 1e9
        durations.append(("{method=\"\(method.name)\",quantile=\"\(label)\"}", "\(seconds)"))
      }
    }
    text.add("ledgerline_requests_total", "counter", "Requests by method and outcome.", totals)
    text.add("ledgerline_request_duration_seconds", "gauge", "Latency quantiles by method.", durations)
  }
}

/// Lines of the Prometheus text format.
struct MetricsText {
  private(set) var text = ""

  mutating func add(_ name: String, _ kind: String, _ help: String, _ samples: [(String, String)]) {
    if samples.isEmpty { return }
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
    for (labels, value) in samples { text += "\(name)\(labels) \(value)\n" }
  }

  mutating func gauge(_ name: String, _ help: String, _ samples: [(String, String)]) {
    add(name, "gauge", help, samples)
  }

  mutating func gauge(_ name: String, _ help: String, _ value: Int) { gauge(name, help, [("", "\(value)")]) }

  mutating func counter(_ name: String, _ help: String, _ value: Int) {
    add(name, "counter", help, [("", "\(value)")])
  }
}
