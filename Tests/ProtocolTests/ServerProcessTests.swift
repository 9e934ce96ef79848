// The program as its administrator meets it: sockets and locks on the disk, signals, limits of the process.

import Foundation
import LedgerlineClient
import Platform
import TestSupport
import Testing

@Suite struct ServerProcessTests {
  private static func fill(_ client: TestClient, _ count: Int) throws {
    try client.call("ledgers.create", #"{"ledger_id":"ldg_a","name":"A"}"#)
    let balances = (0..<count).map { #"{"balance_id":"bln_\#($0)","ledger_id":"ldg_a","currency":"USD"}"# }
    let made = try client.call("balances.create_many", #"{"balances":[\#(balances.joined(separator: ","))]}"#)
    #expect(made["result"]?["created"]?.int == count)
  }

  private static func transfer(_ number: Int) -> String {
    request(
      number, "transactions.create",
      #"{"source":"@world","destination":"bln_\#(number % 10)","currency":"USD","precise_amount":"1","#
        + #""reference":"ref-\#(number)","allow_overdraft":true}"#)
  }

  // MARK: Signals

  @Test(arguments: [SIGTERM, SIGINT])
  func aStopUnderLoadAnswersWhatWasReadAndKeepsIt(signal: Int32) throws {
    let server = try ServerProcess(["--snapshot-every", "off"])
    let client = try server.connect()
    try Self.fill(client, 10)
    for number in 0..<20 { try client.send(Self.transfer(number)) }
    #expect(try client.line() != nil)
    try client.socket.setNonblocking(true)
    // As many as the kernel takes: the server is in the middle of them when the signal comes.
    let requests = Array((20..<4000).map { Self.transfer($0) + "\n" }.joined().utf8)
    _ = try client.socket.write(requests.span)
    try client.socket.setNonblocking(false)
    server.signal(signal)
    server.signal(signal)
    var answered = 1
    while let line = try? client.line() {
      let answer = try JSONNode.parse(line)
      #expect(answer["id"]?.int == answered, "\(line)")
      #expect(answer["result"]?["status"]?.string == "APPLIED", "\(line)")
      answered += 1
    }
    #expect(answered >= 20)
    let end = server.end()
    #expect(end.code == 0, "\(end.errors)")
    #expect(!FileManager.default.fileExists(atPath: server.socketPath))

    let again = try ServerProcess(in: server.directory)
    let reader = try again.connect()
    // Not one more than was answered: every request that was carried out was answered.
    for number in [0, answered - 1] {
      let found = try reader.call("transactions.get_by_reference", #"{"reference":"ref-\#(number)"}"#)
      #expect(found["result"]?["status"]?.string == "APPLIED", "\(number)")
    }
    let next = try reader.call("transactions.get_by_reference", #"{"reference":"ref-\#(answered)"}"#)
    #expect(next["error"]?["data"]?["code"]?.string == "TXN_NOT_FOUND")
  }

  @Test func afterAKillEverythingThatWasAnsweredIsBack() throws {
    let server = try ServerProcess(["--snapshot-every", "off"])
    let client = try server.connect()
    try Self.fill(client, 100)
    #expect(try client.call("snapshots.create", #"{"wait":true}"#)["result"]?["balances"]?.int == 100)
    try client.call("ledgers.create", #"{"ledger_id":"ldg_late","name":"Late"}"#)
    server.signal(SIGKILL)
    #expect(server.end().code == 128 + SIGKILL)
    #expect(FileManager.default.fileExists(atPath: server.socketPath), "a killed server leaves its socket")

    let again = try ServerProcess(in: server.directory)
    let reader = try again.connectWhenReady()
    #expect(try reader.call("balances.get", #"{"balance_id":"bln_99"}"#)["result"] != nil)
    // It came after the snapshot.
    #expect(try reader.call("ledgers.get", #"{"ledger_id":"ldg_late"}"#)["result"] != nil)
    let info = try reader.call("server.info")["result"]
    #expect((info?["recovery"]?["replayed_facts"]?.int ?? 0) >= 1 && info?["durability"]?.string == "always")
  }

  // MARK: Files

  @Test func aSecondServerNamesTheFirst() throws {
    let server = try ServerProcess()
    let second = try ServerProcess(in: server.directory, waits: false)
    let end = second.end()
    #expect(end.code == 1)
    #expect(end.errors.contains("\(server.processID)"), "\(end.errors)")
    #expect(try server.connect().call("server.ping")["result"] != nil)
  }

  @Test func aLiveServersSocketIsNotTaken() throws {
    let server = try ServerProcess()
    let other = try ServerProcess(socketPath: server.socketPath, waits: false)
    #expect(other.end().code == 1)
    #expect(try server.connect().call("server.ping")["result"] != nil)
  }

  @Test(arguments: ["file", "link", "directory"])
  func whatIsNoSocketIsNeverRemoved(kind: String) throws {
    let directory = try TemporaryDirectory()
    let path = directory.path(of: "taken")
    switch kind {
    case "file": try Data("mine".utf8).write(to: URL(filePath: path))
    case "link": try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/nowhere")
    default: try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }
    let server = try ServerProcess(in: directory, socketPath: path, waits: false)
    let end = server.end()
    #expect(end.code == 1)
    #expect(end.errors.contains(path), "\(end.errors)")
    #expect((try? FileManager.default.attributesOfItem(atPath: path)) != nil, "it is still there")
  }

  @Test func aPathThatIsTooLongIsRefusedWithTheWayOut() throws {
    let directory = try TemporaryDirectory()
    let long = directory.path(of: String(repeating: "x", count: 107 - directory.path.utf8.count))
    let server = try ServerProcess(in: directory, socketPath: long, waits: false)
    let end = server.end()
    #expect(end.code == 1)
    #expect(end.errors.contains("107"), "\(end.errors)")
    let fits = try ServerProcess(in: directory, socketPath: String(long.dropLast()))
    #expect(try fits.connect().call("server.ping")["result"] != nil)
  }

  @Test func theSocketIsPrivateUnlessOthersAreLetIn() throws {
    let server = try ServerProcess(shell: "umask 0")
    #expect(try Self.permissions(server.socketPath) == 0o600)
    let directory = try TemporaryDirectory()
    let shared = try ServerProcess(
      in: directory, ["--allow-uid", "65534"], socketPath: directory.path(of: "shared"))
    #expect(try Self.permissions(shared.socketPath) == 0o666)
  }

  private static func permissions(_ path: String) throws -> Int? {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return (attributes[.posixPermissions] as? NSNumber)?.intValue
  }

  /// Runs only as root: nobody else can become another user.
  @Test(.enabled(if: CurrentProcess.effectiveUserID == 0), arguments: ["none", "allow", "read-only"])
  func otherUsersDoWhatTheyMay(option: String) throws {
    let directory = try TemporaryDirectory()
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: directory.path)
    let options = option == "none" ? ["--allow-uid", "65533"] : ["--\(option)-uid", "65534"]
    let server = try ServerProcess(in: directory, options, socketPath: directory.path(of: "shared"))
    let answers = try Self.asNobody(
      server.socketPath, request(1, "server.ping"), request(2, "ledgers.create", #"{"name":"L"}"#))
    switch option {
    case "none": #expect(answers.contains("FORBIDDEN") && !answers.contains("pong"), "\(answers)")
    case "allow": #expect(answers.contains("pong") && answers.contains("ldg_"), "\(answers)")
    default: #expect(answers.contains("pong") && answers.contains("FORBIDDEN"), "\(answers)")
    }
  }

  private static func asNobody(_ path: String, _ lines: String...) throws -> String {
    let script = """
      import socket,sys,os
      os.setgid(65534); os.setuid(65534)
      s=socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect(sys.argv[1])
      try:
        s.sendall(sys.argv[2].encode()); s.shutdown(1)
      except OSError: pass
      while True:
        try: d=s.recv(65536)
        except OSError: break
        if not d: break
        sys.stdout.write(d.decode())
      """
    let python = Process()
    python.executableURL = URL(filePath: "/usr/bin/python3")
    python.arguments = ["-c", script, path, lines.joined(separator: "\n") + "\n"]
    let output = Pipe()
    python.standardOutput = output
    try python.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    python.waitUntilExit()
    return text
  }

  // MARK: Limits

  /// So many clients, or as many as there can be: the test and the server have other descriptors as well.
  private static func crowdCount(_ wanted: Int) throws -> Int {
    let limit = try CurrentProcess.raiseDescriptorLimit()
    let count = min(wanted, limit - limit / 8 - 64)
    if count < wanted {
      Skipped.tell("\(wanted) clients", "\(count) of them: \(limit) descriptors are allowed")
    }
    return count
  }

  /// The crowd is in a process of its own: tests that run beside it would be without descriptors too.
  @Test func withoutDescriptorsTheServerNeitherSpinsNorDropsAnyone() async throws {
    let crowdCount = try Self.crowdCount(1000)
    await #expect(processExitsWith: .success) { [crowdCount = crowdCount as Int] in
      _ = try CurrentProcess.raiseDescriptorLimit()
      let server = try ServerProcess(shell: "ulimit -n 64")
      let early = try server.connect()
      try early.call("server.ping")
      let quiet = try server.descriptorCount()
      var clients = try (0..<crowdCount).map { _ in try server.connect() }
      #expect(clients.count > 100, "\(clients.count)")
      #expect(try early.call("server.ping")["result"] != nil, "in the crowd")
      let served = clients.count { (try? $0.call("server.ping"))?["result"] != nil }
      #expect((20..<64).contains(served), "\(served), \(quiet) descriptors were open before")
      let before = try server.processorSeconds()
      usleep(500_000)
      let used = try server.processorSeconds() - before
      #expect(used < 0.2, "\(used) seconds of processor time")
      // A snapshot that finds no descriptor says so, and the books go on.
      let snapshot = try early.call("snapshots.create", #"{"wait":true}"#)
      #expect(snapshot["error"] != nil || snapshot["result"] != nil, "\(snapshot.text)")
      clients = []
      #expect(
        eventually { (try? server.connect().call("server.ping"))?["result"] != nil }, "after the crowd")
      // The first that is free was enough for that; a snapshot needs several.
      #expect(try eventually { try server.descriptorCount() <= quiet + 8 }, "of the crowd")
      let next = try early.call("snapshots.create", #"{"wait":true}"#)
      #expect(next["result"] != nil, "\(next.text)")
    }
  }

  @Test func thousandsOfQuietConnectionsCostLittle() async throws {
    let crowdCount = try Self.crowdCount(3000)
    await #expect(processExitsWith: .success) { [crowdCount = crowdCount as Int] in
      _ = try CurrentProcess.raiseDescriptorLimit()
      let server = try ServerProcess()
      let first = try server.connect()
      try first.call("server.ping")
      let before = try server.residentByteCount()
      let clients = try (0..<crowdCount).map { _ in try server.connect() }
      for client in clients { try client.send(request(1, "server.ping")) }
      let answers = try clients.count { try $0.line() != nil }
      #expect(answers == clients.count, "\(answers) of \(clients.count)")
      // The connection that found out that the server is there may take a moment to be seen closed.
      #expect(
        try eventually {
          try first.call("server.stats")["result"]?["queues"]?["connections"]?.int == clients.count + 1
        }, "not all of \(clients.count) are counted")
      let growth = try server.residentByteCount() - before
      #expect(growth < 150 << 20, "\(growth) bytes")
      // An optimised build would let them go after their last use.
      withExtendedLifetime(clients) {}
    }
  }

  @Test func clientsThatReadNothingCostABoundedAmount() throws {
    let server = try ServerProcess()
    let first = try server.connect()
    try first.call("rpc.discover")
    let before = try server.residentByteCount()
    let line = request(1, "rpc.discover") + "\n"
    let requests = Array(repeatElement(line, count: 6000).joined().utf8)
    let clients = try (0..<50).map { _ in try server.connect() }
    for client in clients {
      try client.socket.setNonblocking(true)
      _ = try client.socket.write(requests.span)
    }
    for client in clients { _ = try client.socket.write(requests.span) }
    try first.call("server.ping")
    let growth = try server.residentByteCount() - before
    #expect(growth < 100 << 20, "\(growth) bytes")
    // What was sent may still be at work; then it must come to rest, and not spin.
    #expect(
      try eventually {
        let used = try server.processorSeconds()
        usleep(300_000)
        return try server.processorSeconds() - used < 0.15
      })
  }
}
