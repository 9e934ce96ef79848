// The real program as a server of its own process, for what only a process can show: signals, limits, files.

import Foundation
import LedgerlineClient
import Platform
import TestSupport

/// A `ledgerline serve`. It is killed when this object goes.
final class ServerProcess {
  let directory: TemporaryDirectory
  let socketPath: String
  private let process = Process()
  private let errors = Pipe()

  /// - Parameters:
  ///   - shell: commands that the shell runs first, such as `ulimit -n 64`.
  ///   - waits: whether to wait until clients can connect.
  init(
    in directory: TemporaryDirectory? = nil, _ options: [String] = [], shell: String = "true",
    socketPath: String? = nil, waits: Bool = true
  ) throws {
    let directory = try directory ?? TemporaryDirectory()
    self.directory = directory
    self.socketPath = socketPath ?? directory.path(of: "data/ledgerline.sock")
    process.executableURL = URL(filePath: "/bin/sh")
    let program = Self.program.path()
    var command = [program, "serve", "--data", directory.path(of: "data")] + options
    if let socketPath { command += ["--socket", socketPath] }
    process.arguments = ["-c", #"\#(shell) && exec "$@""#, "sh"] + command
    process.standardInput = FileHandle.nullDevice
    process.standardError = errors
    try process.run()
    if waits { _ = try connectWhenReady() }
  }

  /// The program under test: LEDGERLINE_BINARY, else the one of this build.
  static var program: URL {
    if let path = ProcessInfo.processInfo.environment["LEDGERLINE_BINARY"] { return URL(filePath: path) }
    return Bundle.module.bundleURL.deletingLastPathComponent().appending(path: "ledgerline")
  }

  var isRunning: Bool { process.isRunning }
  var processID: Int32 { process.processIdentifier }

  func connect() throws -> TestClient { try TestClient(path: socketPath) }

  func connectWhenReady() throws -> TestClient {
    var client: TestClient?
    _ = eventually {
      client = try? connect()
      return client != nil || !process.isRunning
    }
    if let client { return client }
    return try connect()
  }

  func signal(_ number: Int32) { kill(processID, number) }

  /// Waits for the end.
  /// - Returns: the exit code, 128 plus the signal's number when a signal ended it, and what stood on stderr.
  func end() -> (code: Int32, errors: String) {
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    let code = process.terminationStatus
    return (process.terminationReason == .exit ? code : 128 + code, text)
  }

  /// Bytes of memory that are resident now.
  func residentByteCount() throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return (line?.split(separator: " ").dropLast().last.flatMap { Int($0) } ?? 0) * 1024
  }

  /// Descriptors that are open now.
  func descriptorCount() throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/\(processID)/fd").count
  }

  /// Seconds of processor time used so far.
  func processorSeconds() throws -> Double {
    let text = try String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8)
    let fields = text.split(separator: ")").last!.split(separator: " ")
    return (Double(fields[11])! + Double(fields[12])!) / 100
  }

  deinit {
    if process.isRunning { kill(processID, SIGKILL) }
  }
}
