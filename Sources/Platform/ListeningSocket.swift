// A Unix socket that clients connect to: private from its first moment, removed by its owner only.

import CSys
import Glibc

/// What `accept` came to.
package enum Accepted: ~Copyable {
  /// A connection, nonblocking.
  case connection(UnixSocket)
  /// Nobody is waiting.
  case wouldBlock
  /// A client went away before it was accepted; try again.
  case abandoned
  /// This process (EMFILE) or the machine (ENFILE) has no descriptor left, or the kernel no memory. The
  /// client stays in the queue: stop watching the socket until a connection closes, or the loop spins.
  case outOfDescriptors(SystemError)
}

/// A listening Unix socket. One owner; dropping it closes it and removes its file, if still its own.
@safe
package struct ListeningSocket: ~Copyable, Sendable {
  /// For `EventLoop` only; it stays the property of this value.
  package let descriptor: CInt
  /// The path it was bound to; nil for one that was taken over.
  package let path: String?
  private let identity: FileIdentity?

  /// Listens on `path`, nonblocking.
  ///
  /// The file has its permissions from its first moment: the mode is set on the socket before bind(2), where
  /// Linux takes it from, and checked afterwards. (umask would do it too, but it belongs to the
  /// whole process, and other threads make files and directories meanwhile.)
  ///
  /// - Parameters:
  ///   - permissions: of the socket file; who may write to it may connect.
  ///   - holdsLock: the caller holds the `DirectoryLock` of the data directory this socket belongs to, so a
  ///     socket there on which nobody listens is a dead server's and may be replaced.
  package static func listen(
    on path: String, permissions: UInt32 = 0o600, backlog: Int = 4096, holdsLock: Bool
  ) throws(SocketError) -> ListeningSocket {
    try SocketError.checkPath(path)
    let descriptor = try SocketError.wrapping { () throws(SystemError) in
      try Syscalls.makeSocket(nonblocking: true)
    }
    let identity: FileIdentity
    do throws(SocketError) {
      try clearPath(path, holdsLock: holdsLock)
      identity = try bind(descriptor, path, permissions)
    } catch {
      Syscalls.close(descriptor)
      throw error
    }
    // From here on the socket closes itself and removes its file.
    let socket = ListeningSocket(descriptor: descriptor, path: path, identity: identity)
    try SocketError.wrapping { () throws(SystemError) in
      try Syscalls.listen(descriptor, backlog: backlog, path: path)
    }
    return socket
  }

  /// Takes over a socket that is listening already (socket activation). Its file is not removed.
  package init(adopting descriptor: CInt) throws(SystemError) {
    try Syscalls.setNonblocking(descriptor, true)
    self.descriptor = descriptor
    path = nil
    identity = nil
  }

  private init(descriptor: CInt, path: String, identity: FileIdentity) {
    self.descriptor = descriptor
    self.path = path
    self.identity = identity
  }

  /// Takes the next waiting client.
  /// - Throws: what no client can cause (EBADF and the like).
  package borrowing func accept() throws(SystemError) -> Accepted {
    let result = Syscalls.accept(descriptor)
    if result >= 0 { return .connection(UnixSocket(adopting: result)) }
    switch -result {
    case EAGAIN: return .wouldBlock
    case ECONNABORTED, EPERM, EPROTO: return .abandoned
    case EMFILE, ENFILE, ENOBUFS, ENOMEM:
      return .outOfDescriptors(
        SystemError(code: -result, call: "accept4", doing: "accept a connection on", path: path))
    default:
      throw SystemError(code: -result, call: "accept4", doing: "accept a connection on", path: path)
    }
  }

  /// Stops listening and removes the file, unless another socket has taken its place.
  package consuming func close() {}

  deinit {
    if let path, let identity, (try? Syscalls.linkStatus(path))?.identity == identity {
      try? Syscalls.unlink(path)
    }
    Syscalls.close(descriptor)
  }
}

// MARK: - Making one

extension ListeningSocket {
  /// Sees to it that nothing stands at `path`: removes a dead server's socket, refuses all else.
  private static func clearPath(_ path: String, holdsLock: Bool) throws(SocketError) {
    let found = try SocketError.wrapping { () throws(SystemError) in try Syscalls.linkStatus(path) }
    guard let found else { return }
    guard found.kind == .socket else { throw .occupied(path: path, by: found.kind) }
    let probe = try SocketError.wrapping { () throws(SystemError) in
      try Syscalls.makeSocket(nonblocking: true)
    }
    let result = Syscalls.connect(probe, to: path)
    Syscalls.close(probe)
    switch -result {
    case ECONNREFUSED: break
    case ENOENT: return
    // Connected, a full queue, or a socket of another type: somebody is there.
    case 0, EAGAIN, EPROTOTYPE: throw .serverIsLive(path: path)
    default:
      throw .failed(SystemError(code: -result, call: "connect", doing: "try the socket", path: path))
    }
    guard holdsLock else { throw .staleSocket(path: path) }
    try SocketError.wrapping { () throws(SystemError) in try Syscalls.unlink(path) }
  }

  /// Binds, and makes sure that the file's permissions are at most the wanted ones.
  private static func bind(
    _ descriptor: CInt, _ path: String, _ permissions: UInt32
  ) throws(SocketError) -> FileIdentity {
    try SocketError.wrapping { () throws(SystemError) in
      let mode = csys_fchmod(descriptor, permissions)
      _ = try Syscalls.checked(mode, "fchmod", "set the permissions of the socket", path)
      try Syscalls.bind(descriptor, to: path)
    }
    let status = try SocketError.wrapping { () throws(SystemError) in try Syscalls.linkStatus(path) }
    guard let status, status.kind == .socket else { throw .occupied(path: path, by: .other) }
    if status.permissions == permissions { return status.identity }
    // A kernel that takes the mode from umask alone: nothing was accepted yet, so nothing is lost.
    try SocketError.wrapping { () throws(SystemError) in
      if status.permissions & ~permissions != 0 {
        try Syscalls.unlink(path)
        throw SystemError(code: EPERM, call: "bind", doing: "create a private socket", path: path)
      }
      try Syscalls.setPermissions(of: path, permissions)
    }
    return status.identity
  }
}
