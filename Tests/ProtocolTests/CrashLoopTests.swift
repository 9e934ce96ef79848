// kill -9 of the real program under load, again and again, and what its clients were told held against it.

import Foundation
import LedgerlineClient
import Platform
import TestSupport
import Testing

/// `tools/crash-loop N` sets the number of kills and the seed by LEDGERLINE_CRASH_ROUNDS and LEDGERLINE_SEED.
@Suite(.serialized) struct CrashLoopTests {
  private static let clientCount = 5
  /// Kills on one data directory; then a new one, so that the checks stay short.
  private static let roundsOfDirectory = 7
  /// Settings that take turns, one for each directory.
  private static let settings: [[String]] = [
    [], ["--snapshot-every", "2000"], ["--loops", "2", "--query-threads", "2", "--snapshot-every", "5000"],
  ]

  private static var roundCount: Int {
    let environment = ProcessInfo.processInfo.environment
    // Under a sanitizer each round is a long one.
    let usual = environment["LEDGERLINE_SEED_LIMIT"] == nil ? 20 : 5
    return environment["LEDGERLINE_CRASH_ROUNDS"].flatMap { Int($0) } ?? usual
  }

  @Test(arguments: Seed.sample(1))
  func whatClientsWereToldSurvivesEveryKill(_ seed: Seed) throws {
    var generator = seed.generator
    var round = 0
    var number = 0
    while round < Self.roundCount {
      let rounds = min(Self.roundsOfDirectory, Self.roundCount - round)
      let settings = Self.settings[number % Self.settings.count]
      try run(rounds, first: round, settings, seed, &generator)
      round += rounds
      number += 1
    }
  }

  private func run(
    _ rounds: Int, first: Int, _ settings: [String], _ seed: Seed, _ generator: inout SeededGenerator
  ) throws {
    let directory = try TemporaryDirectory()
    var checker = CrashChecker()
    let follower = CrashFollower()
    var server = try ServerProcess(in: directory, settings)
    try setUp(server)
    for round in first..<first + rounds {
      let logs = try load(server, round, checker, follower, &generator)
      let place = "\(seed), kill \(round + 1), \(settings)"
      let (code, output) = try check(directory)
      #expect(code == 0, "\(place): ledgerline check ends with \(code): \(output)")
      server = try restart(in: directory, settings, place, &generator)
      let client = try server.connect()
      try checker.check(logs, client)
      checker.note(try follower.catchUp(client))
      if round % 2 == 1 || round == first + rounds - 1 { try checker.checkBooks(client, follower.books) }
      #expect(checker.faults == [], "\(place)")
      if !checker.faults.isEmpty { return }
      print(
        "\(place): \(checker.transferCount) transfers, \(checker.unknownCount) without an answer,"
          + " \(checker.survivedCount) of them there"
          + (follower.books == nil ? "; the follower was overtaken" : ""))
    }
    server.signal(SIGTERM)
    #expect(server.end().code == 0)
    let (code, output) = try check(directory)
    #expect(code == 0, "\(seed), after a clean stop: \(output)")
  }

  private func setUp(_ server: ServerProcess) throws {
    let client = try server.connect()
    for (place, name) in CrashScript.accounts.enumerated() {
      let currency = CrashScript.currencies[place % CrashScript.currencies.count]
      let answer = try client.call(
        "balances.create",
        #"{"balance_id":"\#(name)","ledger_id":"general_ledger_id","currency":"\#(currency)"}"#)
      #expect(answer["result"] != nil, "\(answer.text)")
    }
  }

  /// Has the clients work on the server, kills it at a random moment, and gives what they have seen.
  private func load(
    _ server: ServerProcess, _ round: Int, _ checker: CrashChecker, _ follower: CrashFollower,
    _ generator: inout SeededGenerator
  ) throws -> [CrashLog] {
    let counters = CrashCounters()
    let logs = Guarded<[Int: CrashLog]>([:])
    let path = server.socketPath
    var threads: [Platform.Thread] = []
    for number in 0..<Self.clientCount {
      let start = CrashClient(
        number, of: Self.clientCount, round, count: checker.metadataCount(of: number), counters: counters,
        generator: SeededGenerator(Seed(generator.next())))
      threads.append(
        try Platform.Thread(name: "client-\(number)") {
          var client = start
          let log = client.run(path)
          logs.withLock { $0[number] = log }
        })
    }
    threads.append(try Platform.Thread(name: "follower") { follower.follow(path) })
    usleep(UInt32.random(in: 5_000...200_000, using: &generator))
    server.signal(SIGKILL)
    let ended = server.end()
    #expect(ended.code == 128 + SIGKILL, "it ended before it was killed: \(ended.errors)")
    for thread in threads { thread.join() }
    return logs.withLock { logs in (0..<Self.clientCount).map { logs[$0] ?? CrashLog() } }
  }

  /// Starts the server again; sometimes it is killed while it recovers.
  private func restart(
    in directory: TemporaryDirectory, _ settings: [String], _ place: String,
    _ generator: inout SeededGenerator
  ) throws -> ServerProcess {
    while Int.random(in: 0..<3, using: &generator) == 0 {
      let server = try ServerProcess(in: directory, settings, waits: false)
      usleep(UInt32.random(in: 0...40_000, using: &generator))
      server.signal(SIGKILL)
      _ = server.end()
    }
    return try ServerProcess(in: directory, settings)
  }

  private func check(_ directory: TemporaryDirectory) throws -> (code: Int32, output: String) {
    let process = Process()
    let output = Pipe()
    process.executableURL = ServerProcess.program
    process.arguments = ["check", directory.path(of: "data")]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationReason == .exit ? process.terminationStatus : -1, text)
  }
}
