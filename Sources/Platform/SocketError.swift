// Why a socket cannot be listened on or connected to, each case with its way out.

import CSys
import Glibc

/// Why a Unix socket cannot be listened on or connected to.
package enum SocketError: Error, Equatable, Sendable {
  /// The path has more than `UnixSocket.pathByteLimit` bytes.
  case pathTooLong(path: String, byteCount: Int)
  /// The path is empty or holds a NUL byte.
  case pathNotUsable(path: String)
  /// Somebody answers at the path.
  case serverIsLive(path: String)
  /// A dead server left its socket, and the caller does not hold the lock that would let it be replaced.
  case staleSocket(path: String)
  /// Something that is no socket stands at the path; it is never removed.
  case occupied(path: String, by: FileKind)
  /// Connecting: nothing stands at the path (`isStale` false), or a socket nobody listens on (true).
  case noServer(path: String, isStale: Bool)
  /// Connecting: the server's queue stayed full for the time allowed.
  case timedOut(path: String)
  case failed(SystemError)

  /// Refuses a path that no socket address can hold.
  static func checkPath(_ path: String) throws(SocketError) {
    let count = path.utf8.count
    if count == 0 || path.utf8.contains(0) { throw .pathNotUsable(path: path) }
    if count > UnixSocket.pathByteLimit { throw .pathTooLong(path: path, byteCount: count) }
  }

  /// Runs `body`; a failed system call becomes `.failed`.
  static func wrapping<Result>(
    _ body: () throws(SystemError) -> Result
  ) throws(SocketError) -> Result {
    do throws(SystemError) { return try body() } catch { throw .failed(error) }
  }

  init(connecting error: SystemError, path: String) {
    switch error.code {
    case ENOENT: self = .noServer(path: path, isStale: false)
    case ECONNREFUSED:
      // A regular file answers ECONNREFUSED too.
      let kind = (try? Syscalls.linkStatus(path))?.kind ?? .socket
      self =
        kind == .socket || kind == .symbolicLink
        ? .noServer(path: path, isStale: true) : .occupied(path: path, by: kind)
    case ETIMEDOUT: self = .timedOut(path: path)
    default: self = .failed(error)
    }
  }
}

extension SocketError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .pathTooLong(let path, let count):
      "the socket path \"\(escaped(path))\" has \(count) bytes; a Unix socket path holds at most "
        + "\(UnixSocket.pathByteLimit): choose a shorter one, for example in /run or /tmp, "
        + "or a relative path from a working directory near it"
    case .pathNotUsable(let path):
      "the socket path \"\(escaped(path))\" is \(path.isEmpty ? "empty" : "cut by a NUL byte")"
        + ": name a file in a directory that exists"
    case .serverIsLive(let path):
      "a server is already listening on \"\(escaped(path))\": stop it, or choose another socket path"
    case .staleSocket(let path):
      "\"\(escaped(path))\" is the socket of a server that has ended, and the lock of its data directory "
        + "is not held: start the server on that directory, or remove the file"
    case .occupied(let path, let kind):
      "\"\(escaped(path))\" is \(kind.noun), not a socket; it is left as it is: choose another socket path"
    case .noServer(let path, false):
      "no server is running: \"\(escaped(path))\" does not exist"
    case .noServer(let path, true):
      "no server is running: nobody listens on \"\(escaped(path))\""
    case .timedOut(let path):
      "the server on \"\(escaped(path))\" accepts no connections: its queue stayed full"
    case .failed(let error): error.description
    }
  }
}
