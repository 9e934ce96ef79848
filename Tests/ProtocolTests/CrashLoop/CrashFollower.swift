// Follows the change stream of a server that dies again and again.

import LedgerlineClient
import Platform
import TestSupport

/// A subscriber and the twin that it keeps.
final class CrashFollower: Sendable {
  private struct State {
    var books = BooksFollower()
    var faults: [String] = []
    /// It was so slow that what it wants is not kept any more: it follows no further.
    var isOvertaken = false
  }

  private let state = Guarded(State())

  /// Follows by subscription until the connection ends.
  func follow(_ path: String) {
    guard books != nil, let client = try? TestClient(path: path) else { return }
    let start = state.withLock { $0.books.nextPosition }
    do {
      let answer = try client.call("changes.subscribe", #"{"from_position":\#(start)}"#)
      if let error = answer["error"] { return notKept(error) }
      if answer["result"]?["from_position"]?.int != start { note("subscribed to \(answer.text)") }
      while true {
        let notification = try client.answer()
        let changes = notification["params"]?["changes"]?.array ?? []
        take(changes)
        if let error = notification["params"]?["error"] {
          // A server that stops says so.
          if error["data"]?["code"]?.string != "BUSY" { notKept(error) }
          return
        }
      }
    } catch {
      // The server has died. What it has shown is on its disk, half a command too.
    }
  }

  /// An error ends the following: it is right if what is wanted is older than what is kept.
  private func notKept(_ error: JSONNode) {
    state.withLock { state in
      let isRight =
        error["data"]?["code"]?.string == "CHANGES_NOT_KEPT"
        && error["data"]?["oldest_position"]?.int.map { $0 > state.books.nextPosition } == true
      if isRight {
        state.isOvertaken = true
      } else {
        state.faults.append("position \(state.books.nextPosition): \(error.text.prefix(300))")
      }
    }
  }

  private func note(_ fault: String) { state.withLock { $0.faults.append(fault) } }

  private func take(_ changes: [JSONNode]) {
    state.withLock { state in
      do {
        for change in changes { try state.books.take(change) }
      } catch {
        state.faults.append("\(error)")
      }
    }
  }

  /// Reads up to the end page by page.
  /// - Returns: everything that is wrong so far.
  func catchUp(_ client: TestClient) throws -> [String] {
    while true {
      let start = state.withLock { $0.books.nextPosition }
      let answer = try client.call("changes.read", #"{"from_position":\#(start),"limit":1000}"#)
      guard let result = answer["result"], let committed = result["committed_position"]?.int else {
        notKept(answer["error"] ?? answer)
        return faults
      }
      if committed + 1 < start {
        note("\(start - 1) was shown before the crash, now the end is \(committed)")
      }
      let changes = result["changes"]?.array ?? []
      take(changes)
      let (next, faults) = state.withLock { ($0.books.nextPosition, $0.faults) }
      if !faults.isEmpty || next > committed { return faults }
      if changes.isEmpty { return ["no change at \(start), though \(committed) is committed"] }
    }
  }

  var faults: [String] { state.withLock { $0.faults } }

  /// The twin as it stands; nil when it could not follow.
  var books: BooksFollower? { state.withLock { $0.isOvertaken ? nil : $0.books } }
}
