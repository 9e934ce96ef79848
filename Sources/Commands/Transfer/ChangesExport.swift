// `ledgerline export --changes`: what has happened to the books, one change a line, resumable.

import LedgerlineClient
import Platform

enum ChangesExport {
  static let options: [OptionSpecification] = [
    OptionSpecification("changes", help: "write what has happened, change by change, instead of rows"),
    OptionSpecification("from", value: .required("N"), help: "with --changes: first position (default 1)"),
    OptionSpecification(
      "to", value: .required("N"), help: "with --changes: last position (default: all that is committed)"),
    OptionSpecification("resume", help: "with --changes: go on after the last whole line of --output"),
  ]

  static func run(_ options: CommandOptions, _ console: Console) throws -> ExitCode {
    try options.atMost(0)
    if try options.choice("format", of: ["ndjson", "csv"]) == "csv" {
      throw CommandFailure(.ownError, "changes are of many kinds: they are written as ndjson only")
    }
    var start = try options.number("from", in: 1...Int.max, default: 1)
    let end = try options.number("to", in: 1...Int.max, default: Int.max)
    let output = options.value("output")
    if options.has("resume") {
      guard let output else { throw CommandFailure(.ownError, "--resume needs --output FILE") }
      if let last = try ChangesFile.lastPosition(in: output) { start = last + 1 }
    }
    let client = try ServerConnection.connect(options, console)
    let sink =
      try output.map { TextSink(try OpenFile($0, options.has("resume") ? .append : .replace)) }
      ?? console.output
    let display = ProgressDisplay(
      console, label: "Exporting changes", noun: "changes", total: nil,
      isQuiet: output == nil && console.isOutputTerminal)
    var expected = start
    var count = 0
    if start <= end {
      var params: [JSONNode.Member] = [.init("from_position", .int(start))]
      if end < Int.max { params.append(.init("limit", .int(end - start + 1))) }
      var call = CallOptions()
      call.wantsStream = true
      let answer = try client.call("changes.read", .object(params), options: call) { changes in
        for change in changes {
          guard change["position"]?.int == expected else {
            throw CommandFailure(
              .partly, "position \(expected) should come, but \(change["position"]?.text ?? "none") came")
          }
          expected += 1
          count += 1
          try sink.write(change.text + "\n")
        }
        try display.update(count)
      }
      guard answer.result["next_position"]?.int == max(start, expected) else {
        throw CommandFailure(.partly, "the server's last position is not the one that arrived")
      }
    }
    try sink.flush()
    try display.clear()
    if options.has("json"), output != nil {
      try console.print(
        JSONNode.object([.init("changes", .int(count)), .init("next_position", .int(expected))]).text)
    } else if output != nil || console.isErrorTerminal {
      try display.finish(count)
    }
    return .ok
  }
}

/// A file of changes, one a line, as an earlier export left it.
enum ChangesFile {
  /// More than the longest change.
  private static let longestLine = 64 << 20

  /// The position of the last whole line, nil when there is none; what follows it is cut off.
  /// - Throws: `CommandFailure` when the line is no change.
  static func lastPosition(in path: String) throws -> Int? {
    let file: OpenFile
    do throws(SystemError) { file = try OpenFile(path, .readWrite) } catch {
      if error.name == "ENOENT" { return nil }
      throw error
    }
    let size = try file.size()
    guard let (start, end) = try lastLine(of: file, size) else {
      if size >= longestLine { throw CommandFailure(.ownError, "\"\(path)\" does not end as an export does") }
      try file.truncate(to: 0)
      return nil
    }
    var line = [UInt8](repeating: 0, count: end - start - 1)
    do {
      var room = line.mutableSpan
      _ = try file.read(at: start, into: &room)
    }
    guard let position = (try? JSONNode.parse(line))?["position"]?.int else {
      throw CommandFailure(
        .ownError, "the last line of \"\(path)\" is no change: it was not made by --changes")
    }
    if end < size { try file.truncate(to: end) }
    return position
  }

  /// Where the last line begins that has an end, and where that end is.
  private static func lastLine(of file: borrowing OpenFile, _ size: Int) throws -> (Int, Int)? {
    var length = min(size, 64 << 10)
    while true {
      var tail = [UInt8](repeating: 0, count: length)
      do {
        var room = tail.mutableSpan
        _ = try file.read(at: size - length, into: &room)
      }
      if let last = tail.lastIndex(of: UInt8(ascii: "\n")) {
        let before = tail[..<last].lastIndex(of: UInt8(ascii: "\n"))
        if let before { return (size - length + before + 1, size - length + last + 1) }
        if length == size { return (0, last + 1) }
      }
      if length == size || length >= longestLine { return nil }
      length = min(size, length * 2)
    }
  }
}
