// Sending the records of a file in batches, and finding the outcome of each.

import LedgerlineClient
import Platform

/// One batch on its way: which records of the file it holds.
struct ImportBatch {
  var lines: [Int] = []
  /// The records as JSON objects.
  var items: [[UInt8]] = []
  var byteCount = 0
  /// Number of the first record, from 0, faulty ones counted.
  let firstRecord: Int
  /// Records from the first to the last, faulty ones counted.
  var recordCount = 0
  /// Records with a fault found on this side, told already.
  var faultCount = 0
  /// Bytes of the file read when the batch was complete.
  var readBytes = 0

  init(firstRecord: Int) { self.firstRecord = firstRecord }

  /// The batch with only some of its items.
  func part(_ range: Range<Int>) -> ImportBatch {
    var part = ImportBatch(firstRecord: firstRecord)
    part.lines = Array(lines[range])
    part.items = Array(items[range])
    return part
  }
}

final class Importer {
  /// A batch is closed at this size, well below the server's longest line of 16 MiB.
  static let batchByteLimit = 8 << 20
  private static let window = 4
  private static let retryLimit = 100

  private let client: Client
  private var progress: ImportProgress
  /// How far the import is, to be kept when it breaks off.
  var saved: ImportProgress { progress }
  /// The first record after a restart: its neighbours may have been created by the broken run.
  private let firstRecord: Int
  private var nextRecord = 0
  private let reportFault: (_ line: Int, _ text: String) throws -> Void
  private let advance: (_ progress: ImportProgress, _ readBytes: Int) throws -> Void

  /// - Parameters:
  ///   - reportFault: takes each record that was not imported.
  ///   - advance: called after each batch, when all records before `progress.records` have their outcome.
  init(
    _ client: Client, _ progress: ImportProgress,
    reportFault: @escaping (_ line: Int, _ text: String) throws -> Void,
    advance: @escaping (_ progress: ImportProgress, _ readBytes: Int) throws -> Void
  ) {
    self.client = client
    self.progress = progress
    firstRecord = progress.records
    self.reportFault = reportFault
    self.advance = advance
  }

  /// Imports all records that have no outcome yet.
  func run(_ source: inout ImportSource) throws -> ImportProgress {
    while nextRecord < firstRecord, try source.next() != nil { nextRecord += 1 }
    if progress.entity.createMany == nil { try runSingly(&source) } else { try runBatches(&source) }
    return progress
  }

  /// Balances and transactions: whole batches ahead of their answers. A batch refused as a whole stops the
  /// pipeline, is settled by halves, and the pipeline goes on.
  private func runBatches(_ source: inout ImportSource) throws {
    while true {
      var sent: [ImportBatch] = []
      var unsettled: [(ImportBatch, Refusal)] = []
      var answered: [ImportBatch] = []
      var isDrained = false
      var last: ImportBatch?
      try client.pipeline(
        window: Self.window,
        next: {
          guard unsettled.isEmpty, !isDrained else { return nil }
          guard let batch = try self.readBatch(&source) else {
            isDrained = true
            return nil
          }
          if batch.items.isEmpty {
            last = batch
            isDrained = true
            return nil
          }
          sent.append(batch)
          return self.request(batch)
        },
        answered: { index, answer in
          let batch = sent[index]
          sent[index].items = []
          switch answer {
          case .success(let answer):
            try self.take(answer.result, batch)
            if unsettled.isEmpty { try self.confirm(batch) } else { answered.append(batch) }
          case .failure(let refusal): unsettled.append((batch, refusal))
          }
        })
      for (batch, refusal) in unsettled {
        try settle(batch, refusal)
        try confirm(batch)
      }
      for batch in answered { try confirm(batch) }
      if let last { try confirm(last) }
      if isDrained { return }
    }
  }

  private func readBatch(_ source: inout ImportSource) throws -> ImportBatch? {
    var batch = ImportBatch(firstRecord: nextRecord)
    // Only the end of the file leaves a batch without an item: faulty records go with those that follow.
    while batch.items.isEmpty
      || batch.recordCount < progress.batchSize && batch.byteCount < Self.batchByteLimit,
      let record = try source.next()
    {
      nextRecord += 1
      batch.recordCount += 1
      switch record.content {
      case .failure(let failure):
        batch.faultCount += 1
        try reportFault(record.line, failure.text)
      case .success(let members):
        var bytes: [UInt8] = []
        JSONNode.object(progress.entity.creation(from: members)).write(to: &bytes)
        batch.lines.append(record.line)
        batch.byteCount += bytes.count + 1
        batch.items.append(bytes)
      }
    }
    batch.readBytes = source.readBytes
    return batch.recordCount == 0 ? nil : batch
  }

  private func request(_ batch: ImportBatch, keyed: Bool = true) -> PipelinedRequest {
    var params = Array("{\"atomic\":false,\"\(progress.entity.rawValue)\":[".utf8)
    params.reserveCapacity(batch.byteCount + 64)
    for (index, item) in batch.items.enumerated() {
      if index > 0 { params.append(UInt8(ascii: ",")) }
      params.append(contentsOf: item)
    }
    params.append(contentsOf: "]}".utf8)
    // The same batch again after a broken connection has the same key, so nothing is made twice.
    let key = keyed ? "import-\(progress.id)-\(batch.firstRecord)" : nil
    return PipelinedRequest(progress.entity.createMany ?? "", params: params, key: key)
  }

  /// Finds the outcome of each record of an answered batch.
  private func take(_ result: JSONNode, _ batch: ImportBatch) throws {
    var failed = 0
    // Refused items stand in `results` for transactions, in `errors` for balances.
    let items = (result["results"]?.array ?? []) + (result["errors"]?.array ?? [])
    for (place, item) in items.enumerated() {
      let index = item["index"]?.int ?? place
      guard let error = item["error"], error != .null, batch.lines.indices.contains(index) else { continue }
      if try isFault(error, line: batch.lines[index]) { failed += 1 }
    }
    progress.failed += failed
    progress.created += batch.items.count - failed
  }

  /// Whether an item's error means that it is not in the books: one made by the broken run before is.
  private func isFault(_ error: JSONNode, line: Int) throws -> Bool {
    let code = error["data"]?["code"]?.string ?? ""
    if firstRecord > 0, code.hasSuffix("_DUPLICATE") { return false }
    var text = error["message"]?.string ?? error.text
    if !code.isEmpty { text += " (\(code))" }
    try reportFault(line, text)
    return true
  }

  /// A batch that was refused as a whole: BUSY is asked again; else its halves, down to the item at fault.
  private func settle(_ batch: ImportBatch, _ refusal: Refusal, attempt: Int = 0) throws {
    if refusal.code == Refusal.busyCode {
      guard attempt < Self.retryLimit else { throw refusal }
      let pause = refusal.details?["retry_after_ms"]?.int ?? 100
      _ = try EventLoop(capacity: 1).wait(timeout: .milliseconds(min(max(pause, 1), 10_000)))
      return try resend(batch, keyed: true, attempt: attempt + 1)
    }
    guard batch.items.count > 1 else {
      progress.failed += 1
      let name = refusal.name.map { " (\($0))" } ?? ""
      let faults = (refusal.details?["errors"]?.array ?? []).compactMap(\.string)
      // The line is told; the place in a batch that was cut to one says nothing.
      let place = progress.entity.rawValue + "[0]: "
      let text = (faults.isEmpty ? [refusal.message] : faults)
        .map { $0.hasPrefix(place) ? String($0.dropFirst(place.count)) : $0 }.joined(separator: "; ")
      return try reportFault(batch.lines.first ?? 0, text + name)
    }
    let middle = batch.items.count / 2
    try resend(batch.part(0..<middle), keyed: false, attempt: attempt)
    try resend(batch.part(middle..<batch.items.count), keyed: false, attempt: attempt)
  }

  private func resend(_ batch: ImportBatch, keyed: Bool, attempt: Int) throws {
    do {
      try take(try client.call(request(batch, keyed: keyed)).result, batch)
    } catch let refusal as Refusal {
      try settle(batch, refusal, attempt: attempt)
    }
  }

  private func confirm(_ batch: ImportBatch) throws {
    progress.failed += batch.faultCount
    progress.records = batch.firstRecord + batch.recordCount
    try advance(progress, batch.readBytes)
  }

  /// Ledgers and identities, which have no method for many: one request each, pipelined.
  private func runSingly(_ source: inout ImportSource) throws {
    var sent: [(line: Int, record: Int, readBytes: Int)] = []
    let method = progress.entity.rawValue + ".create"
    try client.pipeline(
      window: 256,
      next: {
        while let record = try source.next() {
          self.nextRecord += 1
          switch record.content {
          case .failure(let failure):
            self.progress.failed += 1
            try self.reportFault(record.line, failure.text)
          case .success(let members) where self.progress.entity.isAlwaysThere(members): continue
          case .success(let members):
            sent.append((record.line, self.nextRecord, source.readBytes))
            var bytes: [UInt8] = []
            JSONNode.object(self.progress.entity.creation(from: members)).write(to: &bytes)
            return PipelinedRequest(method, params: bytes)
          }
        }
        return nil
      },
      answered: { index, answer in
        switch answer {
        case .success: self.progress.created += 1
        case .failure(let refusal):
          if try self.isFault(refusal.node, line: sent[index].line) {
            self.progress.failed += 1
          } else {
            self.progress.created += 1
          }
        }
        self.progress.records = sent[index].record
        try self.advance(self.progress, sent[index].readBytes)
      })
  }
}
