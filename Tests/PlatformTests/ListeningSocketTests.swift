// The rules of a listening socket: what it replaces, what it never touches, who may connect, what it reports.

import Glibc
import Platform
import TestSupport
import Testing

@Suite struct ListeningSocketTests {
  let place: TemporaryDirectory

  init() throws { place = try TemporaryDirectory() }

  @Test func clientsAreAcceptedInOrder() throws {
    let path = place.path(of: "s")
    let server = try ListeningSocket.listen(on: path, holdsLock: false)
    #expect(try !isWaiting(server))
    let first = try UnixSocket.connect(to: path)
    let second = try UnixSocket.connect(to: path)
    #expect(try first.write([1].span) == .bytes(1))
    #expect(try second.write([2].span) == .bytes(1))
    for expected: UInt8 in [1, 2] {
      guard case .connection(let client) = try server.accept() else {
        Issue.record("client \(expected) is not there")
        return
      }
      #expect(fcntl(client.descriptor, F_GETFL) & O_NONBLOCK != 0)
      #expect(fcntl(client.descriptor, F_GETFD) == FD_CLOEXEC)
      #expect(try read(client) == [expected])
      #expect(try client.peerCredentials().processID == CurrentProcess.id)
    }
    #expect(try !isWaiting(server))
  }

  @Test(arguments: [UInt32(0o600), 0o660, 0o666])
  func theSocketHasItsPermissions(permissions: UInt32) throws {
    let server = try ListeningSocket.listen(
      on: place.path(of: "s"), permissions: permissions, holdsLock: false)
    #expect(try place.directory.status(of: "s")?.permissions == permissions)
    #expect(try place.directory.status(of: "s")?.kind == .socket)
    server.close()
  }

  /// A watcher on a second thread asks for the mode all the time: it never sees more than 0600.
  @Test func theSocketIsPrivateFromItsFirstMoment() async {
    await #expect(processExitsWith: .success) {
      // A umask that hides nothing, in a process of its own because it belongs to the whole process.
      umask(0)
      let place = try TemporaryDirectory()
      let isDone = Gate(false)
      let seen = Gate<Set<UInt32>>([])
      let watcher = try Thread(name: "watcher") {
        while !isDone.withLock({ $0 }) {
          guard let found = try? place.directory.status(of: "s") else { continue }
          seen.withLock { _ = $0.insert(found.permissions) }
        }
      }
      for _ in 0..<500 {
        try ListeningSocket.listen(on: place.path(of: "s"), holdsLock: false).close()
      }
      isDone.withLock { $0 = true }
      watcher.join()
      #expect(seen.withLock { $0.isSubset(of: [0o600]) })
    }
  }

  @Test func aStaleSocketIsReplacedUnderTheLockOnly() throws {
    let path = place.path(of: "s")
    try leaveStaleSocket(at: path)
    #expect(throws: SocketError.staleSocket(path: path)) {
      _ = try ListeningSocket.listen(on: path, holdsLock: false)
    }
    #expect(try place.directory.status(of: "s") != nil)
    let server = try ListeningSocket.listen(on: path, holdsLock: true)
    let client = try UnixSocket.connect(to: path)
    #expect(try isWaiting(server))
    client.close()
  }

  @Test func aLiveSocketIsNeverReplaced() throws {
    let path = place.path(of: "s")
    let live = try ListeningSocket.listen(on: path, holdsLock: true)
    for holdsLock in [false, true] {
      #expect(throws: SocketError.serverIsLive(path: path)) {
        _ = try ListeningSocket.listen(on: path, holdsLock: holdsLock)
      }
    }
    #expect(try place.directory.status(of: "s")?.kind == .socket)
    live.close()
  }

  @Test func aLiveSocketWithAFullQueueIsNeverReplaced() throws {
    let path = place.path(of: "s")
    let live = try ListeningSocket.listen(on: path, backlog: 0, holdsLock: true)
    let waiting = try UnixSocket.connect(to: path)
    #expect(throws: SocketError.serverIsLive(path: path)) {
      _ = try ListeningSocket.listen(on: path, holdsLock: true)
    }
    waiting.close()
    live.close()
  }

  @Test func filesDirectoriesAndLinksAreNeverRemoved() throws {
    try OpenFile(place.path(of: "file"), .createNew).close()
    _ = try place.directory.makeDirectory("folder")
    try leaveStaleSocket(at: place.path(of: "stale"))
    for (target, name) in [("stale", "link"), ("nowhere", "dangling")] {
      let result = unsafe symlink(place.path(of: target), place.path(of: name))
      #expect(result == 0)
    }
    let expected: [(String, FileKind)] = [
      ("file", .regular), ("folder", .directory), ("link", .symbolicLink), ("dangling", .symbolicLink),
    ]
    for (name, kind) in expected {
      #expect(throws: SocketError.occupied(path: place.path(of: name), by: kind)) {
        _ = try ListeningSocket.listen(on: place.path(of: name), holdsLock: true)
      }
      #expect(try place.directory.status(of: name)?.kind == kind)
    }
  }

  @Test func aPathOf107BytesWorksAnd108AreRefused() throws {
    #expect(UnixSocket.pathByteLimit == 107)
    let stem = place.path(of: "")
    let longest = stem + String(repeating: "x", count: 107 - stem.utf8.count)
    try ListeningSocket.listen(on: longest, holdsLock: false).close()
    let tooLong = longest + "x"
    #expect(throws: SocketError.pathTooLong(path: tooLong, byteCount: 108)) {
      _ = try ListeningSocket.listen(on: tooLong, holdsLock: false)
    }
    #expect(throws: SocketError.pathTooLong(path: tooLong, byteCount: 108)) {
      _ = try UnixSocket.connect(to: tooLong)
    }
  }

  @Test func unusablePathsAreRefused() {
    for path in ["", "a\0b"] {
      #expect(throws: SocketError.pathNotUsable(path: path)) {
        _ = try ListeningSocket.listen(on: path, holdsLock: false)
      }
    }
    let path = place.path(of: "none/s")
    #expect(
      throws: SocketError.failed(
        SystemError(code: ENOENT, call: "bind", doing: "create the socket", path: path))
    ) {
      _ = try ListeningSocket.listen(on: path, holdsLock: false)
    }
  }

  @Test func closingRemovesItsOwnFileOnly() throws {
    let path = place.path(of: "s")
    try ListeningSocket.listen(on: path, holdsLock: false).close()
    #expect(try place.directory.status(of: "s") == nil)
    let old = try ListeningSocket.listen(on: path, holdsLock: false)
    try place.directory.removeFile("s")
    let new = try ListeningSocket.listen(on: path, holdsLock: false)
    old.close()
    #expect(try place.directory.status(of: "s")?.kind == .socket)
    new.close()
  }

  @Test func runningOutOfDescriptorsIsAValue() async {
    await #expect(processExitsWith: .success) {
      let place = try TemporaryDirectory()
      let path = place.path(of: "s")
      let server = try ListeningSocket.listen(on: path, holdsLock: false)
      let client = try UnixSocket.connect(to: path)
      let patient = try UnixSocket.connect(to: path)
      var spare = try SpareDescriptor()
      // No descriptor above those that are open now.
      let next = dup(0)
      close(next)
      var limit = rlimit(rlim_cur: rlim_t(next), rlim_max: rlim_t(next))
      let lowered = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      #expect(lowered == 0)
      guard case .outOfDescriptors(let error) = try server.accept() else {
        Issue.record("a descriptor came from nowhere")
        return
      }
      #expect(error.name == "EMFILE")
      // The spare turns the first in the queue away, as often as it must.
      let isFirstTurnedAway = spare.turnAway(from: server)
      #expect(isFirstTurnedAway)
      #expect(try read(client) == [])
      // The second is still in the queue: one descriptor freed, and it is served.
      close(0)
      guard case .connection(let accepted) = try server.accept() else {
        Issue.record("the client was lost")
        return
      }
      #expect(try patient.write([5].span) == .bytes(1))
      #expect(try read(accepted) == [5])
      let isAnotherTurnedAway = spare.turnAway(from: server)
      #expect(!isAnotherTurnedAway)
    }
  }

  /// Another thread takes a descriptor that is given up for a moment, and keeps it.
  @Test func everyoneIsTurnedAwayThoughAnotherThreadWaitsForADescriptor() async {
    await #expect(processExitsWith: .success) {
      let place = try TemporaryDirectory()
      let path = place.path(of: "s")
      let server = try ListeningSocket.listen(on: path, holdsLock: false)
      let clients = try (0..<60).map { _ in try UnixSocket.connect(to: path).relinquish() }
      var spare = try SpareDescriptor()
      let next = dup(0)
      close(next)
      var limit = rlimit(rlim_cur: rlim_t(next), rlim_max: rlim_t(next))
      #expect(unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
      let greedy = try Platform.Thread(name: "greedy") {
        for _ in 0..<10_000_000 where dup(0) >= 0 { return }
      }
      var turnedAwayCount = 0
      for _ in clients where spare.turnAway(from: server) { turnedAwayCount += 1 }
      #expect(turnedAwayCount == clients.count)
      greedy.join()
    }
  }

  @Test func aListeningSocketCanBeTakenOver() throws {
    let path = place.path(of: "s")
    let made = try ListeningSocket.listen(on: path, holdsLock: false)
    let taken = try ListeningSocket(adopting: dup(made.descriptor))
    let client = try UnixSocket.connect(to: path)
    #expect(try isWaiting(taken))
    client.close()
    taken.close()
    #expect(try place.directory.status(of: "s") != nil)
    made.close()
  }

  /// Whether a client is waiting; it is accepted and let go.
  private func isWaiting(_ server: borrowing ListeningSocket) throws -> Bool {
    guard case .connection = try server.accept() else { return false }
    return true
  }
}
