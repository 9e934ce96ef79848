// Writing answers out: straight to the socket, the rest kept, streams as fast as the client reads.

import Platform
import Wire

extension ConnectionLoop {
  /// Puts an answer in its order: straight into the output when nothing waits before it.
  mutating func answer(
    _ connection: inout Connection, _ write: (inout JSONWriter) -> Void
  ) {
    if connection.answers.isEmpty {
      write(&output)
    } else {
      connection.answers.appendFinished(line(write))
    }
  }

  /// The bytes that `write` makes, apart from the output.
  mutating func line(_ write: (inout JSONWriter) -> Void) -> [UInt8] {
    let mark = output.count
    write(&output)
    let line = output.take(from: mark)
    return line
  }

  /// Writes out the backlog, then what is finished, then what streams; keeps what the socket does not take.
  mutating func flush(_ connection: inout Connection) {
    if connection.isGone {
      output.removeAll()
      return
    }
    writeBacklog(&connection)
    if connection.hasBacklog {
      if !output.isEmpty {
        connection.backlog.append(contentsOf: output.copied())
        output.removeAll()
      }
      return
    }
    let limit = shared.configuration.bounds.answerBatchByteCount
    var streamed = 0
    while !connection.hasBacklog {
      connection.answers.takeFinished(into: &output, byteLimit: limit)
      if output.isEmpty, let stream = connection.answers.dueStream {
        if streamed >= Self.streamBytesPerTurn { break }
        pump(stream, &connection)
        streamed += output.count
      }
      if output.isEmpty { break }
      writeOutput(&connection)
    }
  }

  func writeBacklog(_ connection: inout Connection) {
    guard connection.hasBacklog else { return }
    let start = connection.backlogStart
    let result = try? connection.socket.write(
      connection.backlog.span.extracting(start..<connection.backlog.count))
    switch result {
    case .bytes(let count):
      connection.backlogStart += count
      connection.backlogMoved = now
      if connection.backlogStart == connection.backlog.count {
        connection.backlog = []
        connection.backlogStart = 0
      }
    case .wouldBlock: break
    case .peerGone, nil: hangUp(&connection)
    }
  }

  mutating func writeOutput(_ connection: inout Connection) {
    switch unsafe try? connection.socket.write(output.unsafeBytes) {
    case .bytes(let count): output.consume(count)
    case .wouldBlock: break
    case .peerGone, nil:
      hangUp(&connection)
      output.removeAll()
    }
    if !output.isEmpty {
      connection.backlog = output.copied()
      connection.backlogStart = 0
      connection.backlogMoved = now
      output.removeAll()
    }
  }

  /// The next rows of a stream into the output, or its last line.
  mutating func pump(_ stream: StreamedAnswer, _ connection: inout Connection) {
    do throws(WireError) {
      try stream.check()
      if stream.writeNext(into: &output) {
        return
      }
    } catch {
      AnswerWriter.error(error, stream.id, into: &output)
    }
    connection.answers.endDueStream()
    countAway(&connection, -1)
    shared.running.remove(connection.number, stream.place)
  }

  /// Counts a request that is answered from elsewhere, or one that has been.
  mutating func countAway(_ connection: inout Connection, _ change: Int) {
    connection.awayCount += change
    awayCount += change
  }
}
