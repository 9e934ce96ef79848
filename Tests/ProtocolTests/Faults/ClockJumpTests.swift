// The wall clock jumps, back and forth, under the real program: times in the books only rise, over restarts too.

import Foundation
import LedgerlineClient
import Platform
import TestSupport
import Testing

@Suite struct ClockJumpTests {
  /// libfaketime from Debian, which shifts the clock by what a file says.
  private static let library: String? = ["x86_64", "aarch64"].map {
    "/usr/lib/\($0)-linux-gnu/faketime/libfaketimeMT.so.1"
  }.first { FileManager.default.fileExists(atPath: $0) }

  private static let jumps = [
    "+0", "-1", "+1", "-3600", "+3600", "-864000", "+315360000", "-315360000", "+1",
  ]

  /// Times as texts that sort as the times do: nine digits after the point.
  private static func sortable(_ time: String) -> String {
    let parts = time.dropLast().split(separator: ".")
    return parts[0] + "."
      + (parts.count > 1 ? parts[1] : "").padding(toLength: 9, withPad: "0", startingAt: 0)
  }

  private static func transfer(_ number: Int) -> String {
    #"{"source":"@world","destination":"@till","currency":"USD","precise_amount":"1","#
      + #""reference":"c\#(number)","allow_overdraft":true}"#
  }

  @Test(arguments: Seed.sample(Effort.choose(1, long: 50)))
  func timesInTheBooksNeverFall(seed: Seed) throws {
    guard let library = Self.library else {
      return Skipped.tell("clock jumps", "libfaketime is not installed (Debian package libfaketime)")
    }
    var random = seed.generator
    let directory = try TemporaryDirectory()
    let file = directory.path(of: "offset")
    func jump() throws {
      try Self.jumps.randomElement(using: &random)!.write(toFile: file, atomically: true, encoding: .utf8)
    }
    try jump()
    var last = ""
    var number = 0
    for _ in 0..<Effort.choose(4, long: 12) {
      let server = try ServerProcess(
        in: directory, ["--snapshot-every", "off"],
        shell: "export LD_PRELOAD=\(library) FAKETIME_TIMESTAMP_FILE=\(file) FAKETIME_NO_CACHE=1"
          + " FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1")
      let client = try server.connect()
      for _ in 0..<60 {
        if number % 4 == 0 { try jump() }
        let made = try client.call("transactions.create", Self.transfer(number))["result"]
        let time = Self.sortable(made?["created_at"]?.string ?? "")
        #expect(time > last, "\(seed) c\(number)")
        last = time
        number += 1
      }
      #expect(try client.call("snapshots.create", #"{"wait":true}"#)["result"] != nil)
      try client.call("transactions.create", Self.transfer(number))
      number += 1
      server.signal(Bool.random(using: &random) ? SIGKILL : SIGTERM)
      _ = server.end()
      try jump()
    }
    // As they stand after all restarts, without a shifted clock.
    let server = try ServerProcess(in: directory)
    let client = try server.connect()
    last = ""
    for number in 0..<number {
      let found = try client.call("transactions.get_by_reference", #"{"reference":"c\#(number)"}"#)["result"]
      let time = Self.sortable(found?["created_at"]?.string ?? "")
      #expect(time > last, "\(seed) c\(number)")
      last = time
    }
    server.signal(SIGTERM)
    #expect(server.end().code == 0)
  }
}
