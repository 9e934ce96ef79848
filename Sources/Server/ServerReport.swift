// What server.info, server.stats and snapshots.list tell.

import Columns
import Ledger
import Platform
import Storage
import Synchronization
import Wire

/// The state of a server at this moment, as JSON.
struct ServerReport {
  package static let version = "0.1.0"
  package static let protocolVersion = "1"

  let shared: Shared
  let services: Services
  /// The connection that asks.
  let connection: UInt64

  init(_ shared: Shared, _ services: Services, connection: UInt64) {
    self.shared = shared
    self.services = services
    self.connection = connection
  }

  func info(into output: inout JSONWriter) {
    let configuration = shared.configuration
    let bounds = configuration.bounds
    let counts = shared.books.counts
    output.beginObject()
    output.member("name", "ledgerline")
    output.member("version", Self.version)
    output.member("protocol", Self.protocolVersion)
    output.member("connection", Int(connection))
    output.key("started_at")
    output.time(microseconds: shared.startedAt.count)
    output.member("process_id", Int(CurrentProcess.id))
    output.member("data_directory", configuration.dataDirectory)
    output.member("socket", configuration.effectiveSocketPath)
    output.member("durability", configuration.journal.durability.description)
    output.member("snapshot_every", configuration.snapshotInterval.description)
    output.member("position", Int(shared.committedPosition))
    output.key("limits")
    output.beginObject()
    output.member("line_bytes", configuration.longestLine)
    output.member("connections", bounds.connections)
    output.member("unfinished_requests", bounds.unfinishedRequests)
    output.member("queued_queries", bounds.queuedQueries)
    output.member("passed_descriptors", bounds.passedDescriptors)
    output.member("event_loops", configuration.loopCount)
    output.member("query_threads", configuration.queryThreadCount)
    output.endObject()
    output.key("counts")
    output.beginObject()
    output.member("ledgers", counts.ledgers)
    output.member("identities", counts.identities)
    output.member("balances", counts.balances)
    output.member("transactions", counts.transactions)
    output.endObject()
    journalState(into: &output)
    output.key("recovery")
    recovery(into: &output)
    output.endObject()
  }

  private func recovery(into output: inout JSONWriter) {
    let report = shared.report
    output.beginObject()
    output.key("loaded")
    if let loaded = report.loaded { Self.snapshot(loaded, into: &output) } else { output.null() }
    output.member("replayed_facts", report.replayedFactCount)
    output.member("torn_bytes", report.tornTail?.byteCount ?? 0)
    output.key("fell_back")
    output.bool(report.fellBack)
    output.key("faults")
    output.beginArray()
    for fault in report.faults { output.string(fault.description) }
    output.endArray()
    output.endObject()
  }

  func snapshots(into output: inout JSONWriter) {
    output.beginArray()
    for snapshot in services.snapshots.store.snapshots { Self.snapshot(snapshot, into: &output) }
    output.endArray()
  }

  static func snapshot(_ description: SnapshotDescription, into output: inout JSONWriter) {
    output.beginObject()
    output.member("name", description.name)
    output.member("position", Int(description.position))
    output.key("created_at")
    output.time(microseconds: description.createdAt.count)
    output.member("bytes", description.byteCount)
    output.member("ledgers", description.ledgerCount)
    output.member("identities", description.identityCount)
    output.member("balances", description.balanceCount)
    output.member("transactions", description.transactionCount)
    output.endObject()
  }

  func stats(into output: inout JSONWriter) {
    output.beginObject()
    output.key("methods")
    output.beginObject()
    for method in MethodName.allCases {
      let statistics = shared.statistics[method]
      if statistics.latency.count == 0 { continue }
      output.key(method.name)
      Self.method(statistics, into: &output)
    }
    if shared.statistics.unknown.latency.count > 0 {
      output.key("unknown")
      Self.method(shared.statistics.unknown, into: &output)
    }
    output.endObject()
    output.key("queues")
    output.beginObject()
    output.member("queued_queries", services.queries.queuedCount)
    output.member("running_queries", services.queries.runningCount)
    output.member("unanswered_requests", shared.running.count)
    output.member("unfinished_line_bytes", shared.unfinishedLineByteCount.load(ordering: .relaxed))
    output.member("connections", shared.connectionCount.load(ordering: .relaxed))
    output.member("subscriptions", shared.running.subscriptionCount)
    output.member("busy", Int(shared.busyCount.load(ordering: .relaxed)))
    output.endObject()
    queries(into: &output)
    memory(into: &output)
    journal(into: &output)
    shards(into: &output)
    output.endObject()
  }

  /// `queries`: how many, by what became of them and how their rows were found.
  private func queries(into output: inout JSONWriter) {
    let counts = shared.queryCounts
    output.key("queries")
    output.beginObject()
    output.member("running", services.queries.runningCount)
    output.member("waiting", services.queries.queuedCount)
    output.member("cancelled", shared.running.cancelledCount)
    output.member("pages", counts.pageCount)
    output.member("streams", counts.streamCount)
    output.member("deliveries", counts.deliveryCount)
    output.member("delivered_bytes", counts.deliveredByteCount)
    output.member("descriptors", shared.descriptors.value)
    output.key("by_path")
    output.beginObject()
    for (name, count) in counts.byPath { output.member(name, count) }
    output.endObject()
    output.endObject()
  }

  private static func method(_ statistics: Statistics.Method, into output: inout JSONWriter) {
    let latency = statistics.latency
    output.beginObject()
    output.member("count", Int(latency.count))
    output.member("errors", Int(statistics.errors.load(ordering: .relaxed)))
    for (name, value) in quantiles(latency) { output.member(name, value) }
    output.endObject()
  }

  /// Latencies in microseconds with three digits after the point, as JSON numbers.
  private static func quantiles(_ latency: LatencyHistogram) -> [(StaticString, Microtext)] {
    [
      ("p50_us", Microtext(latency.value(at: 0.5))), ("p99_us", Microtext(latency.value(at: 0.99))),
      ("p999_us", Microtext(latency.value(at: 0.999))), ("max_us", Microtext(latency.maximum)),
    ]
  }

  private func memory(into output: inout JSONWriter) {
    let allocator = Allocator.statistics()
    let books = shared.books
    let counts = books.counts
    output.key("memory")
    output.beginObject()
    output.member("allocated_bytes", allocator.allocated)
    output.member("resident_bytes", allocator.resident)
    output.member("balances_bytes", books.balances.byteCount(rowCount: counts.balances))
    output.member("transactions_bytes", books.transactions.byteCount(rowCount: counts.transactions))
    output.member("records_bytes", books.records.byteCount)
    output.endObject()
  }

  /// `journal`: how it is written; for `server.info`.
  private func journalState(into output: inout JSONWriter) {
    let report = shared.journal.report
    output.key("journal")
    output.beginObject()
    output.member("state", report.state.name)
    output.key("reason")
    if let reason = report.state.reason { output.string(reason) } else { output.null() }
    output.key("direct")
    if let isDirect = report.isDirect { output.bool(isDirect) } else { output.null() }
    output.member("segments", report.segmentCount)
    output.member("bytes", report.segmentByteCount)
    output.member("min_free_bytes", shared.journal.options.minimumFreeByteCount)
    output.endObject()
  }

  private func journal(into output: inout JSONWriter) {
    let position = shared.books.position
    let saved = services.snapshots.store.newestPosition ?? 0
    let report = shared.journal.report
    output.key("journal")
    output.beginObject()
    output.member("state", report.state.name)
    output.member("position", Int(position))
    output.member("committed_position", Int(report.committedPosition))
    output.member("written_position", Int(report.writtenPosition))
    output.member("durable_position", Int(report.durablePosition))
    output.member("lag", Int(position &- min(report.durablePosition, position)))
    output.member("pending_bytes", report.pendingByteCount)
    output.member("groups", Int(report.groupCount))
    output.member("syncs", Int(report.syncCount))
    output.member("commit_p50_us", Microtext(UInt64(report.commitTimes.quantile(0.5).wholeNanoseconds)))
    output.member("commit_p99_us", Microtext(UInt64(report.commitTimes.quantile(0.99).wholeNanoseconds)))
    output.member("commit_max_us", Microtext(UInt64(report.commitTimes.slowest.wholeNanoseconds)))
    output.member("record_bytes", Int(report.recordByteCount))
    output.member("written_bytes", Int(report.writtenByteCount))
    output.member("segments", report.segmentCount)
    output.member("segment_bytes", report.segmentByteCount)
    output.member("free_bytes", report.freeByteCount)
    output.member("snapshot_position", Int(saved))
    output.member("since_snapshot", Int(position &- min(saved, position)))
    output.endObject()
    output.key("cuts")
    output.beginObject()
    output.member("held", books.epochs.heldCount)
    output.member(
      "retained_bytes", books.retainedByteCount)
    output.key("newest_age_us")
    if let age = books.newestCutAge(now: shared.clock.monotonicTime()) {
      output.integer(age.wholeNanoseconds / 1000)
    } else {
      output.null()
    }
    output.endObject()
  }

  private var books: Books { shared.books }

  private func shards(into output: inout JSONWriter) {
    let rows = shared.books.counts.balances
    output.key("shard_rows")
    output.beginArray()
    for shard in 0..<Layout.shardCount { output.integer(Layout.rowCount(ofShard: shard, rows: rows)) }
    output.endArray()
  }
}

extension JournalReport.State {
  /// For programs.
  var name: String {
    switch self {
    case .running: "running"
    case .full: "full"
    case .failed: "failed"
    }
  }

  /// For people, when it is not running as it should.
  var reason: String? {
    switch self {
    case .running: nil
    case .full(let error): error.description
    case .failed(let error): error.description
    }
  }
}

/// Nanoseconds shown as microseconds.
struct Microtext {
  let text: String

  init(_ nanoseconds: UInt64) {
    let thousandths = String(1000 + nanoseconds % 1000).dropFirst()
    text = "\(nanoseconds / 1000).\(thousandths)"
  }
}

extension JSONWriter {
  mutating func member(_ name: StaticString, _ value: String) {
    key(name)
    string(value)
  }

  mutating func member(_ name: StaticString, _ value: Int) {
    key(name)
    integer(value)
  }

  mutating func member(_ name: StaticString, _ value: Microtext) {
    key(name)
    self.value(Array(value.text.utf8).span)
  }
}
