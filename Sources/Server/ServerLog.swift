// What the server says on stderr: one line for each event.

import Platform
import Wire

/// Writes log lines. No amounts and no metadata at any level but debug; any thread may log.
package struct ServerLog: Sendable {
  package enum Level: String, Sendable { case info, warning, error }

  private let format: Configuration.LogFormat
  private let clock: any TimeSource
  private let write: @Sendable (String) -> Void

  /// - Parameter write: takes a whole line; default stderr.
  package init(
    format: Configuration.LogFormat, clock: any TimeSource,
    write: @escaping @Sendable (String) -> Void = { try? OutputStream.standardError.write($0) }
  ) {
    self.format = format
    self.clock = clock
    self.write = write
  }

  /// One line: time, level, what happened, and members as name and text.
  package func log(_ level: Level, _ message: String, _ members: [(String, String)] = []) {
    let time = JSONTime.text(microseconds: clock.wallTime().count)
    switch format {
    case .text:
      let tail = members.map { " \($0.0)=\($0.1)" }.joined()
      write("\(time) \(level.rawValue) \(message)\(tail)\n")
    case .json:
      var writer = JSONWriter(capacity: 256)
      writer.beginObject()
      writer.key("time")
      writer.string(time)
      writer.key("level")
      writer.string(level.rawValue)
      writer.key("message")
      writer.string(message)
      for (name, text) in members {
        writer.key(escaping: name)
        writer.string(text)
      }
      writer.endObject()
      writer.endLine()
      write(writer.text())
    }
  }
}
