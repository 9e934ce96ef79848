// The books that a script fills through a server that faults are planted in, and what the script was told.

import Foundation
import LedgerlineClient
import Platform
import TestSupport

/// A data directory, the script, and the word given for each step.
final class FaultedBooks {
  /// What a step was told.
  enum Word: Equatable {
    case done, notApplied
    /// An error that says so, or the connection ended before the answer.
    case unknown
  }

  let directory: TemporaryDirectory
  let script: FaultScript
  private(set) var words: [Int: Word] = [:]
  /// What was not as it must be.
  private(set) var findings: [String] = []
  /// The longest start that was waited for.
  private(set) var longestStart = Duration.zero

  static let options = [
    "--segment-size", "65536", "--min-free", "0", "--snapshot-every", "off", "--query-threads", "1",
  ]

  /// What the directory lies on, if a test made it.
  private let disk: SmallDisk?

  init(_ script: FaultScript, in directory: TemporaryDirectory, on disk: SmallDisk? = nil) {
    self.disk = disk
    self.directory = directory
    self.script = script
  }

  func note(_ finding: String) { findings.append(finding) }

  /// Takes a word for given that nobody has heard: for the test of the comparison.
  func pretend(_ word: Word?, of step: Int) { words[step] = word }

  // MARK: Asking

  /// Sends what has no word yet, step by step, and keeps each word; ends early when the connection does.
  func drive(_ client: TestClient, upTo end: Int? = nil) {
    var rest = script.steps.filter { words[$0.number] == nil && $0.number < end ?? .max }[...]
    while let first = rest.first {
      let window = rest.prefix(FaultScript.window(at: first.number))
      rest = rest.dropFirst(window.count)
      var waiting = window
      do {
        try client.send(Array(window.map { $0.line + "\n" }.joined().utf8))
        for step in window {
          words[step.number] = word(try client.answer(), for: step)
          waiting = waiting.dropFirst()
        }
      } catch {
        if case TestClient.Failure.tooLate = error {
          note("no answer to step \(waiting.first!.number) in time")
        }
        for step in waiting { words[step.number] = .unknown }
        return
      }
    }
  }

  private func word(_ answer: JSONNode, for step: ScriptStep) -> Word {
    if answer["id"]?.int != step.number { note("step \(step.number) was answered \(answer.text)") }
    if answer["result"] != nil {
      // The parts of a batch that is not atomic have answers of their own.
      let results = answer["result"]?["results"]?.array ?? []
      if results.contains(where: { $0["error"] != nil }) {
        note("step \(step.number) was done in part: \(answer.text.prefix(300))")
      }
      return .done
    }
    let error = answer["error"]?["data"]
    switch (error?["code"]?.string, error?["outcome"]?.string) {
    case ("STORAGE_FAILED", "not_applied"): return .notApplied
    case ("STORAGE_FAILED", "unknown"): return .unknown
    default:
      // What was never made cannot be used.
      if words[0] != .done || words[1] != .done { return .notApplied }
      note("step \(step.number) was refused: \(answer.text.prefix(300))")
      return .unknown
    }
  }

  /// Forgets what was not done, so that `drive` asks again.
  func askAgain() {
    for (number, word) in words where word != .done { words[number] = nil }
  }

  // MARK: Starting, stopping

  /// Starts the program and waits for it; nil when it ends before it listens.
  func start(_ strace: Strace? = nil, _ more: [String] = []) throws -> ServerProcess? {
    let begin = SystemClock().monotonicTime()
    let server = try ServerProcess(
      in: directory, Self.options + more, shell: strace?.shell ?? "true", waits: false)
    if (try? server.connectWhenReady()) == nil { return nil }
    longestStart = max(longestStart, SystemClock().monotonicTime() - begin)
    return server
  }

  /// Waits for the program's end, however it comes.
  func end(_ server: ServerProcess) -> (code: Int32, errors: String) {
    if !eventually({ !server.isRunning }) {
      note("the server did not end")
      server.signal(SIGKILL)
    }
    return server.end()
  }

  /// `ledgerline check` on the directory as it lies there.
  func check(_ moment: String) throws {
    // Killed before it made the directory.
    if !FileManager.default.fileExists(atPath: directory.path(of: "data")) { return }
    let check = Process()
    check.executableURL = ServerProcess.program
    check.arguments = ["check", directory.path(of: "data")]
    let output = Pipe()
    check.standardOutput = output
    check.standardError = output
    try check.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    check.waitUntilExit()
    if check.terminationStatus != 0 { note("check \(moment): \(text)") }
  }

  // MARK: Comparing

  /// Looks every step up and compares with the words: what is said to be done is there, what is said not to
  /// be applied is not, nothing is half there, and the balances hold what those steps move that are there.
  func compare(_ client: TestClient) throws {
    let asked = script.steps.flatMap(\.lookups)
    for part in asked.chunks(ofCount: 100) {
      try client.send(Array(part.map { request(1, $0.method, $0.params) + "\n" }.joined().utf8))
    }
    var present: Set<Int> = []
    for step in script.steps {
      let found = try step.lookups.map { _ in try client.answer() }
      let there = found.count { answer in
        guard let result = answer["result"] else { return false }
        return step.member.map { result["meta_data"]?[$0] != nil } ?? true
      }
      if step.isSnapshot { continue }
      if there != 0 && there != found.count {
        note("step \(step.number) is half there: \(there) of \(found.count)")
      }
      if there > 0 { present.insert(step.number) }
      switch words[step.number] {
      case .done where there == 0: note("step \(step.number) was acknowledged and is lost")
      case .notApplied where there > 0: note("step \(step.number) was said not to be applied and is there")
      case nil where there > 0: note("step \(step.number) was never sent and is there")
      default: break
      }
    }
    try compareSums(client, present)
  }

  private func compareSums(_ client: TestClient, _ present: Set<Int>) throws {
    if !present.contains(1) { return }
    for (balance, sum) in script.sums(of: present).enumerated() {
      let found = try client.call("balances.get", #"{"balance_id":"bln_\#(balance)"}"#)["result"]
      let shown = (found?["credit_balance"]?.string, found?["debit_balance"]?.string)
      if shown != ("\(sum.credit)", "\(sum.debit)") {
        note("bln_\(balance) has credits and debits \(shown), due are \(sum)")
      }
    }
  }

  /// What must hold after whatever has happened: the directory is sound, a start works, the books agree with
  /// the words; then everything that was not done is asked again, is done, and is there after one more start.
  func settle() throws {
    try check("after the fault")
    guard let server = try start() else { return note("no start after the fault") }
    let client = try server.connect()
    try compare(client)
    let unsettled = Set(words.filter { $0.value == .unknown }.keys)
    askAgain()
    driveAgain(client, unsettled)
    if let missing = script.steps.first(where: { words[$0.number] != .done }) {
      note("step \(missing.number) was not done when it was asked again")
    }
    try compare(client)
    server.signal(SIGTERM)
    let end = end(server)
    if end.code != 0 { note("the start after the fault ended with \(end.code): \(end.errors)") }
    try check("after the end")
  }

  /// Steps whose outcome was unknown may have been done: without a reference they are refused as taken.
  private func driveAgain(_ client: TestClient, _ unsettled: Set<Int>) {
    for step in script.steps where words[step.number] == nil {
      do {
        try client.send(step.line)
        let answer = try client.answer()
        let code = answer["error"]?["data"]?["code"]?.string ?? ""
        let isTaken = unsettled.contains(step.number) && code.hasSuffix("_DUPLICATE")
        words[step.number] = isTaken ? .done : word(answer, for: step)
      } catch {
        return note("step \(step.number), asked again: \(error)")
      }
    }
  }
}

extension Array {
  /// Pieces of at most `count` elements, in order.
  func chunks(ofCount count: Int) -> [ArraySlice<Element>] {
    stride(from: 0, to: self.count, by: count).map { self[$0..<Swift.min($0 + count, self.count)] }
  }
}
