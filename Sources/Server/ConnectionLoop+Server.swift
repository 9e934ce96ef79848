// What the server answers from itself: what it is, how it does, what to stop, when to take a snapshot.

import Ledger
import Platform
import Query
import Storage
import Wire

extension ConnectionLoop {
  /// Carries out a call to the server.
  /// - Returns: whether the answer comes later, from elsewhere.
  mutating func serve(
    _ call: ServerCall, _ request: DecodedRequest, _ connection: inout Connection,
    _ place: AnswerPlace?, from start: MonotonicTime
  ) throws(WireError) -> Bool {
    let report = ServerReport(shared, services, connection: connection.number)
    switch call {
    case .ping: try respondResult(&connection, request, place) { $0.string("pong") }
    case .info: try respondResult(&connection, request, place) { report.info(into: &$0) }
    case .stats: try respondResult(&connection, request, place) { report.stats(into: &$0) }
    case .metrics: try respondResult(&connection, request, place) { $0.string(report.metrics()) }
    case .discover: try respondResult(&connection, request, place) { MethodTable.openRPC(into: &$0) }
    case .listSnapshots: try respondResult(&connection, request, place) { report.snapshots(into: &$0) }
    case .cancel(let id, let other):
      let count = shared.running.cancel(
        other ?? connection.number, id: id, by: connection.peer)
      try respondResult(&connection, request, place) { output in
        output.beginObject()
        output.key("cancelled")
        output.integer(count)
        output.endObject()
      }
    case .createSnapshot(let waits):
      guard connection.peer.mayWrite else { throw .forbidden("this user may only read") }
      if waits, request.id != nil {
        waitForSnapshot(request, &connection, place)
        return true
      }
      services.snapshots.request(nil)
      try respondResult(&connection, request, place) { output in
        output.beginObject()
        output.key("started")
        output.bool(true)
        output.endObject()
      }
    }
    return false
  }

  private mutating func waitForSnapshot(
    _ request: DecodedRequest, _ connection: inout Connection, _ place: AnswerPlace?
  ) {
    let place = place ?? AnswerPlace(slot: connection.answers.open())
    let number = connection.number
    countAway(&connection, 1)
    services.snapshots.request(
      .init(
        connection: number, place: place, id: request.id, inbox: inbox, wantsMeta: request.wantsMeta,
        receivedAt: now))
  }

  private mutating func respondResult(
    _ connection: inout Connection, _ request: DecodedRequest, _ place: AnswerPlace?,
    _ write: (inout JSONWriter) -> Void
  ) throws(WireError) {
    // The answer waits for nothing, so it names what a crash cannot undo.
    let position = request.wantsMeta ? shared.committedPosition : nil
    try respond(&connection, request, place) { id, output throws(WireError) in
      AnswerWriter.beginResult(id, into: &output)
      write(&output)
      AnswerWriter.endResult(position: position, into: &output)
      return 0
    }
  }
}
