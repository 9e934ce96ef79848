// The demo's own server: a child process on a directory of its own, started, watched, stopped.

import LedgerlineClient
import Platform

/// A server in a child process. One owner; when the owner ends, however it ends, the server is stopped.
struct DemoServer: ~Copyable {
  /// What a keeper shell does: starts the server, waits for a word (or for the end of the demo), stops it by
  /// SIGTERM, or kills it, removes the directory unless it is still wanted, and ends with the server's exit
  /// code. Ctrl-C ends the demo alone; that closes the pipe which the keeper reads.
  private static let keeper = """
    trap '' INT
    exec 2>/dev/null
    "$0" serve --durability always --data "$1/data" --socket "$1/ledgerline.sock" >"$1/server.log" 2>&1 </dev/null &
    server=$!
    echo $server >"$1/server.pid"
    read -r word
    if [ "$word" = kill ]; then kill -KILL $server; else kill -TERM $server; fi
    wait $server
    code=$?
    case $word in keep|kill) ;; *) rm -rf "$1" ;; esac
    exit $code
    """

  let directory: String
  private var child: ChildProcess

  init(program: String, directory: String) throws {
    self.directory = directory
    try FileReplacement.remove(directory + "/server.pid")
    child = try ChildProcess(["sh", "-c", Self.keeper, program, directory])
  }

  var socket: String { directory + "/ledgerline.sock" }

  /// Connects as soon as the server answers.
  func connect(atMost limit: Duration) throws -> Client {
    let clock = SystemClock()
    let deadline = clock.monotonicTime() + limit
    let loop = try EventLoop(capacity: 1)
    while true {
      do {
        let client = try Client(path: socket)
        _ = try client.call("server.ping")
        return client
      } catch let error as ClientError {
        guard case .cannotConnect = error else { throw error }
        if hasEnded { throw CommandFailure(.ownError, "the demo's server has ended: \(lastLogLine)") }
        guard clock.monotonicTime() < deadline else { throw error }
      }
      _ = try loop.wait(timeout: .milliseconds(10))
    }
  }

  /// Stops the server and waits for its end.
  /// - Returns: its exit code.
  mutating func stop(keepsDirectory: Bool) throws -> Int32 {
    try child.standardInput?.write(keepsDirectory ? "keep\n" : "remove\n")
    return try child.finish()
  }

  /// Kills the server at once, as a crash would, and keeps the directory.
  mutating func kill() throws {
    try child.standardInput?.write("kill\n")
    _ = try child.finish()
  }

  /// Whether the server process is gone, or a zombie that its keeper has not looked at yet.
  private var hasEnded: Bool {
    guard let bytes = try? FileReplacement.read(directory + "/server.pid", limit: 64),
      let pid = Int(String(decoding: bytes, as: UTF8.self).filter(\.isNumber))
    else { return false }
    guard let file = try? OpenFile("/proc/\(pid)/stat", .read) else { return true }
    var reader = LineReader(descriptor: file.descriptor, limit: 4096)
    guard case .line(let line)? = try? reader.next() else { return true }
    // `pid (name) state …`
    let text = String(decoding: line, as: UTF8.self)
    guard let end = text.lastIndex(of: ")") else { return true }
    return text[end...].dropFirst(2).first == "Z"
  }

  /// The last line of the server's log: what it said when it ended against its will.
  var lastLogLine: String {
    let bytes = (try? FileReplacement.read(directory + "/server.log", limit: 1 << 20)) ?? nil
    let lines = String(decoding: bytes ?? [], as: UTF8.self).split(whereSeparator: \.isNewline)
    return lines.last.map { TextWidth.printable(String($0)) } ?? "it said nothing"
  }
}
