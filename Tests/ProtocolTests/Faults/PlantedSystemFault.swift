// One fault in one system call: where it can be planted, how strace is told, what must come of it.

import Foundation
import Platform
import TestSupport

/// Which files a call is about.
enum FaultArea: String, CaseIterable, Sendable {
  /// Segments that are written to.
  case journal
  /// Segments that are being made.
  case segments
  case snapshots
  /// The data directory itself, the manifest, the lock, the socket.
  case directory

  /// - Parameter name: from the data directory.
  init(_ name: Substring) {
    self =
      if name.hasPrefix("snapshot-") {
        .snapshots
      } else if name.hasPrefix("journal-") {
        name.hasSuffix(".tmp") ? .segments : .journal
      } else { .directory }
  }
}

/// What goes wrong.
enum FaultEffect: Hashable, Sendable, CustomStringConvertible {
  /// SIGKILL before the call is carried out.
  case killed
  /// The call fails with this error and does nothing.
  case fails(String, forEver: Bool)
  /// Four calls running are interrupted.
  case interrupted
  /// A write says that it has written so much, and has not. That is true where zeros are written into a new
  /// file; elsewhere it is one only when the rest fails, and all is given up.
  case short(Int)

  static let all: [FaultEffect] = [
    .killed, .interrupted, .short(0), .short(100), .short(4096), .fails("EIO", forEver: false),
    .fails("EIO", forEver: true), .fails("ENOSPC", forEver: false), .fails("ENOSPC", forEver: true),
    .fails("EDQUOT", forEver: false), .fails("EMFILE", forEver: false), .fails("EMFILE", forEver: true),
    .fails("ENOMEM", forEver: false),
  ]

  /// Whether such a call may fail that way.
  func canMeet(_ site: FaultSite, isDirect: Bool) -> Bool {
    let writes = site.call == "pwrite64" || site.call == "write"
    let removes = site.call.hasPrefix("unlink") || site.call == "rmdir"
    let names = removes || site.call.hasPrefix("rename") || site.call.hasPrefix("mkdir")
    return switch self {
    case .killed, .fails("EIO", _): true
    case .interrupted: !names
    case .short(0): writes
    // A direct write that goes on from there fails.
    case .short(100): site.call == "pwrite64" && site.area != .directory && isDirect
    // A lie that nothing finds out at once, but where zeros are written into a new file.
    case .short: writes && site.area == .segments
    case .fails("EMFILE", _), .fails("ENOMEM", _): site.call == "openat"
    case .fails: !removes
    }
  }

  func expression(at number: Int) -> String {
    switch self {
    case .killed: "signal=SIGKILL:when=\(number)"
    case .fails(let name, let forEver): "error=\(name):when=\(number)\(forEver ? "+" : "")"
    case .interrupted: "error=EINTR:when=\(number)..\(number + 3)"
    case .short(let count): "retval=\(count):when=\(number)"
    }
  }

  var description: String {
    switch self {
    case .killed: "SIGKILL"
    case .fails(let name, let forEver): name + (forEver ? "-for-ever" : "")
    case .interrupted: "EINTR"
    case .short(let count): "short-\(count)"
    }
  }
}

/// The n-th call of one name on the files of one area, by whichever thread comes to it first.
struct FaultSite: Hashable, Sendable, CustomStringConvertible {
  let area: FaultArea
  let call: String
  let number: Int

  var description: String { "\(area.rawValue):\(call):\(number)" }
}

/// Everything that the script makes the program call, learnt from a run without faults.
struct FaultMap: Sendable {
  /// Names from the data directory, "" for itself.
  let names: [FaultArea: Set<String>]
  let sites: [FaultSite]
  /// Segments are written past the page cache.
  let isDirect: Bool

  init(_ calls: [Strace.Call], data: String, isDirect: Bool) {
    self.isDirect = isDirect
    var names: [FaultArea: Set<String>] = [:]
    var counts: [FaultArea: [String: [Substring: Int]]] = [:]
    for call in calls where call.path.hasPrefix(data) {
      let name = call.path.dropFirst(data.count).drop { $0 == "/" }
      let area = FaultArea(name)
      names[area, default: []].insert(String(name))
      counts[area, default: [:]][String(call.name), default: [:]][call.thread, default: 0] += 1
    }
    self.names = names
    var sites: [FaultSite] = []
    for area in FaultArea.allCases {
      for (call, byThread) in (counts[area] ?? [:]).sorted(by: { $0.key < $1.key }) {
        for number in 1...byThread.values.max()! {
          sites.append(FaultSite(area: area, call: call, number: number))
        }
      }
    }
    self.sites = sites
  }

  func strace(_ site: FaultSite, _ effect: FaultEffect, _ directory: TemporaryDirectory) -> Strace {
    let data = directory.path(of: "data")
    return Strace(
      log: directory.path(of: "strace"),
      paths: (names[site.area] ?? []).sorted().map { $0.isEmpty ? data : PathName.join(data, $0) },
      fault: "\(site.call):\(effect.expression(at: site.number))")
  }
}

/// One run of the script with one fault in it, and everything that must hold.
struct FaultedRun {
  let site: FaultSite
  let effect: FaultEffect
  private(set) var wasReached = false
  private(set) var code: Int32 = 0
  private(set) var findings: [String] = []
  private(set) var longestStart = Duration.zero

  /// For a person who wants to see it again.
  var repetition: String {
    "LEDGERLINE_FAULT=\(site):\(effect) tools/test --filter InjectedFaultTests"
  }

  init(_ map: FaultMap, _ site: FaultSite, _ effect: FaultEffect, _ script: FaultScript) throws {
    self.site = site
    self.effect = effect
    let directory = try TemporaryDirectory()
    let books = FaultedBooks(script, in: directory)
    let strace = map.strace(site, effect, directory)
    let server = try ServerProcess(in: directory, FaultedBooks.options, shell: strace.shell, waits: false)
    let client = try? server.connectWhenReady()
    if let client {
      books.drive(client)
      server.signal(SIGTERM)
    }
    let end = books.end(server)
    code = end.code
    let calls = try strace.noted()
    wasReached = effect == .killed ? code == 128 + SIGKILL : calls.contains(where: \.isInjected)
    judge(books, calls, hasListened: client != nil, errors: end.errors)
    try books.settle()
    findings += books.findings
    longestStart = books.longestStart
  }

  private mutating func judge(
    _ books: FaultedBooks, _ calls: [Strace.Call], hasListened: Bool, errors: String
  ) {
    let allowed: Set<Int32> = effect == .killed && wasReached ? [128 + SIGKILL] : [0, 1, 5]
    if !allowed.contains(code) { findings.append("it ended with \(code): \(errors)") }
    if !wasReached || effect == .interrupted {
      if code != 0 { findings.append("it ended with \(code), nothing was wrong: \(errors)") }
      if books.words.values.contains(where: { $0 != .done }) { findings.append("not everything was done") }
      return
    }
    let spoils = ["pwrite64", "fdatasync"]
    func isJournal(_ call: Strace.Call) -> Bool {
      FaultArea(call.path.split(separator: "/").last ?? "") == .journal && spoils.contains(String(call.name))
    }
    guard effect != .killed, let first = calls.firstIndex(where: { $0.isInjected && isJournal($0) }) else {
      return
    }
    // What has failed is not tried again, and nothing is written after it.
    if code != 5 { findings.append("the journal failed and it ended with \(code): \(errors)") }
    var later = calls[(first + 1)...].filter { isJournal($0) }[...]
    // The rest of the write that was short.
    if case .short = effect, later.first?.name == "pwrite64" { later = later.dropFirst() }
    if !later.isEmpty { findings.append("after the failure came \(later.map { "\($0.name) \($0.path)" })") }
    if hasListened && books.words.values.contains(.unknown) == false && books.words.count > 2 {
      findings.append("nobody was told that an outcome is unknown")
    }
  }
}
