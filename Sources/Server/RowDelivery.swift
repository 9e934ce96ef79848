// Rows that go into a descriptor that the client has passed.

import Columns
import Ledger
import Platform
import Query
import Wire

/// Where the lines of a delivery come from.
enum DeliverySource: Sendable {
  case rows(QueryRequest, QueryReply, Cut)
  case groups(AggregateRequest, QuestionMoment)

  /// Position of what the lines show.
  var position: UInt64 {
    switch self {
    case .rows(_, _, let cut): cut.position
    case .groups(_, let moment): moment.position
    }
  }

  var cut: Cut? {
    switch self {
    case .rows(_, _, let cut): cut
    case .groups(_, let moment): moment.cut
    }
  }
}

/// One request with `to`, and how far its rows were written. It works on query threads; when the reader is
/// slow, it waits at the loop for the descriptor, and no thread with it. Used by one thread at a time.
final class RowDelivery: @unchecked Sendable {
  // @unchecked: queue and messages hand it from thread to thread.

  /// What the loop is to wait for.
  enum Wait { case commit, room }

  /// Bytes that are made before they are written.
  private static let writeByteCount = 256 << 10
  /// How long a thread waits for a reader that keeps up.
  private static let patience: CInt = 1
  private static let rowsPerLook = 64

  let flow: FlowRequest
  let position: UInt64
  /// What is waited for, when it waits.
  private(set) var wait = Wait.commit
  /// The loop has seen that nobody has read for too long.
  var isStuck = false

  private var source: DeliverySource?
  private let format: RowFormat
  private let kind: PassedDescriptor.Kind
  private var descriptor: PassedDescriptor?
  private var rows: RowStream?
  private var lines: RowLines?
  private var tail = QueryTail()
  private let shape: QueryReply
  /// Lines that were made and not written.
  private var pending = JSONWriter()
  private var rowCount = 0
  private var byteCount = 0
  /// Why there will be no more rows: told when what is pending is written.
  private var ending: WireError?

  init(
    _ flow: FlowRequest, _ source: DeliverySource, _ format: RowFormat, into descriptor: PassedDescriptor,
    _ kind: PassedDescriptor.Kind
  ) {
    self.flow = flow
    self.source = source
    self.format = format
    self.descriptor = descriptor
    self.kind = kind
    position = source.position
    shape = if case .rows(_, let reply, _) = source { reply } else { QueryReply() }
  }

  deinit { source?.cut?.doneReading() }

  /// For the loop, which waits for it.
  var descriptorNumber: CInt? { descriptor?.number }

  /// - Returns: whether it goes on when others have had their turn.
  func goOn(_ shared: Shared, _ output: inout JSONWriter, until end: MonotonicTime) -> Bool {
    do throws(WireError) {
      switch try work(shared, until: end) {
      case .paused: return true
      case .waits(let what):
        wait = what
        flow.inbox.post(.deliveryWaits(self))
      case .done:
        shared.queryCounts.countDelivered(byteCount: byteCount)
        AnswerWriter.delivered(
          rowCount, byteCount: byteCount, tail, shape, flow.id, position: flow.wantsMeta ? position : nil,
          into: &output)
        finish(shared, &output, isError: false)
      }
    } catch {
      var error = error
      let names = Set(error.members.map(\.name))
      if !names.contains("rows") { error.members.append(.init("rows", json: "\(rowCount)")) }
      error.members.append(.init("bytes", json: "\(byteCount)"))
      AnswerWriter.error(error, flow.id, into: &output)
      finish(shared, &output, isError: true)
    }
    return false
  }

  private func finish(_ shared: Shared, _ output: inout JSONWriter, isError: Bool) {
    letGo()
    // Closed before the answer: who reads the descriptor to its end has everything then.
    descriptor = nil
    shared.statistics.count(flow.method, since: flow.receivedAt, isError: isError)
    shared.running.remove(flow.connection, flow.place)
    flow.inbox.post(
      .finished(
        connection: flow.connection, flow.place, line: output.copied(), position: isError ? 0 : position))
    output.removeAll()
  }

  /// Reads no more of the books.
  private func letGo() {
    tail = rows?.tail ?? tail
    rows = nil
    lines = nil
    source?.cut?.doneReading()
    source = nil
  }

  private enum Step {
    case done, paused
    case waits(Wait)
  }

  private func work(_ shared: Shared, until end: MonotonicTime) throws(WireError) -> Step {
    try check()
    if shared.committedPosition < position {
      // What a crash may undo is shown to nobody.
      if shared.hasJournalFailed { throw .journalFailed }
      return .waits(.commit)
    }
    while true {
      if pending.count >= Self.writeByteCount || source == nil {
        guard try write() else { return .waits(.room) }
        if source == nil, pending.isEmpty {
          if let ending { throw ending }
          return .done
        }
      }
      if shared.clock.monotonicTime() >= end { return .paused }
      try check()
      if source != nil { try make(shared) }
    }
  }

  private func check() throws(WireError) {
    if isStuck {
      throw WireError(
        .deadlineExceeded, "DEADLINE_EXCEEDED", "nobody has read from the descriptor for too long")
    }
    do throws(QueryStopped) {
      try flow.stop.check()
    } catch {
      if ending != nil { return }
      if error != .cutExpired { throw WireError(error) }
      // What is made shows the cut and may still be written.
      ending = .ended(error, rowCount: rowCount, cursor: rows?.cursorAfterTaken)
      letGo()
    }
  }

  // MARK: Making lines

  private func make(_ shared: Shared) throws(WireError) {
    do throws(QueryStopped) {
      switch source {
      case .rows(let query, let reply, let cut): try make(query, reply, cut, shared)
      case .groups(let request, let moment):
        shared.queryCounts.count(nil, as: .descriptor)
        let found = try shared.queries.answer(moment, stop: flow.stop)
        rowCount = RowLines.groups(found, of: request, format, books: moment.books, into: &pending)
        letGo()
      case nil: break
      }
    } catch {
      guard error == .cutExpired else { throw WireError(error) }
      try check()
    }
  }

  private func make(
    _ query: QueryRequest, _ reply: QueryReply, _ cut: Cut, _ shared: Shared
  ) throws(QueryStopped) {
    if rows == nil {
      rows = try shared.queries.stream(query, on: cut, stop: flow.stop)
      shared.queryCounts.count(rows?.path, as: .descriptor)
      lines = RowLines(format, of: query.table, reply, cut: cut)
      lines?.begin(into: &pending)
    }
    if rows?.waiting.isEmpty == true {
      if rows?.isAtEnd == true { return letGo() }
      return try rows?.findMore() ?? ()
    }
    while pending.count < Self.writeByteCount {
      try flow.stop.check()
      let some = rows?.waiting.prefix(Self.rowsPerLook) ?? []
      if some.isEmpty { return }
      for row in some where lines?.append(row, into: &pending) == true { rowCount += 1 }
      rows?.take(some.count)
    }
  }

  // MARK: Writing

  /// Writes what is pending, as far as it is taken.
  /// - Returns: whether all was.
  private func write() throws(WireError) -> Bool {
    var hasWaited = false
    while !pending.isEmpty {
      guard let descriptor else { return true }
      let readiness: Readiness
      do throws(SystemError) {
        readiness = try pending.withSpan { bytes throws(SystemError) in try descriptor.write(bytes, kind) }
      } catch {
        throw WireError(.storage, "DESCRIPTOR_FAILED", "\(error)", [.init("reason", text: error.name)])
      }
      switch readiness {
      case .bytes(let count):
        pending.consume(count)
        byteCount += count
        hasWaited = false
      case .wouldBlock:
        if hasWaited || !descriptor.waitForRoom(milliseconds: Self.patience) { return false }
        hasWaited = true
      case .peerGone:
        throw WireError(.cancelled, "CANCELLED", "the descriptor was closed at its other end")
      }
      try check()
    }
    return true
  }
}

/// Goes on with a delivery.
struct DeliveryJob: PausableJob {
  let delivery: RowDelivery

  var connection: UInt64 { delivery.flow.connection }
  var stop: StopFlag { delivery.flow.stop }

  func goOn(_ shared: Shared, _ output: inout JSONWriter, until end: MonotonicTime) -> Bool {
    delivery.goOn(shared, &output, until: end)
  }
}
