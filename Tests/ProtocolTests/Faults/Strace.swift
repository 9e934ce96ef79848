// strace as the hand that plants faults in system calls.

import Foundation
import TestSupport

/// A command line that runs a program with one fault planted, and what it has noted.
///
/// strace runs beside the program (`-D`), which keeps its process id, its signals and its exit code. Only
/// calls that touch `paths` are looked at: they are the ones that are counted, thread by thread, and fail.
struct Strace {
  /// Why no fault can be planted here; nil when strace works.
  static let obstacle: String? = {
    let tool = Process()
    tool.executableURL = URL(filePath: "/bin/sh")
    tool.arguments = ["-c", "strace -D -f -qq -o /dev/null -e trace=fsync -e inject=fsync:error=EIO true"]
    tool.standardError = FileHandle.nullDevice
    do { try tool.run() } catch { return "no shell: \(error)" }
    tool.waitUntilExit()
    if tool.terminationStatus == 0 { return nil }
    return tool.terminationStatus == 127 ? "strace is not installed" : "strace may not trace processes here"
  }()

  /// Whether strace works; says so aloud when it does not.
  static func isThere(for test: String) -> Bool {
    guard let obstacle else { return true }
    Skipped.tell(test, obstacle)
    return false
  }

  /// Every call by which the program may change files; some processors lack some of them.
  static let calls = [
    "openat", "write", "pwrite64", "fdatasync", "fsync", "rename", "renameat", "renameat2", "unlink",
    "unlinkat", "rmdir", "mkdir", "mkdirat", "ftruncate", "fallocate",
  ]

  let log: String
  let paths: [String]
  /// After the name of the call and the colon; nil only notes what is called.
  let fault: String?

  /// For `ServerProcess.init(shell:)`: puts strace before the program.
  var shell: String {
    var words = ["strace", "-D", "-f", "-qq", "-y", "-s", "0", "-o", log]
    words += ["-e", "trace=" + Self.calls.map { "?" + $0 }.joined(separator: ",")]
    if let fault { words += ["-e", "inject=" + fault] }
    // Other calls run at full speed then, but signals are not delivered.
    if fault?.contains(":signal=") != true { words.append("--seccomp-bpf") }
    for path in paths { words += ["-P", path] }
    return "set -- " + words.joined(separator: " ") + #" "$@""#
  }

  /// One call that strace has noted.
  struct Call {
    let thread: Substring
    let name: Substring
    /// The file: the descriptor's, or the one that is named.
    let path: Substring
    let isInjected: Bool
  }

  /// The calls noted so far, in the order in which they began.
  func noted() throws -> [Call] {
    let text = try String(contentsOfFile: log, encoding: .utf8)
    var resumedFaults: Set<Substring> = []
    var calls: [Call] = []
    // Backwards, so that the end of an unfinished call is known when its beginning is met.
    for line in text.split(separator: "\n").reversed() {
      let words = line.split(separator: " ", maxSplits: 1)
      guard words.count == 2 else { continue }
      let rest = words[1].drop { $0 == " " }
      let isInjected = line.hasSuffix("(INJECTED)") || line.hasSuffix("(DELAYED)")
      if rest.hasPrefix("<...") {
        if isInjected { resumedFaults.insert(words[0]) }
        continue
      }
      guard let open = rest.firstIndex(of: "("), rest.first != "+", rest.first != "-" else { continue }
      let isUnfinished = line.hasSuffix("<unfinished ...>")
      let wasInjected = isUnfinished && resumedFaults.remove(words[0]) != nil
      calls.append(
        Call(
          thread: words[0], name: rest[..<open], path: Self.path(in: rest[open...]),
          isInjected: isInjected || wasInjected))
    }
    return calls.reversed()
  }

  /// A name in quotes, which calls by name have and calls by descriptor do not (texts are left out: `-s 0`).
  private static func path(in arguments: Substring) -> Substring {
    if let open = arguments.firstRange(of: "\""),
      let close = arguments[open.upperBound...].firstIndex(of: "\""), close > open.upperBound
    {
      return arguments[open.upperBound..<close]
    }
    guard let open = arguments.firstIndex(of: "<"), let close = arguments.firstIndex(of: ">") else {
      return ""
    }
    return arguments[arguments.index(after: open)..<close]
  }
}

/// What a machine cannot do is told, not passed over.
enum Skipped {
  static func tell(_ test: String, _ reason: String) {
    FileHandle.standardError.write(Data("SKIPPED \(test): \(reason)\n".utf8))
  }
}
