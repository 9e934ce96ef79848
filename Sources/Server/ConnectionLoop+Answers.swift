// Writing answers out: straight to the socket, the rest kept, streams as fast as the client reads.

import Ledger
import Platform
import Wire

extension ConnectionLoop {
  /// Puts an answer that shows nothing of the books in its order.
  mutating func answer(_ connection: inout Connection, _ write: (inout JSONWriter) -> Void) {
    put(&connection, nil) { output in
      write(&output)
      return 0
    }
  }

  /// Puts an answer in its place, or next in order when it has none. `write` makes it and says from which
  /// committed position on it may leave; when it throws, there is no answer.
  mutating func put<Failure: Error>(
    _ connection: inout Connection, _ place: AnswerPlace?,
    _ write: (inout JSONWriter) throws(Failure) -> UInt64
  ) throws(Failure) {
    if place == nil, !connection.answers.isEmpty { return try connection.answers.append(write) }
    let mark = output.count
    let position: UInt64
    do throws(Failure) {
      position = try write(&output)
    } catch {
      output.rewind(to: mark)
      throw error
    }
    if let place {
      connection.answers.finish(place, output.take(from: mark), position: position)
    } else if position > shared.committedPosition {
      hold(&connection, from: mark, position)
    }
  }

  /// Moves the last answer out of the output, with all before it: it has to wait.
  private mutating func hold(_ connection: inout Connection, from mark: Int, _ position: UInt64) {
    if mark > 0 { connection.answers.takeOver(output, 0..<mark, position: 0) }
    connection.answers.takeOver(output, mark..<output.count, position: position)
    output.removeAll()
  }

  /// Writes out what may leave, then what streams; keeps what the socket does not take.
  mutating func flush(_ connection: inout Connection) {
    if connection.isGone {
      output.removeAll()
      return
    }
    if !output.isEmpty { writeOutput(&connection) }
    if !connection.feeds.isEmpty { endStopped(&connection) }
    endStoppedStreams(&connection)
    while true {
      if hasFailed { failHeld(&connection) }
      let committed = shared.committedPosition
      connection.answers.settle(committed)
      writeLeaving(&connection)
      if connection.isGone { return }
      if let stream = connection.answers.dueStream(committed), stream.state == .ready {
        write(stream, &connection)
      } else if !writeChanges(&connection) {
        return
      }
    }
  }

  /// Writes what may leave of the answers that wait, as far as the socket takes it.
  private mutating func writeLeaving(_ connection: inout Connection) {
    if !connection.hasBacklog { return }
    switch unsafe try? connection.socket.write(connection.answers.leavingBytes) {
    case .bytes(let count):
      connection.answers.sent(count)
      connection.backlogMoved = now
    case .wouldBlock: break
    case .peerGone, nil: hangUp(&connection)
    }
  }

  /// Writes the output; what the socket does not take waits for it.
  private mutating func writeOutput(_ connection: inout Connection) {
    switch unsafe try? connection.socket.write(output.unsafeBytes) {
    case .bytes(let count): output.consume(count)
    case .wouldBlock: break
    case .peerGone, nil:
      hangUp(&connection)
      output.removeAll()
    }
    if !output.isEmpty {
      connection.backlogMoved = now
      connection.answers.takeOver(output, 0..<output.count, position: 0)
      output.removeAll()
    }
  }

  /// Counts a request that is answered from elsewhere, or one that has been.
  mutating func countAway(_ connection: inout Connection, _ change: Int) {
    connection.awayCount += change
    awayCount += change
  }
}
