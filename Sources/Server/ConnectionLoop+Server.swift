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
    _ call: ServerCall, _ request: DecodedRequest, _ connection: UnsafeMutablePointer<Connection>,
    _ place: AnswerPlace?, from start: MonotonicTime
  ) throws(WireError) -> Bool {
    let report = unsafe ServerReport(shared, services, connection: connection.pointee.number)
    switch call {
    case .ping: unsafe try respondResult(connection, request, place) { $0.string("pong") }
    case .info: unsafe try respondResult(connection, request, place) { report.info(into: &$0) }
    case .stats: unsafe try respondResult(connection, request, place) { report.stats(into: &$0) }
    case .metrics: unsafe try respondResult(connection, request, place) { $0.string(report.metrics()) }
    case .discover: unsafe try respondResult(connection, request, place) { MethodTable.openRPC(into: &$0) }
    case .listSnapshots: unsafe try respondResult(connection, request, place) { report.snapshots(into: &$0) }
    case .cancel(let id, let other):
      let count = unsafe shared.running.cancel(
        other ?? connection.pointee.number, id: id, by: connection.pointee.peer)
      unsafe try respondResult(connection, request, place) { output in
        output.beginObject()
        output.key("cancelled")
        output.integer(count)
        output.endObject()
      }
    case .createSnapshot(let waits):
      guard unsafe connection.pointee.peer.mayWrite else { throw .forbidden("this user may only read") }
      if waits, request.id != nil {
        unsafe waitForSnapshot(request, connection, place)
        return true
      }
      services.snapshots.request(nil)
      unsafe try respondResult(connection, request, place) { output in
        output.beginObject()
        output.key("started")
        output.bool(true)
        output.endObject()
      }
    }
    return false
  }

  private mutating func waitForSnapshot(
    _ request: DecodedRequest, _ connection: UnsafeMutablePointer<Connection>, _ place: AnswerPlace?
  ) {
    let place = unsafe place ?? AnswerPlace(slot: connection.pointee.answers.open())
    let number = unsafe connection.pointee.number
    unsafe countAway(connection, 1)
    services.snapshots.request(
      .init(
        connection: number, place: place, id: request.id, inbox: inbox, wantsMeta: request.wantsMeta,
        receivedAt: now))
  }

  private mutating func respondResult(
    _ connection: UnsafeMutablePointer<Connection>, _ request: DecodedRequest, _ place: AnswerPlace?,
    _ write: (inout JSONWriter) -> Void
  ) throws(WireError) {
    let position = request.wantsMeta ? shared.books.position : nil
    unsafe try respond(connection, request, place) { id, output throws(WireError) in
      AnswerWriter.beginResult(id, into: &output)
      write(&output)
      AnswerWriter.endResult(position: position, into: &output)
    }
  }
}
