// The texts of socket errors: each says what, where, and the way out.

import Glibc
import Platform
import Testing

@Test(arguments: [
  (
    SocketError.pathTooLong(path: "/p", byteCount: 140),
    "the socket path \"/p\" has 140 bytes; a Unix socket path holds at most 107: choose a shorter one, "
      + "for example in /run or /tmp, or a relative path from a working directory near it"
  ),
  (
    .pathNotUsable(path: ""),
    "the socket path \"\" is empty: name a file in a directory that exists"
  ),
  (
    .pathNotUsable(path: "a\0b"),
    "the socket path \"a\\0b\" is cut by a NUL byte: name a file in a directory that exists"
  ),
  (
    .serverIsLive(path: "/p"),
    "a server is already listening on \"/p\": stop it, or choose another socket path"
  ),
  (
    .staleSocket(path: "/p"),
    "\"/p\" is the socket of a server that has ended, and the lock of its data directory is not held: "
      + "start the server on that directory, or remove the file"
  ),
  (
    .occupied(path: "/p", by: .regular),
    "\"/p\" is a regular file, not a socket; it is left as it is: choose another socket path"
  ),
  (
    .occupied(path: "/p", by: .symbolicLink),
    "\"/p\" is a symbolic link, not a socket; it is left as it is: choose another socket path"
  ),
  (.noServer(path: "/p", isStale: false), "no server is running: \"/p\" does not exist"),
  (.noServer(path: "/p", isStale: true), "no server is running: nobody listens on \"/p\""),
  (.timedOut(path: "/p"), "the server on \"/p\" accepts no connections: its queue stayed full"),
  (
    .failed(SystemError(code: EACCES, call: "bind", doing: "create the socket", path: "/p")),
    "cannot create the socket \"/p\": Permission denied (EACCES from bind)"
  ),
])
func theTextOfASocketErrorNamesTheWayOut(error: SocketError, text: String) {
  #expect(error.description == text)
}
